"""`blindcount export`: records as CSV that imports again to the same state."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from server.cli.opening import opened, stop_unwritable
from server.services.exporting import ExportKind, write_export


def export_rows(
    kind: Annotated[ExportKind, typer.Argument(help="What to export.")],
    file: Annotated[Path, typer.Argument(help="The CSV file to write.")],
    *,
    as_of: Annotated[
        str | None,
        typer.Option(help="Stock at this instant (2026-11-23T14:05:00+01:00). Default: now."),
    ] = None,
) -> None:
    """Write records as CSV (UTF-8, commas). Importing the file again gives the same state.

    For a whole copy export bins, skus, documents and movements, and import them in that order; opening
    stock is among the movements. Text that a spreadsheet would run as a formula gets an apostrophe in
    front, which the import takes off.
    """
    with opened(must_exist=True) as (database, settings, rim):
        at = rim.now() if as_of is None else _instant(as_of)
        part = file.with_name(f"{file.name}.part")
        try:
            with (
                database.read() as session,
                part.open("w", encoding="utf-8", newline="") as out,
            ):
                rows = write_export(session, settings.site_id, kind, at, out)
            part.replace(file)  # a broken export never stands where a whole one is expected
        except OSError as error:
            stop_unwritable(file, error)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
    typer.echo(f"{file}: {rows} {kind.value} rows.")


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text} is no time like 2026-11-23T14:05:00+01:00") from error
    if at.tzinfo is None:
        raise typer.BadParameter(f"{text} names no zone. Write {text}Z or {text}+01:00")
    return at
