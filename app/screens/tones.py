"""Tones and vibration: one for each kind of answer, loaded before the first scan.

A hardware scanner beeps when it has read; the app stays silent on a routine scan from it and is
heard only when something is not routine. The camera has no beep, so there the app gives it.
"""

from __future__ import annotations

import logging

import flet as ft
import flet_audio as fa

from app.counting.state import Tone

_log = logging.getLogger(__name__)

HEARD = tuple(tone for tone in Tone if tone is not Tone.QUIET)


class Tones:
    """The tones of one page."""

    def __init__(self, page: ft.Page) -> None:
        self._page = page
        self._is_phone = page.platform in (ft.PagePlatform.ANDROID, ft.PagePlatform.IOS)
        self._is_phone = self._is_phone and not page.web
        self._players = {
            tone.value: fa.Audio(
                src=f"tones/{tone.value}.wav", release_mode=fa.ReleaseMode.STOP, volume=1.0
            )
            for tone in HEARD
        }
        self._haptic = ft.HapticFeedback()
        self._wakelock = ft.Wakelock()
        self.volume = 10
        self.played: list[str] = []
        """Tones asked for, newest last, at most twenty: what a test listens to."""

    def play(self, tone: str) -> None:
        """Sound and vibration of an answer; never waits, never fails."""
        self.played = [*self.played[-19:], tone]
        if tone in self._players and self._is_connected:
            self._page.run_task(self._sound, tone)

    @property
    def _is_connected(self) -> bool:
        """A page whose browser is away cannot sound, nor run tasks."""
        return self._page.session.connection is not None

    async def _sound(self, tone: str) -> None:
        try:
            if self.volume:
                player = self._players[tone]
                if player.volume != self.volume / 10:
                    player.volume = self.volume / 10
                    player.update()
                await player.play()
            if self._is_phone:
                await self._vibrate(tone)
        except (RuntimeError, TimeoutError) as error:
            # A browser that wants a tap before it sounds; the band says the same.
            _log.info("no tone: %s", error)

    async def _vibrate(self, tone: str) -> None:
        if tone in (Tone.REJECT, Tone.DONE):
            await self._haptic.heavy_impact()  # type: ignore[no-untyped-call]
        elif tone in (Tone.ATTENTION, Tone.CASE):
            await self._haptic.medium_impact()  # type: ignore[no-untyped-call]
        else:
            await self._haptic.light_impact()  # type: ignore[no-untyped-call]

    def keep_awake(self, is_on: bool) -> None:
        """The screen stays lit inside a bin."""
        if self._is_phone and self._is_connected:
            self._page.run_task(self._wake, is_on)

    async def _wake(self, is_on: bool) -> None:
        try:
            await (self._wakelock.enable() if is_on else self._wakelock.disable())  # type: ignore[no-untyped-call]
        except (RuntimeError, TimeoutError) as error:
            _log.info("screen may go dark: %s", error)
