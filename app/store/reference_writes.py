"""Writing the reference file: pages of changes, totals and checksums kept along with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import delete, tuple_
from sqlalchemy import select as select_columns
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Session, select

from app.contract.checksums import (
    add_checksum,
    barcode_id,
    checksum_text,
    remove_checksum,
    row_checksum,
    split_barcode_id,
)
from app.contract.wire import (
    Change,
    Checkpoint,
    RefBarcode,
    RefBin,
    RefKind,
    RefSku,
    RefTask,
    RefUser,
    Reply,
)
from app.store.reference_tables import (
    BarcodeRow,
    BinRow,
    MarkRow,
    ReferenceTable,
    SkuRow,
    TaskRow,
    TotalRow,
    UserRow,
)

CURSOR = "cursor"
READY = "ready"
_CHUNK = 400
"""Rows a statement: the oldest SQLite allows 999 parameters, a barcode's key takes two."""


class ChecksumError(Exception):
    """The rows at the checkpoint are not the server's rows."""


@dataclass(frozen=True, slots=True)
class _Kind:
    table: type[ReferenceTable]
    message: type[Reply]
    key: Callable[[str], tuple[str, ...]]
    row_id: Callable[[Any], str]


_KINDS: dict[RefKind, _Kind] = {
    RefKind.BIN: _Kind(BinRow, RefBin, lambda i: (i,), lambda r: str(r.bin)),
    RefKind.SKU: _Kind(SkuRow, RefSku, lambda i: (i,), lambda r: str(r.sku)),
    RefKind.BARCODE: _Kind(
        BarcodeRow, RefBarcode, split_barcode_id, lambda r: barcode_id(r.barcode, r.sku)
    ),
    RefKind.TASK: _Kind(TaskRow, RefTask, lambda i: (i,), lambda r: str(r.task_id)),
    RefKind.USER: _Kind(UserRow, RefUser, lambda i: (i,), lambda r: str(r.user_id)),
}


def apply_changes(session: Session, changes: Sequence[Change]) -> None:
    """Apply changes in order of revision; an older revision of a row never overwrites a newer one."""
    latest = {(c.kind, c.id): c for c in sorted(changes, key=lambda c: c.rev)}
    by_kind = sorted(latest.values(), key=lambda c: c.kind.value)
    for kind, group in groupby(by_kind, key=lambda c: c.kind):
        members = list(group)
        for start in range(0, len(members), _CHUNK):
            _apply_chunk(session, kind, members[start : start + _CHUNK])


def _apply_chunk(session: Session, kind: RefKind, changes: list[Change]) -> None:
    known = _revisions(session, kind, [c.id for c in changes])
    fresh = [c for c in changes if c.rev > known.get(c.id, 0)]
    live, checksum = _total(session, kind)
    for change in fresh:
        if change.id in known:
            live -= 1
            old = row_checksum(kind.value, change.id, known[change.id])
            checksum = remove_checksum(checksum, old)
        if change.op == "put":
            live += 1
            checksum = add_checksum(checksum, row_checksum(kind.value, change.id, change.rev))
    _delete_rows(session, kind, [c.id for c in fresh if c.op == "del" and c.id in known])
    _put_rows(session, kind, [c for c in fresh if c.op == "put"])
    session.merge(TotalRow(kind=kind.value, live=live, checksum=checksum_text(checksum)))
    session.flush()


def _keys(kind: RefKind) -> list[Any]:
    return list(_table(kind).primary_key.columns)


def _table(kind: RefKind) -> Any:
    return _KINDS[kind].table.__table__  # type: ignore[attr-defined]  # SQLAlchemy sets it


def _revisions(session: Session, kind: RefKind, ids: Sequence[str]) -> dict[str, int]:
    """The revision held of each of the ids that is known."""
    model, table, keys = _KINDS[kind], _table(kind), _keys(kind)
    wanted = [model.key(i) for i in ids]
    clause = keys[0].in_([k[0] for k in wanted]) if len(keys) == 1 else tuple_(*keys).in_(wanted)
    rows = session.connection().execute(select_columns(*keys, table.c.rev).where(clause))
    return {model.row_id(row): int(row.rev) for row in rows}


def _delete_rows(session: Session, kind: RefKind, ids: Sequence[str]) -> None:
    if not ids:
        return
    keys = _keys(kind)
    wanted = [_KINDS[kind].key(i) for i in ids]
    clause = keys[0].in_([k[0] for k in wanted]) if len(keys) == 1 else tuple_(*keys).in_(wanted)
    session.connection().execute(delete(_table(kind)).where(clause))


def _put_rows(session: Session, kind: RefKind, changes: Sequence[Change]) -> None:
    if not changes:
        return
    message = _KINDS[kind].message
    rows = [
        message.model_validate(change.data).model_dump(mode="json") | {"rev": change.rev}
        for change in changes
    ]
    statement = insert(_table(kind))
    names = [name for name in rows[0] if name not in {k.name for k in _keys(kind)}]
    replace = {name: statement.excluded[name] for name in names}
    upsert = statement.on_conflict_do_update(index_elements=_keys(kind), set_=replace)
    session.connection().execute(upsert, rows)


def _total(session: Session, kind: RefKind) -> tuple[int, int]:
    row = session.get(TotalRow, kind.value)
    return (row.live, int(row.checksum, 16)) if row else (0, 0)


def compare(session: Session, checkpoint: Checkpoint) -> None:
    """Raise ChecksumError when counts or checksum differ from the server's."""
    counts: dict[str, int] = {}
    checksum = 0
    for row in session.exec(select(TotalRow)):
        counts[row.kind] = row.live
        checksum = add_checksum(checksum, int(row.checksum, 16))
    theirs = {kind: n for kind, n in checkpoint.counts.items() if n}
    if theirs != {k: n for k, n in counts.items() if n}:
        raise ChecksumError(f"rows differ: {counts} here, {checkpoint.counts} there")
    if checksum_text(checksum) != checkpoint.checksum:
        raise ChecksumError("checksum differs")


def is_consistent(session: Session) -> bool:
    """True when each total equals what its rows add up to."""
    return all(_recomputed(session, kind) == _total(session, kind) for kind in RefKind)


def _recomputed(session: Session, kind: RefKind) -> tuple[int, int]:
    live, checksum = 0, 0
    rows = session.connection().execute(select_columns(*_keys(kind), _table(kind).c.rev))
    for row in rows.yield_per(10_000):
        live += 1
        row_id = _KINDS[kind].row_id(row)
        checksum = add_checksum(checksum, row_checksum(kind.value, row_id, row.rev))
    return live, checksum


def mark(session: Session, name: str, value: str) -> None:
    """Set a named mark of the file."""
    session.merge(MarkRow(name=name, value=value))


def empty(session: Session) -> None:
    """Remove every row of every table."""
    tables: Iterable[Any] = reversed(ReferenceTable.metadata.sorted_tables)
    for table in tables:
        session.connection().execute(delete(table))
