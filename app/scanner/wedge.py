"""A hardware scanner that types: frames in, whole scans out, pure, the clock passed in.

A wedge scanner is a keyboard. Characters get lost while the field has no focus, a clear from
our side can arrive after the next scan, and a person can type in the same field. So every scan
is framed (start mark from the scanner's profile, Enter at the end) and what is not whole is
refused, never looked up. Setting up scanners: docs/scanning.md.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.contract.vocabulary import SCAN_LENGTH_MAX, ScanSource
from app.scanner.events import ScanEvent
from app.scanner.gs1 import GS
from app.scanner.label import AIM_SYMBOLOGY, strip_aim

# A field's clear travels to the screen and back; within this time the old text may still be there.
CLEAR_UNCONFIRMED = timedelta(milliseconds=150)

# Scanners without a suffix: silence that ends a scan (the value OCA's warehouse app uses).
SILENCE_ENDS_SCAN = timedelta(milliseconds=50)


class RefusalReason(StrEnum):
    """Why what arrived is not a scan."""

    NO_START_MARK = "no_start_mark"
    NO_END_MARK = "no_end_mark"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    UNPRINTABLE = "unprintable"
    BAD_HEX = "bad_hex"


@dataclass(frozen=True, slots=True, kw_only=True)
class WedgeRefusal:
    """Text that must not be looked up, and why; shown, so the person scans again."""

    raw: str
    reason: RefusalReason


@dataclass(frozen=True, slots=True, kw_only=True)
class WedgeProfile:
    """How the site's scanners frame a scan.

    `start` is a printable character put before every scan ("" trusts anything that ends with
    Enter; then a truncated scan cannot be told). With `is_aim` the AIM identifier (`]C1`) is the
    start mark and names the symbology. `end` is an extra mark before Enter, or "". `separator`
    stands for GS, which keyboards cannot type. `is_hex` says the scanner sends hexadecimal.
    """

    start: str = ""
    end: str = ""
    separator: str = ""
    is_aim: bool = False
    is_hex: bool = False

    def __post_init__(self) -> None:
        for mark in (self.start, self.end, self.separator):
            if len(mark) > 1 or (mark and not mark.isprintable()):
                raise ValueError(f"a mark is one printable character, not {mark!r}")
        if self.start and self.is_aim:
            raise ValueError("the AIM identifier is the start mark: give no other")

    @property
    def is_framed(self) -> bool:
        """Whether a scan that lost its first characters can be told."""
        return bool(self.start) or self.is_aim


class WedgeAssembler:
    """Turns submitted field texts (or key-by-key changes) into scans.

    Every submit is intent: the same code twice is two scans. The only text ever dropped is the
    previous scan's own characters when the field was submitted again before our clear arrived.
    """

    def __init__(self, profile: WedgeProfile) -> None:
        self._profile = profile
        self._previous = ""
        self._previous_at: datetime | None = None
        self._growing = ""
        self._grew_at: datetime | None = None

    def submit(self, value: str, at: datetime) -> tuple[ScanEvent | WedgeRefusal, ...]:
        """The field was submitted (Enter) with this value. Usually one result; a field that
        holds two whole frames gives two; an empty field gives none."""
        self._growing = ""
        value = value.strip("\r\n\t")
        fresh = self._without_stale(value, at)
        self._previous, self._previous_at = value, at
        if not fresh:
            return ()
        return tuple(self._read(frame, at) for frame in self._frames(fresh))

    def change(self, value: str, at: datetime) -> None:
        """The field's text changed: only for scanners that cannot send Enter."""
        self._growing, self._grew_at = value, at

    def flush(self, at: datetime) -> tuple[ScanEvent | WedgeRefusal, ...]:
        """Ends a scan without Enter after 50 ms of silence; call it from a timer."""
        if not self._growing or self._grew_at is None or at - self._grew_at < SILENCE_ENDS_SCAN:
            return ()
        return self.submit(self._growing, at)

    def _without_stale(self, value: str, at: datetime) -> str:
        """The previous scan's characters, if our clear had not reached the field yet.

        An identical value is a repeat scan, not a stale field: a stale field gets longer.
        """
        recent = self._previous_at is not None and at - self._previous_at < CLEAR_UNCONFIRMED
        rest = value.removeprefix(self._previous)
        is_stale = recent and self._previous and rest and rest != value
        if is_stale and (not self._profile.is_framed or self._begins_frame(rest)):
            return rest
        return value

    def _begins_frame(self, text: str) -> bool:
        if self._profile.is_aim:
            return text[:3] in AIM_SYMBOLOGY
        return bool(self._profile.start) and text.startswith(self._profile.start)

    def _frames(self, value: str) -> list[str]:
        """Splits at start marks; characters before the first mark are a frame of their own."""
        if not self._profile.start:
            return [value]
        head, *framed = value.split(self._profile.start)
        return ([head] if head else []) + [self._profile.start + f for f in framed]

    def _read(self, frame: str, at: datetime) -> ScanEvent | WedgeRefusal:
        profile, text = self._profile, frame
        if len(frame) > 2 * SCAN_LENGTH_MAX:
            return WedgeRefusal(raw=frame[:64], reason=RefusalReason.TOO_LONG)
        if profile.is_framed and not self._begins_frame(text):
            return WedgeRefusal(raw=frame, reason=RefusalReason.NO_START_MARK)
        text = text.removeprefix(profile.start)
        if profile.end:
            if not text.endswith(profile.end):
                return WedgeRefusal(raw=frame, reason=RefusalReason.NO_END_MARK)
            text = text.removesuffix(profile.end)
        if profile.is_hex:
            try:
                text = bytes.fromhex(text).decode("utf-8")
            except ValueError:
                return WedgeRefusal(raw=frame, reason=RefusalReason.BAD_HEX)
        if profile.separator:
            text = text.replace(profile.separator, GS)
        return self._accept(frame, text, at)

    @staticmethod
    def _accept(frame: str, text: str, at: datetime) -> ScanEvent | WedgeRefusal:
        text, symbology = strip_aim(text, None)
        if not text.strip(GS):
            return WedgeRefusal(raw=frame, reason=RefusalReason.EMPTY)
        if len(text) > SCAN_LENGTH_MAX:
            return WedgeRefusal(raw=frame[:64], reason=RefusalReason.TOO_LONG)
        if any(c != GS and not c.isprintable() for c in text):
            return WedgeRefusal(raw=frame, reason=RefusalReason.UNPRINTABLE)
        return ScanEvent(text=text, symbology=symbology, source=ScanSource.WEDGE, at=at)
