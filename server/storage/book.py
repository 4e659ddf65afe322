"""The whole book as of an instant, and the book of one SKU wherever it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from app.contract.vocabulary import PhysicalState
from server.domain.stock import StockKey
from server.storage.columns import from_u, from_us, to_us

END = from_us(to_us(datetime.fromisoformat("9000-01-01T00:00:00+00:00")))
"""After everything that can be recorded."""

_ENTRIES = """
    SELECT bin, sku, lot, serial, state, sum(quantity_u) AS quantity_u FROM (
        SELECT to_bin AS bin, sku, lot, serial, to_state AS state, quantity_u FROM movement
        WHERE site_id = :site_id AND occurred_us <= :at_us {narrowed}
        UNION ALL
        SELECT from_bin, sku, lot, serial, from_state, -quantity_u FROM movement
        WHERE site_id = :site_id AND occurred_us <= :at_us {narrowed}
    ) AS entries
    GROUP BY bin, sku, lot, serial, state HAVING sum(quantity_u) <> 0
    """
_FULL_BOOK = text(_ENTRIES.format(narrowed=""))
_BOOK_OF_SKU = text(_ENTRIES.format(narrowed="AND sku = :sku"))


def full_book(session: Session, site_id: str, at: datetime) -> Iterator[tuple[StockKey, Decimal]]:
    """Every key with something on book at the instant, outside places included. In no order."""
    found = session.connection().execute(_FULL_BOOK, {"site_id": site_id, "at_us": to_us(at)})
    return _keys(found)


def book_of_sku(session: Session, site_id: str, sku: str, at: datetime) -> dict[StockKey, Decimal]:
    """Where a SKU is at the instant: every key of it, outside places included."""
    bound = {"site_id": site_id, "sku": sku, "at_us": to_us(at)}
    return dict(_keys(session.connection().execute(_BOOK_OF_SKU, bound)))


def _keys(found: Iterable[Any]) -> Iterator[tuple[StockKey, Decimal]]:
    states = {state.value: state for state in PhysicalState}
    for place, sku, lot, serial, state, quantity in found:
        key = StockKey(bin=place, sku=sku, lot=lot, serial=serial, state=states[state])
        yield key, from_u(int(quantity))
