"""One page: the floor's root, or the review's, with what lasts as long as the page does."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import flet as ft
from flet.controls.context import _context_page

from app.contract.rescue import RescueExport
from app.counting.service import FloorService
from app.counting.state import Person, Reach, Stage
from app.i18n.words import Words
from app.scanner.camera import CameraScanner
from app.scanner.events import ScanEvent
from app.scanner.loop import CameraStatus, StatusChange
from app.scanner.wedge import WedgeRefusal
from app.screens import theme
from app.screens.floor.desk import FloorDesk, FloorRim
from app.screens.floor.root import FloorRoot
from app.screens.floor.sight import CameraView
from app.screens.parts.buttons import button
from app.screens.parts.split import is_low
from app.screens.parts.text import words
from app.screens.saving import FileSaver, hand_over
from app.screens.tones import Tones
from app.screens.wedge import ScannerField

_log = logging.getLogger(__name__)

IN_BIN = (Stage.COUNT, Stage.FINISH)
CAMERA_STAGES = (Stage.SCAN_BIN, Stage.COUNT, Stage.FINISH)
TICK_SECONDS = 0.5
MOUNT_SECONDS = 5.0
"""Longest wait for the camera's control to be on the screen before it is started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageParts:
    """What the client gives to each page."""

    service: FloorService
    words: Words
    rim: FloorRim
    steady: Callable[[], float]
    """Seconds of a clock that only goes forward."""
    used: Callable[[], None]
    """Called when somebody touched the device: it does not lock itself under a hand."""
    shown: Callable[[], None]
    """Called when the app is on the screen again: a good moment to send."""
    open_review: Callable[[ft.Page, str, str], None] = lambda _page, _user_id, _pin: None
    """Shows the review on a page; with a person and PIN it signs in by itself."""


