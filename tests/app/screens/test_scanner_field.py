"""Ten scans in two seconds are ten scans, whatever the field shows meanwhile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.scanner.events import ScanEvent
from app.scanner.wedge import RefusalReason, WedgeProfile, WedgeRefusal
from app.screens.wedge import HEAL_SECONDS, UNTAKEN_SECONDS, KeyStream, ScannerField

CODES = st.lists(st.text("A-1204006", min_size=1, max_size=13), min_size=1, max_size=30)


@given(CODES)
def test_a_field_that_is_never_cleared_gives_every_scan_once_and_in_order(codes):
    stream, shown, taken = KeyStream(), "", []
    for code in codes:
        shown += code
        taken.append(stream.take(shown))

    assert taken == codes


def test_a_code_that_begins_like_the_one_before_is_a_scan_of_its_own():
    stream = KeyStream()

    assert [stream.take("A-1"), stream.take("A-1A-12")] == ["A-1", "A-12"]


def test_the_same_code_after_the_field_was_cleared_is_a_scan_again():
    stream = KeyStream()
    first = stream.take("A-1")
    stream.forget()

    assert [first, stream.take("A-1")] == ["A-1", "A-1"]


def test_enter_without_letters_is_nothing():
    stream = KeyStream()
    stream.take("A-1")

    assert stream.take("A-1") == ""


class Listener:
    """What a scanner's field told."""

    def __init__(self) -> None:
        self.scans: list[str] = []
        self.refused = 0
        self.is_away = False
        self.at = datetime(2026, 11, 23, tzinfo=UTC)

    def field(self, profile: WedgeProfile | None = None) -> ScannerField:
        return ScannerField(
            is_phone=False,
            profile=lambda: profile or WedgeProfile(),
            now=lambda: self.at,
            on_scan=self._scan,
            on_refusal=self._refuse,
            on_ready=lambda _ready: None,
            is_away=lambda: self.is_away,
        )

    def _scan(self, event: ScanEvent) -> None:
        self.scans.append(event.text)

    def _refuse(self, refusal: WedgeRefusal) -> None:
        assert refusal.reason is RefusalReason.NO_START_MARK
        self.refused += 1


def enter(field: ScannerField, value: str) -> None:
    change = type("Event", (), {"control": field.control, "data": value})()
    field._changed(change)
    # What Flet does under load: the control already holds letters of the next scan.
    field.control.value = value + "59"
    field._submitted(type("Event", (), {"control": field.control, "data": None})())


def test_a_storm_of_equal_and_changing_codes_is_counted_exactly():
    listener = Listener()
    field = listener.field()
    codes = ["4006381333931", "4006381333931", "A-1", "A-12", "A-1"] * 2
    shown = ""
    for code in codes:
        shown += code
        enter(field, shown)

    assert listener.scans == codes


def test_a_cut_off_scan_of_a_framed_scanner_is_refused_and_never_looked_up():
    listener = Listener()
    field = listener.field(WedgeProfile(start="~"))
    enter(field, "~4006381333931")
    enter(field, "~400638133393181333931")

    assert listener.scans == ["4006381333931"]
    assert listener.refused == 1


def press(field: ScannerField, code: str) -> None:
    """What the page hears, whoever has the focus."""
    for key in (*code, "Enter"):
        field.heard(
            type("Event", (), {"key": key, "shift": False, "ctrl": False})()  # type: ignore[arg-type]
        )


def submit(field: ScannerField) -> None:
    """Enter reached the field."""
    field._submitted(type("Event", (), {"control": field.control, "data": None})())


def test_a_scan_whose_beginning_went_elsewhere_is_whole_and_counted_once():
    async def session() -> list[str]:
        listener = Listener()
        field = listener.field()
        press(field, "4006381333931")
        enter(field, "333931")
        await asyncio.sleep(2 * UNTAKEN_SECONDS)
        return listener.scans

    assert asyncio.run(session()) == ["4006381333931"]


def test_a_scan_of_which_the_field_got_enter_alone_is_counted_once():
    async def session() -> list[str]:
        listener = Listener()
        field = listener.field()
        for code in ("4006381333931", "4006381333931"):
            press(field, code)
            submit(field)
        await asyncio.sleep(2 * UNTAKEN_SECONDS)
        return listener.scans

    assert asyncio.run(session()) == ["4006381333931"] * 2


def test_scans_that_never_reached_the_field_are_counted_in_order_and_the_focus_is_fetched():
    async def session() -> tuple[list[str], ScannerField]:
        listener = Listener()
        field = listener.field()
        press(field, "4006381333931")
        press(field, "96385074")
        await asyncio.sleep(2 * UNTAKEN_SECONDS + 3 * HEAL_SECONDS)
        return listener.scans, field

    scans, field = asyncio.run(session())
    assert scans == ["4006381333931", "96385074"]
    assert field.control.disabled is False
    assert field.control.focus is not None


def test_what_is_typed_elsewhere_is_no_scan():
    async def session() -> list[str]:
        listener = Listener()
        field = listener.field()
        listener.is_away = True
        press(field, "4006381333931")
        await asyncio.sleep(2 * UNTAKEN_SECONDS)
        return listener.scans

    assert asyncio.run(session()) == []


def test_on_the_web_enter_is_taken_before_the_field_can_lose_the_focus():
    assert Listener().field().control.shift_enter is True


def test_a_phone_s_field_brings_its_text_with_enter():
    listener = Listener()
    field = listener.field()
    field._submitted(type("Event", (), {"control": field.control, "data": "4006381333931"})())

    assert listener.scans == ["4006381333931"]


def test_the_scanner_never_brings_a_keyboard_up_on_a_phone():
    listener = Listener()
    field = ScannerField(
        is_phone=True,
        profile=WedgeProfile,
        now=lambda: listener.at,
        on_scan=listener._scan,
        on_refusal=listener._refuse,
        on_ready=lambda _ready: None,
        is_away=lambda: False,
    )

    assert field.control.shift_enter is False
    assert field.control.keyboard_type.value == "none"
