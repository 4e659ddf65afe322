"""What the field missed, the page heard: a typed scan is whole, and never made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scanner.gs1 import GS
from app.scanner.keys import FORGET_AFTER, KeyLog, whole

T0 = datetime(2026, 11, 25, 8, tzinfo=UTC)
FAST = timedelta(milliseconds=4)
CODES = st.text("ABCxyz0123456789-:/ ", min_size=1, max_size=24)


def press(log: KeyLog, text: str, at: datetime = T0, step: timedelta = FAST) -> str | None:
    """A scanner types: a cap has one label for both cases, shift tells them apart."""
    told: str | None = None
    for letter in text:
        at += step
        label = {" ": "Space", "\n": "Enter"}.get(letter, letter.upper())
        told = log.press(label, at, has_shift=letter.isupper(), has_ctrl=False)
    return told


@given(CODES)
def test_the_page_hears_a_scan_as_it_was_typed(code: str):
    assert press(KeyLog(), code + "\n") == code


@given(CODES, st.data())
def test_whatever_part_the_field_missed_the_scan_is_whole(code: str, data: st.DataObject):
    kept = data.draw(st.lists(st.booleans(), min_size=len(code), max_size=len(code)))
    typed = "".join(letter for letter, is_kept in zip(code, kept, strict=True) if is_kept)

    assert whole(typed, code) == code


@given(CODES, CODES)
def test_what_the_field_has_and_the_page_never_heard_is_not_touched(typed: str, heard: str):
    scan = whole(typed, heard)

    assert scan == typed or len(scan) >= len(typed)
    assert whole(typed, None) == typed


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        pytest.param("GRÖSSE-7", "gre-7", id="an input method put letters in without keys"),
        pytest.param("4006381333931", "", id="all of it without keys"),
        pytest.param("A-12", "b-123", id="other letters than were heard"),
    ],
)
def test_the_field_is_right_when_the_page_heard_something_else(typed: str, heard: str):
    assert whole(typed, heard) == typed


def test_caps_lock_is_known_to_the_field_alone():
    assert whole("BIN:A-01", "bin:a-01") == "BIN:A-01"


def test_keys_of_long_ago_are_no_part_of_a_scan():
    log = KeyLog()
    press(log, "x")

    assert press(log, "4006381333931\n", T0 + FORGET_AFTER + 2 * FAST) == "4006381333931"


def test_a_separator_is_heard_from_scanners_that_type_it_as_control_and_bracket():
    log = KeyLog()
    press(log, "10AB")
    log.press("]", T0 + 5 * FAST, has_shift=False, has_ctrl=True)

    assert press(log, "21\n", T0 + 6 * FAST) == f"10AB{GS}21"


def test_keys_without_a_letter_add_nothing():
    log = KeyLog()
    for key in ("Tab", "F1", "Arrow Down", "Escape", ""):
        log.press(key, T0, has_shift=False, has_ctrl=False)
    log.press("Numpad 7", T0, has_shift=False, has_ctrl=False)

    assert press(log, "\n") == "7"


def test_a_scan_is_whole_though_word_of_its_keys_came_with_a_pause():
    log, second = KeyLog(), timedelta(seconds=1)

    assert press(log, "4006", T0) is None
    assert press(log, "381333931\n", T0 + second) == "4006381333931"
