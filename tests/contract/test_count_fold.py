"""What a count adds up to: the one rule that the device shows and the server judges by."""

from __future__ import annotations

import random
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.contract.count_fold import CountStatus, LineKey, Oddity, fold_count
from app.contract.events import (
    BinClosed,
    BinEmpty,
    BinLeft,
    BinOpened,
    ConditionMarked,
    Entered,
    EventVoided,
    ScanFact,
    StockLine,
    UnknownNoted,
)
from app.contract.vocabulary import Condition, ScanSource, Unit
from tests.support.events import a_count_of, an_event, an_id, counted


def _quantities(payloads):
    folded = fold_count("x", a_count_of(payloads))
    return {(k.key.sku, k.key.condition): k.quantity for k in folded.lines}


def test_each_scan_adds_and_a_case_adds_its_factor():
    payloads = [
        BinOpened(bin="A-01-01"),
        counted("S1", "1"),
        counted("S1", "1"),
        counted("S1", "2", unit=Unit.CASE, factor="12"),
    ]

    assert _quantities(payloads) == {("S1", Condition.GOOD): Decimal(26)}


def test_a_typed_total_replaces_what_was_scanned_and_later_scans_add_to_it():
    payloads = [counted("S1", "1"), counted("S1", "14", total=True), counted("S1", "1")]

    assert _quantities(payloads) == {("S1", Condition.GOOD): Decimal(15)}


def test_a_counted_zero_is_a_line_and_not_counted_is_none():
    folded = fold_count("x", a_count_of([BinOpened(bin="A"), counted("S1", "0"), BinClosed()]))

    assert folded.line(LineKey(sku="S1")).quantity == 0
    assert folded.line(LineKey(sku="S2")) is None
    assert folded.status is CountStatus.CLOSED
    assert not folded.is_empty_confirmed


def test_marking_damage_moves_units_and_never_adds_any():
    payloads = [
        counted("S1", "5"),
        ConditionMarked(line=StockLine(sku="S1"), entered=Entered(quantity="2")),
    ]

    assert _quantities(payloads) == {
        ("S1", Condition.GOOD): Decimal(3),
        ("S1", Condition.DAMAGED): Decimal(2),
    }


def test_undo_takes_an_entry_back_and_undoing_the_undo_brings_it_again():
    count_id = an_id()
    scan = an_event(counted("S1", "3"), seq=1, count_id=count_id)
    undo = an_event(EventVoided(voids=scan.id), seq=2, count_id=count_id)
    redo = an_event(EventVoided(voids=undo.id), seq=3, count_id=count_id)

    assert fold_count(count_id, [scan, undo]).lines == ()
    assert fold_count(count_id, [scan, undo, redo]).line(LineKey(sku="S1")).quantity == 3


def test_the_same_serial_twice_is_one_unit_and_is_named():
    events = a_count_of([counted("S1", "1", serial="A"), counted("S1", "1", serial="A")])
    folded = fold_count("x", events)

    assert folded.line(LineKey(sku="S1", serial="A")).quantity == 1
    assert (events[1].id, Oddity.SERIAL_REPEATED) in folded.oddities


def test_the_same_lot_text_on_two_skus_is_two_lines():
    folded = fold_count("x", a_count_of([counted("S1", "1", lot="L"), counted("S2", "4", lot="L")]))

    assert [(line.key.sku, line.quantity) for line in folded.lines] == [("S1", 1), ("S2", 4)]


def test_unknown_codes_are_kept_with_their_number():
    scan = ScanFact(raw="4711", symbology="EAN-13", source=ScanSource.CAMERA)
    folded = fold_count(
        "x", a_count_of([UnknownNoted(scan=scan), UnknownNoted(scan=scan, quantity="3")])
    )

    assert [(u.raw, u.quantity) for u in folded.unknown] == [("4711", Decimal(4))]


def test_an_empty_bin_is_confirmed_not_merely_uncounted():
    folded = fold_count("x", a_count_of([BinOpened(bin="A"), BinEmpty(), BinClosed()]))

    assert folded.is_empty_confirmed
    assert folded.lines == ()


def test_a_count_that_was_left_is_not_closed():
    assert fold_count("x", a_count_of([BinOpened(bin="A"), BinLeft()])).status is CountStatus.LEFT


def test_what_comes_after_the_close_is_named_and_does_not_count():
    events = a_count_of([BinOpened(bin="A"), counted("S1", "1"), BinClosed(), counted("S1", "9")])
    folded = fold_count("x", events)

    assert folded.line(LineKey(sku="S1")).quantity == 1
    assert folded.oddities == ((events[3].id, Oddity.AFTER_CLOSE),)


@given(
    st.lists(
        st.tuples(st.sampled_from(["S1", "S2"]), st.integers(0, 40), st.booleans()), max_size=12
    ),
    st.randoms(use_true_random=False),
)
def test_arrival_order_and_doubles_do_not_change_the_count(steps, rng: random.Random):
    events = a_count_of(
        [BinOpened(bin="A"), *(counted(s, str(q), total=t) for s, q, t in steps), BinClosed()]
    )
    shuffled = [*events, *rng.sample(events, k=min(3, len(events)))]
    rng.shuffle(shuffled)

    assert fold_count("x", shuffled) == fold_count("x", events)


@given(st.randoms(use_true_random=False))
def test_two_copies_that_went_on_with_one_bin_count_the_same_whatever_came_first(
    rng: random.Random,
):
    """A number stands twice; one of the two sets a total, so their order matters and must be kept."""
    count_id = an_id()
    begun = a_count_of([BinOpened(bin="A"), counted("S1", "2")], count_id=count_id)
    ours = an_event(counted("S1", "5", total=True), seq=3, count_id=count_id)
    theirs = an_event(counted("S1", "1"), seq=3, count_id=count_id)
    events = [*begun, ours, theirs]
    rng.shuffle(events)

    assert fold_count("x", events) == fold_count("x", [*begun, theirs, ours])
