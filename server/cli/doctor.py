"""`blindcount doctor`: is everything here that scanning needs, and does it read a label it drew itself?"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Annotated, Any

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="The report for a machine.")] = False,
) -> None:
    """Say which barcode engines are here, their versions, and let each read a label drawn on the spot.

    Exit code 0: scanning works here; 1: it does not, and the report says what to do.
    """
    # The scanner belongs to the client, which the server's program never imports: it runs by itself.
    command = [sys.executable, "-m", "app.scanner.doctor"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        typer.echo(f"The scanner could not be started here:\n{done.stderr.strip()}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(done.stdout.strip())
        raise typer.Exit(done.returncode)
    for engine in report["engines"]:
        typer.echo(_line(engine))
    whole = "reads" if report["has_pipeline_read"] else "does NOT read"
    typer.echo(f"The scanner as a whole {whole} a label that it drew itself.")
    raise typer.Exit(done.returncode)


def _line(engine: dict[str, Any]) -> str:
    if not engine["is_available"]:
        return f"  {engine['name']:8} not here: {engine['reason']}. {engine['remedy']}"
    did = (
        "reads its label" if engine["has_read"] else f"does NOT read its label ({engine['reason']})"
    )
    return f"  {engine['name']:8} {engine['version']:10} {did}"
