"""How times, quantities and money are kept in tables: whole microseconds and whole millionths."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import String, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

# One instant stands in many rows of a push, one quantity in many lines: both are worked out once and
# remembered for a moment (lru_cache), at a tenth of the time.

MILLION = Decimal(1_000_000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=8192)
def to_us(at: datetime) -> int:
    """Whole microseconds since 1970 of an aware datetime. ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be stored: {at!r}")
    return (at - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=8192)
def from_us(us: int) -> datetime:
    """The aware UTC datetime of stored microseconds."""
    return _EPOCH + timedelta(microseconds=us)


@lru_cache(maxsize=8192)
def to_u(amount: Decimal) -> int:
    """Whole millionths of a quantity or an amount of money. ValueError when that would round."""
    scaled = amount * MILLION
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"more than six decimal places: {amount}")
    return whole


@lru_cache(maxsize=8192)
def from_u(millionths: int) -> Decimal:
    """The Decimal of stored millionths."""
    return Decimal(millionths) / MILLION


class CodeText(TypeDecorator[str]):
    """Text that is an identifier: sorted byte by byte on both databases, so that paging is the same."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """PostgreSQL would otherwise sort by the language of whoever made the database."""
        text = String(collation="C") if dialect.name == "postgresql" else String()
        return dialect.type_descriptor(text)
