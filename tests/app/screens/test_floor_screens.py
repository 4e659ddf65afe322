"""The floor's screens, drawn without Flutter: what is shown, what can be pressed, what is said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import flet as ft
import pytest

from app.contract.count_fold import LineKey
from app.contract.rescue import RescueExport
from app.contract.vocabulary import ScanSource
from app.counting.state import Reach, Stage, SyncView, Tone
from app.i18n.words import PSEUDO, load_words
from app.scanner.events import ScanEvent, Symbology
from app.scanner.keys import Pace
from app.scanner.label import UnknownReason
from app.scanner.wedge import RefusalReason, WedgeProfile, WedgeRefusal
from app.screens.floor.desk import Defaults, FloorDesk, Panel
from app.screens.floor.root import FloorRoot
from app.store.errors import StoreFullError
from tests.support.headless import Headless
from tests.support.site import (
    LOTTED_CASE,
    LOTTED_EACH,
    OIL,
    OIL_CASE,
    OIL_EACH,
    PADS_EACH,
    PIN,
    UNKNOWN,
    Floor,
)


class Link:
    """A network that answers what the test says."""

    def __init__(self) -> None:
        self.defaults = Defaults(server_url="http://server", code="CODE-1", device_name="Scanner 1")
        self.asked: list[tuple[str, str, str]] = []
        self.answer = ""

    async def enrol(self, url: str, code: str, device_name: str) -> str:
        self.asked.append((url, code, device_name))
        return self.answer

    async def send_now(self) -> None:
        self.asked.append(("send", "", ""))

    def rescue(self) -> RescueExport:
        return RescueExport(text="", events=0)

    profile = WedgeProfile()

    def keep_profile(self, profile: WedgeProfile) -> str:
        self.profile = profile
        return ""


class Shown:
    """A device whose page is drawn."""

    def __init__(self, floor: Floor, language: str = "en") -> None:
        self.floor = floor
        self.page = Headless()
        self.link = Link()
        self.played: list[str] = []
        self.desk = FloorDesk(
            service=floor.service,
            say=load_words(language),
            rim=self.link,
            play=self.played.append,
        )

    async def start(self) -> Shown:
        await self.page.draw(FloorRoot, self.desk, self.desk.model)
        return self

    async def scan(self, text: str, source: ScanSource = ScanSource.WEDGE) -> None:
        self.floor.clock.pass_ms(200)
        event = ScanEvent(text=text, symbology=None, source=source, at=self.floor.now())
        self.desk.scanned(event)
        await self.page.settle()

    async def until(self, key: str) -> None:
        """Wait for a control, for what happens on a thread."""
        for _ in range(200):
            await self.page.settle()
            if self.page.has(key):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"no {key!r} among {self.page.keys()}")


def on_screen(floor: Floor, act: Callable[[Shown], Awaitable[Any]], language: str = "en") -> None:
    """Draw the floor and do something with it."""

    async def run() -> None:
        shown = await Shown(floor, language).start()
        await act(shown)
        assert shown.page.crashes == []

    asyncio.run(run())


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def test_a_new_device_is_set_up_with_what_the_environment_filled_in(tmp_path: Path):
    async def act(shown: Shown) -> None:
        await shown.page.type("device_name", "Scanner 7")
        shown.link.answer = "We can't reach the server."
        await shown.page.press("enrol")

        assert shown.link.asked == [("http://server", "CODE-1", "Scanner 7")]
        assert "We can't reach the server." in shown.page.spoken()

    on_screen(Floor(tmp_path, is_loaded=False, is_enrolled=False), act)


def test_a_person_signs_in_on_the_keys_and_the_digits_are_not_shown(floor: Floor):
    async def act(shown: Shown) -> None:
        await shown.page.press("person-ana")
        for digit in PIN:
            await shown.page.press(f"pin-{digit}")
        texts = shown.page.texts()
        await shown.page.press("pin-enter")
        await shown.until("next_bin")

        assert PIN not in "".join(texts).replace(" ", "")
        assert shown.page.has("task-A-12-01")

    on_screen(floor, act)


def test_a_pin_typed_on_a_keyboard_signs_in_too(floor: Floor):
    async def act(shown: Shown) -> None:
        await shown.page.press("person-ana")
        await shown.scan(PIN)
        await shown.until("next_bin")

    on_screen(floor, act)


def test_a_wrong_pin_is_said_in_words(floor: Floor):
    async def act(shown: Shown) -> None:
        await shown.page.press("person-ana")
        await shown.scan("000000")
        for _ in range(100):
            await asyncio.sleep(0.02)
            if shown.page.spoken():
                break

        assert shown.page.spoken() == [
            "That PIN is not right for Ana. 9 tries are left. Type it again."
        ]
        assert shown.played == ["reject"]

    on_screen(floor, act)


def test_the_wrong_bin_shows_both_codes_and_the_way_out(floor: Floor):
    floor.enter()

    async def act(shown: Shown) -> None:
        await shown.page.press("next_bin")
        await shown.scan("BIN:A-12-08")

        assert shown.page.spoken() == [
            "This is A-12-08. You need A-12-01. Scan A-12-01 or count this one instead."
        ]
        await shown.page.press("count_instead")
        assert "A-12-08" in shown.page.texts()
        assert shown.page.has("bin_empty")

    on_screen(floor, act)


def test_a_storm_of_scans_ends_with_the_right_figures_on_the_screen(floor: Floor):
    floor.open_bin()

    async def act(shown: Shown) -> None:
        for text in [OIL_EACH, PADS_EACH] * 5:
            shown.desk.scanned(
                ScanEvent(text=text, symbology=None, source=ScanSource.WEDGE, at=shown.floor.now())
            )
        await shown.page.settle()

        assert shown.page.find("quantity").value == "5"
        assert shown.floor.totals() == {"48213": "5", "48377": "5"}

    on_screen(floor, act)


def test_a_row_moves_and_keeps_its_figures_when_others_are_counted(floor: Floor):
    floor.open_bin()

    async def act(shown: Shown) -> None:
        await shown.scan(OIL_EACH)
        await shown.scan(PADS_EACH)
        await shown.scan(OIL_CASE)
        rows = [k for k in shown.page.drawn_keys() if k.startswith("row-")]
        figures = [t for t in shown.page.texts() if t.isdigit() and len(t) < 4]

        assert rows == ["row-48377-good", "row-48213-good"]
        assert figures == ["13", "1", "13"]

    on_screen(floor, act)


def test_a_routine_scan_of_a_scanner_is_silent_and_the_cameras_is_heard(floor: Floor):
    floor.open_bin()

    async def act(shown: Shown) -> None:
        await shown.scan(OIL_EACH, ScanSource.WEDGE)
        by_scanner = list(shown.played)
        await shown.scan(OIL_EACH, ScanSource.CAMERA)
        await shown.scan(OIL_CASE, ScanSource.WEDGE)
        await shown.scan(UNKNOWN, ScanSource.WEDGE)

        assert by_scanner == []
        assert shown.played == ["accept", "case", "attention"]

    on_screen(floor, act)


def test_the_tone_comes_after_the_step_is_on_the_disk(floor: Floor):
    floor.open_bin()

    async def act(shown: Shown) -> None:
        stored: list[int] = []
        shown.desk.play = lambda _tone: stored.append(
            len(shown.floor.store.events_of_count(shown.floor.store.recent_counts(1)[0].count_id))
        )
        await shown.scan(OIL_EACH, ScanSource.CAMERA)

        assert stored == [2], "bin.opened and item.counted were there when it sounded"

    on_screen(floor, act)


def test_the_keypad_shows_the_sum_before_it_is_set(floor: Floor):
    floor.open_bin()

    async def act(shown: Shown) -> None:
        await shown.scan(OIL_EACH)
        await shown.page.press("keypad")
        await shown.page.press("unit-case-12")
        await shown.page.press("key-3")

        assert "3 × 12 = 36. Counted so far: 1" in shown.page.texts()
        assert "SET = 36" in shown.page.texts()

        await shown.page.press("keypad_set")
        assert shown.page.find("quantity").value == "36"
        assert not shown.page.has("keypad_set")

    on_screen(floor, act)


def test_an_unknown_barcode_offers_to_find_the_item(floor: Floor):
    floor.open_bin()

    async def act(shown: Shown) -> None:
        await shown.scan(UNKNOWN)
        await shown.page.press("unknown_find")
        await shown.page.type("search_text", "bulb")
        await shown.page.press("hit-51002")

        assert shown.floor.totals() == {"51002": "1"}

    on_screen(floor, act)


def test_a_code_can_be_typed_anywhere(floor: Floor):
    floor.enter()

    async def act(shown: Shown) -> None:
        await shown.page.press("next_bin")
        await shown.page.press("type_code")
        assert shown.desk.is_typing
        await shown.page.type("typed_code", "A-12-01")
        await shown.page.press("typed_enter")
        assert not shown.desk.is_typing
        await shown.page.press("type_code")
        await shown.page.type("typed_code", OIL)
        await shown.page.submit("typed_code")

        assert shown.floor.totals() == {OIL: "1"}
        scan = shown.floor.service.state.count.events[-1].payload.scan
        assert scan.source is ScanSource.TYPED

    on_screen(floor, act)


def test_an_empty_bin_takes_two_taps_in_different_places(floor: Floor):
    floor.open_bin()

    async def act(shown: Shown) -> None:
        await shown.page.press("bin_empty")
        assert shown.floor.payload_types() == ["bin.opened"]
        await shown.page.press("confirm_empty")
        assert shown.floor.payload_types() == ["bin.opened", "bin.empty", "bin.closed"]
        assert shown.played[-1] == "done"

    on_screen(floor, act)


def test_finish_shows_what_was_counted_and_send_asks_for_the_next_bin(floor: Floor):
    floor.open_bin("A-12-01")

    async def act(shown: Shown) -> None:
        await shown.scan(OIL_CASE)
        await shown.scan("BC:CMD:DAMAGED")
        await shown.page.press("finish")
        figures = [t for t in shown.page.texts() if t.isdigit()][:4]
        await shown.page.press("send_count")

        assert figures == ["2", "12", "1", "0"]
        assert "A-12-03" in shown.page.texts()
        assert "A-12-01 is done. 2 lines, 12 pieces. It is sent by itself." in shown.page.spoken()

    on_screen(floor, act)


def test_a_full_disk_fills_the_screen_and_goes_away_when_there_is_room(floor: Floor, monkeypatch):
    floor.open_bin()
    real = floor.store.append

    def full(drafts):
        raise StoreFullError("full")

    async def act(shown: Shown) -> None:
        monkeypatch.setattr(floor.store, "append", full)
        await shown.scan(OIL_EACH)
        assert any("This device is full." in s for s in shown.page.spoken())
        monkeypatch.setattr(floor.store, "append", real)
        await shown.page.press("retry")
        assert shown.page.has("bin_empty")

    on_screen(floor, act)


@pytest.mark.parametrize("is_in_bin", [False, True])
def test_a_nearly_full_disk_is_said_on_every_page_until_there_is_room(floor: Floor, is_in_bin):
    if is_in_bin:
        floor.open_bin()

    async def act(shown: Shown) -> None:
        floor.service.set_sync(SyncView(is_room_low=True))
        await shown.page.settle()
        assert any("nearly full" in sentence for sentence in shown.page.spoken())

        floor.service.set_sync(SyncView())
        await shown.page.settle()
        assert not shown.page.has("room_low")

    on_screen(floor, act)


@pytest.mark.parametrize(
    ("sync", "said"),
    [
        (SyncView(clock_off_ms=-7 * 60_000 - 5_000), "clock is 7 minutes behind"),
        (SyncView(clock_off_ms=2 * 60_000), "clock is 2 minutes ahead"),
        (SyncView(clock_off_ms=119 * 60_000), "clock is 119 minutes ahead"),
        (SyncView(clock_off_ms=-120 * 60_000), "clock is 2 hours behind"),
        (SyncView(clock_off_ms=365 * 86_400_000), "clock is 365 days ahead"),
        (SyncView(clock_off_ms=119_999), ""),
        (SyncView(clock_off_ms=-119_999), ""),
        (SyncView(is_app_old=True), "Counting and sending go on"),
    ],
)
def test_a_clock_off_by_minutes_and_an_old_app_are_said_between_counts(
    floor: Floor, sync: SyncView, said: str
):
    floor.enter()

    async def act(shown: Shown) -> None:
        floor.service.set_sync(sync)
        await shown.page.settle()
        spoken = [s for s in shown.page.spoken() if "clock is" in s or "older than" in s]
        assert [said in sentence for sentence in spoken] == ([True] if said else [])

    on_screen(floor, act)


def test_the_pill_says_how_many_bins_wait_and_that_offline_is_fine(floor: Floor):
    floor.open_bin("A-12-01")
    floor.scan(OIL_EACH)
    floor.service.finish()
    floor.service.send()
    floor.service.set_sync(SyncView(reach=Reach.OFFLINE, unsent=3, problem="sync.offline"))

    async def act(shown: Shown) -> None:
        labels = [c.label for c in shown.page.controls() if isinstance(c, ft.Semantics)]
        await shown.page.press("pill")

        assert "No connection. Count on; it is sent later. 1 bin waits to be sent." in labels
        await shown.page.press("send_now")
        assert shown.link.asked == [("send", "", "")]

    on_screen(floor, act)


WALK: list[tuple[str, Callable[[Shown], Awaitable[Any]]]] = []


def step(name: str) -> Callable[[Any], Any]:
    def add(act: Any) -> Any:
        WALK.append((name, act))
        return act

    return add


@step("names")
async def _names(shown: Shown) -> None:
    return None


@step("pin pad")
async def _pad(shown: Shown) -> None:
    shown.floor.service.choose("ana")


@step("tasks")
async def _tasks(shown: Shown) -> None:
    shown.floor.enter()


@step("scan bin")
async def _scan_bin(shown: Shown) -> None:
    shown.floor.enter()
    shown.floor.service.next_bin()
    shown.floor.scan("BIN:A-12-08")


@step("count")
async def _count(shown: Shown) -> None:
    shown.floor.open_bin()
    for text in (OIL_EACH, OIL_CASE, "BC:CMD:DAMAGED", UNKNOWN):
        shown.floor.scan(text)


@step("keypad")
async def _keypad(shown: Shown) -> None:
    shown.floor.open_bin()
    shown.floor.scan(OIL_EACH)
    shown.floor.service.open_keypad()
    for digit in "1200":
        shown.floor.service.press(digit)
    shown.floor.service.enter("set")


@step("damaged")
async def _damaged(shown: Shown) -> None:
    shown.floor.open_bin()
    shown.floor.scan(OIL_EACH)
    shown.floor.service.open_damaged()


@step("edit")
async def _edit(shown: Shown) -> None:
    shown.floor.open_bin()
    shown.floor.scan(OIL_EACH)
    shown.floor.service.select(LineKey(sku=OIL))


@step("delete")
async def _delete(shown: Shown) -> None:
    await _edit(shown)
    shown.floor.service.ask_delete()


@step("empty")
async def _empty(shown: Shown) -> None:
    shown.floor.open_bin()
    shown.floor.service.finish()


@step("search")
async def _search(shown: Shown) -> None:
    shown.floor.open_bin()
    shown.floor.scan(UNKNOWN)
    shown.floor.service.search("li")


@step("lot")
async def _lot(shown: Shown) -> None:
    shown.floor.open_bin()
    shown.floor.scan(LOTTED_EACH)


@step("type")
async def _type(shown: Shown) -> None:
    shown.floor.open_bin()
    shown.floor.service.type_code()


@step("other bin")
async def _other(shown: Shown) -> None:
    shown.floor.open_bin()
    shown.floor.scan("BIN:A-12-08")


@step("leave")
async def _leave(shown: Shown) -> None:
    shown.floor.open_bin()
    shown.floor.service.ask_leave()


@step("switch")
async def _switch(shown: Shown) -> None:
    shown.floor.open_bin()
    shown.floor.scan("BC:USER:ben")


@step("finish")
async def _finish(shown: Shown) -> None:
    shown.floor.open_bin()
    shown.floor.scan(OIL_EACH)
    shown.floor.service.finish()


@step("pending")
async def _pending(shown: Shown) -> None:
    shown.floor.enter()
    shown.floor.service.set_sync(
        SyncView(
            reach=Reach.OFFLINE,
            unsent=2,
            held=1,
            oldest_ms=shown.floor.clock.wall_ms() - 3_600_000,
            next_try_s=30,
            problem="sync.offline",
            clock_off_ms=5000,
        )
    )
    shown.desk.show(Panel.PENDING)


@step("settings")
async def _settings(shown: Shown) -> None:
    shown.floor.enter()
    shown.desk.show(Panel.SETTINGS)


@step("scanner test")
async def _scanner_test(shown: Shown) -> None:
    shown.floor.enter()
    shown.desk.show(Panel.SCANNER_TEST)
    await shown.scan(OIL_EACH)


@step("blocked")
async def _blocked(shown: Shown) -> None:
    shown.floor.open_bin()
    shown.floor.service.block(StoreFullError("full"))


SITE_WORDS = {"Ana", "Ben", "Sam", "Main", "Chain lube 400ml", "Brake pads front"}
SITE_WORDS |= {"Headlight bulb H7", "Sealant 50g", "GPS computer"}


def test_back_from_a_page_that_the_settings_opened_leads_to_the_settings(floor: Floor):
    async def act(shown: Shown) -> None:
        await _tasks(shown)
        await shown.page.settle()
        await shown.page.press("settings")
        await shown.page.press("scanner_test")
        await shown.page.press("back")
        assert shown.page.has("sign_out")
        await shown.page.press("back")
        assert shown.page.has("next_bin")
        await shown.page.press("pill")
        await shown.page.press("back")
        assert shown.page.has("next_bin"), "the pill was not reached through the settings"

    on_screen(floor, act)


@pytest.mark.parametrize("act", [a for _, a in WALK], ids=[n for n, _ in WALK])
def test_every_word_on_every_screen_comes_from_the_catalogue(floor: Floor, act):
    async def look(shown: Shown) -> None:
        await act(shown)
        await shown.page.settle()
        for text in shown.page.texts():
            is_code = not any(c.islower() for c in text)
            assert text.startswith("[") or is_code or text in SITE_WORDS, text

    on_screen(floor, look, PSEUDO)


@pytest.mark.parametrize("act", [a for _, a in WALK], ids=[n for n, _ in WALK])
def test_everything_that_can_be_pressed_has_a_key_a_name_and_room_for_a_glove(floor: Floor, act):
    async def look(shown: Shown) -> None:
        await act(shown)
        await shown.page.settle()
        buttons = [c for c in shown.page.controls() if isinstance(c, ft.FilledButton)]

        assert buttons
        for button in buttons:
            assert button.key, f"a button without a key: {button}"
            assert _name(button), f"{button.key} has no name"
            if str(button.key).startswith(("task-", "row-")):
                continue  # as high as their texts: measured in Chromium
            at_least = 48 if button.key == "pill" else 56
            assert (button.height or 0) >= at_least, f"{button.key} is too small"
        keys = [str(b.key) for b in buttons]
        assert len(keys) == len(set(keys))

    on_screen(floor, look)


def _name(control: Any) -> str:
    """What a screen reader says of a button."""
    from tests.support.headless import _walk

    said = []
    for part in _walk(control):
        if isinstance(part, ft.Semantics) and part.label:
            said.append(part.label)
        elif isinstance(part, ft.Icon) and part.semantics_label:
            said.append(part.semantics_label)
        elif isinstance(part, ft.Text) and part.value:
            said.append(part.semantics_label or part.value)
    return " ".join(said)


@pytest.mark.parametrize("tone", list(Tone))
def test_every_answer_can_be_drawn(floor: Floor, tone: Tone):
    floor.open_bin()

    async def look(shown: Shown) -> None:
        shown.floor.service.say(tone, "band.bin_open", {"bin": "A-12-03"})
        await shown.page.settle()

        assert "A-12-03 is open. Scan what is in it." in shown.page.spoken()
        assert shown.floor.service.state.stage is Stage.COUNT

    on_screen(floor, look)


def test_a_pin_typed_faster_than_it_is_drawn_is_the_whole_pin(floor: Floor):
    async def act(shown: Shown) -> None:
        await shown.page.press("person-ana")
        keys = {name: shown.page.find(f"pin-{name}")._i for name in [*PIN, "enter"]}
        for name in [*PIN, "enter"]:
            await shown.page.session.dispatch_event(keys[name], "click", None)
        await shown.until("next_bin")

    on_screen(floor, act)


def test_the_scanner_test_says_what_to_change_until_the_scanner_names_its_codes(floor: Floor):
    async def watch() -> tuple[str, str]:
        shown = await Shown(floor).start()
        floor.enter()
        shown.desk.show(Panel.SCANNER_TEST)
        await shown.scan(OIL_EACH)
        before = " ".join(shown.page.texts())
        named = ScanEvent(
            text=OIL_EACH, symbology=Symbology.EAN_13, source=ScanSource.WEDGE, at=floor.now()
        )
        shown.desk.scanned(named)
        await shown.page.settle()
        return before, " ".join(shown.page.texts())

    before, after = asyncio.run(watch())

    assert all(word in before for word in ("AIM", "DataWedge", "Honeywell"))
    assert "EAN-13" in after
    assert "DataWedge" not in after


def on_scanner_page(floor: Floor, act: Callable[[Shown], Awaitable[None]]) -> Shown:
    """Somebody is signed in and looks at the hardware scanner's page."""

    async def watch() -> Shown:
        shown = await Shown(floor).start()
        floor.enter()
        shown.desk.show(Panel.SCANNER_TEST)
        await shown.page.settle()
        await act(shown)
        await shown.page.settle()
        return shown

    return asyncio.run(watch())


