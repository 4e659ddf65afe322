"""What a floor page holds: the service's state, what is only on this page, and the verbs of both.

Declarative components, because one observable value then decides what is drawn and Flet sends only
what differs (a scan changes the band and one row). The wedge field and the camera are the two
exceptions: one instance each, made once, because a control that is drawn anew loses its focus or
its picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import flet as ft

from app.contract.rescue import RescueExport
from app.contract.vocabulary import ScanSource
from app.counting.service import FloorService
from app.counting.state import (
    FloorState,
    LotSheet,
    Person,
    SearchSheet,
    Stage,
    Tone,
    TypeSheet,
)
from app.i18n.words import Words
from app.scanner.events import ScanEvent
from app.scanner.keys import Pace
from app.scanner.label import BADGE_PREFIX, EnrolmentCode, interpret_event
from app.scanner.wedge import RefusalReason, WedgeProfile, WedgeRefusal
from app.screens.floor.sight import CameraHands, CameraView
from app.screens.saving import SaveFile, hand_over, save_nowhere
from app.screens.theme import DARK, Palette

PIN_DIGITS_KEYBOARD_MAX = 8
"""Digits typed on a keyboard at sign-in are a PIN up to this length; longer ones are a barcode."""

CUT_OFF = frozenset({RefusalReason.NO_START_MARK, RefusalReason.NO_END_MARK, RefusalReason.BAD_HEX})
"""Refusals of a scan that lost letters; the others came whole and are no code."""


class Panel(StrEnum):
    """Pages beside the counting itself."""

    NONE = ""
    PENDING = "pending"
    SETTINGS = "settings"
    SCANNER_TEST = "scanner_test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What the enrolment form starts with."""

    server_url: str = ""
    code: str = ""
    device_name: str = ""


class FloorRim(Protocol):
    """What the floor's pages ask of the client: the network, and the review pages."""

    defaults: Defaults

    async def enrol(self, url: str, code: str, device_name: str) -> str:
        """Enrol; "" when done, else the sentence that says what to do."""
        ...

    async def send_now(self) -> None: ...

    @property
    def profile(self) -> WedgeProfile:
        """How this device's hardware scanner frames its scans."""
        ...

    def keep_profile(self, profile: WedgeProfile) -> str:
        """Use it from now on, also after a restart; "" when done, else the sentence to show."""
        ...

    def rescue(self) -> RescueExport:
        """All that the server lacks, as a file. Reads the disk. Raises OSError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LastScan:
    """The newest scan, for the scanner's page."""

    raw: str = ""
    """As it came in: marks and AIM identifier are still there when a hardware scanner typed it."""
    source: str = ""
    event: ScanEvent | None = None
    """What it was taken for; None when it was refused."""
    refusal: str = ""
    """Why it was refused (RefusalReason), or ""."""
    pace: Pace | None = None
    number: int = 0


@ft.observable
@dataclass
class FloorModel:
    """Everything a floor page draws."""

    state: FloorState = field(default_factory=FloorState)
    panel: Panel = Panel.NONE
    is_ready: bool = False
    camera: CameraView = field(default_factory=CameraView)
    is_busy: bool = False
    problem: str = ""
    last_scan: LastScan = field(default_factory=LastScan)
    volume: int = 10
    saved: str = ""
    """What became of the file that somebody wanted to take off the device, as a sentence."""
    is_hidden: bool = False
    """The review pages are shown instead."""
    is_low: bool = False
    """A phone on its side: what stands below each other elsewhere stands side by side."""
    beat: int = 0


