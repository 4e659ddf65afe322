"""`blindcount verify`: are ledger and records sound?"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from server.cli.opening import opened
from server.services import verifying


def verify(
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="First work out every checkpoint afresh.")
    ] = False,
) -> None:
    """Check what must always hold, and name what does not. Exit code 1 when something is wrong.

    Conservation (what entered and did not leave is in the bins), states and transitions, checkpoints
    against all movements, histories against states, and on SQLite the file itself. Worth a look, not
    wrong: negative books, documents that are named and not known, a serial number in two places.
    """
    console = Console()
    with opened(must_exist=True) as (database, settings, _rim):
        if repair:
            made = verifying.repair(database, settings.site_id)
            console.print(f"{made} checkpoints worked out afresh.")
        with console.status("checking") as status:
            verdict = verifying.verify(
                database,
                settings.site_id,
                on_check=lambda name: status.update(f"checking {name}"),
            )
    for finding in verdict.findings:
        word, style = ("wrong", "red") if finding.is_defect else ("look", "yellow")
        console.print(f"  {word}: {finding.check}: {finding.what}", style=style, markup=False)
    checked = len(verdict.checks)
    if not verdict.is_sound:
        typer.echo(f"{checked} checks: something is wrong. Keep a copy of the database and ask.")
        raise typer.Exit(1)
    typer.echo(f"{checked} checks: sound.")
