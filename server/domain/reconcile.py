"""The reconcile engine: a count against the book as it stood when the count was made.

Pure and total over valid values: no clock, no I/O, never raises for odd stock; the order in which
counts and movements are given does not matter. A line that was counted while its stock moved gets
a range of variances, never a guess. docs/reconciliation.md works the figures.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from app.contract.count_fold import LineKey
from app.contract.vocabulary import BinKind, CountScope, PhysicalState, Tracking, Verdict
from server.domain.ranges import NOTHING, ZERO, Range, Span, exactly
from server.domain.stock import Movement, StockKey, visible_condition
from server.domain.tolerance import Limits, is_within


class CountedCell(NamedTuple):
    """What one person saw of one cell, and when.

    `seen` runs from the opening of the bin to the last scan of the line, widened by the clock's
    doubt: somewhere in it each unit was looked at.
    """

    key: LineKey
    quantity: Decimal
    seen: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFacts:
    """One closed count, ready to be judged. `person` None: nobody signed in, nothing is proved."""

    count_id: str
    bin: str
    bin_kind: BinKind
    scope: CountScope
    sku: str | None
    person: str | None
    opened: Span
    ended: Span
    cells: tuple[CountedCell, ...]

    @property
    def whole(self) -> Span:
        """From opening to closing: when somebody could have seen what was not counted."""
        return self.opened.until(self.ended)

    @property
    def order(self) -> tuple[datetime, str]:
        """Sorts counts by when they began; the id breaks ties, so that every machine agrees."""
        return self.opened.earliest, self.count_id

    def covers(self, key: LineKey) -> bool:
        """Whether this count says anything about a cell: a single-SKU count leaves the rest alone."""
        return self.scope is CountScope.WHOLE_BIN or key.sku == self.sku


class JudgedCell(NamedTuple):
    """One cell of a count beside the book of the same moment."""

    key: LineKey
    counted: Decimal
    is_counted: bool
    """False: nobody entered it; it is zero because a named person closed the bin."""
    seen: Span
    book: Range
    verdict: Verdict
    is_inside: bool
    """Every possible variance is within tolerance."""

    @property
    def variance(self) -> Range:
        """counted - book: low is the most that can be missing, high the most that can be over."""
        return self.book.taken_from(self.counted)


_Effect = tuple[datetime, str, Decimal]
"""(when, movement, signed change): plain tuples, for a large count has a hundred thousand of them."""


@dataclass(slots=True)
class _Cell:
    """One cell's book: what it opened with and every effect on it, by time."""

    opening: Decimal
    effects: list[_Effect]
    times: list[datetime] = field(default_factory=list)
    sums: list[Decimal] = field(default_factory=list)

    def index(self) -> None:
        """Sort and add up, once, when the cell is first asked about."""
        self.effects.sort()
        self.times = [at for at, _, _ in self.effects]
        self.sums = list(accumulate(delta for _, _, delta in self.effects))

    def range_over(self, seen: Span, without: frozenset[str]) -> Range:
        """Every book a person counting piece by piece could have met in the span.

        What happened at or before its first instant is certain. Each movement after that may or
        may not have reached the spot before it was counted, on its own: any subset is possible.
        """
        if not self.effects:
            return exactly(self.opening)
        if len(self.times) != len(self.effects):
            self.index()
        start = bisect_right(self.times, seen.earliest)
        end = bisect_right(self.times, seen.latest, lo=start)
        certain = self.opening + self.sums[start - 1] if start else self.opening
        low = high = ZERO
        for _, movement_id, delta in self.effects[start:end]:
            if movement_id in without:
                continue
            if delta < 0:
                low += delta
            else:
                high += delta
        if without:
            certain -= sum((d for _, m, d in self.effects[:start] if m in without), ZERO)
        return Range(certain + low, certain + high)


class BinBook:
    """The book of one bin over a stretch of time, by what a person in front of it can see.

    `opening` is the book at some instant before every span that is asked for; `movements` are all
    those after it. Moving a unit from available to reserved changes nothing here: both look good.
    """

    def __init__(
        self,
        *,
        bin: str,
        bin_kind: BinKind,
        opening: Mapping[StockKey, Decimal],
        movements: Iterable[Movement],
        tracking: Mapping[str, Tracking],
    ) -> None:
        self.bin = bin
        self._kind = bin_kind
        self._tracking = tracking
        self._seen: dict[tuple[str, str, str, PhysicalState], LineKey | None] = {}
        self._cells: dict[LineKey, _Cell] = {}
        for key, quantity in opening.items():
            seen = self._seen_as(key.sku, key.lot, key.serial, key.state)
            if seen is not None and key.bin == bin:
                self._cell(seen).opening += quantity
        for movement in {m.movement_id: m for m in movements}.values():
            self._add(movement)

    def _cell(self, key: LineKey) -> _Cell:
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = _Cell(opening=ZERO, effects=[])
        return cell

    def _seen_as(self, sku: str, lot: str, serial: str, state: PhysicalState) -> LineKey | None:
        """The cell that stock of a state is seen in; None when it is not there to see."""
        known = (sku, lot, serial, state)
        if known not in self._seen:
            condition = visible_condition(state, self._kind)
            self._seen[known] = (
                None
                if condition is None
                else normal_key(
                    LineKey(sku=sku, lot=lot, serial=serial, condition=condition), self._tracking
                )
            )
        return self._seen[known]

    def _add(self, m: Movement) -> None:
        entered = left = None
        if m.to_bin == self.bin:
            entered = self._seen_as(m.sku, m.lot, m.serial, m.to_state)
        if m.from_bin == self.bin:
            left = self._seen_as(m.sku, m.lot, m.serial, m.from_state)
        if entered == left:
            return  # it looks the same before and after, or is not seen at all
        if entered is not None:
            self._cell(entered).effects.append((m.occurred_at, m.movement_id, m.quantity))
        if left is not None:
            self._cell(left).effects.append((m.occurred_at, m.movement_id, -m.quantity))

    def keys(self) -> Iterator[LineKey]:
        """Every cell that ever had a book in the stretch, zero ones included."""
        return iter(self._cells)

    def range_over(
        self, key: LineKey, seen: Span, *, without: frozenset[str] = frozenset()
    ) -> Range:
        """The lowest and highest book of a cell over a span, some movements left out of it."""
        cell = self._cells.get(key)
        return NOTHING if cell is None else cell.range_over(seen, without)

    def holds_other_lots(self, key: LineKey, at: datetime) -> bool:
        """Whether another lot of the same SKU and condition is on the book at an instant."""
        moment = Span(earliest=at, latest=at)
        return any(
            (k.sku, k.condition) == (key.sku, key.condition)
            and k.lot != key.lot
            and cell.range_over(moment, frozenset()).high > 0
            for k, cell in self._cells.items()
        )


