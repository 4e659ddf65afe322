"""The price of a variance, and how urgent it is."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.contract.vocabulary import CaseKind
from server.domain.impact import (
    PromisedLine,
    broken_promises,
    case_impact,
    cents,
    due_after,
    priority,
)
from server.domain.ranges import Range, exactly
from server.domain.rounds import Standing
from tests.support.sheets import NINE

D = Decimal


def promised(number: str, quantity: str, days: int | None) -> PromisedLine:
    at = None if days is None else NINE + timedelta(days=days)
    return PromisedLine(number=number, promised_at=at, quantity=D(quantity), price=D(5))


def impact(low: str, high: str | None = None, **fields):
    given_ = {
        "unit_cost": D("2.50"),
        "price": D(4),
        "cost_at": NINE,
        "on_hand_elsewhere": D(0),
        "book_here": D(10),
    }
    return case_impact({"": Range(D(low), D(high or low))}, **(given_ | fields))


def test_a_shortage_costs_its_stock_its_margin_and_its_promises():
    found = impact("-6", promises=[promised("1", "3", 1), promised("2", "3", 2)])

    assert found.inventory_net == exactly(D("-15.00"))
    assert (found.inventory_absolute, found.margin_at_risk, found.cash_tied_up) == (
        D("15.00"),
        D("9.00"),
        D("0.00"),
    )
    assert [(o.number, o.short, o.value) for o in found.orders] == [("2", D(2), D("10.00"))]


def test_an_overage_ties_up_cash_and_endangers_no_order():
    found = impact("6", promises=[promised("1", "30", 1)])

    assert (found.cash_tied_up, found.orders) == (D("15.00"), ())


def test_an_order_that_could_not_be_met_anyway_is_not_blamed_on_the_count():
    found = impact("-1", promises=[promised("1", "30", 1)])

    assert [(o.number, o.short) for o in found.orders] == [("1", D(21))]
    assert impact("0", promises=[promised("1", "30", 1)]).orders == ()


def test_a_range_is_priced_at_its_worst():
    found = impact("-6", "-2")

    assert (found.inventory_net, found.inventory_absolute) == (
        Range(D("-15.00"), D("-5.00")),
        D("15.00"),
    )


def test_one_serial_missing_and_one_over_are_two_errors():
    found = case_impact(
        {"N1": exactly(D(-1)), "N2": exactly(D(1))},
        unit_cost=D(100),
        price=D(150),
        cost_at=NINE,
        on_hand_elsewhere=D(0),
        book_here=D(1),
    )

    assert (found.inventory_net, found.inventory_absolute) == (exactly(D("0.00")), D("200.00"))


def test_promises_are_served_by_date_and_undated_ones_last():
    lines = [promised("9", "4", None), promised("2", "4", 2), promised("1", "4", 2)]

    assert [(b.number, b.short) for b in broken_promises(D(5), lines)] == [("2", 3), ("9", 4)]


def test_halves_of_a_cent_go_away_from_zero():
    assert [str(cents(D(x))) for x in ("1.005", "-1.005", "-0.001")] == ["1.01", "-1.01", "0.00"]


def _score(value: str, standing=Standing.AGREED, orders=0, hours: float | None = None) -> int:
    promise = None if hours is None else timedelta(hours=hours)
    return priority(
        CaseKind.VARIANCE,
        value=D(value),
        currency="EUR",
        standing=standing,
        orders=orders,
        first_promise=promise,
    )[0]


def test_priority_follows_money_and_likelihood_and_promises_come_first():
    assert [_score(v) for v in ("0", "1", "10", "100", "1000", "10000", "1000000")] == [
        0,
        4,
        15,
        30,
        44,
        59,
        59,
    ]
    assert _score("100", Standing.FIRST) == 25
    assert _score("1", orders=1) == 65
    assert _score("1", orders=1, hours=70) == 75
    assert _score("1", orders=9, hours=1) == 100


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(Standing))
def test_more_money_is_never_less_urgent(one: int, other: int, standing: Standing):
    low, high = sorted((one, other))

    assert _score(str(low), standing) <= _score(str(high), standing)
    assert 0 <= _score(str(high), standing) <= 59


def test_the_more_urgent_the_sooner_it_is_due():
    waits = [due_after(p) for p in (100, 80, 79, 60, 59, 30, 29, 0)]

    assert waits == sorted(waits)
    assert waits[0] == timedelta(hours=4)
    assert waits[-1] == timedelta(days=5)
