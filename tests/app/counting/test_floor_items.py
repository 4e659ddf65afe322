"""Counting what is in a bin: scans, cases, keypad, damaged, unknown, lots, undo, a full disk."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from app.contract.count_fold import LineKey
from app.contract.vocabulary import Condition, ScanSource, Unit
from app.counting.session import UNDO_MAX
from app.counting.state import (
    Band,
    EditSheet,
    KeypadSheet,
    LotSheet,
    SearchSheet,
    Stage,
    Tone,
)
from app.store.errors import StoreFullError
from tests.support.site import (
    BULB,
    LOTTED,
    LOTTED_CASE,
    LOTTED_EACH,
    OIL,
    OIL_CASE,
    OIL_EACH,
    PADS,
    PADS_EACH,
    SERIALLED,
    SERIALLED_EACH,
    UNKNOWN,
    Floor,
)


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    floor = Floor(tmp_path)
    floor.open_bin()
    return floor


def band_of(floor: Floor) -> Band:
    assert floor.service.state.band is not None
    return floor.service.state.band


def type_number(floor: Floor, digits: str) -> None:
    for digit in digits:
        floor.service.press(digit)


def test_each_scan_of_an_item_adds_one_and_the_line_is_current(floor: Floor):
    for _ in range(3):
        floor.scan(OIL_EACH)

    assert floor.totals() == {OIL: "3"}
    assert band_of(floor).tone is Tone.ACCEPT
    assert [(v.title, v.quantity, v.is_current) for v in floor.service.state.lines] == [
        ("Chain lube 400ml", "3", True)
    ]


def test_a_case_barcode_adds_its_factor_and_says_how_many(floor: Floor):
    floor.scan(OIL_CASE)
    floor.scan(OIL_CASE)
    floor.scan(OIL_EACH)

    assert floor.totals() == {OIL: "25"}
    assert floor.service.state.lines[0].packs == "2 × 12 + 1"


def test_the_band_of_a_case_shows_plus_twelve(floor: Floor):
    floor.scan(OIL_CASE)

    assert (band_of(floor).tone, band_of(floor).added) == (Tone.CASE, "+12")


def test_ten_alternating_scans_are_ten_scans_in_order(floor: Floor):
    for text in [OIL_EACH, PADS_EACH] * 5:
        floor.scan(text)

    assert floor.totals() == {OIL: "5", PADS: "5"}


def test_the_keypad_sets_the_lines_total(floor: Floor):
    floor.scan(OIL_EACH)
    floor.service.open_keypad()
    type_number(floor, "14")
    floor.service.enter("set")

    assert floor.totals() == {OIL: "14"}
    assert floor.service.state.sheet is None


def test_digits_on_the_keypad_survive_a_kill(floor: Floor):
    floor.scan(OIL_EACH)
    floor.scan(PADS_EACH)
    floor.scan(OIL_EACH)
    floor.service.open_keypad()
    sheet = floor.service.state.sheet
    assert isinstance(sheet, KeypadSheet)
    floor.service.use_pack(next(p for p in sheet.packs if p.unit is Unit.CASE))
    type_number(floor, "3")

    floor.kill_and_start()

    sheet = floor.service.state.sheet
    assert isinstance(sheet, KeypadSheet)
    assert (sheet.key.sku, sheet.digits, sheet.pack.unit) == (OIL, "3", Unit.CASE)
    floor.service.enter("add")
    assert floor.totals() == {OIL: "38", PADS: "1"}
    floor.kill_and_start()
    assert floor.service.state.sheet is None


def test_digits_that_were_given_up_do_not_come_back(floor: Floor):
    floor.scan(OIL_EACH)
    floor.service.open_keypad()
    type_number(floor, "14")
    floor.service.close_sheet()

    floor.kill_and_start()

    assert floor.service.state.sheet is None
    assert floor.totals() == {OIL: "1"}


def test_the_keypad_adds_cases_to_what_was_scanned(floor: Floor):
    floor.scan(OIL_EACH)
    floor.service.open_keypad()
    sheet = floor.service.state.sheet
    assert isinstance(sheet, KeypadSheet)
    case = next(p for p in sheet.packs if p.unit is Unit.CASE)
    floor.service.use_pack(case)
    type_number(floor, "3")
    floor.service.enter("add")

    assert floor.totals() == {OIL: "37"}
    assert floor.service.state.lines[0].packs == "3 × 12 + 1"


def test_zero_is_a_number_that_can_be_set(floor: Floor):
    floor.scan(OIL_EACH)
    floor.service.open_keypad()
    type_number(floor, "0")
    floor.service.enter("set")

    assert floor.totals() == {OIL: "0"}


def test_a_large_number_is_asked_about_once(floor: Floor):
    floor.scan(OIL_EACH)
    floor.service.open_keypad()
    type_number(floor, "1200")
    floor.service.enter("set")

    assert floor.totals() == {OIL: "1"}
    assert (band_of(floor).tone, band_of(floor).params["number"]) == (Tone.ATTENTION, "1,200")

    floor.service.enter("set")

    assert floor.totals() == {OIL: "1200"}


def test_more_digits_after_the_question_ask_again(floor: Floor):
    floor.scan(OIL_EACH)
    floor.service.open_keypad()
    type_number(floor, "1200")
    floor.service.enter("set")
    type_number(floor, "0")
    floor.service.enter("set")

    assert floor.totals() == {OIL: "1"}


def test_in_keypad_counting_the_next_scan_commits_the_number_and_the_keypad_stays(floor: Floor):
    floor.scan(OIL_EACH)
    floor.service.open_keypad()
    type_number(floor, "14")
    floor.scan(PADS_EACH)
    sheet = floor.service.state.sheet

    assert floor.totals() == {OIL: "14", PADS: "1"}
    assert isinstance(sheet, KeypadSheet)
    assert (sheet.key.sku, sheet.digits) == (PADS, "")


def test_a_large_number_is_not_committed_by_a_scan(floor: Floor):
    floor.scan(OIL_EACH)
    floor.service.open_keypad()
    type_number(floor, "9999")
    floor.scan(PADS_EACH)

    assert floor.totals() == {OIL: "1"}
    assert band_of(floor).key == "band.large_number"


def test_damaged_units_are_moved_not_added(floor: Floor):
    for _ in range(5):
        floor.scan(OIL_EACH)
    floor.service.open_damaged()
    type_number(floor, "2")
    floor.service.enter("set")

    assert floor.totals() == {OIL: "3", f"{OIL} damaged": "2"}


def test_more_damaged_than_counted_is_refused_with_both_numbers(floor: Floor):
    floor.scan(OIL_EACH)
    floor.service.open_damaged()
    type_number(floor, "2")
    floor.service.enter("set")

    assert band_of(floor).key == "band.damaged_too_many"
    assert floor.totals() == {OIL: "1"}


def test_the_damaged_label_marks_one_piece_without_a_touch(floor: Floor):
    floor.scan(OIL_EACH)
    floor.scan(OIL_EACH)
    floor.scan("BC:CMD:DAMAGED")

    assert floor.totals() == {OIL: "1", f"{OIL} damaged": "1"}


def test_an_unknown_barcode_is_kept_and_counting_goes_on(floor: Floor):
    floor.scan(UNKNOWN)
    floor.scan(UNKNOWN)
    floor.scan(OIL_EACH)
    count = floor.service.state.count

    assert count is not None
    assert [(u.raw, u.quantity) for u in count.fold.unknown] == [(UNKNOWN, Decimal(2))]
    assert floor.totals() == {OIL: "1"}


def test_an_unknown_barcode_becomes_the_item_that_was_searched(floor: Floor):
    floor.scan(UNKNOWN)
    floor.service.search("headlight")
    sheet = floor.service.state.sheet
    assert isinstance(sheet, SearchSheet)
    assert [hit.sku for hit in sheet.hits] == [BULB]
    floor.service.pick(BULB)
    count = floor.service.state.count

    assert count is not None
    assert count.fold.unknown == ()
    assert floor.totals() == {BULB: "1"}
    counted = count.events[-1].payload
    assert counted.type == "item.counted"
    assert counted.scan is not None
    assert counted.scan.raw == UNKNOWN, "the code that nobody knew is the evidence"


def test_a_misread_code_is_not_kept(floor: Floor):
    floor.scan("]E04006381333932")

    assert band_of(floor).key == "band.misread"
    assert floor.payload_types() == ["bin.opened"]


def test_a_typed_code_that_nobody_knows_is_looked_for_before_it_is_kept(floor: Floor):
    floor.scan("bulb", ScanSource.TYPED)
    sheet = floor.service.state.sheet

    assert isinstance(sheet, SearchSheet)
    assert [hit.sku for hit in sheet.hits] == [BULB]
    assert floor.payload_types() == ["bin.opened"]

    floor.service.keep_unknown()

    assert floor.payload_types() == ["bin.opened", "unknown.noted"]


def test_an_item_without_a_barcode_is_found_by_words_and_typed(floor: Floor):
    floor.service.open_keypad()
    floor.service.search("pads")
    floor.service.pick(PADS)
    type_number(floor, "6")
    floor.service.enter("set")

    assert floor.totals() == {PADS: "6"}


def test_undo_takes_back_the_last_entry_and_the_one_before(floor: Floor):
    for text in (OIL_EACH, OIL_CASE, PADS_EACH):
        floor.scan(text)
    floor.service.undo()
    after_one = floor.totals()
    floor.scan("BC:CMD:UNDO")

    assert after_one == {OIL: "13"}
    assert floor.totals() == {OIL: "1"}
    assert floor.payload_types().count("item.counted") == 3, "nothing is erased"


def test_undo_reaches_back_ten_entries_and_no_further(floor: Floor):
    for _ in range(UNDO_MAX + 2):
        floor.scan(OIL_EACH)
    for _ in range(UNDO_MAX + 5):
        floor.service.undo()

    assert floor.totals() == {OIL: "2"}
    assert band_of(floor).key == "band.nothing_to_undo"


def test_undo_of_damaged_puts_the_pieces_back(floor: Floor):
    floor.scan(OIL_EACH)
    floor.scan("BC:CMD:DAMAGED")
    floor.service.undo()

    assert floor.totals() == {OIL: "1"}


def test_a_line_is_edited_by_one_and_never_below_nothing(floor: Floor):
    floor.scan(OIL_EACH)
    floor.service.select(LineKey(sku=OIL))
    floor.service.change_by(1)
    floor.service.change_by(-1)
    floor.service.change_by(-1)
    floor.service.change_by(-1)
    sheet = floor.service.state.sheet

    assert floor.totals() == {OIL: "0"}
    assert isinstance(sheet, EditSheet)
    assert sheet.quantity == "0"


def test_a_deleted_line_was_not_counted_which_is_not_zero(floor: Floor):
    floor.scan(OIL_EACH)
    floor.scan(PADS_EACH)
    floor.service.select(LineKey(sku=OIL))
    floor.service.ask_delete()
    floor.service.delete_line()

    assert floor.totals() == {PADS: "1"}


def test_an_item_kept_by_lot_asks_for_it_and_the_next_code_is_the_lot(floor: Floor):
    floor.scan(LOTTED_EACH)
    asked = floor.service.state.sheet
    nothing_yet = floor.totals()
    floor.scan("L2024-17")
    count = floor.service.state.count

    assert isinstance(asked, LotSheet)
    assert nothing_yet == {}
    assert count is not None
    assert count.fold.lines[0].key == LineKey(sku=LOTTED, lot="L2024-17")


def test_a_gs1_label_fills_item_and_lot_in_one_go(floor: Floor):
    floor.scan(f"]C101{LOTTED_EACH.zfill(14)}10L9")
    count = floor.service.state.count

    assert count is not None
    assert count.fold.lines[0].key == LineKey(sku=LOTTED, lot="L9")


@pytest.mark.parametrize(
    ("label", "pieces"),
    [
        (f"]C101{LOTTED_CASE}17271231" + "10L9", "6"),
        (f"]C101{LOTTED_CASE}17271231376\x1d10L9", "6"),
        (f"]d202{LOTTED_CASE}17271231374\x1d10L9", "24"),
        (f"]Q3https://id.example/01/{LOTTED_CASE}/10/L9?17=271231", "6"),
    ],
)
def test_one_look_at_a_case_label_fills_item_lot_expiry_and_quantity(
    floor: Floor, label: str, pieces: str
):
    floor.scan(label)
    (line,) = floor.service.state.lines

    assert line.key == LineKey(sku=LOTTED, lot="L9")
    assert (line.quantity, line.expiry) == (pieces, "2027-12-31")


def test_a_pack_without_a_lot_is_counted_after_a_tap(floor: Floor):
    floor.scan(LOTTED_EACH)
    floor.service.give_lot("")

    assert floor.totals() == {LOTTED: "1"}


def test_the_same_serial_twice_is_one_unit(floor: Floor):
    for _ in range(2):
        floor.scan(SERIALLED_EACH)
        floor.scan("SN-0001")

    assert floor.totals() == {SERIALLED: "1"}
    assert band_of(floor).key == "band.serial_twice"


def test_a_full_disk_blocks_the_screen_and_counts_nothing(floor: Floor, monkeypatch):
    floor.scan(OIL_EACH)
    real = floor.store.append

    def full(drafts):
        raise StoreFullError("database or disk is full")

    monkeypatch.setattr(floor.store, "append", full)
    floor.scan(OIL_EACH)
    blocked = floor.service.state
    monkeypatch.setattr(floor.store, "append", real)
    floor.service.retry()

    assert (blocked.stage, blocked.blocked) == (Stage.BLOCKED, "store.full")
    assert blocked.band is not None
    assert blocked.band.tone is Tone.REJECT
    assert floor.service.state.stage is Stage.COUNT
    assert floor.totals() == {OIL: "1"}


def test_what_a_screen_may_know_has_no_place_for_an_expected_quantity(floor: Floor):
    floor.scan(OIL_EACH)
    words = repr(floor.service.state).lower()

    assert not [w for w in ("expected", "book", "variance", "on_hand") if w in words]


def test_every_answer_has_a_number_of_its_own_so_that_the_same_one_sounds_again(floor: Floor):
    floor.scan(OIL_EACH)
    first = band_of(floor).serial
    floor.scan(OIL_EACH)

    assert band_of(floor).serial == first + 1


def test_a_line_marked_damaged_is_a_line_of_its_own(floor: Floor):
    floor.scan(OIL_EACH)
    floor.scan("BC:CMD:DAMAGED")
    conditions = [view.key.condition for view in floor.service.state.lines]

    assert conditions == [Condition.GOOD, Condition.DAMAGED]