def normal_key(key: LineKey, tracking: Mapping[str, Tracking]) -> LineKey:
    """The cell a key belongs to: a lot read off a SKU that is not tracked by lot names no cell."""
    match tracking.get(key.sku, Tracking.NONE):
        case Tracking.NONE:
            return key._replace(lot="", serial="") if key.lot or key.serial else key
        case Tracking.LOT:
            return key._replace(serial="") if key.serial else key
        case Tracking.SERIAL:
            return key


def merged_cells(
    cells: Iterable[CountedCell], tracking: Mapping[str, Tracking]
) -> tuple[CountedCell, ...]:
    """Counted cells by normal key: lines that turn out to be one cell are added up."""
    merged: dict[LineKey, CountedCell] = {}
    for cell in cells:
        key = normal_key(cell.key, tracking)
        known = merged.get(key)
        if known is None:
            merged[key] = cell if key is cell.key else cell._replace(key=key)
        else:
            merged[key] = _added_up(known, cell)
    return tuple(merged.values())


def _added_up(one: CountedCell, other: CountedCell) -> CountedCell:
    return CountedCell(
        key=one.key,
        quantity=one.quantity + other.quantity,
        seen=Span(
            earliest=min(one.seen.earliest, other.seen.earliest),
            latest=max(one.seen.latest, other.seen.latest),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SkuTerms:
    """What judging a SKU in a bin needs beside quantities: its tolerance and its unit cost."""

    limits: Limits
    unit_cost: Decimal


Terms = Callable[[str], SkuTerms]
"""SKU -> its terms in this bin."""


Without = Callable[[LineKey], frozenset[str]]
"""Cell -> movements to leave out of its book: those the count itself led to are no news to it."""


def _nothing_left_out(_key: LineKey) -> frozenset[str]:
    return frozenset()


def reconcile(
    count: CountFacts, book: BinBook, terms: Terms, *, without: Without = _nothing_left_out
) -> tuple[JudgedCell, ...]:
    """Every cell the count speaks about, judged; cells with neither count nor book are left out.

    `count.cells` are normal keys, each once (see merged_cells).
    """
    cells = {cell.key: cell for cell in count.cells}
    keys = sorted(key for key in {*cells, *book.keys()} if count.covers(key))
    judged = (
        _judged(count, key, cells.get(key), book=book, terms=terms, without=without(key))
        for key in keys
    )
    return tuple(cell for cell in judged if cell.is_counted or not cell.book.is_zero)


def _judged(
    count: CountFacts,
    key: LineKey,
    cell: CountedCell | None,
    *,
    book: BinBook,
    terms: Terms,
    without: frozenset[str],
) -> JudgedCell:
    counted = ZERO if cell is None else cell.quantity
    seen = count.whole if cell is None else cell.seen
    expected = book.range_over(key, seen, without=without)
    is_inside = _is_inside(key, counted, expected, terms)
    return JudgedCell(
        key=key,
        counted=counted,
        is_counted=cell is not None,
        seen=seen,
        book=expected,
        verdict=_verdict(counted, expected, is_inside=is_inside),
        is_inside=is_inside,
    )


def _is_inside(key: LineKey, counted: Decimal, book: Range, terms: Terms) -> bool:
    if book.low == counted == book.high:
        return True  # what most lines are: no tolerance is looked up for them
    if key.serial:
        return (
            False  # one serial is one unit with a name: being nearly right about it means nothing
        )
    own = terms(key.sku)
    return is_within(counted, book, unit_cost=own.unit_cost, limits=own.limits)


def _verdict(counted: Decimal, book: Range, *, is_inside: bool) -> Verdict:
    if book.low == counted == book.high:
        return Verdict.EXACT
    if is_inside:
        return Verdict.WITHIN_TOLERANCE
    if not book.is_certain:
        return Verdict.AMBIGUOUS
    if book.is_zero:
        return Verdict.UNEXPECTED
    if counted == 0 and book.low > 0:
        return Verdict.MISSING
    return Verdict.OUT_OF_TOLERANCE
