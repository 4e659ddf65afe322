"""Pages of movements, stock and documents, in the order of a key that the next page goes on from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, select, tuple_, union_all
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from server.domain.stock import OUTSIDE, Movement, StockKey
from server.storage.book import book_of_sku
from server.storage.columns import to_us
from server.storage.ledger import MOVEMENT, book_of_bin, to_movement
from server.storage.records import DocumentLine, to_document_lines
from server.storage.tables_records import BinRow, DocumentLineRow, DocumentRow

StockCursor = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementFilter:
    """Which movements; None is any."""

    bin: str | None = None
    sku: str | None = None
    document: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFilter:
    """Which documents of a kind; None is any."""

    kind: str
    state: str | None = None
    number: str | None = None
    sku: str | None = None
    """Documents with a line of this SKU; all of their lines are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document with its lines."""

    kind: str
    number: str
    state: str
    owner: str
    party: str
    refers_to: str
    currency: str
    lines: tuple[DocumentLine, ...]


def movement_page(
    session: Session,
    site_id: str,
    wanted: MovementFilter,
    after: tuple[int, str] | None,
    limit: int,
) -> list[Movement]:
    """Movements by (occurred_at, id), after the given one."""
    table = MOVEMENT.c
    common: list[ColumnElement[bool]] = [table.site_id == site_id]
    if wanted.sku is not None:
        common.append(table.sku == wanted.sku)
    if wanted.document is not None:
        common += [table.document == wanted.document, table.document != ""]
    if wanted.since is not None:
        common.append(table.occurred_us >= to_us(wanted.since))
    if wanted.until is not None:
        common.append(table.occurred_us <= to_us(wanted.until))
    if after is not None:
        # The first half lets the index find its place; the tuple settles one instant's rows.
        common.append(table.occurred_us >= after[0])
        common.append(tuple_(table.occurred_us, table.movement_id) > after)
    order = ("occurred_us", "movement_id")
    if wanted.bin is None:
        query: Any = select(MOVEMENT).where(and_(*common))
    else:
        # One branch for each end, so that each walks its own index in order and stops early.
        ends = (
            table.from_bin == wanted.bin,
            and_(table.to_bin == wanted.bin, table.from_bin != wanted.bin),
        )
        halves = [
            select(
                select(MOVEMENT)
                .where(*common, end)
                .order_by(*(table[name] for name in order))
                .limit(limit)
                .subquery()
            )
            for end in ends
        ]
        query = select(union_all(*halves).subquery("both"))
    columns = query.selected_columns
    query = query.order_by(*(columns[name] for name in order)).limit(limit)
    return [to_movement(row) for row in session.connection().execute(query).mappings()]


def stock_page(
    session: Session,
    site_id: str,
    at: datetime,
    *,
    bin: str | None,
    sku: str | None,
    after: StockCursor | None,
    limit: int,
) -> list[tuple[StockKey, Decimal]]:
    """Stock inside the warehouse by (bin, sku, lot, serial, state), after the given key."""
    found: list[tuple[StockKey, Decimal]] = []
    for book in _books(session, site_id, at, bin=bin, sku=sku, after=after):
        for key, quantity in sorted(book.items()):
            place = (key.bin, key.sku, key.lot, key.serial, key.state.value)
            is_wanted = key.bin not in OUTSIDE and (sku is None or key.sku == sku)
            if is_wanted and (after is None or place > after):
                found.append((key, quantity))
        if len(found) >= limit:
            break
    return found[:limit]


def stock_book(session: Session, site_id: str, at: datetime) -> Iterator[tuple[StockKey, Decimal]]:
    """All stock inside the warehouse at an instant, by key, a bin at a time."""
    for book in _books(session, site_id, at, bin=None, sku=None, after=None):
        yield from sorted(book.items())


def _books(
    session: Session,
    site_id: str,
    at: datetime,
    *,
    bin: str | None,
    sku: str | None,
    after: StockCursor | None,
) -> Iterator[dict[StockKey, Decimal]]:
    if bin is not None:
        yield book_of_bin(session, site_id, bin, at)
    elif sku is not None:
        yield book_of_sku(session, site_id, sku, at)
    else:
        query = select_rows(BinRow.bin).where(col(BinRow.site_id) == site_id)
        if after is not None:
            query = query.where(col(BinRow.bin) >= after[0])
        for code in session.exec(query.order_by(col(BinRow.bin))).all():
            yield book_of_bin(session, site_id, code, at)


def document_page(
    session: Session, site_id: str, wanted: DocumentFilter, after: str | None, limit: int
) -> list[Document]:
    """Documents of a kind by number, after the given one, with lines and progress."""
    query = select_rows(DocumentRow).where(
        col(DocumentRow.site_id) == site_id, col(DocumentRow.kind) == wanted.kind
    )
    if wanted.state is not None:
        query = query.where(col(DocumentRow.state) == wanted.state)
    if wanted.number is not None:
        query = query.where(col(DocumentRow.number) == wanted.number)
    if wanted.sku is not None:
        named = select_rows(DocumentLineRow.number).where(
            col(DocumentLineRow.site_id) == site_id,
            col(DocumentLineRow.kind) == wanted.kind,
            col(DocumentLineRow.sku) == wanted.sku,
        )
        query = query.where(col(DocumentRow.number).in_(named))
    if after is not None:
        query = query.where(col(DocumentRow.number) > after)
    documents = session.exec(query.order_by(col(DocumentRow.number)).limit(limit)).all()
    lines = session.exec(
        select_rows(DocumentLineRow)
        .where(
            col(DocumentLineRow.site_id) == site_id,
            col(DocumentLineRow.kind) == wanted.kind,
            col(DocumentLineRow.number).in_([d.number for d in documents]),
        )
        .order_by(col(DocumentLineRow.number), col(DocumentLineRow.line))
    ).all()
    by_number = {document.number: document for document in documents}
    values = to_document_lines(session, site_id, [(line, by_number[line.number]) for line in lines])
    return [
        Document(
            kind=document.kind,
            number=document.number,
            state=document.state,
            owner=document.owner,
            party=document.party,
            refers_to=document.refers_to,
            currency=document.currency,
            lines=tuple(v for v in values if v.document == f"{document.kind}/{document.number}"),
        )
        for document in documents
    ]
