"""Wires one Flet page for the review: its look, its keys, its width, and the queue kept fresh."""

from __future__ import annotations

import asyncio

import flet as ft

from app.screens import theme
from app.screens.review.desk import ReviewDesk
from app.screens.review.root import ReviewRoot

BEAT_SECONDS = 30.0
"""Ages and due times are drawn anew this often."""


class ReviewPage:
    """One page that shows the review."""

    def __init__(self, page: ft.Page, desk: ReviewDesk) -> None:
        self.page = page
        self.desk = desk
        self._is_open = True

    def show(self) -> None:
        """Draw the page for the first time."""
        page, desk = self.page, self.desk
        page.title = desk.say("review.title")
        page.padding = 0
        page.spacing = 0
        page.bgcolor = desk.palette.page
        page.theme_mode = ft.ThemeMode.LIGHT
        page.theme = ft.Theme(color_scheme_seed="#0A4DB0", use_material3=True)
        page.fonts = theme.FONTS
        page.on_resize = self._resized
        page.on_keyboard_event = self._key
        page.on_connect = self._again
        page.on_close = self.close
        self._resized()
        page.render(lambda: ReviewRoot(desk, desk.model))
        page.run_task(self._beat)
        page.run_task(desk.service.run)

    def close(self) -> None:
        """The page is gone, or shows something else now."""
        self._is_open = False
        self.desk.close()

    def _resized(self) -> None:
        if self.page.width:
            self.desk.model.width = self.page.width

    def _key(self, event: ft.KeyboardEvent) -> None:
        if not (event.ctrl or event.alt or event.meta):
            self.desk.key_pressed(event.key)

    def _again(self) -> None:
        """The connection to the picture was away: what changed meanwhile is drawn now."""
        self.desk.model.beat += 1

    async def _beat(self) -> None:
        while self._is_open:
            await asyncio.sleep(BEAT_SECONDS)
            self.desk.model.beat += 1
