"""The field into which a hardware scanner types: always there, never seen, never in anybody's way.

Measured in Chromium with flet 1.0.5: a single-line field gives up the focus after each Enter until
Python asks for it back, and loses whole scans in between (10 scans in 3 s: 8 arrived); clearing the
field after each scan wipes the first letters of the next. So on the web Enter is taken before the
field sees it (`shift_enter`, the focus stays), and the text is never cleared while scans come: what
is new is what stands behind what was taken already (10 scans in 1 s: 10 arrived). On a phone
`shift_enter` would bring the soft keyboard up, so there the field has no keyboard, loses the focus
after Enter, is cleared while it cannot receive a key, and is focused again.

On the web the page's own key events are a second witness (app/scanner/keys.py): a scan that the field
got in part, or not at all, is completed from them, and the focus is fetched back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import flet as ft

from app.scanner.events import ScanEvent
from app.scanner.keys import KeyLog, KeyPace, Pace, whole
from app.scanner.wedge import WedgeAssembler, WedgeProfile, WedgeRefusal

CLEAR_AFTER_LETTERS = 400
"""Each key sends the whole field; thirty scans make one key's message half a kilobyte."""
CLEAR_AFTER_IDLE = timedelta(seconds=3)
UNTAKEN_SECONDS = 0.3
"""The field hears of Enter right after the page has; by then it has not heard of it at all."""
HEAL_SECONDS = 0.1
"""A disabled field lets go of the focus and of the browser's; so long until the picture has followed."""


class KeyStream:
    """What was typed since the last Enter, in a field that is not cleared. Pure."""

    def __init__(self) -> None:
        self._taken = ""

    def take(self, value: str) -> str:
        """The part of the field's text that is new. A field that was replaced is new as a whole."""
        fresh = value[len(self._taken) :] if value.startswith(self._taken) else value
        self._taken = value
        return fresh

    def forget(self) -> None:
        """The field was cleared."""
        self._taken = ""

    @property
    def taken(self) -> str:
        """The text taken so far."""
        return self._taken


@ft.control("TextField")  # type: ignore[arg-type]  # because of `focus`, below
class _Keys(ft.TextField):
    """The field. Flet's `focus()` reaches the wrong node of a field that takes Enter itself; a
    changed `focus` property reaches the right one."""

    focus: str | None = None  # type: ignore[assignment]


class ScannerField:
    """Mount `control` once, in the page's overlay."""

    def __init__(
        self,
        *,
        is_phone: bool,
        profile: Callable[[], WedgeProfile],
        now: Callable[[], datetime],
        on_scan: Callable[[ScanEvent], None],
        on_refusal: Callable[[WedgeRefusal], None],
        on_ready: Callable[[bool], None],
        is_away: Callable[[], bool],
        on_raw: Callable[[str, Pace | None], None] = lambda _raw, _pace: None,
    ) -> None:
        """`profile` is asked at each scan; `on_raw` hears what came in before it is judged."""
        self._profile = profile
        self._on_raw = on_raw
        self._now, self._on_scan, self._on_refusal = now, on_scan, on_refusal
        self._on_ready, self._is_away = on_ready, is_away
        self._stream = KeyStream()
        self._keys = KeyLog()
        self._pace = KeyPace()
        self._heard: str | None = None
        self._untaken: asyncio.TimerHandle | None = None
        self._healing: asyncio.Task[None] | None = None
        self._typed = ""
        self._asked = 0
        self._scanned_at: datetime | None = None
        self.control = _Keys(
            key="scanner_keys",
            autofocus=True,
            on_submit=self._submitted,
            on_change=None if is_phone else self._changed,
            on_blur=self._blurred,
            on_focus=self._focused,
            # Listening to it keeps the focus where it is: a tap on a button takes no scan away.
            on_tap_outside=lambda: None,
            autocorrect=False,
            enable_suggestions=False,
            smart_dashes_type=False,
            smart_quotes_type=False,
            enable_ime_personalized_learning=False,
            keyboard_type=ft.KeyboardType.NONE,
            shift_enter=not is_phone,
            max_lines=1,
            border=ft.NoInputBorder(),
            width=1,
            height=1,
            left=0,
            bottom=0,
            color="transparent",
            cursor_width=0,
        )

    def request(self) -> None:
        """Take the focus, unless somebody types elsewhere."""
        if self._is_away():
            return
        self._asked += 1
        self.control.focus = str(self._asked)
        self._update()

    def heal(self) -> None:
        """Take the focus even if Flutter believes the field to have it: let go, then ask."""
        if self._healing is None or self._healing.done():
            self._healing = asyncio.get_running_loop().create_task(self._heal())

    async def _heal(self) -> None:
        for is_disabled in (True, False):
            self.control.disabled = is_disabled
            self._update()
            await asyncio.sleep(HEAL_SECONDS)
        self.request()

    def heard(self, event: ft.KeyboardEvent) -> None:
        """A key went down on the page, whoever has the focus (web only)."""
        if self._is_away():
            self._keys.forget()
            return
        letters = self._keys.press(
            event.key, self._now(), has_shift=event.shift, has_ctrl=event.ctrl
        )
        if not letters:
            return
        self._rescue()
        self._heard = letters
        self._untaken = asyncio.get_running_loop().call_later(UNTAKEN_SECONDS, self._rescue)

    def _rescue(self) -> None:
        """Enter never came to the field, and the next may be here: what the page heard is the scan."""
        heard = self._confirmed()
        if heard is not None and not self._is_away():
            self._take(heard)
            self.heal()

    def _confirmed(self) -> str | None:
        """What the page heard before the Enter that is told of now, once."""
        heard, self._heard = self._heard, None
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None
        return heard

    def tidy(self) -> None:
        """Called now and then: clear a long field while nobody scans."""
        if len(self._stream.taken) < CLEAR_AFTER_LETTERS or self._scanned_at is None:
            return
        is_idle = self._now() - self._scanned_at > CLEAR_AFTER_IDLE
        if is_idle and self.control.value == self._stream.taken:
            self._clear()

    def _changed(self, event: ft.Event[ft.TextField]) -> None:
        # Enter taken by `shift_enter` brings no text with it, and `control.value` may be ahead of it
        # by then: the text of the last change before Enter is what Enter ends.
        self._typed = str(event.data or "")
        self._pace.key(self._now())

    def _submitted(self, event: ft.Event[ft.TextField]) -> None:
        typed = self._stream.take(event.data if isinstance(event.data, str) else self._typed)
        scanned = whole(typed, self._confirmed())
        self._take(scanned)
        if scanned != typed:
            self.heal()

    def _take(self, scanned: str) -> None:
        at = self._now()
        self._scanned_at = at
        self._on_raw(scanned, self._pace.take())
        # A new assembler for each scan: the stream has told old letters from new ones already.
        for told in WedgeAssembler(self._profile()).submit(scanned, at):
            if isinstance(told, ScanEvent):
                self._on_scan(told)
            else:
                self._on_refusal(told)

    def _blurred(self) -> None:
        self._on_ready(False)
        # Without the focus no key can arrive: the one moment in which clearing loses nothing.
        self._stream.forget()
        self._typed = ""
        self.control.value = ""
        if self._is_away():
            self._update()
        else:
            self.request()

    def _focused(self) -> None:
        self._on_ready(True)

    def _clear(self) -> None:
        self._stream.forget()
        self._typed = ""
        self.control.value = ""
        self._update()

    def _update(self) -> None:
        try:
            self.control.update()
        except RuntimeError:
            # The page is going away, or not there yet; a field that is mounted focuses itself.
            self._on_ready(False)
