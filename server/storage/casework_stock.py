"""What casework asks the ledger and the documents beyond a bin's book. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import bindparam, func, text
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.contract.vocabulary import PhysicalState
from server.storage.among import among
from server.storage.columns import from_u
from server.storage.records import DocumentLine, to_document_lines
from server.storage.tables_records import DocumentLineRow, DocumentRow

DOCUMENTS_MAX = 200
"""Documents of one SKU that are looked through for an unposted movement, newest numbers first."""
_CHUNK = 400

_TOLD = {
    "order": ("reserved", "picked", "packed", "shipped"),
    "purchase_order": ("received",),
    "return": ("restocked",),
}
"""States in which a document says, or may hide, that goods moved."""

_ON_HAND = text(
    """
    SELECT coalesce(sum(quantity_u), 0) FROM (
        SELECT quantity_u FROM movement
        WHERE site_id = :site_id AND sku = :sku AND to_state IN ('available', 'reserved')
          AND to_bin NOT LIKE '@%'
        UNION ALL
        SELECT -quantity_u FROM movement
        WHERE site_id = :site_id AND sku = :sku AND from_state IN ('available', 'reserved')
          AND from_bin NOT LIKE '@%'
    ) AS legs
    """
)


def on_hand_of_sku(session: Session, site_id: str, sku: str) -> Decimal:
    """Sellable units of a SKU on the book of the whole site, now: available and reserved."""
    found = session.connection().execute(_ON_HAND, {"site_id": site_id, "sku": sku})
    return from_u(int(found.scalar_one()))


def documents_that_may_hide(
    session: Session, site_id: str, skus: Iterable[str]
) -> dict[str, list[DocumentLine]]:
    """Lines of each SKU in documents whose goods have moved, or may have, with what is posted of them.

    A SKU without any is left out.
    """
    wanted = sorted(set(skus))
    rows: list[tuple[DocumentLineRow, DocumentRow]] = []
    for start in range(0, len(wanted), _CHUNK):
        values = {"site_id": site_id, "skus": wanted[start : start + _CHUNK]}
        rows += [
            (line, document)
            for line, document in session.exec(_MAY_HIDE, params=values)
            if document.state in _TOLD[document.kind]
        ]
    found: dict[str, list[DocumentLine]] = {}
    for line in to_document_lines(session, site_id, rows):
        found.setdefault(line.sku, []).append(line)
    return found


_NEWEST = (
    select_columns(
        col(DocumentLineRow.kind),
        col(DocumentLineRow.number),
        col(DocumentLineRow.line),
        func.row_number()
        .over(
            partition_by=col(DocumentLineRow.sku),
            order_by=(col(DocumentLineRow.number).desc(), col(DocumentLineRow.line)),
        )
        .label("place"),
    )
    .where(
        col(DocumentLineRow.site_id) == bindparam("site_id"),
        among(col(DocumentLineRow.sku), "skus"),
        col(DocumentLineRow.kind).in_(list(_TOLD)),
    )
    .subquery()
)
"""Keys of the SKUs' lines, each with its place among its SKU's, newest number first."""
_MAY_HIDE = (
    select(DocumentLineRow, DocumentRow)
    .join(
        _NEWEST,
        (_NEWEST.c.kind == col(DocumentLineRow.kind))
        & (_NEWEST.c.number == col(DocumentLineRow.number))
        & (_NEWEST.c.line == col(DocumentLineRow.line)),
    )
    .join(
        DocumentRow,
        (col(DocumentRow.site_id) == col(DocumentLineRow.site_id))
        & (col(DocumentRow.kind) == col(DocumentLineRow.kind))
        & (col(DocumentRow.number) == col(DocumentLineRow.number)),
    )
    .where(col(DocumentLineRow.site_id) == bindparam("site_id"), _NEWEST.c.place <= DOCUMENTS_MAX)
    .order_by(col(DocumentLineRow.number).desc(), col(DocumentLineRow.line))
)


HANDLED = frozenset({PhysicalState.PICKED, PhysicalState.PACKED, PhysicalState.SHIPPED})
"""States in which an order says that its goods have left their bins."""