def test_the_scanners_page_shows_every_letter_the_pace_and_what_it_means(floor: Floor):
    async def act(shown: Shown) -> None:
        raw = f"]C101{LOTTED_CASE}10L9\x1d1727123137 6"
        shown.desk.came_in(raw, Pace(mean_ms=2.4, longest_ms=9.0))
        shown.desk.scanned(
            ScanEvent(
                text=f"01{LOTTED_CASE}10L9\x1d17271231",
                symbology=Symbology.GS1_128,
                source=ScanSource.WEDGE,
                at=floor.now(),
            )
        )

    texts = on_scanner_page(floor, act).page.texts()

    assert f"]C101{LOTTED_CASE}10L9<GS>1727123137<SP>6" in texts
    assert any(text.startswith("5D 43 31 30 31") and " 1D " in text for text in texts)
    assert "GS1-128 ]C1" in texts
    assert "2 ms, longest 9 ms" in texts
    wanted = "Sealant 50g, 60010, pack of 6 \u00b7 lot L9 \u00b7 expires 2027-12-31"
    assert wanted in texts


def test_a_label_of_the_site_teaches_the_frame_and_a_press_keeps_it(floor: Floor):
    async def act(shown: Shown) -> None:
        shown.desk.came_in("^BIN:A-12-03$", None)
        await shown.scan("^BIN:A-12-03$")
        assert not shown.page.has("forget_profile")
        await shown.page.press("use_profile")

    shown = on_scanner_page(floor, act)

    assert shown.link.profile == WedgeProfile(start="^", end="$")
    assert "Every scan begins with ^; what does not is refused. Every scan ends with $." in (
        shown.page.texts()
    )
    assert not shown.page.has("use_profile")
    assert floor.service.state.count is None, "nothing is counted on this page"


