"""The engine: what was counted against the book of that very moment, on readable sheets and at random."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from app.contract.count_fold import LineKey
from app.contract.vocabulary import (
    BinKind,
    Condition,
    CountScope,
    PhysicalState,
    Tracking,
    Verdict,
)
from server.domain.ranges import Span, exactly
from server.domain.reconcile import CountedCell, CountFacts, merged_cells, reconcile
from server.domain.stock import StockKey
from server.domain.tolerance import NO_TOLERANCE, Limits
from tests.support.naive import variances
from tests.support.sheets import (
    NINE,
    a_book,
    a_count,
    a_movement,
    a_range,
    at,
    damaged,
    rows,
    span,
    terms,
)

TEN_PERCENT = Limits(percent_plus=Decimal(10), percent_minus=Decimal(10))


def _moved(text: str):
    """ "-3@09:30 +5@10:00": picks and put-aways of S1 at clock times."""
    moves = []
    for index, word in enumerate(text.split()):
        quantity, _, clock = word.partition("@")
        out = quantity.startswith("-")
        moves.append(
            a_movement(
                f"m{index}",
                clock,
                quantity.lstrip("+-"),
                frm="A-01" if out else "@supplier",
                to="@customer" if out else "A-01",
            )
        )
    return moves


def _check(sheet: str | None, limits: Limits = NO_TOLERANCE) -> None:
    checked = rows(sheet)
    for row in checked:
        seen = row["seen"].split("-")
        count = a_count(
            "c", {"S1": row["counted"]} if row["counted"] else {}, opened=seen[0], closed=seen[1]
        )
        book = a_book({"S1": row["book"]}, _moved(row["moved"]))

        judged = {c.key.sku: c for c in reconcile(count, book, terms(limits))}

        if row["verdict"] == "nothing":
            assert judged == {}, row
            continue
        assert judged["S1"].variance == a_range(row["variance"]), row
        assert judged["S1"].verdict is Verdict(row["verdict"]), row


def test_a_count_is_compared_with_the_book_of_its_own_moment():
    """Stock that moved before or after the count never makes a variance; while counting, a doubt.

    book | moved              | seen        | counted | variance | verdict
    10   | -                  | 09:00-09:05 | 10      | 0        | exact
    10   | -3@08:00           | 09:00-09:05 | 7       | 0        | exact
    10   | -3@09:30           | 09:00-09:05 | 10      | 0        | exact
    10   | -3@09:00           | 09:00-09:05 | 7       | 0        | exact
    10   | -3@09:03           | 09:00-09:05 | 7       | -3..0    | ambiguous
    10   | -3@09:03           | 09:00-09:05 | 10      | 0..3     | ambiguous
    10   | -3@09:03           | 09:00-09:05 | 12      | 2..5     | ambiguous
    10   | -3@09:05           | 09:00-09:05 | 7       | -3..0    | ambiguous
    10   | +5@09:02 -5@09:04  | 09:00-09:05 | 10      | -5..5    | ambiguous
    10   | -3@08:00 +4@10:00  | 09:00-09:05 | 4       | -3       | out_of_tolerance
    0    | -                  | 09:00-09:05 | 4       | 4        | unexpected
    10   | -                  | 09:00-09:05 | 0       | -10      | missing
    10   | -                  | 09:00-09:05 | -       | -10      | missing
    0    | -                  | 09:00-09:05 | -       | -        | nothing
    0    | -                  | 09:00-09:05 | 0       | 0        | exact
    0    | +6@09:01           | 09:00-09:05 | -       | -6..0    | ambiguous
    2    | -5@08:00           | 09:00-09:05 | 0       | 3        | out_of_tolerance
    """
    _check(test_a_count_is_compared_with_the_book_of_its_own_moment.__doc__)


def test_only_a_variance_that_is_inside_however_things_happened_is_accepted_unseen():
    """Tolerance 10 % of the book, either way.

    book | moved    | seen        | counted | variance | verdict
    100  | -        | 09:00-09:05 | 90      | -10      | within_tolerance
    100  | -        | 09:00-09:05 | 89      | -11      | out_of_tolerance
    100  | -        | 09:00-09:05 | 110     | 10       | within_tolerance
    0    | -        | 09:00-09:05 | 1       | 1        | unexpected
    100  | -5@09:02 | 09:00-09:05 | 97      | -3..2    | within_tolerance
    100  | -5@09:02 | 09:00-09:05 | 86      | -14..-9  | ambiguous
    """
    _check(
        test_only_a_variance_that_is_inside_however_things_happened_is_accepted_unseen.__doc__,
        TEN_PERCENT,
    )


def test_a_movement_after_a_lines_last_scan_is_certain_though_the_bin_is_still_open():
    early = a_count(
        "c", {"S1": "10"}, opened="09:00", closed="09:30", seen=lambda _: span("09:00", "09:10")
    )
    book = a_book({"S1": "10", "S2": "4"}, _moved("-3@09:20"))

    judged = {c.key.sku: c for c in reconcile(early, book, terms())}

    assert judged["S1"].verdict is Verdict.EXACT
    assert judged["S2"].verdict is Verdict.MISSING


def test_a_single_sku_count_leaves_the_rest_of_the_bin_alone():
    count = a_count("c", {"S1": "9", "S3": "5"}, scope=CountScope.SINGLE_SKU, sku="S1")
    book = a_book({"S1": "10", "S2": "4", "S3": "1"})

    assert [c.key.sku for c in reconcile(count, book, terms())] == ["S1"]


def test_reserving_and_picking_are_told_apart():
    book = a_book(
        {"S1": "10"},
        [
            a_movement("r", "08:00", "4", frm="A-01", to="A-01", to_state=PhysicalState.RESERVED),
            a_movement(
                "p",
                "08:30",
                "1",
                frm="A-01",
                to="A-01",
                from_state=PhysicalState.RESERVED,
                to_state=PhysicalState.PICKED,
            ),
        ],
    )

    (cell,) = reconcile(a_count("c", {"S1": "9"}), book, terms())

    assert cell.verdict is Verdict.EXACT


def test_damaged_stock_is_compared_with_damaged_stock_and_missing_when_nobody_saw_it():
    keys = {
        StockKey(bin="A-01", sku="S1"): Decimal(10),
        StockKey(bin="A-01", sku="S1", state=PhysicalState.DAMAGED): Decimal(2),
    }

    judged = {
        c.key: c.variance for c in reconcile(a_count("c", {"S1": "12"}), a_book(keys), terms())
    }

    assert judged == {LineKey(sku="S1"): exactly(Decimal(2)), damaged("S1"): exactly(Decimal(-2))}


def test_returned_stock_is_good_in_a_returns_bin_and_held_elsewhere():
    key = {StockKey(bin="R-01", sku="S1", state=PhysicalState.RETURNED): Decimal(3)}
    conditions = {
        kind: next(
            iter(
                reconcile(
                    a_count("c", {}, bin="R-01", kind=kind),
                    a_book(key, bin="R-01", kind=kind),
                    terms(),
                )
            )
        ).key.condition
        for kind in (BinKind.RETURNS, BinKind.PICK)
    }

    assert conditions == {BinKind.RETURNS: Condition.GOOD, BinKind.PICK: Condition.HELD}


def test_the_same_lot_text_on_two_skus_is_two_lots():
    lots = {
        StockKey(bin="A-01", sku="S1", lot="L1"): Decimal(5),
        StockKey(bin="A-01", sku="S2", lot="L1"): Decimal(5),
    }
    tracking = {"S1": Tracking.LOT, "S2": Tracking.LOT}
    count = a_count("c", {LineKey(sku="S1", lot="L1"): "5"})

    judged = {
        c.key.sku: c.verdict for c in reconcile(count, a_book(lots, tracking=tracking), terms())
    }

    assert judged == {"S1": Verdict.EXACT, "S2": Verdict.MISSING}


def test_a_lot_read_off_an_untracked_sku_is_no_other_stock():
    cells = [
        CountedCell(key=LineKey(sku="S1", lot="X9"), quantity=Decimal(4), seen=span("09:00")),
        CountedCell(key=LineKey(sku="S1"), quantity=Decimal(6), seen=span("09:04")),
    ]

    (merged,) = merged_cells(cells, {"S1": Tracking.NONE})

    assert merged == CountedCell(
        key=LineKey(sku="S1"), quantity=Decimal(10), seen=span("09:00", "09:04")
    )


def test_one_wrong_serial_is_never_within_tolerance():
    serials = {StockKey(bin="A-01", sku="S1", serial=f"N{n}"): Decimal(1) for n in range(100)}
    counted = {LineKey(sku="S1", serial=f"N{n}"): "1" for n in range(1, 100)}

    judged = reconcile(
        a_count("c", counted),
        a_book(serials, tracking={"S1": Tracking.SERIAL}),
        terms(Limits(percent_minus=Decimal(50))),
    )

    assert [c.key.serial for c in judged if c.verdict is Verdict.MISSING] == ["N0"]


def test_a_movement_told_twice_counts_once():
    movement = a_movement("m", "08:00", "3", frm="A-01", to="@customer")

    (cell,) = reconcile(
        a_count("c", {"S1": "7"}), a_book({"S1": "10"}, [movement, movement]), terms()
    )

    assert cell.verdict is Verdict.EXACT


def test_a_clock_in_doubt_widens_the_variance_and_never_hides_it():
    picked = _moved("-3@09:00")
    sharp = a_count("c", {"S1": "10"}, opened="08:58")
    doubtful = a_count("c", {"S1": "10"}, seen=lambda _: span("08:55", "09:05"))

    (certain,) = reconcile(sharp, a_book({"S1": "10"}, picked), terms())
    (unsure,) = reconcile(doubtful, a_book({"S1": "10"}, picked), terms())

    assert certain.variance == exactly(Decimal(0))
    assert unsure.variance == a_range("0..3")


# -- against the naive oracle ------------------------------------------------------------------

_STATES = [
    PhysicalState.AVAILABLE,
    PhysicalState.RESERVED,
    PhysicalState.PICKED,
    PhysicalState.DAMAGED,
    PhysicalState.RETURNED,
    PhysicalState.QUARANTINED,
]
_MINUTES = st.integers(0, 240)
_QUANTITIES = st.integers(0, 9)


@st.composite
def _movements(draw: st.DrawFn):
    moves = []
    for index in range(draw(st.integers(0, 8))):
        frm, to = draw(
            st.sampled_from([("A-01", "@customer"), ("@supplier", "A-01"), ("A-01", "A-01")])
        )
        states = draw(st.tuples(st.sampled_from(_STATES), st.sampled_from(_STATES)))
        moves.append(
            a_movement(
                f"m{index}",
                NINE + timedelta(minutes=draw(_MINUTES) - 120),
                str(draw(st.integers(1, 5))),
                frm=frm,
                to=to,
                sku=draw(st.sampled_from(["S1", "S2"])),
                from_state=states[0],
                to_state=states[1],
            )
        )
    return moves


@st.composite
def _counts(draw: st.DrawFn):
    start = NINE + timedelta(minutes=draw(_MINUTES) - 120)
    length = timedelta(minutes=draw(st.integers(0, 60)))
    single = draw(st.booleans())
    keys = draw(
        st.sets(
            st.builds(
                LineKey,
                sku=st.sampled_from(["S1", "S2"]),
                condition=st.sampled_from(list(Condition)),
            )
        )
    )
    cells = tuple(
        CountedCell(
            key=key,
            quantity=Decimal(draw(_QUANTITIES)),
            seen=Span(earliest=start, latest=start + length * draw(st.floats(0, 1))),
        )
        for key in sorted(keys)
    )
    return CountFacts(
        count_id="c",
        bin="A-01",
        bin_kind=draw(st.sampled_from([BinKind.PICK, BinKind.RETURNS])),
        scope=CountScope.SINGLE_SKU if single else CountScope.WHOLE_BIN,
        sku="S1" if single else None,
        person="ana",
        opened=Span(earliest=start, latest=start),
        ended=Span(earliest=start + length, latest=start + length),
        cells=cells,
    )


@settings(max_examples=400, deadline=None)
@given(count=_counts(), moves=_movements(), seed=st.randoms(use_true_random=False))
def test_every_variance_is_what_trying_every_order_of_movements_gives(
    count: CountFacts, moves, seed: random.Random
):
    opening = {
        StockKey(bin="A-01", sku=sku, state=state): Decimal(seed.randint(0, 6))
        for sku in ("S1", "S2")
        for state in _STATES
    }
    expected = {
        LineKey(sku=k[0], lot=k[1], serial=k[2], condition=k[3]): v
        for k, v in variances(count, opening, moves).items()
    }
    shuffled = seed.sample(moves, len(moves))

    judged = reconcile(count, a_book(opening, shuffled, kind=count.bin_kind), terms())

    assert {c.key: (c.variance.low, c.variance.high) for c in judged} == expected


@settings(max_examples=200, deadline=None)
@given(count=_counts(), moves=_movements(), seed=st.randoms(use_true_random=False))
def test_a_true_count_is_never_a_case_whatever_moved_around_it(
    count: CountFacts, moves, seed: random.Random
):
    """The counter sees each cell at one instant of his visit; the truth is always possible."""
    opening = {StockKey(bin="A-01", sku=s): Decimal(50) for s in ("S1", "S2")}
    book = a_book(opening, moves, kind=count.bin_kind)
    true = tuple(
        CountedCell(
            key=c.key, quantity=book.range_over(c.key, span_at(c.seen.latest)).low, seen=c.seen
        )
        for c in count.cells
        if book.range_over(c.key, span_at(c.seen.latest)).low >= 0
    )
    keys = {c.key for c in true}
    told = CountFacts(
        count_id="c",
        bin="A-01",
        bin_kind=count.bin_kind,
        scope=count.scope,
        sku=count.sku,
        person="ana",
        opened=count.opened,
        ended=count.ended,
        cells=true,
    )

    for cell in reconcile(told, book, terms()):
        if cell.key in keys:
            assert cell.variance.low <= 0 <= cell.variance.high
            assert cell.verdict in (Verdict.EXACT, Verdict.AMBIGUOUS)
            if cell.book.is_certain:
                assert cell.verdict is Verdict.EXACT


def span_at(when) -> Span:
    return Span(earliest=when, latest=when)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 100), st.integers(0, 100))
def test_widening_a_tolerance_never_opens_a_case(book: int, counted: int, narrow: int, more: int):
    def inside(percent: int) -> bool:
        limits = Limits(percent_plus=Decimal(percent), percent_minus=Decimal(percent))
        cells = reconcile(
            a_count("c", {"S1": str(counted)}), a_book({"S1": str(book)}), terms(limits)
        )
        return all(c.is_inside for c in cells)

    assert not inside(narrow) or inside(narrow + more)


def test_the_sheet_clock_is_utc_nine_o_clock():
    assert at("09:00") == NINE
