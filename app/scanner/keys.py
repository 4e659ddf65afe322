"""Keys as the page itself hears them, whoever has the focus: the second witness of a typed scan. Pure.

With an accessibility tree on, a browser can give a tapped button the focus while Flutter still holds
the scanner's field for focused: then the field gets Enter and none of the letters (Chromium, flet
1.0.5; without the tree it was never seen in ten rounds of taps and scans). The page's key events
need no focus, so they complete what the field missed. They are no replacement for it: they know no
caps lock and no letter that an input method or DataWedge puts into the field without a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.scanner.gs1 import GS

FORGET_AFTER = timedelta(seconds=2)
"""What is older was no part of this scan. A scanner leaves some milliseconds between two keys, but a
key's time is that at which word of it came here: on a busy machine half a second passed between two
keys of one scan, and its first letters were lost. A stray key taken for the first of a scan costs less:
the code is unknown, which is said."""

_ENTER = ("Enter", "Numpad Enter")


class KeyLog:
    """The letters since the last Enter."""

    def __init__(self) -> None:
        self._letters = ""
        self._at: datetime | None = None

    def press(self, key: str, at: datetime, *, has_shift: bool, has_ctrl: bool) -> str | None:
        """A key went down; `key` is its label. Enter gives the letters before it, all else None."""
        if self._at is not None and at - self._at > FORGET_AFTER:
            self.forget()
        self._at = at
        if key in _ENTER:
            letters = self._letters
            self.forget()
            return letters
        self._letters += _letter(key, has_shift=has_shift, has_ctrl=has_ctrl)
        return None

    def forget(self) -> None:
        """Somebody types elsewhere."""
        self._letters, self._at = "", None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How the keys of one scan came in here: milliseconds between two of them."""

    mean_ms: float
    longest_ms: float


class KeyPace:
    """Measures the pace of the keys of one scan. A person needs 100 ms a key, a scanner a few."""

    def __init__(self) -> None:
        self._gaps: list[float] = []
        self._at: datetime | None = None

    def key(self, at: datetime) -> None:
        """A key came in."""
        if self._at is not None:
            self._gaps.append((at - self._at) / timedelta(milliseconds=1))
        self._at = at

    def take(self) -> Pace | None:
        """The pace since the last call; None with fewer than two keys."""
        gaps, self._gaps, self._at = self._gaps, [], None
        return Pace(mean_ms=sum(gaps) / len(gaps), longest_ms=max(gaps)) if gaps else None


def whole(typed: str, heard: str | None) -> str:
    """The scan: what the field holds, completed by what it missed.

    Keys that were heard are trusted only if all of the field's letters are among them, in order.

    >>> whole("333931", "4006381333931")
    '4006381333931'
    >>> whole("Größe-7", "gre-7")
    'Größe-7'
    """
    scan, at = "", 0
    for letter in heard or "":
        is_typed = typed[at : at + 1].casefold() == letter.casefold()
        scan += typed[at] if is_typed else letter
        at += is_typed
    return scan if at == len(typed) else typed


def _letter(key: str, *, has_shift: bool, has_ctrl: bool) -> str:
    """The label of a key is that of its cap: "A" for a as well."""
    key = key.removeprefix("Numpad ")
    if has_ctrl:
        return GS if key == "]" else ""
    if key == "Space":
        return " "
    if len(key) != 1:
        return ""
    return key if has_shift else key.lower()
