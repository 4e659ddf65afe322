"""Records as their readers see them: bins, SKUs, barcodes, documents. Rows in, frozen values out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, bindparam
from sqlmodel import Session, col, select

from app.contract.vocabulary import AbcClass, BinKind, RecordState, Tracking, Unit
from server.storage.among import among
from server.storage.columns import from_u, from_us, to_us
from server.storage.document_progress import LineProgress, progress_of_lines
from server.storage.rows import by_keys, in_chunks, new_row, rows_of_site, table_of
from server.storage.tables_records import (
    BarcodeRow,
    BinRow,
    DocumentLineRow,
    DocumentRow,
    SiteRow,
    SkuRow,
)

OPEN_ORDER_STATES = ("promised", "reserved", "picked", "packed", "blocked")
"""States of an order that still waits for stock to leave: its lines are promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    site_id: str
    name: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    bin: str
    barcode: str
    zone: str
    aisle: str
    bay: str
    level: str
    kind: BinKind
    walk_order: int
    state: RecordState
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sku:
    sku: str
    description: str
    tracking: Tracking
    abc_class: AbcClass
    unit_cost: Decimal
    """Per base unit, in `currency`."""
    cost_set_at: datetime
    price: Decimal
    currency: str
    state: RecordState
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Barcode:
    barcode: str
    sku: str
    unit: Unit
    factor: Decimal
    """Base units in one such pack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """A line of an order, purchase order, shipment, return or payout, and what became of it."""

    document: str
    """"order/991", as movements name it."""
    line: str
    state: str
    """The document's."""
    party: str
    sku: str
    quantity: Decimal
    price: Decimal
    """Per base unit, in `currency`."""
    currency: str
    promised_at: datetime | None
    progress: LineProgress

    @property
    def reserved(self) -> Decimal:
        """Units set aside for the line in a bin and not yet taken from it."""
        return self.progress.reserved


def ensure_site(session: Session, site_id: str, name: str, currency: str, now: datetime) -> Site:
    """The site's record, made when there is none yet. An existing one keeps its name and currency."""
    row = session.get(SiteRow, site_id)
    if row is None:
        row = SiteRow(site_id=site_id, name=name, currency=currency, created_us=to_us(now))
        session.add(row)
        session.flush()
    return Site(site_id=row.site_id, name=row.name, currency=row.currency)


def find_site(session: Session, site_id: str) -> Site | None:
    """The site, or None before `ensure_site`."""
    row = session.connection().execute(_SITE, {"site_id": site_id}).one_or_none()
    return None if row is None else Site(site_id=row.site_id, name=row.name, currency=row.currency)


def find_bin(session: Session, site_id: str, code: str) -> Bin | None:
    """The bin of that code, or None."""
    row = session.get(BinRow, (site_id, code))
    return None if row is None else to_bin(row)


def find_bins(session: Session, site_id: str, codes: Iterable[str]) -> dict[str, Bin]:
    """Those of the bins that are known."""
    rows = in_chunks(session, _BINS, site_id, codes)
    return {row.bin: to_bin(row) for row in rows}


def find_bin_by_barcode(session: Session, site_id: str, barcode: str) -> Bin | None:
    """The bin with that label, or None."""
    row = session.exec(
        select(BinRow).where(col(BinRow.site_id) == site_id, col(BinRow.barcode) == barcode)
    ).one_or_none()
    return None if row is None else to_bin(row)


def all_bins(session: Session, site_id: str) -> list[Bin]:
    """Every bin of the site, in walk order."""
    query = (
        select(BinRow)
        .where(col(BinRow.site_id) == site_id)
        .order_by(col(BinRow.walk_order), col(BinRow.bin))
    )
    return [to_bin(row) for row in session.exec(query)]


def find_sku(session: Session, site_id: str, sku: str) -> Sku | None:
    """The SKU, or None."""
    row = session.get(SkuRow, (site_id, sku))
    return None if row is None else to_sku(row)


def find_skus(session: Session, site_id: str, skus: Iterable[str]) -> dict[str, Sku]:
    """Those of the SKUs that are known."""
    rows = in_chunks(session, _SKUS, site_id, skus)
    return {sku.sku: sku for sku in (_sku_of(tuple(row)) for row in rows)}


_SITE = rows_of_site(SiteRow)
_BINS = by_keys(BinRow, "bin")
_SKUS = by_keys(SkuRow, "sku")
_BARCODES = by_keys(BarcodeRow, "sku").order_by(col(BarcodeRow.factor_u), col(BarcodeRow.barcode))
_TRACKING = {value.value: value for value in Tracking}
_CLASSES = {value.value: value for value in AbcClass}
_STATES = {value.value: value for value in RecordState}


def barcodes_of(session: Session, site_id: str, sku: str) -> list[Barcode]:
    """Every code that stands for the SKU, smallest pack first."""
    return barcodes_of_skus(session, site_id, [sku]).get(sku, [])


def barcodes_of_skus(
    session: Session, site_id: str, skus: Iterable[str]
) -> dict[str, list[Barcode]]:
    """The same for many SKUs; one without a code is left out."""
    found: dict[str, list[Barcode]] = {}
    for row in in_chunks(session, _BARCODES, site_id, skus):
        found.setdefault(row.sku, []).append(to_barcode(row))
    return found


