"""One page: the floor's or the review's root, with what lasts as long as the page does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import flet as ft

from app.counting.service import FloorService
from app.counting.state import Stage
from app.i18n.words import Words
from app.scanner.wedge import WedgeProfile
from app.screens import theme
from app.screens.floor.desk import FloorDesk, FloorRim
from app.screens.floor.root import FloorRoot
from app.screens.tones import Tones
from app.screens.wedge import ScannerField


@dataclass(frozen=True, slots=True, kw_only=True)
class PageParts:
    """What the client gives to each page."""

    service: FloorService
    words: Words
    rim: FloorRim


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
        self.desk = FloorDesk(
            service=parts.service,
            say=parts.words,
            rim=parts.rim,
            focus_scanner=self.focus_scanner,
            play=self._play,
            here=self._here,
        )
        self.field = ScannerField(
            is_phone=self.is_phone,
            profile=WedgeProfile(),
            now=parts.service.now,
            on_scan=self.desk.scanned,
            on_refusal=parts.service.unreadable,
            on_ready=self._ready,
            is_away=lambda: self.desk.is_typing,
        )

    def focus_scanner(self) -> None:
        """The scanner sign was tapped."""
        self.field.request()

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
        page.on_close = self.desk.close
        page.overlay.append(self.field.control)
        page.render(lambda: FloorRoot(self.desk, self.desk.model))
        page.run_task(self._tick)

    def _here(self, act: Callable[[], None]) -> None:
        """Run something as this page: a change made on another page must be sent to this one.

        Flet finds the page to send to in a context variable, which belongs to whoever is acting.
        """
        if _current_page() is self.page:
            act()
            return

        async def acting() -> None:
            act()

        self.page.run_task(acting)

    def _again(self) -> None:
        """The connection to the picture was away: what changed meanwhile is drawn now."""
        self.desk.model.beat += 1

    def _ready(self, is_ready: bool) -> None:
        self.desk.model.is_ready = is_ready

    def _play(self, tone: str) -> None:
        self.tones.volume = self.desk.model.volume
        self.tones.play(tone)

    async def _tick(self) -> None:
        was_typing = self.desk.is_typing
        was_in_bin = False
        while True:
            await asyncio.sleep(0.5)
            self.field.tidy()
            is_typing = self.desk.is_typing
            if was_typing and not is_typing:
                self.field.request()
            was_typing = is_typing
            in_bin = self.desk.model.state.stage in (Stage.COUNT, Stage.FINISH)
            if in_bin != was_in_bin:
                self.tones.keep_awake(in_bin)
            was_in_bin = in_bin


def _current_page() -> ft.Page | None:
    try:
        return ft.context.page
    except (RuntimeError, LookupError):
        return None
