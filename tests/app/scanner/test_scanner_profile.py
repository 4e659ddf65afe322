"""A scanner's frame is learnt from one label of the site, kept as text, and never from half a label."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scanner.events import ScanEvent
from app.scanner.profile import (
    SEPARATORS,
    learn,
    profile_text,
    read_profile,
    with_separator,
)
from app.scanner.wedge import WedgeProfile

SITE = {"A-01-03", "4006381333931", "BIN:A-12-01"}
MARKS = st.sampled_from(["", "^", "~", "$", "#"])


def is_known(event: ScanEvent) -> bool:
    return event.text in SITE


@pytest.mark.parametrize(
    ("raw", "profile"),
    [
        ("A-01-03", WedgeProfile()),
        ("]C0A-01-03", WedgeProfile(is_aim=True)),
        ("]E04006381333931$", WedgeProfile(is_aim=True, end="$")),
        ("^BIN:A-12-01", WedgeProfile(start="^")),
        ("^A-01-03$\r", WedgeProfile(start="^", end="$")),
        ("A-01-03#", WedgeProfile(end="#")),
        ("412D30312D3033", WedgeProfile(is_hex=True)),
        ("^412D30312D3033$", WedgeProfile(start="^", end="$", is_hex=True)),
    ],
)
def test_a_known_label_shows_how_the_scanner_frames_it(raw: str, profile: WedgeProfile) -> None:
    assert learn(raw, is_known) == profile


@pytest.mark.parametrize(
    "raw", ["", "^", "^-01-03", "^A-01-0$", "x" * 9000, "1A-01-03", "]C0", "^^"]
)
def test_a_label_that_is_cut_off_or_unknown_teaches_nothing(raw: str) -> None:
    assert learn(raw, is_known) is None


@given(st.text(max_size=40))
def test_no_text_is_learnt_from_unless_a_label_of_the_site_is_in_it(raw: str) -> None:
    learnt = learn(raw, is_known)
    assert learnt is None or any(label in raw for label in SITE)


@given(MARKS, MARKS, st.booleans(), st.booleans(), st.sampled_from(SEPARATORS))
def test_every_profile_comes_back_from_its_text(
    start: str, end: str, is_aim: bool, is_hex: bool, separator: str
) -> None:
    profile = WedgeProfile(
        start="" if is_aim else start, end=end, is_aim=is_aim, is_hex=is_hex, separator=separator
    )
    assert read_profile(profile_text(profile)) == profile


@pytest.mark.parametrize(
    "text",
    [None, "", "{", "[]", "7", '{"start": "ab"}', '{"start": 5}', '{"is_aim": "yes"}', "null"],
)
def test_what_is_no_profile_is_the_plain_one(text: str | None) -> None:
    assert read_profile(text) == WedgeProfile()


def test_a_profile_of_a_newer_release_is_read_as_far_as_it_is_known() -> None:
    assert read_profile('{"start": "^", "colour": "red"}') == WedgeProfile(start="^")


def test_a_sign_that_is_a_mark_already_stands_for_nothing_else() -> None:
    framed = WedgeProfile(start="^")
    assert with_separator(framed, "^") == framed
    assert with_separator(framed, "|").separator == "|"
