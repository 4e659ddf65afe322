"""`blindcount import`: a file of rows into the records."""

from __future__ import annotations

import csv
import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.contract.problems import RefusalError
from app.contract.vocabulary import (
    AbcClass,
    BinKind,
    OutsidePlace,
    PhysicalState,
    RecordState,
    Tracking,
    Unit,
)
from server.cli.opening import opened, stop_unwritable
from server.domain.records import DOCUMENT_KINDS, STATES
from server.domain.row_errors import RowError
from server.domain.spreadsheets import defused
from server.host.mapping import NO_MAPPING, read_mapping
from server.services.importing.report import ImportKind, ImportReport
from server.services.importing.service import COLUMNS, ImportRequest, import_file

SHOWN_MAX = 50
"""Wrong rows printed; all of them go to --errors."""

_HELP = """Import a file of rows (CSV, XLSX or JSON): all of it, or nothing when a row is wrong.

The same file twice changes nothing. Exit code 0 when everything was taken, 1 otherwise.

Import in this order: bins, skus, documents, then stock or movements.
"""

_MAPPING = (
    'time_zone = "Europe/Berlin" (of times that name none)',
    "decimal_comma = true",
    '[columns] quantity = "Menge" (ours = "theirs")',
    '[defaults] unit = "each" (for a column they do not have)',
    '[words.unit] Krt = "case" (theirs = "ours")',
)
"""Each table's header and entries stand on lines of their own in the file; docs/records.md has one."""


def _columns_help() -> str:
    lines = ["Columns, by KIND; those that must be there come before the dot:"]
    for kind, columns in COLUMNS.items():
        lines.append(f"  {kind.value}: {' '.join(columns.required)} · {' '.join(columns.optional)}")
    words: dict[str, type[StrEnum]] = {
        "state of bins and SKUs": RecordState,
        "kind of bins": BinKind,
        "unit": Unit,
        "tracking": Tracking,
        "abc_class": AbcClass,
        "state, from_state, to_state of stock": PhysicalState,
        "from_bin, to_bin, where it is no bin": OutsidePlace,
    }
    lines.append("Words from a closed list:")
    lines += [f"  {name}: {' '.join(word.value for word in of)}" for name, of in words.items()]
    lines += [
        f"  {kind.value} (documents): {' '.join(state.value for state in STATES[kind])}"
        for kind in DOCUMENT_KINDS
    ]
    lines += [
        "Times need a zone (2026-11-23T14:05:00+01:00). A movement names its document like order/991.",
        "A mapping file (TOML or JSON) puts another system's columns and words into these:",
        *(f"  {escape(line)}" for line in _MAPPING),
    ]
    return "\n\n".join(lines)


def import_rows(
    kind: Annotated[ImportKind, typer.Argument(help="What the rows are.")],
    file: Annotated[Path, typer.Argument(help="The file. Its first line names the columns.")],
    *,
    mapping: Annotated[
        Path | None, typer.Option(help="A mapping file for other column names and words.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, keep nothing.")] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Let known bins and SKUs change. Facts never do.")
    ] = False,
    errors: Annotated[
        Path | None, typer.Option(help="Write every wrong row to this CSV file.")
    ] = None,
    actor: Annotated[
        str | None, typer.Option("--as", help="Who imports, for the history. Default: your login.")
    ] = None,
) -> None:
    """Import a file of rows. (The whole help is put together below.)"""
    console = Console(stderr=True)
    try:
        request = ImportRequest(
            kind=kind,
            path=file,
            name=file.name,
            actor=actor or _login(),
            mapping=NO_MAPPING if mapping is None else read_mapping(mapping),
            is_dry_run=dry_run,
            is_update=update,
        )
        with (
            opened() as (database, settings, rim),
            _errors_to(errors) as on_error,
            _progress(console, file.name) as on_progress,
        ):
            report = import_file(
                database,
                settings.site_id,
                request,
                rim,
                on_progress=on_progress,
                on_error=on_error,
            )
    except RefusalError as refusal:
        console.print(f"{refusal.problem.title}. {refusal.detail}", style="red", markup=False)
        raise typer.Exit(1) from refusal
    _print(console, report, errors)
    if report.errors_total:
        raise typer.Exit(1)


import_rows.__doc__ = f"{_HELP}\n{_columns_help()}"


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "cli"


@contextmanager
def _errors_to(path: Path | None) -> Iterator[Callable[[RowError], None]]:
    if path is None:
        yield lambda _error: None
        return
    try:
        opened_file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        stop_unwritable(path, error)
    with opened_file as file:
        writer = csv.writer(file)
        writer.writerow(("line", "column", "code", "reason"))
        yield lambda e: writer.writerow((e.line, e.column, e.code.value, defused(e.reason)))


@contextmanager
def _progress(console: Console, name: str) -> Iterator[Callable[[int, float], None]]:
    """A bar on a terminal, nothing in a pipe."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=1.0, rows=0)
        yield lambda rows, share: progress.update(task, completed=share, rows=rows)


def _print(console: Console, report: ImportReport, errors: Path | None) -> None:
    for error in report.errors[:SHOWN_MAX]:
        where = f"line {error.line}" + (f", {error.column}" if error.column else "")
        console.print(f"  {where}: {error.reason} [{error.code}]", style="red", markup=False)
    if report.errors_total > SHOWN_MAX:
        rest = report.errors_total - SHOWN_MAX
        told = f"all are in {errors}" if errors else "name a file with --errors to get all"
        console.print(f"  … and {rest} more; {told}", style="red", markup=False)
    if report.ignored_columns:
        console.print(f"Columns not read: {', '.join(report.ignored_columns)}", markup=False)
    for key in report.negative[:SHOWN_MAX]:
        console.print(
            f"  negative book: {key.bin} {key.sku} {key.lot}{key.serial} {key.state} {key.quantity}",
            style="yellow",
            markup=False,
        )
    if report.negative_total > SHOWN_MAX:
        console.print(f"  … {report.negative_total} negative in all", style="yellow")
    typer.echo(summary(report))


def summary(report: ImportReport) -> str:
    """What became of the file, in one line."""
    if report.errors_total:
        total = report.errors_total
        wrong = "1 thing is" if total == 1 else f"{total} things are"
        return (
            f"{report.name}: nothing was imported. {wrong} wrong in {report.rows} rows; mend "
            f"{'it' if total == 1 else 'them'} and import the file again."
        )
    done = "would be" if report.dry_run else "were"
    return (
        f"{report.name}: {report.rows} {report.kind.value} rows read; {report.created} {done} new, "
        f"{report.updated} changed, {report.unchanged} known already."
    )
