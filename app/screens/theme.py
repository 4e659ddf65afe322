"""Sizes and colours. Every text pair here has a contrast of at least 7 : 1, kept by a test.

Sources of the figures: WCAG 2.2 (2.5.5 targets, 1.4.6 contrast), keypad key sizes after Colle and
Hiszem 2004 (errors fall up to 20 mm keys), worn gloves: nothing to press under 56 dp on the floor.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.counting.state import Tone

UNIT = 8
"""Everything is a multiple of this, dp."""
RADIUS = 12
TARGET = 56
"""Smallest thing to press on the floor, dp; 48 on the review screens."""
BUTTON = 72
KEY_HEIGHT = 64
ROW = 64
FLOOR_WIDTH = 480
"""A floor screen on a desk monitor stays a phone's width."""
LOW_WIDTH = 960
"""And this wide where the screen is low and two halves stand side by side."""

TEXT_MIN = 14
BODY = 16
SKU = 20
BIN = 28
QUANTITY = 56

MONO = "Mono"
"""Codes are set in a face with a slashed zero: O and 0 are different bins."""
FONTS = {MONO: "/fonts/NotoSansMono-Bold.ttf"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A background and what is written on it."""

    back: str
    front: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one theme."""

    page: str
    surface: str
    raised: str
    edge: str
    text: str
    muted: str
    primary: Pair
    accent: str
    ok: Pair
    reject: Pair
    warn: Pair
    info: Pair
    calm: Pair

    def tone(self, tone: Tone) -> Pair:
        """Colours of an answer; the shape of its icon says the same without colour."""
        return {
            Tone.ACCEPT: self.ok,
            Tone.CASE: self.ok,
            Tone.DONE: self.ok,
            Tone.ATTENTION: self.warn,
            Tone.REJECT: self.reject,
            Tone.UNDO: self.calm,
            Tone.QUIET: self.calm,
        }[tone]

    def text_pairs(self) -> list[Pair]:
        """All pairs that carry text, for the contrast test."""
        plain = [
            Pair(back=back, front=front)
            for back in (self.page, self.surface, self.raised)
            for front in (self.text, self.muted, self.accent)
        ]
        filled = [self.primary, self.ok, self.reject, self.warn, self.info, self.calm]
        return [*plain, *filled]


_OK = Pair(back="#0A5C32", front="#FFFFFF")
_REJECT = Pair(back="#B00020", front="#FFFFFF")
_WARN = Pair(back="#FFC107", front="#111827")
_INFO = Pair(back="#0A4DB0", front="#FFFFFF")

DARK = Palette(
    page="#0B0F14",
    surface="#151B23",
    raised="#212A35",
    edge="#3A4654",
    text="#F3F6FA",
    muted="#B9C4D0",
    primary=Pair(back="#9CC1FF", front="#0B0F14"),
    accent="#9CC1FF",
    ok=_OK,
    reject=_REJECT,
    warn=_WARN,
    info=_INFO,
    calm=Pair(back="#2B3541", front="#F3F6FA"),
)

LIGHT = Palette(
    page="#F4F6F9",
    surface="#FFFFFF",
    raised="#EEF1F5",
    edge="#C3CBD6",
    text="#111827",
    muted="#3F4A59",
    primary=_INFO,
    accent="#0A4796",
    ok=_OK,
    reject=_REJECT,
    warn=_WARN,
    info=_INFO,
    calm=Pair(back="#E3E8EF", front="#111827"),
)


def contrast(pair: Pair) -> float:
    """WCAG 2.2 contrast ratio of a pair, 1 to 21."""
    light, dark = sorted((_luminance(pair.back), _luminance(pair.front)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
