"""What devices must hear of: each changed reference record with a revision given at commit.

`record_changes` only notes the ids. The numbering is the last thing before COMMIT, under the lock of
one counter row, so revisions become visible in the order in which they were given and a device that
asks for "everything after r" never skips one that committed late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import bindparam, delete, event, func, tuple_
from sqlalchemy import select as select_columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session as AnySession
from sqlmodel import Session, col, select

from app.contract.checksums import (
    add_checksum,
    checksum_text,
    remove_checksum,
    row_checksum,
    split_barcode_id,
)
from app.contract.wire import RefKind
from server.storage.tables_access import PersonRow
from server.storage.tables_records import BarcodeRow, BinRow, SkuRow
from server.storage.tables_sync import (
    ChangeCounterRow,
    ChangeRow,
    ChangeTotalRow,
    ServerMarkRow,
)

Op = Literal["put", "del"]
_NOTED = "blindcount_changes"
_CHUNK = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMark:
    """One record's latest revision."""

    kind: RefKind
    row_id: str
    rev: int
    is_deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the numbering stands."""

    rev: int
    forgotten: int
    """Tombstones up to here are gone."""


def record_changes(
    session: Session, site_id: str, kind: RefKind, ids: Iterable[str], op: Op = "put"
) -> None:
    """Note that devices must hear of these records. Call it in the transaction that changes them.

    ids: the code of a bin or SKU, `checksums.barcode_id` of a barcode, the id of a task or person.
    The last word about an id in a transaction wins. "del": no device should have it any more.
    """
    noted: dict[tuple[str, RefKind, str], Op] = session.info.setdefault(_NOTED, {})
    for row_id in ids:
        noted[(site_id, kind, row_id)] = op


@event.listens_for(Session, "before_commit")
def _number_noted(session: AnySession) -> None:
    noted: dict[tuple[str, RefKind, str], Op] = session.info.pop(_NOTED, {})
    if not noted or not isinstance(session, Session):
        return
    session.flush()
    for site_id in sorted({key[0] for key in noted}):
        words = {(k, i): op for (site, k, i), op in noted.items() if site == site_id}
        _number(session, site_id, words)


@event.listens_for(Session, "after_rollback")
def _forget_noted(session: AnySession) -> None:
    session.info.pop(_NOTED, None)


def _number(session: Session, site_id: str, words: dict[tuple[RefKind, str], Op]) -> None:
    rev = _take_revisions(session, site_id, len(words))
    for kind in RefKind:
        ids = [row_id for (k, row_id) in words if k is kind]
        if not ids:
            continue
        live, checksum = _total(session, site_id, kind)
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            known = _known(session, site_id, kind, chunk)
            present = _present(session, site_id, kind, chunk)
            rows = []
            for row_id in chunk:
                rev += 1
                is_deleted = words[(kind, row_id)] == "del" or row_id not in present
                old = known.get(row_id)
                if old is not None and not old[1]:
                    live -= 1
                    checksum = remove_checksum(checksum, row_checksum(kind, row_id, old[0]))
                if not is_deleted:
                    live += 1
                    checksum = add_checksum(checksum, row_checksum(kind, row_id, rev))
                rows.append(
                    {
                        "site_id": site_id,
                        "kind": kind.value,
                        "row_id": row_id,
                        "rev": rev,
                        "is_deleted": is_deleted,
                    }
                )
            _upsert(session, ChangeRow, ["site_id", "kind", "row_id"], rows)
        total = {"site_id": site_id, "kind": kind.value, "live": live}
        total["checksum"] = checksum_text(checksum)
        _upsert(session, ChangeTotalRow, ["site_id", "kind"], [total])


def _take_revisions(session: Session, site_id: str, count: int) -> int:
    """The number before the first of `count` new revisions; holds the counter until the commit."""
    table: Any = ChangeCounterRow.__table__  # type: ignore[attr-defined]  # SQLAlchemy sets it
    insert = _insert(session)(table).values(site_id=site_id, rev=count, forgotten=0)
    taken = insert.on_conflict_do_update(
        index_elements=["site_id"], set_={"rev": table.c.rev + count}
    ).returning(table.c.rev)
    return int(session.connection().execute(taken).scalar_one()) - count


def _insert(session: Session) -> Any:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert if is_sqlite else postgresql.insert


def _upsert(session: Session, model: Any, keys: list[str], rows: list[dict[str, Any]]) -> None:
    statement = _insert(session)(model.__table__)
    replaced = {n: statement.excluded[n] for n in rows[0] if n not in keys}
    session.connection().execute(
        statement.on_conflict_do_update(index_elements=keys, set_=replaced), rows
    )


def _known(
    session: Session, site_id: str, kind: RefKind, ids: Sequence[str]
) -> dict[str, tuple[int, bool]]:
    rows = session.connection().execute(
        select_columns(col(ChangeRow.row_id), col(ChangeRow.rev), col(ChangeRow.is_deleted)).where(
            col(ChangeRow.site_id) == site_id,
            col(ChangeRow.kind) == kind.value,
            col(ChangeRow.row_id).in_(ids),
        )
    )
    return {row_id: (rev, is_deleted) for row_id, rev, is_deleted in rows}


def _present(session: Session, site_id: str, kind: RefKind, ids: Sequence[str]) -> set[str]:
    """Those of the ids that a device can be given. A task's writer says so itself."""
    match kind:
        case RefKind.TASK:
            return set(ids)
        case RefKind.BARCODE:
            pairs = [split_barcode_id(row_id) for row_id in ids]
            rows = session.connection().execute(
                select_columns(col(BarcodeRow.barcode), col(BarcodeRow.sku)).where(
                    col(BarcodeRow.site_id) == site_id,
                    tuple_(col(BarcodeRow.barcode), col(BarcodeRow.sku)).in_(pairs),
                )
            )
            found = {(barcode, sku) for barcode, sku in rows}
            return {i for i, pair in zip(ids, pairs, strict=True) if pair in found}
    model: Any = {RefKind.BIN: BinRow, RefKind.SKU: SkuRow, RefKind.USER: PersonRow}[kind]
    key = {RefKind.BIN: "bin", RefKind.SKU: "sku", RefKind.USER: "user_id"}[kind]
    column = getattr(model, key)
    clause = [model.site_id == site_id, column.in_(ids)]
    if kind is RefKind.USER:
        clause.append(col(PersonRow.is_active))
    return set(session.connection().execute(select_columns(column).where(*clause)).scalars())


