"""The ledger as its readers and posters see it: the book of any key at any instant.

A bin's book is its latest checkpoint at or before the instant plus the entries since: the cost does
not grow with history. Checkpoints are worked out apart (storage/checkpoints.py) and dropped here,
in the poster's transaction, where a back-dated movement makes them untrue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, delete, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.sql.expression import Insert
from sqlmodel import Session

from app.contract.problems import RefusalError
from app.contract.vocabulary import PhysicalState
from server.domain.stock import OUTSIDE, Movement, StockKey, check_movement
from server.storage.columns import from_u, from_us, to_u, to_us
from server.storage.tables_ledger import CheckpointLineRow, CheckpointRow, MovementRow

MOVEMENT = MovementRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
CHECKPOINT = CheckpointRow.__table__  # type: ignore[attr-defined]
CHECKPOINT_LINE = CheckpointLineRow.__table__  # type: ignore[attr-defined]

CONTENT = tuple(
    c.name for c in MOVEMENT.columns if c.name not in {"site_id", "recorded_us", "source"}
)
"""What makes two movements of one id the same movement: everything but who told us, and when."""

_POSTERS = 8401
_POST_CHUNK = 500
"""Ids asked for at once: well under SQLite's limit of bound values."""

_BOOK_OF_BIN = text(
    """
    WITH base AS (
        SELECT coalesce(max(at_us), :never) AS at_us FROM checkpoint
        WHERE site_id = :site_id AND bin = :bin AND at_us <= :at_us
    )
    SELECT sku, lot, serial, state, sum(quantity_u) AS quantity_u FROM (
        SELECT sku, lot, serial, state, quantity_u FROM checkpoint_line
        WHERE site_id = :site_id AND bin = :bin AND at_us = (SELECT at_us FROM base)
        UNION ALL
        SELECT sku, lot, serial, to_state, quantity_u FROM movement
        WHERE site_id = :site_id AND to_bin = :bin
          AND occurred_us > (SELECT at_us FROM base) AND occurred_us <= :at_us
        UNION ALL
        SELECT sku, lot, serial, from_state, -quantity_u FROM movement
        WHERE site_id = :site_id AND from_bin = :bin
          AND occurred_us > (SELECT at_us FROM base) AND occurred_us <= :at_us
    ) AS entries
    GROUP BY sku, lot, serial, state HAVING sum(quantity_u) <> 0
    """
)
NEVER = -(1 << 62)
"""Before every instant that can be stored."""


def book_of_bin(
    session: Session, site_id: str, bin_code: str, at: datetime
) -> dict[StockKey, Decimal]:
    """Every key of the bin with something on book at the instant; negative balances included."""
    found = session.connection().execute(
        _BOOK_OF_BIN,
        {"site_id": site_id, "bin": bin_code, "at_us": to_us(at), "never": NEVER},
    )
    return {
        StockKey(bin=bin_code, sku=sku, lot=lot, serial=serial, state=PhysicalState(state)): from_u(
            int(quantity)
        )
        for sku, lot, serial, state, quantity in found
    }


def book_of_key(session: Session, site_id: str, key: StockKey, at: datetime) -> Decimal:
    """How many of one key are on book at the instant. 0 when it was never there."""
    return book_of_bin(session, site_id, key.bin, at).get(key, Decimal(0))


def movements_of_bin(
    session: Session,
    site_id: str,
    bin_code: str,
    since: datetime,
    until: datetime,
    *,
    sku: str | None = None,
) -> list[Movement]:
    """What entered or left the bin with `since <= occurred_at <= until`, late ones included, by time."""
    table = MOVEMENT.c
    query: Select[Any] = select(MOVEMENT).where(
        table.site_id == site_id,
        table.occurred_us.between(to_us(since), to_us(until)),
        or_(table.from_bin == bin_code, table.to_bin == bin_code),
    )
    if sku is not None:
        query = query.where(table.sku == sku)
    query = query.order_by(table.occurred_us, table.movement_id)
    return [to_movement(row) for row in session.connection().execute(query).mappings()]


def movements_of_document(session: Session, site_id: str, document: str) -> list[Movement]:
    """Every movement that names the document ("order/991"), by time."""
    table = MOVEMENT.c
    query = (
        select(MOVEMENT)
        .where(table.site_id == site_id, table.document == document, table.document != "")
        .order_by(table.occurred_us, table.movement_id)
    )
    return [to_movement(row) for row in session.connection().execute(query).mappings()]


