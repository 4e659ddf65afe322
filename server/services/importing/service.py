"""Importing a file of rows: all of it or nothing, every wrong row named in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, select

from app.contract.problems import RefusalError
from app.contract.vocabulary import quantity_text
from server.clock import Rim
from server.domain.row_errors import RowCode, RowError
from server.host.mapping import NO_MAPPING, ImportMapping, renamed
from server.host.sources import Source, open_source
from server.services.importing import bins, documents, movements, skus, stock
from server.services.importing.job import Importer, Job
from server.services.importing.posting import Posting
from server.services.importing.report import (
    ERRORS_LISTED_MAX,
    ErrorLine,
    ImportKind,
    ImportReport,
    NegativeBook,
)
from server.storage.bulk import bulk_posting
from server.storage.checkpoints import refresh_checkpoints
from server.storage.columns import from_u, to_us
from server.storage.engine import Database
from server.storage.records import Site, find_site
from server.storage.tables_records import ImportRow
from server.storage.touched import BelowZero

COLUMNS = {
    ImportKind.BINS: bins.COLUMNS,
    ImportKind.SKUS: skus.COLUMNS,
    ImportKind.STOCK: stock.COLUMNS,
    ImportKind.MOVEMENTS: movements.COLUMNS,
    ImportKind.DOCUMENTS: documents.COLUMNS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """A file to import, and how."""

    kind: ImportKind
    path: Path
    name: str
    """The name its owner gave the file; says what kind of file it should be."""
    actor: str
    mapping: ImportMapping = NO_MAPPING
    is_dry_run: bool = False
    is_update: bool = False
    """True: known bins and SKUs may change. Movements, stock and document lines never do."""


def import_file(
    database: Database,
    site_id: str,
    request: ImportRequest,
    rim: Rim,
    *,
    on_progress: Callable[[int, float], None] = lambda _rows, _share: None,
    on_error: Callable[[RowError], None] = lambda _error: None,
) -> ImportReport:
    """Import a file and report. Nothing is kept when a row is wrong, or on a dry run.

    `on_progress` is told rows read and the share of the file, `on_error` every wrong row as it is found.
    Raises RefusalError("file-unreadable") when the file cannot be read to its end.
    """
    source = open_source(request.path, request.mapping, request.name)
    header = _header(source, request)
    errors: list[RowError] = []

    def note(error: RowError) -> None:
        if len(errors) < ERRORS_LISTED_MAX:
            errors.append(error)
        on_error(error)

    started_at, import_id = rim.now(), rim.new_id()
    with database.write() as session:
        job = Job(
            session=session,
            site=_site(session, site_id),
            header=header,
            defaults=dict(request.mapping.defaults),
            rules=request.mapping.rules(),
            now=started_at,
            new_id=rim.new_id,
            actor=request.actor,
            via=f"import/{import_id}",
            is_update=request.is_update,
            on_error=note,
        )
        with _importer(job, request.kind) as (importer, posting):
            for chunk, share in source.chunks:
                importer.take(chunk)
                job.tally.rows += len(chunk)
                on_progress(job.tally.rows, share)
            importer.finish()
        is_kept = job.tally.errors_total == 0 and not request.is_dry_run
        report = _report(job, request, errors, rim.now(), posting)
        if is_kept:
            _keep(session, site_id, report, request.actor)
            session.commit()
    if is_kept and posting is not None:
        refresh_checkpoints(database, site_id, posting.earliest)
    return report


def _site(session: Session, site_id: str) -> Site:
    site = find_site(session, site_id)
    if site is None:
        raise RefusalError("not-found", what="site", id=site_id)
    return site


def _report(
    job: Job,
    request: ImportRequest,
    errors: Sequence[RowError],
    finished_at: datetime,
    posting: Posting | None,
) -> ImportReport:
    return ImportReport(
        import_id=job.via.removeprefix("import/"),
        kind=request.kind,
        name=request.name,
        dry_run=request.is_dry_run,
        imported=job.tally.errors_total == 0 and not request.is_dry_run,
        started_at=job.now,
        finished_at=finished_at,
        rows=job.tally.rows,
        created=job.tally.created,
        updated=job.tally.updated,
        unchanged=job.tally.unchanged,
        ignored_columns=COLUMNS[request.kind].ignored(job.header),
        errors_total=job.tally.errors_total,
        errors=tuple(
            ErrorLine(line=e.line, column=e.column, code=e.code, reason=e.reason) for e in errors
        ),
        negative_total=0 if posting is None else posting.negative.total,
        negative=() if posting is None else tuple(map(_negative, posting.negative.listed)),
    )


def _negative(row: BelowZero) -> NegativeBook:
    place, sku, lot, serial, state, held = row
    return NegativeBook(
        bin=place,
        sku=sku,
        lot=lot,
        serial=serial,
        state=state,
        quantity=quantity_text(from_u(held)),
    )


def find_import(session: Session, site_id: str, import_id: str) -> ImportReport:
    """The report of an import that was carried out. RefusalError("not-found") for another id."""
    row = session.get(ImportRow, (site_id, import_id))
    if row is None:
        raise RefusalError("not-found", what="import", id=import_id)
    return ImportReport.model_validate_json(row.report)


def recent_imports(session: Session, site_id: str, limit: int) -> list[ImportReport]:
    """Reports of the last imports, newest first."""
    query = (
        select(ImportRow)
        .where(col(ImportRow.site_id) == site_id)
        .order_by(col(ImportRow.finished_us).desc())
        .limit(limit)
    )
    return [ImportReport.model_validate_json(row.report) for row in session.exec(query)]


def _header(source: Source, request: ImportRequest) -> list[str]:
    header = renamed(source.header, request.mapping)
    missing = COLUMNS[request.kind].missing(header, request.mapping.defaults)
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if missing:
        raise RefusalError(
            "file-unreadable",
            reason=(
                f"{request.name}, line 1 ({RowCode.COLUMN_MISSING}): there is no column "
                f"{', '.join(missing)}. It has: {', '.join(name for name in header if name)}. "
                "Rename the columns, or give a mapping file. Nothing was imported."
            ),
        )
    if doubled:
        raise RefusalError(
            "file-unreadable",
            reason=(
                f"{request.name}, line 1: the column {', '.join(doubled)} is there twice. "
                "Nothing was imported."
            ),
        )
    return header


@contextmanager
def _importer(job: Job, kind: ImportKind) -> Iterator[tuple[Importer, Posting | None]]:
    """The importer of a kind; for those that write the ledger also their posting."""
    if kind is ImportKind.BINS:
        yield bins.BinImporter(job), None
    elif kind is ImportKind.SKUS:
        yield skus.SkuImporter(job), None
    elif kind is ImportKind.DOCUMENTS:
        yield documents.DocumentImporter(job), None
    else:
        with bulk_posting(job.session, may_defer=kind is ImportKind.MOVEMENTS) as poster:
            names: dict[str, str] = {}
            posting = Posting(job, poster, lambda id_: names.get(id_, id_))
            if kind is ImportKind.STOCK:
                yield stock.StockImporter(job, posting, names), posting
            else:
                yield movements.MovementImporter(job, posting), posting


def _keep(session: Session, site_id: str, report: ImportReport, actor: str) -> None:
    session.add(
        ImportRow(
            site_id=site_id,
            import_id=report.import_id,
            kind=report.kind.value,
            name=report.name,
            actor=actor,
            started_us=to_us(report.started_at),
            finished_us=to_us(report.finished_at),
            rows=report.rows,
            created=report.created,
            updated=report.updated,
            unchanged=report.unchanged,
            report=report.model_dump_json(),
        )
    )


__all__ = ["ImportKind", "ImportRequest", "find_import", "import_file", "recent_imports"]
