"""A prebuilt reference file: the site's bins, SKUs and barcodes as the SQLite file a device uses.

Built from one consistent read of the tables, in parts that can be fetched and checked one by one. It
holds nobody's PIN, no task, and nothing anybody expects to find anywhere.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import shutil
import sqlite3
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Select, literal
from sqlalchemy import select as select_columns
from sqlmodel import Session, col

from app.contract.checksums import BARCODE_SEPARATOR, checksum_text
from app.contract.reference_schema import REFERENCE_DDL, REFERENCE_SCHEMA
from app.contract.vocabulary import quantity_text
from app.contract.wire import RefKind, SnapshotManifest, SnapshotPart
from server.storage import changes
from server.storage.columns import from_u
from server.storage.tables_records import BarcodeRow, BinRow, SkuRow
from server.storage.tables_sync import ChangeRow

PART_BYTES = 4 * 1024 * 1024
KINDS = (RefKind.BIN, RefKind.SKU, RefKind.BARCODE)
_BATCH = 20_000
_LEVEL = 4
"""gzip: 1 is 15 % larger, 6 takes twice as long."""


def build(
    session: Session, site_id: str, folder: Path, *, epoch: str, cursor: str, rev: int, name: str
) -> SnapshotManifest:
    """Build the file for `rev`, which must be what the session sees; the manifest is written last."""
    work = folder / f"{name}.work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    file = work / "ref.db"
    rows = _fill(session, site_id, file)
    digest = _digest(file)
    size = file.stat().st_size
    parts = _parts(file, work)
    file.unlink()
    manifest = SnapshotManifest(
        server_epoch=epoch,
        snapshot_id=name,
        rev=rev,
        cursor=cursor,
        schema_version=REFERENCE_SCHEMA,
        size=size,
        sha256=digest,
        rows=rows,
        parts=parts,
    )
    (work / "manifest.json").write_text(manifest.model_dump_json(), "utf-8")
    done = folder / name
    shutil.rmtree(done, ignore_errors=True)
    work.replace(done)
    return manifest


def newest(folder: Path, epoch: str, names: Container[str]) -> SnapshotManifest | None:
    """The newest finished snapshot of this epoch among those of these names, or None."""
    ours = [
        m
        for m in _manifests(folder, names)
        if m.server_epoch == epoch and m.schema_version == REFERENCE_SCHEMA
    ]
    return max(ours, key=lambda m: m.rev, default=None)


def newest_names(folder: Path, names: Container[str], count: int) -> list[str]:
    """The names of the newest finished snapshots among these, by revision: no clock can err in it."""
    found = sorted(_manifests(folder, names), key=lambda m: m.rev, reverse=True)
    return [manifest.snapshot_id for manifest in found[:count]]


def keep_only(folder: Path, names: Container[str]) -> None:
    """Remove all other snapshots; one that is being fetched is begun again."""
    for path in folder.glob("*/manifest.json"):
        if path.parent.name not in names and path.parent.suffix != ".work":
            shutil.rmtree(path.parent, ignore_errors=True)


def _manifests(folder: Path, names: Container[str]) -> list[SnapshotManifest]:
    found = []
    for path in folder.glob("*/manifest.json"):
        if path.parent.name not in names:
            continue
        with contextlib.suppress(OSError, ValueError):
            found.append(SnapshotManifest.model_validate_json(path.read_bytes()))
    return found


def part_path(folder: Path, name: str, index: int) -> Path | None:
    """The file of a part; None when there is no such snapshot or part (any more)."""
    if not name.isalnum():
        return None
    path = folder / name / f"part-{index:05d}"
    return path if path.is_file() else None


def _fill(session: Session, site_id: str, file: Path) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as target:
        # A crash leaves a .work folder that the next build removes: nothing to protect here.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "page_size=4096"):
            target.execute(f"PRAGMA {pragma}")
        tables = [d for d in REFERENCE_DDL if "TABLE" in d]
        for statement in tables:
            target.execute(statement)
        target.execute("BEGIN")
        counts = {
            "bin": _copy(target, "bin", 10, _bins(session, site_id)),
            "sku": _copy(target, "sku", 5, _skus(session, site_id)),
            "barcode": _copy(target, "barcode", 5, _barcodes(session, site_id)),
        }
        for kind, (live, checksum) in changes.totals(session, site_id).items():
            if kind in KINDS:
                row = (kind.value, live, checksum_text(checksum))
                target.execute("INSERT INTO total VALUES (?, ?, ?)", row)
        for statement in REFERENCE_DDL:
            if statement not in tables:
                target.execute(statement)
        target.execute("COMMIT")
        target.execute(f"PRAGMA user_version = {REFERENCE_SCHEMA}")
    return counts


def _copy(target: sqlite3.Connection, table: str, width: int, rows: Iterable[Any]) -> int:
    marks = ", ".join("?" * width)
    count = 0
    for batch in rows:
        target.executemany(f"INSERT INTO {table} VALUES ({marks})", batch)
        count += len(batch)
    return count


def _with_rev(query: Select[Any], site_id: str, kind: RefKind, row_id: Any) -> Select[Any]:
    """Only records that devices are told of, with their revision last."""
    return query.add_columns(col(ChangeRow.rev)).join(
        ChangeRow,
        (col(ChangeRow.site_id) == site_id)
        & (col(ChangeRow.kind) == kind.value)
        & (col(ChangeRow.row_id) == row_id)
        & col(ChangeRow.is_deleted).is_(False),
    )


def _stream(session: Session, query: Select[Any]) -> Iterator[list[Any]]:
    result = session.connection().execution_options(yield_per=_BATCH).execute(query)
    for batch in result.partitions(_BATCH):
        yield [tuple(row) for row in batch]


def _bins(session: Session, site_id: str) -> Iterator[list[Any]]:
    names = ("bin", "barcode", "zone", "aisle", "bay", "level", "kind", "walk_order", "state")
    columns = [getattr(BinRow, name) for name in names]
    query = select_columns(*columns).where(col(BinRow.site_id) == site_id).order_by(col(BinRow.bin))
    yield from _stream(session, _with_rev(query, site_id, RefKind.BIN, col(BinRow.bin)))


def _skus(session: Session, site_id: str) -> Iterator[list[Any]]:
    columns = [getattr(SkuRow, name) for name in ("sku", "description", "tracking", "state")]
    query = select_columns(*columns).where(col(SkuRow.site_id) == site_id).order_by(col(SkuRow.sku))
    yield from _stream(session, _with_rev(query, site_id, RefKind.SKU, col(SkuRow.sku)))


def _barcodes(session: Session, site_id: str) -> Iterator[list[Any]]:
    names = ("barcode", "sku", "unit", "factor_u")
    query = (
        select_columns(*[getattr(BarcodeRow, name) for name in names])
        .where(col(BarcodeRow.site_id) == site_id)
        .order_by(col(BarcodeRow.barcode), col(BarcodeRow.sku))
    )
    row_id = col(BarcodeRow.barcode) + literal(BARCODE_SEPARATOR) + col(BarcodeRow.sku)
    factors: dict[int, str] = {}
    for batch in _stream(session, _with_rev(query, site_id, RefKind.BARCODE, row_id)):
        for factor_u in {row[3] for row in batch} - factors.keys():
            factors[factor_u] = quantity_text(from_u(factor_u))
        yield [(b, s, unit, factors[f], rev) for b, s, unit, f, rev in batch]


def _digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _parts(file: Path, folder: Path) -> tuple[SnapshotPart, ...]:
    packed = folder / "ref.db.gz"
    with (
        file.open("rb") as source,
        gzip.GzipFile(packed, mode="wb", compresslevel=_LEVEL, mtime=0) as zipped,
    ):
        shutil.copyfileobj(source, zipped, 1 << 20)
    parts: list[SnapshotPart] = []
    with packed.open("rb") as source:
        while chunk := source.read(PART_BYTES):
            index = len(parts)
            (folder / f"part-{index:05d}").write_bytes(chunk)
            digest = hashlib.sha256(chunk).hexdigest()
            parts.append(SnapshotPart(index=index, size=len(chunk), sha256=digest))
    packed.unlink()
    return tuple(parts)