def post(
    session: Session, site_id: str, movements: Sequence[Movement], *, source: str = ""
) -> None:
    """Write movements into the ledger. One that is there already with the same content is passed over.

    Raises RefusalError("row-conflict") when an id is there with other content, "transition-refused"
    when stock cannot go from that state to that one. The caller commits.
    """
    if not movements:
        return
    lock_for_posting(session)
    for movement in movements:
        check_movement(movement)
    rows = [to_row(site_id, movement, source) for movement in movements]
    inserted = session.connection().execute(insert_if_absent(session), rows).rowcount
    if inserted != len(rows):
        known = contents_of(session, site_id, [m.movement_id for m in movements])
        for row in rows:
            if differing := differences(known[row["movement_id"]], row):
                raise RefusalError(
                    "row-conflict", id=row["movement_id"], fields=", ".join(differing)
                )
    drop_checkpoints(session, site_id, earliest_by_bin(rows))


def contents_of(
    session: Session, site_id: str, movement_ids: Sequence[str]
) -> dict[str, RowMapping]:
    """The stored rows of those of the ids that are in the ledger."""
    found: dict[str, RowMapping] = {}
    for start in range(0, len(movement_ids), _POST_CHUNK):
        chunk = movement_ids[start : start + _POST_CHUNK]
        query = select(MOVEMENT).where(
            MOVEMENT.c.site_id == site_id, MOVEMENT.c.movement_id.in_(chunk)
        )
        for row in session.connection().execute(query).mappings():
            found[row["movement_id"]] = row
    return found


def differences(before: Mapping[str, Any] | RowMapping, after: Mapping[str, Any]) -> list[str]:
    """Names of the content columns in which two rows of one id differ."""
    return [name for name in CONTENT if before[name] != after[name]]


def insert_if_absent(session: Session) -> Insert:
    """An insert into the ledger that passes over ids that are there already."""
    is_sqlite = session.connection().dialect.name == "sqlite"
    insert = insert_sqlite(MOVEMENT) if is_sqlite else insert_postgresql(MOVEMENT)
    return insert.on_conflict_do_nothing(index_elements=["site_id", "movement_id"])


def earliest_by_bin(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Per bin the earliest instant at which one of the rows changed its book."""
    earliest: dict[str, int] = {}
    for row in rows:
        for place in (row["from_bin"], row["to_bin"]):
            if row["occurred_us"] < earliest.get(place, 1 << 62):
                earliest[place] = row["occurred_us"]
    return earliest


def drop_checkpoints(session: Session, site_id: str, earliest: Mapping[str, int]) -> None:
    """Forget the checkpoints that movements at those instants have made untrue."""
    changed = [
        {"b_site": site_id, "b_bin": place, "b_at": at_us}
        for place, at_us in earliest.items()
        if place not in OUTSIDE
    ]
    if not changed:
        return
    for statement in _DROP:
        session.connection().execute(statement, changed)


_DROP = [
    delete(table).where(
        table.c.site_id == bindparam("b_site"),
        table.c.bin == bindparam("b_bin"),
        table.c.at_us >= bindparam("b_at"),
    )
    for table in (CHECKPOINT_LINE, CHECKPOINT)
]


def lock_for_posting(session: Session) -> None:
    """Keep checkpoints from being worked out while this transaction posts (PostgreSQL only).

    Without it one transaction could keep a checkpoint that lacks another's uncommitted movement.
    SQLite has one writer, so there the question does not arise.
    """
    if session.connection().dialect.name == "postgresql":
        session.connection().execute(select(func.pg_advisory_xact_lock_shared(_POSTERS)))


def lock_for_checkpoints(session: Session) -> None:
    """The other side of `lock_for_posting`: waits for posters, and keeps new ones out."""
    if session.connection().dialect.name == "postgresql":
        session.connection().execute(select(func.pg_advisory_xact_lock(_POSTERS)))


def to_row(site_id: str, movement: Movement, source: str = "") -> dict[str, Any]:
    """The stored form of a movement."""
    return {
        "site_id": site_id,
        "movement_id": movement.movement_id,
        "occurred_us": to_us(movement.occurred_at),
        "recorded_us": to_us(movement.recorded_at),
        "kind": movement.kind,
        "sku": movement.sku,
        "lot": movement.lot,
        "serial": movement.serial,
        "quantity_u": to_u(movement.quantity),
        "unit": movement.unit,
        "factor_u": to_u(movement.factor),
        "from_bin": str(movement.from_bin),
        "from_state": movement.from_state.value,
        "to_bin": str(movement.to_bin),
        "to_state": movement.to_state.value,
        "document": movement.document,
        "source": source,
    }


def to_movement(row: RowMapping) -> Movement:
    """A stored row as the domain's value."""
    return Movement(
        movement_id=row["movement_id"],
        occurred_at=from_us(row["occurred_us"]),
        recorded_at=from_us(row["recorded_us"]),
        kind=row["kind"],
        sku=row["sku"],
        lot=row["lot"],
        serial=row["serial"],
        quantity=from_u(row["quantity_u"]),
        unit=row["unit"],
        factor=from_u(row["factor_u"]),
        from_bin=row["from_bin"],
        from_state=PhysicalState(row["from_state"]),
        to_bin=row["to_bin"],
        to_state=PhysicalState(row["to_state"]),
        document=row["document"],
    )
