"""A scanner that types: whole frames become scans, broken ones are refused."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract.vocabulary import ScanSource
from app.scanner.events import ScanEvent, Symbology
from app.scanner.wedge import RefusalReason, WedgeAssembler, WedgeProfile, WedgeRefusal

T0 = datetime(2026, 11, 23, 8, tzinfo=UTC)
FRAMED = WedgeProfile(start="^")


def ms(count: int) -> datetime:
    return T0 + timedelta(milliseconds=count)


def texts(results: tuple[ScanEvent | WedgeRefusal, ...]) -> list[str]:
    return [r.text if isinstance(r, ScanEvent) else f"!{r.reason}" for r in results]


def test_a_framed_scan_is_an_event_of_the_wedge() -> None:
    assert WedgeAssembler(FRAMED).submit("^A-01-03\r", T0) == (
        ScanEvent(text="A-01-03", symbology=None, source=ScanSource.WEDGE, at=T0),
    )


def test_ten_scans_in_two_seconds_are_ten_scans_same_or_not() -> None:
    wedge = WedgeAssembler(FRAMED)
    codes = ["A", "A", "B", "A", "B", "B", "A-1", "A-12", "A", "A"]
    seen = [t for i, c in enumerate(codes) for t in texts(wedge.submit(f"^{c}", ms(200 * i)))]
    assert seen == codes


def test_a_repeat_within_the_unconfirmed_clear_still_counts() -> None:
    wedge = WedgeAssembler(FRAMED)
    assert texts(wedge.submit("^A-1", T0) + wedge.submit("^A-1", ms(20))) == ["A-1", "A-1"]


def test_text_left_from_the_previous_scan_is_dropped_once() -> None:
    wedge = WedgeAssembler(FRAMED)
    wedge.submit("^A-1", T0)
    assert texts(wedge.submit("^A-1^A-12", ms(80))) == ["A-12"]


def test_a_code_that_begins_with_the_previous_one_is_not_cut() -> None:
    wedge = WedgeAssembler(FRAMED)
    wedge.submit("^A-1", T0)
    assert texts(wedge.submit("^A-12", ms(80))) == ["A-12"]


def test_two_whole_frames_in_one_field_later_are_two_scans() -> None:
    wedge = WedgeAssembler(FRAMED)
    wedge.submit("^A-1", T0)
    assert texts(wedge.submit("^A-1^A-12", ms(900))) == ["A-1", "A-12"]


def test_a_truncated_scan_is_refused_not_looked_up() -> None:
    wedge = WedgeAssembler(FRAMED)
    assert texts(wedge.submit("1-03", T0)) == ["!no_start_mark"]
    assert texts(wedge.submit("01-03^B-02-01", ms(500))) == ["!no_start_mark", "B-02-01"]


def test_an_end_mark_tells_a_scan_that_lost_its_tail() -> None:
    wedge = WedgeAssembler(WedgeProfile(start="^", end="$"))
    assert texts(wedge.submit("^A-01-03$", T0)) == ["A-01-03"]
    assert texts(wedge.submit("^A-01", ms(500))) == ["!no_end_mark"]


@pytest.mark.parametrize(
    ("typed", "text", "symbology"),
    [
        ("]C1010950600013435210AB|17261231", "010950600013435210AB\x1d17261231", Symbology.GS1_128),
        ("]E04006381333931", "4006381333931", Symbology.EAN_13),
        ("]E0036000291452", "036000291452", Symbology.UPC_A),
        ("]d2010950600013435210AB", "010950600013435210AB", Symbology.GS1_DATA_MATRIX),
    ],
)
def test_the_aim_identifier_names_the_symbology_and_frames_the_scan(
    typed: str, text: str, symbology: Symbology
) -> None:
    wedge = WedgeAssembler(WedgeProfile(is_aim=True, separator="|"))
    (event,) = wedge.submit(typed, T0)
    assert event == ScanEvent(text=text, symbology=symbology, source=ScanSource.WEDGE, at=T0)
    assert texts(wedge.submit(typed[2:], ms(500))) == ["!no_start_mark"]


def test_hexadecimal_keeps_the_separator_and_refuses_half_a_byte() -> None:
    wedge = WedgeAssembler(WedgeProfile(is_hex=True, start="^"))
    assert texts(wedge.submit("^" + b"10AB\x1d17".hex(), T0)) == ["10AB\x1d17"]
    assert texts(wedge.submit("^313", ms(500))) == ["!bad_hex"]
    assert texts(wedge.submit("^ff", ms(900))) == ["!bad_hex"]


def test_empty_long_and_unprintable_fields() -> None:
    wedge = WedgeAssembler(FRAMED)
    assert wedge.submit("\r\n", T0) == ()
    assert texts(wedge.submit("^", ms(500))) == ["!empty"]
    assert texts(wedge.submit("^" + "9" * 5000, ms(1000))) == ["!too_long"]
    assert texts(wedge.submit("^A\x07B", ms(1500))) == ["!unprintable"]


def test_a_scanner_without_enter_ends_its_scan_by_silence() -> None:
    wedge = WedgeAssembler(WedgeProfile())
    wedge.change("A-0", T0)
    wedge.change("A-01-03", ms(10))
    assert wedge.flush(ms(30)) == ()
    assert texts(wedge.flush(ms(60))) == ["A-01-03"]
    assert wedge.flush(ms(200)) == ()


def test_marks_must_be_one_printable_character() -> None:
    for bad in ({"start": "ab"}, {"end": "\x02"}, {"start": "^", "is_aim": True}):
        with pytest.raises(ValueError, match=r"mark"):
            WedgeProfile(**bad)  # type: ignore[arg-type]


codes = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)


@given(st.lists(codes, min_size=1, max_size=12))
def test_every_framed_scan_counts_once_in_order(scans: list[str]) -> None:
    wedge = WedgeAssembler(FRAMED)
    seen = [t for i, c in enumerate(scans) for t in texts(wedge.submit(f"^{c}", ms(100 * i)))]
    assert seen == scans


@given(codes, st.data())
def test_a_scan_that_lost_its_beginning_is_never_an_event(code: str, data: st.DataObject) -> None:
    lost = data.draw(st.integers(1, len(code)))
    results = WedgeAssembler(FRAMED).submit(f"^{code}"[lost:], T0)
    assert all(isinstance(r, WedgeRefusal) for r in results)
    assert all(
        r.reason is RefusalReason.NO_START_MARK for r in results if isinstance(r, WedgeRefusal)
    )
