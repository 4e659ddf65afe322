"""Two kinds of doubt as values: when something happened, and how much there was.

Pure arithmetic. A range is never collapsed to its middle: a guess would look like knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When something happened, as far as anybody can know: between these two instants, inclusive."""

    earliest: datetime
    latest: datetime

    def __post_init__(self) -> None:
        if self.latest < self.earliest:
            raise ValueError(f"a span ends before it begins: {self.earliest} .. {self.latest}")

    def until(self, other: Span) -> Span:
        """From the start of this to the end of the other: what lay between them, doubt included."""
        return Span(earliest=self.earliest, latest=max(self.latest, other.latest))


@dataclass(frozen=True, slots=True)
class Range:
    """A quantity (or money) between two bounds, inclusive. Certain when they are equal."""

    low: Decimal
    high: Decimal

    def __post_init__(self) -> None:
        if self.high < self.low:
            raise ValueError(f"a range ends before it begins: {self.low} .. {self.high}")

    @property
    def is_certain(self) -> bool:
        return self.low == self.high

    @property
    def is_zero(self) -> bool:
        return self.low == 0 == self.high

    @property
    def largest(self) -> Decimal:
        """The bound further from zero, as a magnitude: what may be at stake."""
        return max(abs(self.low), abs(self.high))

    def plus(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def shifted(self, by: Decimal) -> Range:
        return Range(self.low + by, self.high + by)

    def times(self, factor: Decimal) -> Range:
        """Both bounds times one factor (a unit cost); a negative factor swaps them."""
        ends = (self.low * factor, self.high * factor)
        return Range(min(ends), max(ends))

    def taken_from(self, quantity: Decimal) -> Range:
        """`quantity` minus this range: the variance of a counted quantity against a book range."""
        return Range(quantity - self.high, quantity - self.low)


def exactly(quantity: Decimal) -> Range:
    """The range that is one number."""
    return Range(quantity, quantity)


NOTHING = exactly(ZERO)
"""No quantity at all."""