class AppPage:
    """Wires one Flet page."""

    def __init__(self, page: ft.Page, parts: PageParts) -> None:
        self.page = page
        self.parts = parts
        self.is_phone = not page.web and page.platform in (
            ft.PagePlatform.ANDROID,
            ft.PagePlatform.IOS,
        )
        self.tones = Tones(page)
        self.saver = FileSaver(page)
        self.camera = self._make_camera()
        self._was_paused = False
        self._is_open = True
        self._camera_turn = asyncio.Lock()
        self.desk = FloorDesk(
            service=parts.service,
            say=parts.words,
            rim=parts.rim,
            focus_scanner=self.focus_scanner,
            play=self._play,
            here=self._here,
            camera=self.camera.control if self.camera else None,
            hands=self if self.camera else None,
            open_review=self.open_review,
            to_review=self._to_review,
            save_file=self.saver.save,
        )
        self.field = ScannerField(
            is_phone=self.is_phone,
            profile=lambda: parts.rim.profile,
            now=parts.service.now,
            on_scan=self._scanned,
            on_refusal=self._refused,
            on_raw=self.desk.came_in,
            on_ready=self._ready,
            is_away=lambda: self.desk.is_typing,
        )

    def show(self) -> None:
        """Draw the page for the first time."""
        page = self.page
        page.title = self.parts.words("app.name")
        page.padding = 0
        page.spacing = 0
        page.bgcolor = theme.DARK.page
        page.theme_mode = ft.ThemeMode.DARK
        page.theme = ft.Theme(color_scheme_seed="#0A4DB0", use_material3=True)
        page.dark_theme = page.theme
        page.fonts = theme.FONTS
        page.on_connect = self._again
        page.on_close = self.close
        page.on_resize = self._resized
        self._resized()
        page.on_keyboard_event = self.field.heard if page.web else None
        page.on_app_lifecycle_state_change = self._lifecycle
        page.overlay.append(self.field.control)
        page.render(lambda: FloorRoot(self.desk, self.desk.model))
        page.run_task(self._tick)

    def close(self) -> None:
        """The page is gone, or shows the review now."""
        self._is_open = False
        if self.camera is not None:
            self.camera.abandon()
        self.desk.model.is_hidden = True
        self.desk.close()

    def open_review(self, user_id: str = "", pin: str = "") -> None:
        """The supervisor's pages instead of the floor's; who counts stays signed in."""
        self.page.run_task(self._leave_for_review, user_id, pin)

    async def _leave_for_review(self, user_id: str, pin: str) -> None:
        await self._close_camera()
        self.close()
        self.page.overlay.remove(self.field.control)
        self.page.on_app_lifecycle_state_change = None
        self.page.on_keyboard_event = None
        self.parts.open_review(self.page, user_id, pin)

    def _to_review(self, person: Person, pin: str) -> bool:
        """A reviewer's PIN was right. Without a server there is nothing to review: then they count."""
        reach = self.desk.model.state.sync.reach
        if not is_reviewer(person) or reach in (Reach.OFFLINE, Reach.REFUSED):
            return False
        self.open_review(person.user_id, pin)
        return True

    def focus_scanner(self) -> None:
        """The scanner sign was tapped: whoever does that found that the scanner is not heard."""
        self.field.heal()

    # -- what happens to the page

    def _here(self, act: Callable[[], None]) -> None:
        """Run something as this page: a change made on another page must be sent to this one.

        Flet finds the page to send to in a context variable, which belongs to whoever is acting. A page
        whose browser is away takes the change too, and draws it when it comes back.
        """
        if _current_page() is self.page:
            self.parts.used()
            act()
            return
        context = contextvars.copy_context()
        context.run(_context_page.set, self.page)  # type: ignore[arg-type]  # its default is None
        context.run(act)

    def _again(self) -> None:
        """The connection to the picture was away: what changed meanwhile is drawn now."""
        self.desk.model.beat += 1
        self.field.request()

    async def _lifecycle(self, event: ft.AppLifecycleStateChangeEvent) -> None:
        state = event.state
        if state in (ft.AppLifecycleState.SHOW, ft.AppLifecycleState.RESUME):
            self.parts.shown()
            self.field.request()
            if self._was_paused and self.camera is not None:
                self._was_paused = False
                await self.camera.resume()
            return
        is_away = state in (ft.AppLifecycleState.HIDE, ft.AppLifecycleState.PAUSE)
        if is_away and self.camera is not None and self.camera.is_running:
            self._was_paused = True
            await self.camera.pause()

    def _resized(self) -> None:
        low = is_low(self.page.width or 0, self.page.height or 0)
        if low != self.desk.model.is_low:
            self.desk.model.is_low = low

    def _ready(self, is_ready: bool) -> None:
        self.desk.model.is_ready = is_ready

    def _scanned(self, event: ScanEvent) -> None:
        self.parts.used()
        self.desk.scanned(event)

    def _refused(self, refusal: WedgeRefusal) -> None:
        self.parts.used()
        self.desk.refused(refusal)

    def _play(self, tone: str) -> None:
        self.tones.volume = self.desk.model.volume
        self.tones.play(tone)

    async def _tick(self) -> None:
        was_typing, was_in_bin = self.desk.is_typing, False
        while self._is_open:
            await asyncio.sleep(TICK_SECONDS)
            self.field.tidy()
            is_typing = self.desk.is_typing
            if was_typing and not is_typing:
                self.field.request()
            was_typing = is_typing
            stage = self.desk.model.state.stage
            if (stage in IN_BIN) != was_in_bin:
                was_in_bin = stage in IN_BIN
                self.tones.keep_awake(was_in_bin)
            if self.desk.model.camera.is_on and stage not in CAMERA_STAGES:
                self.page.run_task(self._close_camera)

    # -- camera

    def _make_camera(self) -> CameraScanner | None:
        if not CameraScanner.is_supported(self.page):
            return None
        return CameraScanner(
            on_scan=self._camera_scan,
            on_status=self._camera_status,
            now=self.parts.service.now,
            steady=self.parts.steady,
            known=self._is_known,
        )

    def _is_known(self, text: str) -> bool:
        directory = self.parts.service.directory
        return bool(directory.lookup_bin(text) or directory.lookup_barcode(text))

    def _camera_scan(self, event: ScanEvent) -> None:
        self._here(lambda: self._scanned(event))

    def _camera_status(self, change: StatusChange) -> None:
        view = self.desk.model.camera
        if change.detail:
            _log.warning("camera %s: %s", change.status.value, change.detail)
        key = f"camera.{change.status.value}"
        if change.status is CameraStatus.STOPPED and view.is_on:
            return
        self._here(lambda: self._set_camera(replace(view, key=key, texts=change.texts)))

    def _set_camera(self, view: CameraView) -> None:
        now = self.desk.model.camera
        self.desk.model.camera = replace(now, key=view.key, texts=view.texts)

    async def toggle_camera(self) -> None:
        """Open the camera's picture and look, or close both."""
        if self.desk.model.camera.is_on:
            await self._close_camera()
            return
        assert self.camera is not None, "only where there is a camera"
        async with self._camera_turn:
            self.desk.model.camera = CameraView(is_on=True, key="camera.starting")
            if await self._is_mounted():
                await self.camera.start()

    async def _is_mounted(self) -> bool:
        """The control must be on the screen before it can be asked for anything."""
        assert self.camera is not None, "only where there is a camera"
        until = self.parts.steady() + MOUNT_SECONDS
        while self.parts.steady() < until:
            await asyncio.sleep(0.05)
            try:
                if self.camera.control.page:
                    await asyncio.sleep(0.2)
                    return True
            except RuntimeError:
                continue
        return False

    async def _close_camera(self) -> None:
        """The picture goes at once; the control stays until nothing it was asked is unanswered."""
        if self.camera is None or not self.desk.model.camera.is_on:
            return
        self.desk.model.camera = CameraView(is_leaving=True)
        self.camera.close_eyes()
        self.field.request()
        async with self._camera_turn:
            await self.camera.stop()
            await self.camera.settled()
            self.desk.model.camera = CameraView()
        self.field.request()

    async def toggle_torch(self) -> None:
        """The light of the camera, where it has one."""
        view = self.desk.model.camera
        if self.camera is not None and await self.camera.set_torch(not view.has_torch):
            self.desk.model.camera = replace(self.desk.model.camera, has_torch=not view.has_torch)

    async def toggle_zoom(self) -> None:
        """Twice as large, or as it was, where the camera can."""
        is_near = self.desk.model.camera.is_near
        if self.camera is not None and await self.camera.zoom(1.0 if is_near else 2.0) is not None:
            self.desk.model.camera = replace(self.desk.model.camera, is_near=not is_near)

    async def touch_picture(self, x: float, y: float) -> None:
        """Focus there, and scan again what is in view."""
        if self.camera is not None and self.desk.model.camera.is_on:
            self.camera.look_again()
            await self.camera.focus_at(x, y)

    async def choose_label(self, text: str) -> None:
        """One of several labels in view is meant."""
        if self.camera is not None and self.desk.model.camera.is_on:
            await self.camera.choose(text)


def show_trouble(
    page: ft.Page,
    sentence: str,
    *,
    rescue: Callable[[], RescueExport],
    say: Words,
    now: Callable[[], datetime],
) -> None:
    """A device that cannot even open its memory: one sentence, and a way to take out what is in it."""
    pair, saver = theme.DARK.reject, FileSaver(page)
    page.bgcolor = pair.back
    became = words("", size=18, color=pair.front)

    async def save() -> None:
        became.value = await hand_over(rescue, saver.save, say=say, at=now())
        became.update()

    press = button(
        say("rescue.save"),
        key="save_rescue",
        on_press=lambda: page.run_task(save),
        palette=theme.DARK,
        pair=theme.DARK.calm,
    )
    told = words(sentence, size=24, strong=True, color=pair.front)
    page.add(ft.SafeArea(ft.Column([told, became, ft.Row([press])], spacing=24)))


def is_reviewer(person: Person) -> bool:
    """Whether signing in leads to the review pages."""
    return person.role.value in ("supervisor", "lead", "finance", "auditor")


def _current_page() -> ft.Page | None:
    try:
        return ft.context.page
    except (RuntimeError, LookupError):
        return None
