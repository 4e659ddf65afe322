"""Count sheets as text: a table in a docstring becomes inputs, and the expected verdicts beside them.

Columns are found by their header; a cell `-` or empty means "nothing said".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from inspect import cleandoc

from app.contract.count_fold import LineKey
from app.contract.vocabulary import BinKind, Condition, CountScope, PhysicalState, Tracking
from server.domain.ranges import Range, Span
from server.domain.reconcile import BinBook, CountedCell, CountFacts, SkuTerms, Terms
from server.domain.stock import Movement, StockKey
from server.domain.tolerance import NO_TOLERANCE, Limits

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning: what `09:00` on a sheet means."""


def rows(sheet: str | None) -> list[dict[str, str]]:
    """The rows of the first table in a text; lines around it are prose."""
    lines = [line for line in cleandoc(sheet or "").splitlines() if "|" in line]
    if not lines:
        raise AssertionError("this sheet has no table")
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return [
        {name: "" if cell == "-" else cell for name, cell in zip(cells[0], row, strict=True)}
        for row in cells[1:]
    ]


def at(clock: str) -> datetime:
    """ "09:30" on the sheet's day; "+1 09:30" the day after."""
    days, _, time = clock.rpartition(" ")
    hours, minutes = (int(part) for part in time.split(":"))
    return NINE.replace(hour=hours, minute=minutes) + timedelta(days=int(days or 0))


def span(start: str, end: str | None = None) -> Span:
    """From one clock time to another."""
    return Span(earliest=at(start), latest=at(end or start))


def a_range(text: str) -> Range:
    """ "-3" or "-5..-2"."""
    low, _, high = text.partition("..")
    return Range(Decimal(low), Decimal(high or low))


def terms(limits: Limits = NO_TOLERANCE, unit_cost: str = "2") -> Terms:
    """The same tolerance and cost for every SKU."""
    own = SkuTerms(limits=limits, unit_cost=Decimal(unit_cost))
    return lambda _sku: own


def a_movement(
    name: str,
    clock: str | datetime,
    quantity: str,
    *,
    frm: str,
    to: str,
    sku: str = "S1",
    from_state: PhysicalState = PhysicalState.AVAILABLE,
    to_state: PhysicalState = PhysicalState.AVAILABLE,
    kind: str = "move",
    document: str = "",
    lot: str = "",
    serial: str = "",
) -> Movement:
    when = at(clock) if isinstance(clock, str) else clock
    return Movement(
        movement_id=name,
        occurred_at=when,
        recorded_at=when,
        kind=kind,
        sku=sku,
        lot=lot,
        serial=serial,
        quantity=Decimal(quantity),
        from_bin=frm,
        from_state=from_state,
        to_bin=to,
        to_state=to_state,
        document=document,
    )


def a_book(
    opening: dict[str, str] | dict[StockKey, Decimal],
    movements: list[Movement] | None = None,
    *,
    bin: str = "A-01",
    kind: BinKind = BinKind.PICK,
    tracking: dict[str, Tracking] | None = None,
) -> BinBook:
    """The book of a bin from SKU -> quantity available, or from full keys."""
    keys = {
        (StockKey(bin=bin, sku=key) if isinstance(key, str) else key): Decimal(quantity)
        for key, quantity in opening.items()
    }
    return BinBook(
        bin=bin,
        bin_kind=kind,
        opening=keys,
        movements=movements or [],
        tracking=tracking or {},
    )


def a_count(
    name: str,
    cells: dict[str, str] | dict[LineKey, str],
    *,
    opened: str = "09:00",
    closed: str | None = None,
    seen: Callable[[LineKey], Span] | None = None,
    person: str | None = "ana",
    bin: str = "A-01",
    scope: CountScope = CountScope.WHOLE_BIN,
    sku: str | None = None,
    kind: BinKind = BinKind.PICK,
) -> CountFacts:
    """A closed count: SKU (or full key) -> quantity counted."""
    opening, ending = span(opened), span(closed or opened)
    counted = []
    for key, quantity in cells.items():
        line = LineKey(sku=key) if isinstance(key, str) else key
        own = seen(line) if seen else opening.until(ending)
        counted.append(CountedCell(key=line, quantity=Decimal(quantity), seen=own))
    return CountFacts(
        count_id=name,
        bin=bin,
        bin_kind=kind,
        scope=scope,
        sku=sku,
        person=person,
        opened=opening,
        ended=ending,
        cells=tuple(counted),
    )


def damaged(sku: str) -> LineKey:
    return LineKey(sku=sku, condition=Condition.DAMAGED)