def test_a_scan_without_its_mark_is_no_new_way_of_scanning(floor: Floor):
    async def act(shown: Shown) -> None:
        shown.link.profile = WedgeProfile(start="^")
        shown.desk.came_in("BIN:A-12-03", None)
        shown.desk.refused(WedgeRefusal(raw="BIN:A-12-03", reason=RefusalReason.NO_START_MARK))
        await shown.page.settle()
        assert not shown.page.has("use_profile")
        assert any("first letters were lost" in text for text in shown.page.texts())
        await shown.page.press("forget_profile")

    assert on_scanner_page(floor, act).link.profile == WedgeProfile()


def test_the_sign_for_gs_is_chosen_and_goes_with_a_learnt_frame(floor: Floor):
    async def act(shown: Shown) -> None:
        await shown.page.press("separator-1")
        shown.desk.came_in("]C0BIN:A-12-03", None)
        await shown.scan("BIN:A-12-03")
        await shown.page.press("use_profile")

    assert on_scanner_page(floor, act).link.profile == WedgeProfile(is_aim=True, separator="|")


@pytest.mark.parametrize("reason", list(RefusalReason))
def test_every_refusal_has_words_on_the_page_and_while_counting(floor: Floor, reason):
    async def act(shown: Shown) -> None:
        shown.desk.refused(WedgeRefusal(raw="-03", reason=reason))
        await shown.page.settle()
        assert shown.desk.say(f"refusal.{reason.value}") in shown.page.texts()
        shown.desk.show(Panel.NONE)
        shown.desk.refused(WedgeRefusal(raw="-03", reason=reason))

    shown = on_scanner_page(floor, act)

    assert any("Nothing was counted." in said for said in shown.page.spoken())


def test_a_pin_typed_on_keys_is_a_pin_also_beside_a_scanner_with_marks(floor: Floor):
    async def act(shown: Shown) -> None:
        await shown.page.press("person-ana")
        shown.desk.refused(WedgeRefusal(raw=PIN, reason=RefusalReason.NO_START_MARK))
        await shown.until("next_bin")

    on_screen(floor, act)


@pytest.mark.parametrize("reason", list(UnknownReason))
def test_every_text_that_means_nothing_has_words(reason):
    assert load_words().has(f"meaning.unknown_{reason.value}")
