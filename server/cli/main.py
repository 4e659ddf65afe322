"""The `blindcount` command. Each command has a file of its own; here they are only listed."""

from __future__ import annotations

import typer

from server.cli import (
    client,
    demo,
    doctor,
    enrol,
    export_rows,
    import_rows,
    keys,
    labels,
    restored,
    serve,
    verify,
)

app = typer.Typer(
    name="blindcount",
    help="Cycle counting that warehouse people actually use: blind, offline, priced.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve.serve)
app.command()(client.client)
app.command()(demo.demo)
app.command()(enrol.enrol)
app.command()(doctor.doctor)
app.command()(restored.restored)
app.command()(restored.rescue)
app.command()(labels.labels)
app.command("import")(import_rows.import_rows)
app.command("export")(export_rows.export_rows)
app.command()(verify.verify)
app.add_typer(keys.keys, name="keys")


def main() -> None:
    """Entry point of the console command."""
    app()


if __name__ == "__main__":
    main()
