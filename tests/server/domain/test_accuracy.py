"""Accuracy figures: each by its own basis, nothing netted, no figure where nothing was counted."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.contract.vocabulary import Condition
from server.domain.accuracy import RecordResult, accuracy, by_group
from server.domain.ranges import Range, exactly
from tests.support.sheets import NINE, a_range, rows

D = Decimal


def record(
    book: str, counted: str, *, bin: str = "A-01", sku: str = "S1", cost: str = "1", inside=None
) -> RecordResult:
    expected = a_range(book)
    variance = expected.taken_from(D(counted))
    return RecordResult(
        bin=bin,
        zone=bin[0],
        sku=sku,
        lot="",
        serial="",
        condition=Condition.GOOD,
        abc_class="A",
        person="ana",
        counted_at=NINE,
        book=expected,
        counted=D(counted),
        variance=variance,
        is_inside=variance.is_zero if inside is None else inside,
        unit_cost=D(cost),
        is_confirmed=True,
    )


def figures(results: list[RecordResult]) -> dict[str, str | None]:
    return {
        f.name: None if f.percent is None else str(f.percent) for f in accuracy(results).figures
    }


def test_five_over_here_and_five_short_there_are_ten_units_of_error():
    """Two bins of one SKU, unit cost 1.

    bin  | book | counted
    A-01 | 10   | 15
    B-01 | 10   | 5
    """
    told = [
        record(r["book"], r["counted"], bin=r["bin"])
        for r in rows(test_five_over_here_and_five_short_there_are_ten_units_of_error.__doc__)
    ]

    found = accuracy(told)

    assert (found.variance_net_units, found.variance_absolute_units) == (D(0), D(10))
    assert figures(told)["ira_by_unit"] == "50.00"
    assert figures(told)["ira_by_record_strict"] == "0.00"
    assert figures(told)["accuracy_by_sku_strict"] == "0.00"


def test_each_basis_says_its_own():
    told = [
        record("100", "100", sku="S1", cost="1"),
        record("100", "99", sku="S2", cost="1", inside=True),
        record("10", "5", sku="S3", cost="100", bin="B-01"),
    ]

    assert figures(told) == {
        "ira_by_record_strict": "33.33",
        "ira_by_record_within_tolerance": "66.67",
        "ira_by_unit": "97.14",
        "ira_by_unit_within_tolerance": "97.62",
        "ira_by_value": "58.25",
        "ira_by_value_within_tolerance": "58.33",
        "accuracy_by_bin_strict": "0.00",
        "accuracy_by_sku_strict": "33.33",
    }


def test_what_is_not_certain_is_not_reported_as_right():
    told = [record("7..10", "10")]

    assert figures(told)["ira_by_record_strict"] == "0.00"
    assert accuracy(told).variance_absolute_units == 3


def test_no_count_is_no_figure():
    assert set(figures([]).values()) == {None}


def test_groups_are_named_after_themselves():
    told = [record("1", "1"), record("1", "0"), record("1", "1", bin="B-01")]

    assert [(f.name, str(f.percent)) for f in by_group(told, lambda r: r.zone)] == [
        ("A", "50.00"),
        ("B", "100.00"),
    ]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20))
def test_no_figure_leaves_its_scale_and_absolute_is_at_least_net(pairs: list[tuple[int, int]]):
    told = [record(str(b), str(c)) for b, c in pairs]

    found = accuracy(told)

    assert all(f.percent is None or 0 <= f.percent <= 100 for f in found.figures)
    assert found.variance_absolute_units >= abs(found.variance_net_units)
    assert found.variance_absolute_value >= abs(found.variance_net_value)
    assert exactly(D(0)) == Range(D(0), D(0))