class FloorDesk:
    """Verbs for the components of one page."""

    def __init__(
        self,
        *,
        service: FloorService,
        say: Words,
        rim: FloorRim,
        palette: Palette = DARK,
        camera: ft.Control | None = None,
        hands: CameraHands | None = None,
        focus_scanner: Callable[[], None] = lambda: None,
        play: Callable[[str], None] = lambda _tone: None,
        here: Callable[[Callable[[], None]], None] = lambda act: act(),
        open_review: Callable[[], None] = lambda: None,
        to_review: Callable[[Person, str], bool] = lambda _person, _pin: False,
        save_file: SaveFile = save_nowhere,
    ) -> None:
        self.service = service
        self.say = say
        self.rim = rim
        self.palette = palette
        self.camera = camera
        self.hands = hands
        """None where there is no camera."""
        self.focus_scanner = focus_scanner
        self.play = play
        self._here = here
        self.open_review = open_review
        self.to_review = to_review
        """A supervisor's PIN was right: True when the review pages took over."""
        self._save_file = save_file
        self.model = FloorModel(state=service.state)
        self._came_from = Panel.NONE
        # What was answered before this page was drawn (a reload, a second tab) is not sounded again.
        self._heard = service.state.band.serial if service.state.band else 0
        self._raw = ""
        self._pace: Pace | None = None
        self._stop: Callable[[], None] | None = service.subscribe(self._changed)

    def close(self) -> None:
        """The page is gone: nothing of it is kept alive by the service."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    def _changed(self, state: FloorState) -> None:
        self._here(lambda: self._show(state))

    def _show(self, state: FloorState) -> None:
        before = self.model.state
        self.model.state = state
        band = state.band
        if band is not None and band.serial > self._heard:
            self._heard = band.serial
            self._sound(band.tone)
        if before.stage is not state.stage and state.stage is Stage.COUNT:
            self.model.panel = Panel.NONE

    def _sound(self, tone: Tone) -> None:
        # A hardware scanner has beeped by now: a routine scan from it is not sounded twice.
        has_beeped = tone is Tone.ACCEPT and self.model.last_scan.source == ScanSource.WEDGE
        if tone is not Tone.QUIET and not has_beeped:
            self.play(tone.value)

    @property
    def is_typing(self) -> bool:
        """Whether a field for typing is on the screen: then the scanner's field keeps away."""
        state = self.model.state
        if self.model.is_hidden:
            return True
        if state.stage is Stage.ENROL:
            return True
        return isinstance(state.sheet, SearchSheet | TypeSheet | LotSheet)

    # -- scans

    def scanned(self, event: ScanEvent) -> None:
        """A whole scan, from the scanner that types, from the camera, or typed by a person."""
        state = self.model.state
        self._note(event.source, event.text, event=event)
        if self.model.panel is Panel.SCANNER_TEST:
            return
        if state.stage is Stage.SIGN_IN and state.chosen is not None and _is_pin(event.text):
            asyncio.get_running_loop().create_task(self.enter_pin(event.text))
            return
        if state.stage is Stage.ENROL:
            meaning = interpret_event(event, self.service.directory)
            if isinstance(meaning, EnrolmentCode):
                self.enrol(meaning.url, meaning.token, self.rim.defaults.device_name)
            return
        self.service.scan(event)

    def came_in(self, raw: str, pace: Pace | None) -> None:
        """What a hardware scanner typed, before it is judged; `scanned` or `refused` follows."""
        self._raw, self._pace = raw, pace

    def refused(self, refusal: WedgeRefusal) -> None:
        """A scan that is not whole: said, never looked up. Digits at the PIN's question are a PIN."""
        state = self.model.state
        if state.stage is Stage.SIGN_IN and state.chosen is not None and _is_pin(refusal.raw):
            asyncio.get_running_loop().create_task(self.enter_pin(refusal.raw))
            return
        self._note(ScanSource.WEDGE, refusal.raw, refusal=refusal.reason.value)
        if self.model.panel is not Panel.SCANNER_TEST:
            self.service.unreadable(is_cut_off=refusal.reason in CUT_OFF)

    def _note(
        self, source: ScanSource, text: str, *, event: ScanEvent | None = None, refusal: str = ""
    ) -> None:
        is_wedge = source is ScanSource.WEDGE
        self.model.last_scan = LastScan(
            raw=(self._raw or text) if is_wedge else text,
            source=source.value,
            event=event,
            refusal=refusal,
            pace=self._pace if is_wedge else None,
            number=self.model.last_scan.number + 1,
        )
        self._raw, self._pace = "", None

    def use_profile(self, profile: WedgeProfile) -> None:
        """The hardware scanner frames its scans like this from now on."""
        self.model.problem = self.rim.keep_profile(profile)
        self.model.beat += 1

    def typed(self, text: str, at: datetime) -> None:
        """A code typed by a person."""
        text = text.strip()
        if text:
            self.service.close_sheet()
            event = ScanEvent(text=text, symbology=None, source=ScanSource.TYPED, at=at)
            self.scanned(event)

    def now(self) -> datetime:
        """The device's time."""
        return self.service.now()

    # -- slow verbs

    async def enter_pin(self, pin: str) -> None:
        """Look at the PIN on a thread: it is slow on purpose."""
        chosen = self.model.state.chosen
        if self.model.is_busy or chosen is None:
            return
        self.model.is_busy = True
        try:
            outcome = await asyncio.to_thread(self.service.check_pin, pin)
        finally:
            self.model.is_busy = False
        if outcome.verdict.value == "right" and self.to_review(chosen, pin):
            self.service.choose(None)
            return
        self.service.settle_pin(outcome)

    def enrol(self, url: str, code: str, device_name: str) -> None:
        """Enrol with what was typed or scanned."""
        asyncio.get_running_loop().create_task(self._enrol(url, code, device_name))

    async def _enrol(self, url: str, code: str, device_name: str) -> None:
        if self.model.is_busy:
            return
        self.model.is_busy, self.model.problem = True, ""
        try:
            self.model.problem = await self.rim.enrol(url.strip(), code.strip(), device_name)
        finally:
            self.model.is_busy = False
        self.service.refresh()

    def send_now(self) -> None:
        """Ask the sync engine to try at once."""
        asyncio.get_running_loop().create_task(self.rim.send_now())

    def save_rescue(self) -> None:
        """Put all that the server lacks into a file that the person can take off the device."""
        asyncio.get_running_loop().create_task(self._save_rescue())

    async def _save_rescue(self) -> None:
        if self.model.is_busy:
            return
        self.model.is_busy, self.model.saved = True, ""
        try:
            self.model.saved = await hand_over(
                self.rim.rescue, self._save_file, say=self.say, at=self.now()
            )
        finally:
            self.model.is_busy = False

    def press_camera(self) -> None:
        """Camera on or off."""
        if self.hands is not None:
            self._start(self.hands.toggle_camera())

    def press_torch(self) -> None:
        """Light on or off."""
        if self.hands is not None:
            self._start(self.hands.toggle_torch())

    def press_zoom(self) -> None:
        """Nearer, or as it was."""
        if self.hands is not None:
            self._start(self.hands.toggle_zoom())

    def touch_picture(self, x: float, y: float) -> None:
        """The picture was tapped, at so much of its width and height."""
        if self.hands is not None:
            self._start(self.hands.touch_picture(x, y))

    def choose_label(self, text: str) -> None:
        """One of several labels in view was tapped."""
        if self.hands is not None:
            self._start(self.hands.choose_label(text))

    @staticmethod
    def _start(call: Awaitable[None]) -> None:
        asyncio.get_running_loop().create_task(_as_coroutine(call))

    def show(self, panel: Panel) -> None:
        """Open or close a page beside the counting."""
        self._came_from = self.model.panel if panel is not Panel.NONE else Panel.NONE
        self.model.panel = panel
        self.model.saved = self.model.problem = ""

    def back(self) -> None:
        """To the settings if they led here, else to the counting."""
        is_below = self._came_from is Panel.SETTINGS and self.model.panel is not Panel.SETTINGS
        self.show(Panel.SETTINGS if is_below else Panel.NONE)


async def _as_coroutine(call: Awaitable[None]) -> None:
    await call


def _is_pin(text: str) -> bool:
    is_number = text.isascii() and text.isdigit()
    return is_number and 4 <= len(text) <= PIN_DIGITS_KEYBOARD_MAX and BADGE_PREFIX not in text