def find_barcode(session: Session, site_id: str, barcode: str) -> list[Barcode]:
    """What a code stands for: nothing, one pack, or packs of several SKUs."""
    query = (
        select(BarcodeRow)
        .where(col(BarcodeRow.site_id) == site_id, col(BarcodeRow.barcode) == barcode)
        .order_by(col(BarcodeRow.sku))
    )
    return [to_barcode(row) for row in session.exec(query)]


_OPEN_ORDERS = (
    select(DocumentLineRow, DocumentRow)
    .join(
        DocumentRow,
        (col(DocumentRow.site_id) == col(DocumentLineRow.site_id))
        & (col(DocumentRow.kind) == col(DocumentLineRow.kind))
        & (col(DocumentRow.number) == col(DocumentLineRow.number)),
    )
    .where(
        col(DocumentLineRow.site_id) == bindparam("site_id"),
        among(col(DocumentLineRow.sku), "skus"),
        col(DocumentLineRow.kind) == "order",
        col(DocumentRow.state).in_(OPEN_ORDER_STATES),
    )
)


def codes_among(session: Session, site_id: str, texts: Collection[str]) -> list[Barcode]:
    """Those of the texts that are known barcodes, with what they stand for."""
    query = select(BarcodeRow).where(
        col(BarcodeRow.site_id) == site_id, col(BarcodeRow.barcode).in_(sorted(texts))
    )
    return [to_barcode(row) for row in session.exec(query)] if texts else []


def open_orders_for(session: Session, site_id: str, sku: str) -> list[DocumentLine]:
    """Lines of orders that still wait for this SKU, by promised date: what a shortage puts at risk."""
    return open_orders_for_skus(session, site_id, [sku]).get(sku, [])


def open_orders_for_skus(
    session: Session, site_id: str, skus: Iterable[str]
) -> dict[str, list[DocumentLine]]:
    """The same for many SKUs; one that no order waits for is left out."""
    wanted = sorted(set(skus))
    found: list[tuple[DocumentLineRow, DocumentRow]] = []
    for start in range(0, len(wanted), 500):
        values = {"site_id": site_id, "skus": wanted[start : start + 500]}
        found += [(line, document) for line, document in session.exec(_OPEN_ORDERS, params=values)]
    lines: dict[str, list[DocumentLine]] = {}
    for line in sorted(
        to_document_lines(session, site_id, found),
        key=lambda it: (it.promised_at is None, it.promised_at, it.document, it.line),
    ):
        lines.setdefault(line.sku, []).append(line)
    return lines


def lines_of_document(session: Session, site_id: str, kind: str, number: str) -> list[DocumentLine]:
    """The document's lines with what has become of each; empty when there is no such document."""
    document = session.get(DocumentRow, (site_id, kind, number))
    if document is None:
        return []
    query = (
        select(DocumentLineRow)
        .where(
            col(DocumentLineRow.site_id) == site_id,
            col(DocumentLineRow.kind) == kind,
            col(DocumentLineRow.number) == number,
        )
        .order_by(col(DocumentLineRow.line))
    )
    rows = session.exec(query).all()
    return to_document_lines(session, site_id, [(row, document) for row in rows])


def to_document_lines(
    session: Session, site_id: str, rows: Sequence[tuple[DocumentLineRow, DocumentRow]]
) -> list[DocumentLine]:
    """Rows as values, with the progress that the movements of their documents tell."""
    progress = progress_of_lines(session, site_id, [line for line, _ in rows])
    return [
        DocumentLine(
            document=f"{line.kind}/{line.number}",
            line=line.line,
            state=document.state,
            party=document.party,
            sku=line.sku,
            quantity=from_u(line.quantity_u),
            price=from_u(line.price_u),
            currency=document.currency,
            promised_at=None if line.promised_us is None else from_us(line.promised_us),
            progress=progress[(line.kind, line.number, line.line)],
        )
        for line, document in rows
    ]


def to_bin(row: BinRow | Row[Any]) -> Bin:
    """The stored bin as a value."""
    return Bin(
        bin=row.bin,
        barcode=row.barcode,
        zone=row.zone,
        aisle=row.aisle,
        bay=row.bay,
        level=row.level,
        kind=BinKind(row.kind),
        walk_order=row.walk_order,
        state=RecordState(row.state),
        owner=row.owner,
    )


def to_sku(row: SkuRow | Row[Any]) -> Sku:
    """The stored SKU as a value."""
    return Sku(
        sku=row.sku,
        description=row.description,
        tracking=_TRACKING[row.tracking],
        abc_class=_CLASSES[row.abc_class],
        unit_cost=from_u(row.unit_cost_u),
        cost_set_at=from_us(row.cost_set_us),
        price=from_u(row.price_u),
        currency=row.currency,
        state=_STATES[row.state],
        owner=row.owner,
    )


@lru_cache(maxsize=4096)
def _sku_of(columns: tuple[Any, ...]) -> Sku:
    """The same for a row as it was just read: what is counted every day is made once, until it changes."""
    return to_sku(new_row(SkuRow, dict(zip(_SKU_COLUMNS, columns, strict=True))))


_SKU_COLUMNS = table_of(SkuRow).columns.keys()


def to_barcode(row: BarcodeRow | Row[Any]) -> Barcode:
    """The stored barcode as a value."""
    return Barcode(
        barcode=row.barcode, sku=row.sku, unit=Unit(row.unit), factor=from_u(row.factor_u)
    )
