"""Tolerances: what trips, on which side, looked up in which order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from server.domain.ranges import Range
from server.domain.tolerance import (
    NO_TOLERANCE,
    SEED_RULES,
    Limits,
    ToleranceRule,
    ToleranceScope,
    ToleranceSubject,
    ToleranceTable,
    breached,
    is_within,
    percent_of_book,
)
from tests.support.sheets import rows

D = Decimal
ORACLE = Limits(percent_plus=D(5), percent_minus=D(10), money_plus=D(200), money_minus=D(250))
"""The worked limits of Oracle Cloud 24c: +5 % / -10 % quantity, +200 / -250 value."""


def test_any_measure_that_is_broken_trips_and_the_boundary_is_within():
    """Limits +5 % / -10 % and +200 / -250 in money.

    book | counted | cost | broken
    100  | 100     | 10   | -
    100  | 106     | 10   | percent
    100  | 73      | 10   | percent money
    100  | 105     | 10   | -
    100  | 90      | 10   | -
    100  | 105     | 41   | money
    100  | 105     | 40   | -
    100  | 90      | 25   | -
    0    | 1       | 0    | percent
    0    | 500     | 10   | percent money
    -2   | 0       | 0    | percent
    """
    for row in rows(test_any_measure_that_is_broken_trips_and_the_boundary_is_within.__doc__):
        book, counted = D(row["book"]), D(row["counted"])
        broken = breached(counted - book, book=book, unit_cost=D(row["cost"]), limits=ORACLE)
        assert " ".join(broken) == row["broken"], row


def test_a_rule_without_limits_tolerates_nothing():
    assert breached(D(1), book=D(1000), unit_cost=D(1), limits=Limits()) == ("units",)
    assert breached(D(0), book=D(1000), unit_cost=D(1), limits=Limits()) == ()


def test_a_limit_that_is_not_given_on_one_side_tolerates_nothing_there():
    only_over = Limits(units_plus=D(3))

    assert breached(D(3), book=D(9), unit_cost=D(1), limits=only_over) == ()
    assert breached(D(-1), book=D(9), unit_cost=D(1), limits=only_over) == ("units",)


def test_a_book_of_zero_or_less_is_off_by_a_hundred_percent():
    assert percent_of_book(D(500), D(0)) == 100
    assert percent_of_book(D(1), D(-7)) == 100
    assert percent_of_book(D(0), D(0)) == 0


def test_the_whole_range_must_be_inside():
    ten = Limits(percent_plus=D(10), percent_minus=D(10))

    assert is_within(D(95), Range(D(90), D(100)), unit_cost=D(1), limits=ten)
    assert not is_within(D(95), Range(D(80), D(100)), unit_cost=D(1), limits=ten)
    assert not is_within(D(5), Range(D(0), D(5)), unit_cost=D(1), limits=ten)


def test_the_most_particular_rule_is_the_whole_answer():
    def rule(scope: ToleranceScope, key: str, units: int) -> ToleranceRule:
        return ToleranceRule(scope=scope, key=key, limits=Limits(units_plus=D(units)))

    all_rules = [
        rule(ToleranceScope.SKU, "S1", 1),
        rule(ToleranceScope.ABC_CLASS, "A", 2),
        rule(ToleranceScope.BIN, "A-01", 3),
        rule(ToleranceScope.ZONE, "A", 4),
        rule(ToleranceScope.SITE, "", 5),
    ]
    subject = ToleranceSubject(sku="S1", abc_class="A", bin="A-01", zone="A")

    found = [ToleranceTable(all_rules[n:]).limits_for(subject).units_plus for n in range(6)]

    assert found == [1, 2, 3, 4, 5, NO_TOLERANCE.units_plus]


def test_a_new_site_starts_with_one_three_and_five_percent():
    assert {r.key: r.limits.percent_minus for r in SEED_RULES} == {"A": 1, "B": 3, "C": 5}


@pytest.mark.parametrize("key", ["", "S1"])
def test_a_rule_names_what_it_is_about(key: str):
    scope = ToleranceScope.SKU if key == "" else ToleranceScope.SITE

    with pytest.raises(ValueError, match="rule"):
        ToleranceRule(scope=scope, key=key, limits=Limits())


def test_a_negative_tolerance_is_a_mistake():
    with pytest.raises(ValueError, match="never negative"):
        Limits(units_minus=D(-1))
