"""A book below zero: wrong without anybody counting, so a case until it is mended or counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from app.contract.review import Action
from app.contract.vocabulary import CaseKind, quantity_text
from server.domain.cases import SYSTEM, CaseEvent
from server.domain.impact import cents, priority
from server.domain.judging import CaseLine
from server.domain.ranges import ZERO, exactly
from server.domain.stock import StockKey, visible_condition
from server.services.case_keeping import apply_event
from server.services.case_numbers import set_priority
from server.services.desk import Desk
from server.services.odd_facts import OddFact, new_case
from server.storage import bin_books
from server.storage import cases as case_rows
from server.storage.columns import to_u
from server.storage.records import Bin
from server.storage.tables_casework import ExceptionCaseRow

BINS_AT_ONCE = 100
"""Bins of an import whose books are looked at together."""


def negative_books(desk: Desk, bins_and_skus: Iterable[tuple[str, str]]) -> None:
    """A book below zero is wrong without anybody counting: open a case, or end one that is mended."""
    wanted: dict[str, set[str]] = {}
    for code, sku in bins_and_skus:
        wanted.setdefault(code, set()).add(sku)
    bins = sorted(wanted)
    for start in range(0, len(bins), BINS_AT_ONCE):
        _negative_books(desk, {code: wanted[code] for code in bins[start : start + BINS_AT_ONCE]})


def _negative_books(desk: Desk, wanted: Mapping[str, set[str]]) -> None:
    desk.load_bins(wanted)
    books = bin_books.books_of_bins(desk.session, desk.site_id, dict.fromkeys(wanted, desk.now))
    live = case_rows.live_line_cases_of_bins(desk.session, desk.site_id, wanted)
    for code, skus in wanted.items():
        place = desk.bin(code)
        if place is None:
            continue
        below = _below_zero(books[code], place, skus)
        for case in live.get(code, ()):
            line = case_rows.line_of_case(case)
            is_ours = case.kind == CaseKind.NEGATIVE_BOOK and case.rounds == 0
            if is_ours and line in below:
                _say_negative(desk, case, below[line])
            elif is_ours and case.sku in skus:
                apply_event(desk, case, CaseEvent.FACTS_EXPLAINED, SYSTEM, through="ledger")
                case.ended_by_facts = True
            below.pop(line, None)
        for line, quantity in sorted(below.items()):
            _open_negative(desk, place, line, quantity)


def _below_zero(
    book: Mapping[StockKey, Decimal], place: Bin, skus: set[str]
) -> dict[CaseLine, Decimal]:
    totals: dict[CaseLine, Decimal] = {}
    for key, quantity in book.items():
        condition = visible_condition(key.state, place.kind)
        if condition is not None and key.sku in skus:
            line = CaseLine(sku=key.sku, lot=key.lot, condition=condition)
            totals[line] = totals.get(line, ZERO) + quantity
    return {line: total for line, total in totals.items() if total < 0}


def _open_negative(desk: Desk, place: Bin, line: CaseLine, quantity: Decimal) -> None:
    fact = OddFact(
        kind=CaseKind.NEGATIVE_BOOK,
        subject="",
        title="",
        next_words=f"Count {place.bin}: its book is below zero",
        next_action=Action.RECOUNT,
        bin=place.bin,
        zone=place.zone,
        sku=line.sku,
        lot=line.lot,
        condition=line.condition,
    )
    value = cents(-quantity * desk.unit_cost(line.sku))
    _say_negative(desk, new_case(desk, fact, value=value), quantity)


def _say_negative(desk: Desk, case: ExceptionCaseRow, quantity: Decimal) -> None:
    """How far below zero the book is now, and what that is worth, on the face of its case."""
    cost = desk.unit_cost(case.sku)
    value = cents(-quantity * cost)
    case.title = f"The book of {case.sku} in {case.bin} is {quantity_text(quantity)}"
    case.parts = case_rows.parts_text({"": exactly(-quantity)})
    case.variance_low_u = case.variance_high_u = to_u(-quantity)
    case.unit_cost_u, case.value_u = to_u(cost), to_u(value)
    set_priority(
        case,
        *priority(
            CaseKind.NEGATIVE_BOOK,
            value=value,
            currency=desk.currency,
            standing=None,
            orders=0,
            first_promise=None,
        ),
    )
    desk.session.add(case)
