"""Writing the reference file: pages of changes, totals and checksums kept along with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from sqlite3 import Connection
from typing import Any

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

CURSOR = "cursor"
READY = "ready"
_CHUNK = 400
"""Rows asked for at once: the oldest SQLite allows 999 parameters, a barcode's key takes two."""


class ChecksumError(Exception):
    """The rows at the checkpoint are not the server's rows."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One table: its message's fields are its columns, and `rev` beside them."""

    message: type[Reply]
    keys: tuple[str, ...]
    key: Callable[[str], tuple[str, ...]] = lambda row_id: (row_id,)
    row_id: Callable[..., str] = str

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.message.model_fields, "rev")


_KINDS: dict[RefKind, _Kind] = {
    RefKind.BIN: _Kind(RefBin, ("bin",)),
    RefKind.SKU: _Kind(RefSku, ("sku",)),
    RefKind.BARCODE: _Kind(RefBarcode, ("barcode", "sku"), split_barcode_id, barcode_id),
    RefKind.TASK: _Kind(RefTask, ("task_id",)),
    RefKind.USER: _Kind(RefUser, ("user_id",)),
}


def apply_changes(db: Connection, changes: Sequence[Change]) -> None:
    """Apply changes in order of revision; an older revision of a row never overwrites a newer one."""
    latest = {(c.kind, c.id): c for c in sorted(changes, key=lambda c: c.rev)}
    by_kind = sorted(latest.values(), key=lambda c: c.kind.value)
    for kind, group in groupby(by_kind, key=lambda c: c.kind):
        members = list(group)
        for start in range(0, len(members), _CHUNK):
            _apply_chunk(db, kind, members[start : start + _CHUNK])


def _apply_chunk(db: Connection, kind: RefKind, changes: list[Change]) -> None:
    known = _revisions(db, kind, [c.id for c in changes])
    fresh = [c for c in changes if c.rev > known.get(c.id, 0)]
    live, checksum = _total(db, kind)
    for change in fresh:
        if change.id in known:
            live -= 1
            old = row_checksum(kind.value, change.id, known[change.id])
            checksum = remove_checksum(checksum, old)
        if change.op == "put":
            live += 1
            checksum = add_checksum(checksum, row_checksum(kind.value, change.id, change.rev))
    _delete_rows(db, kind, [c.id for c in fresh if c.op == "del" and c.id in known])
    _put_rows(db, kind, [c for c in fresh if c.op == "put"])
    db.execute(
        "INSERT OR REPLACE INTO total (kind, live, checksum) VALUES (?, ?, ?)",
        (kind.value, live, checksum_text(checksum)),
    )


def _where(kind: RefKind) -> str:
    return " AND ".join(f"{name} = ?" for name in _KINDS[kind].keys)


def _revisions(db: Connection, kind: RefKind, ids: Sequence[str]) -> dict[str, int]:
    """The revision held of each of the ids that is known."""
    model = _KINDS[kind]
    names = ", ".join(model.keys)
    one = f"({', '.join('?' * len(model.keys))})"
    rows = db.execute(
        f"SELECT rev, {names} FROM {kind.value}"
        f" WHERE ({names}) IN (VALUES {', '.join([one] * len(ids))})",
        [part for i in ids for part in model.key(i)],
    ).fetchall()
    return {model.row_id(*key): int(rev) for rev, *key in rows}


def _delete_rows(db: Connection, kind: RefKind, ids: Sequence[str]) -> None:
    keys = [_KINDS[kind].key(i) for i in ids]
    db.executemany(f"DELETE FROM {kind.value} WHERE {_where(kind)}", keys)


def _put_rows(db: Connection, kind: RefKind, changes: Sequence[Change]) -> None:
    model = _KINDS[kind]
    rows: list[dict[str, Any]] = [
        model.message.model_validate(change.data).model_dump(mode="json") | {"rev": change.rev}
        for change in changes
    ]
    marks = ", ".join(f":{name}" for name in model.columns)
    db.executemany(
        f"INSERT OR REPLACE INTO {kind.value} ({', '.join(model.columns)}) VALUES ({marks})", rows
    )


def _total(db: Connection, kind: RefKind) -> tuple[int, int]:
    row = db.execute("SELECT live, checksum FROM total WHERE kind = ?", (kind.value,)).fetchone()
    return (row[0], int(row[1], 16)) if row else (0, 0)


def compare(db: Connection, checkpoint: Checkpoint) -> None:
    """Raise ChecksumError when counts or checksum differ from the server's."""
    counts: dict[str, int] = {}
    checksum = 0
    for kind, live, of_kind in db.execute("SELECT kind, live, checksum FROM total").fetchall():
        counts[kind] = live
        checksum = add_checksum(checksum, int(of_kind, 16))
    theirs = {kind: n for kind, n in checkpoint.counts.items() if n}
    if theirs != {k: n for k, n in counts.items() if n}:
        raise ChecksumError(f"rows differ: {counts} here, {checkpoint.counts} there")
    if checksum_text(checksum) != checkpoint.checksum:
        raise ChecksumError("checksum differs")


def is_consistent(db: Connection) -> bool:
    """True when each total equals what its rows add up to."""
    return all(_recomputed(db, kind) == _total(db, kind) for kind in RefKind)


def _recomputed(db: Connection, kind: RefKind) -> tuple[int, int]:
    live, checksum = 0, 0
    model = _KINDS[kind]
    for rev, *key in db.execute(f"SELECT rev, {', '.join(model.keys)} FROM {kind.value}"):
        live += 1
        checksum = add_checksum(checksum, row_checksum(kind.value, model.row_id(*key), rev))
    return live, checksum


def mark(db: Connection, name: str, value: str) -> None:
    """Set a named mark of the file."""
    db.execute("INSERT OR REPLACE INTO mark (name, value) VALUES (?, ?)", (name, value))


def forget_people(db: Connection) -> None:
    """Remove everybody, and with them the marks that say how far the file goes and that it is complete."""
    db.execute(f"DELETE FROM {RefKind.USER.value}")
    db.execute("DELETE FROM total WHERE kind = ?", (RefKind.USER.value,))
    db.execute("DELETE FROM mark WHERE name IN (?, ?)", (CURSOR, READY))


def empty(db: Connection) -> None:
    """Remove every row of every table."""
    for table in (*(kind.value for kind in RefKind), "total", "mark"):
        db.execute(f"DELETE FROM {table}")
