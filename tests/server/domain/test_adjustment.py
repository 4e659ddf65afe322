"""Postings: the variance and never the number, from the states that had it, journal to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract.vocabulary import BinKind, Condition, PhysicalState, ReasonCode
from server.domain.adjustment import (
    INVENTORY,
    SHRINKAGE,
    PostedPart,
    Posting,
    journal_line,
    journal_totals,
    moved_instead,
    posting_movements,
    reversal_movements,
)
from server.domain.judging import CaseLine
from server.domain.stock import StockKey, book, check_movement
from tests.support.sheets import NINE, at

D = Decimal
AVAILABLE = StockKey(bin="A-01", sku="S1")
RESERVED = AVAILABLE._replace(state=PhysicalState.RESERVED)


def posting(quantity: str, **fields) -> Posting:
    given_ = {
        "adjustment_id": "a1",
        "case_id": "k1",
        "bin": "A-01",
        "bin_kind": BinKind.PICK,
        "line": CaseLine(sku="S1"),
        "parts": {"": D(quantity)},
        "dated_at": NINE,
        "recorded_at": at("10:00"),
    }
    return Posting(**(given_ | fields))


def test_what_is_missing_leaves_available_before_reserved_and_the_total_is_the_variance():
    moves = posting_movements(posting("-6"), {AVAILABLE: D(4), RESERVED: D(9)})

    assert [(m.from_state.value, m.quantity, m.to_bin) for m in moves] == [
        ("available", 4, "@shrink"),
        ("reserved", 2, "@shrink"),
    ]


def test_what_no_state_had_leaves_the_first_one_all_the_same():
    moves = posting_movements(posting("-6"), {AVAILABLE: D(4)})

    assert sum(m.quantity for m in moves) == 6
    assert {m.from_state for m in moves} == {PhysicalState.AVAILABLE}


def test_a_find_is_available_and_damaged_finds_are_damaged():
    (good,) = posting_movements(posting("3"), {})
    (damaged,) = posting_movements(
        posting("3", line=CaseLine(sku="S1", condition=Condition.DAMAGED)), {}
    )

    assert (good.from_bin, good.to_state) == ("@found", PhysicalState.AVAILABLE)
    assert damaged.to_state is PhysicalState.DAMAGED


def test_it_is_dated_at_the_count_and_names_its_case():
    (move,) = posting_movements(posting("3"), {})

    assert (move.occurred_at, move.recorded_at, move.document) == (NINE, at("10:00"), "case/k1")


def test_serials_are_posted_one_by_one():
    moves = posting_movements(posting("0", parts={"N2": D(1), "N1": D(-1)}), {})

    assert [(m.serial, m.from_bin) for m in moves] == [("N1", "A-01"), ("N2", "@found")]


def test_stock_found_elsewhere_is_moved_and_not_lost_and_found():
    short = posting_movements(posting("-6"), {AVAILABLE: D(4), RESERVED: D(9)})

    moved = moved_instead(short, to_bin="A-02")

    assert {(m.to_bin, m.from_state is m.to_state) for m in moved} == {("A-02", True)}
    with pytest.raises(ValueError, match="short side"):
        moved_instead(posting_movements(posting("6"), {}), to_bin="A-02")


@given(st.integers(-20, 20), st.integers(-3, 9), st.integers(-3, 9))
def test_postings_change_the_book_by_the_variance_and_a_reversal_by_nothing(
    quantity: int, available: int, reserved: int
):
    balances = {AVAILABLE: D(available), RESERVED: D(reserved)}

    moves = posting_movements(posting(str(quantity), parts={"": D(quantity)}), balances)
    if quantity == 0:
        moves = ()
    undone = (*moves, *reversal_movements(moves, "a2", at("11:00")))

    for move in undone:
        check_movement(move)
    assert sum(book(moves, key, at("12:00")) for key in balances) == quantity
    assert sum(book(undone, key, at("12:00")) for key in balances) == 0


def part(quantity: str, cost: str = "14.00") -> PostedPart:
    return PostedPart(
        adjustment_id="a1",
        case_id="k1",
        movement_id="m1",
        bin="A-01",
        sku="S1",
        lot="",
        serial="",
        quantity=D(quantity),
        unit_cost=D(cost),
        cost_at=NINE,
        dated_at=NINE,
        posted_at=NINE,
        reason=ReasonCode.UNKNOWN_CAUSE,
        approved_by="sue",
    )


def test_a_shortage_is_an_expense_and_an_overage_its_reverse():
    short, over = journal_line(part("-105")), journal_line(part("105"))

    assert (short.debit, short.credit, str(short.amount)) == (SHRINKAGE, INVENTORY, "1470.00")
    assert (over.debit, over.credit, over.net) == (INVENTORY, SHRINKAGE, D("1470.00"))


@given(st.lists(st.tuples(st.integers(-99, 99).filter(bool), st.integers(1, 9999)), max_size=30))
def test_totals_are_the_sums_of_rounded_lines_and_absolute_is_never_netted(
    told: list[tuple[int, int]],
):
    lines = [journal_line(part(str(q), str(D(cost) / 1000))) for q, cost in told]

    totals = journal_totals(lines)

    assert totals.net == sum(line.net for line in lines)
    assert totals.absolute == sum(line.amount for line in lines) >= abs(totals.net)
    assert totals.overage - totals.shrink == totals.net
