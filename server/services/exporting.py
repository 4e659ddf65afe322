"""Records out as rows that import again to the same state.

Text that a spreadsheet would run as a formula gets an apostrophe in front (domain/cells.py); the imports
take it off again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, TextIO

from sqlalchemy import Select, select
from sqlmodel import Session

from app.contract.vocabulary import quantity_text
from server.domain.spreadsheets import defused
from server.storage.columns import from_u, from_us
from server.storage.ledger import MOVEMENT
from server.storage.pages import stock_book
from server.storage.rows import table_of
from server.storage.tables_records import (
    BarcodeRow,
    BinRow,
    DocumentLineRow,
    DocumentRow,
    SkuRow,
)

CHUNK = 5000


class ExportKind(StrEnum):
    BINS = "bins"
    SKUS = "skus"
    DOCUMENTS = "documents"
    STOCK = "stock"
    MOVEMENTS = "movements"


HEADERS = {
    ExportKind.BINS: "site,zone,aisle,bay,level,bin,barcode,kind,walk_order,state,owner",
    ExportKind.SKUS: "sku,description,barcode,unit,factor,tracking,abc_class,unit_cost,price,"
    "currency,state,owner",
    ExportKind.DOCUMENTS: "kind,number,state,owner,party,promised_at,sku,quantity,price,currency,"
    "line,refers_to",
    ExportKind.STOCK: "site,bin,sku,lot,serial,state,quantity,as_of",
    ExportKind.MOVEMENTS: "movement_id,occurred_at,kind,sku,lot,serial,quantity,unit,from_bin,"
    "from_state,to_bin,to_state,document,factor,recorded_at",
}


def export_rows(
    session: Session, site_id: str, kind: ExportKind, at: datetime
) -> Iterator[list[str]]:
    """The rows of an export without its header, in the order of their keys. `at` matters for stock."""
    match kind:
        case ExportKind.BINS:
            return _bins(session, site_id)
        case ExportKind.SKUS:
            return _skus(session, site_id)
        case ExportKind.DOCUMENTS:
            return _documents(session, site_id)
        case ExportKind.STOCK:
            return _stock(session, site_id, at)
        case ExportKind.MOVEMENTS:
            return _movements(session, site_id)


def write_export(
    session: Session, site_id: str, kind: ExportKind, at: datetime, file: TextIO
) -> int:
    """Write header and rows as CSV; how many rows. Memory does not grow with them."""
    writer = csv.writer(file, lineterminator="\n")
    file.write(f"{HEADERS[kind]}\n")
    rows = 0
    for row in export_rows(session, site_id, kind, at):
        writer.writerow(row)
        rows += 1
    return rows


def export_lines(session: Session, site_id: str, kind: ExportKind, at: datetime) -> Iterator[str]:
    """The same as pieces of text, for an answer that is sent while it is read."""
    yield f"{HEADERS[kind]}\n"
    echo = _Echo()
    writer = csv.writer(echo, lineterminator="\n")
    for row in export_rows(session, site_id, kind, at):
        writer.writerow(row)
        yield echo.last


class _Echo:
    """A file that only remembers what was written last."""

    last = ""

    def write(self, text: str) -> int:
        self.last = text
        return len(text)


def _text(*cells: Any) -> list[str]:
    return [defused(str(cell)) for cell in cells]


def _read(session: Session, query: Select[Any]) -> Iterable[Any]:
    """Rows as they come, not all at once."""
    return session.connection().execution_options(yield_per=CHUNK).execute(query).mappings()


def _bins(session: Session, site_id: str) -> Iterator[list[str]]:
    table = table_of(BinRow)
    query = select(table).where(table.c.site_id == site_id)
    for row in _read(session, query.order_by(table.c.walk_order, table.c.bin)):
        yield _text(
            site_id, row["zone"], row["aisle"], row["bay"], row["level"], row["bin"],
            row["barcode"], row["kind"], row["walk_order"], row["state"], row["owner"],
        )  # fmt: skip


def _skus(session: Session, site_id: str) -> Iterator[list[str]]:
    sku, code = table_of(SkuRow), table_of(BarcodeRow)
    query = (
        select(sku, code.c.barcode, code.c.unit, code.c.factor_u)
        .outerjoin(code, (code.c.site_id == sku.c.site_id) & (code.c.sku == sku.c.sku))
        .where(sku.c.site_id == site_id)
        .order_by(sku.c.sku, code.c.factor_u, code.c.barcode)
    )
    for row in _read(session, query):
        has_code = row["barcode"] is not None
        yield [
            *_text(row["sku"], row["description"], row["barcode"] if has_code else ""),
            row["unit"] if has_code else "each",
            _amount(row["factor_u"]) if has_code else "1",
            *_text(row["tracking"], row["abc_class"]),
            _amount(row["unit_cost_u"]),
            _amount(row["price_u"]),
            *_text(row["currency"], row["state"], row["owner"]),
        ]


def _documents(session: Session, site_id: str) -> Iterator[list[str]]:
    head, line = table_of(DocumentRow), table_of(DocumentLineRow)
    query = (
        select(head, line.c.line, line.c.sku, line.c.quantity_u, line.c.price_u, line.c.promised_us)
        .join(
            line,
            (line.c.site_id == head.c.site_id)
            & (line.c.kind == head.c.kind)
            & (line.c.number == head.c.number),
        )
        .where(head.c.site_id == site_id)
        .order_by(head.c.kind, head.c.number, line.c.line)
    )
    for row in _read(session, query):
        promised = row["promised_us"]
        yield [
            *_text(row["kind"], row["number"], row["state"], row["owner"], row["party"]),
            "" if promised is None else from_us(promised).isoformat(),
            *_text(row["sku"]),
            _amount(row["quantity_u"]) if row["sku"] else "",
            _amount(row["price_u"]),
            *_text(row["currency"], row["line"], row["refers_to"]),
        ]


def _stock(session: Session, site_id: str, at: datetime) -> Iterator[list[str]]:
    for key, quantity in stock_book(session, site_id, at):
        yield [
            *_text(site_id, key.bin, key.sku, key.lot, key.serial, key.state.value),
            quantity_text(quantity),
            at.isoformat(),
        ]


def _movements(session: Session, site_id: str) -> Iterator[list[str]]:
    table = MOVEMENT.c
    query = (
        select(MOVEMENT)
        .where(table.site_id == site_id)
        .order_by(table.occurred_us, table.movement_id)
    )
    for row in _read(session, query):
        packs = from_u(row["quantity_u"]) / from_u(row["factor_u"])
        yield [
            *_text(row["movement_id"]),
            from_us(row["occurred_us"]).isoformat(),
            *_text(row["kind"], row["sku"], row["lot"], row["serial"]),
            quantity_text(packs),
            row["unit"],
            *_text(row["from_bin"], row["from_state"], row["to_bin"], row["to_state"]),
            *_text(row["document"]),
            _amount(row["factor_u"]),
            from_us(row["recorded_us"]).isoformat(),
        ]


def _amount(millionths: int) -> str:
    return quantity_text(from_u(millionths))