def _total(session: Session, site_id: str, kind: RefKind) -> tuple[int, int]:
    row = (
        session.connection()
        .execute(
            select_columns(col(ChangeTotalRow.live), col(ChangeTotalRow.checksum)).where(
                col(ChangeTotalRow.site_id) == site_id, col(ChangeTotalRow.kind) == kind.value
            )
        )
        .one_or_none()
    )
    return (0, 0) if row is None else (row.live, int(row.checksum, 16))


# -- reading


def position(session: Session, site_id: str) -> Position:
    """The last revision that is visible, and how far tombstones are gone."""
    row = session.get(ChangeCounterRow, site_id)
    return Position(rev=row.rev, forgotten=row.forgotten) if row else Position(rev=0, forgotten=0)


def changes_between(
    session: Session,
    site_id: str,
    *,
    after: int,
    up_to: int,
    limit: int,
    kinds: Sequence[RefKind] = tuple(RefKind),
) -> list[ChangeMark]:
    """Records whose latest revision is above `after` and at most `up_to`, in order of revision."""
    rows = session.exec(
        select(ChangeRow)
        .where(
            ChangeRow.site_id == site_id,
            ChangeRow.rev > after,
            ChangeRow.rev <= up_to,
            col(ChangeRow.kind).in_([k.value for k in kinds]),
        )
        .order_by(col(ChangeRow.rev))
        .limit(limit)
    )
    return [
        ChangeMark(
            kind=RefKind(row.kind), row_id=row.row_id, rev=row.rev, is_deleted=row.is_deleted
        )
        for row in rows
    ]


def live_marks(session: Session, site_id: str, kind: RefKind) -> list[ChangeMark]:
    """Every record of the kind that devices have."""
    rows = session.exec(
        select(ChangeRow).where(
            ChangeRow.site_id == site_id,
            ChangeRow.kind == kind.value,
            col(ChangeRow.is_deleted).is_(False),
        )
    )
    return [ChangeMark(kind=kind, row_id=row.row_id, rev=row.rev, is_deleted=False) for row in rows]


def totals(session: Session, site_id: str) -> dict[RefKind, tuple[int, int]]:
    """(live rows, checksum) of each kind that has any."""
    rows = session.exec(select(ChangeTotalRow).where(ChangeTotalRow.site_id == site_id))
    return {RefKind(row.kind): (row.live, int(row.checksum, 16)) for row in rows}


def forget_tombstones(session: Session, site_id: str, up_to: int) -> int:
    """Remove tombstones up to a revision; devices that are further back start afresh. How many."""
    counter = session.get(ChangeCounterRow, site_id)
    if counter is None or up_to <= counter.forgotten:
        return 0
    counter.forgotten = min(up_to, counter.rev)
    gone = session.connection().execute(
        delete(ChangeRow).where(
            col(ChangeRow.site_id) == site_id,
            col(ChangeRow.is_deleted),
            col(ChangeRow.rev) <= counter.forgotten,
        )
    )
    return gone.rowcount


def count_changes(session: Session, site_id: str) -> int:
    """How many records, tombstones included, are followed."""
    return session.exec(
        select(func.count()).select_from(ChangeRow).where(ChangeRow.site_id == site_id)
    ).one()


# -- the server's identity


def server_mark(session: Session, site_id: str, name: str) -> str | None:
    """A named fact about this database, or None."""
    found = session.connection().execute(_MARK, {"site_id": site_id, "name": name}).scalar()
    return None if found is None else str(found)


_MARK = select_columns(col(ServerMarkRow.value)).where(
    col(ServerMarkRow.site_id) == bindparam("site_id"),
    col(ServerMarkRow.name) == bindparam("name"),
)


def set_server_mark(session: Session, site_id: str, name: str, value: str) -> None:
    """Set it in the caller's transaction."""
    session.merge(ServerMarkRow(site_id=site_id, name=name, value=value))
    session.flush()


def server_marks(session: Session, site_id: str, beginning: str) -> frozenset[str]:
    """The rest of the names of all marks that begin so."""
    names = session.exec(
        select(ServerMarkRow.name).where(
            ServerMarkRow.site_id == site_id, col(ServerMarkRow.name).startswith(beginning)
        )
    )
    return frozenset(name.removeprefix(beginning) for name in names)


def remove_server_mark(session: Session, site_id: str, name: str) -> None:
    """Forget a named fact, in the caller's transaction; nothing happens without it."""
    row = session.get(ServerMarkRow, (site_id, name))
    if row is not None:
        session.delete(row)
