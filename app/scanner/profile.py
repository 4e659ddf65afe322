"""How this device's hardware scanner frames a scan: learnt from one label of the site, kept as text. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime

from app.scanner.events import ScanEvent
from app.scanner.label import AIM_SYMBOLOGY
from app.scanner.wedge import WedgeAssembler, WedgeProfile

SEPARATORS = ("", "|", "~", "^")
"""What may stand for GS on a keyboard; no label of ours and no GS1 field holds them (GS1 table 7.11-1)."""

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def profile_text(profile: WedgeProfile) -> str:
    """A profile as it is kept on the device."""
    return json.dumps(asdict(profile), sort_keys=True)


def read_profile(text: str | None) -> WedgeProfile:
    """The kept profile; the plain one when there is none or the text is no profile."""
    try:
        kept = json.loads(text or "{}")
        known = {name: kept[name] for name in asdict(WedgeProfile()) if name in kept}
        profile = WedgeProfile(**known)
    except (ValueError, TypeError, AttributeError):
        return WedgeProfile()
    plain = asdict(WedgeProfile())
    is_sound = all(type(value) is type(plain[name]) for name, value in asdict(profile).items())
    return profile if is_sound else WedgeProfile()


def learn(raw: str, is_known: Callable[[ScanEvent], bool]) -> WedgeProfile | None:
    """The frame that the scanner puts around its scans, from a scan of a label the site knows.

    None if no label of the site is inside: one that is unknown, or cut off. The plainest frame that
    explains the scan is taken; each is tried with the assembler that will use it.
    """
    for profile in _frames(raw.strip("\r\n\t")):
        results = WedgeAssembler(profile).submit(raw, _LONG_AGO)
        if len(results) == 1 and isinstance(results[0], ScanEvent) and is_known(results[0]):
            return profile
    return None


def with_separator(profile: WedgeProfile, separator: str) -> WedgeProfile:
    """The same frame with another sign for GS; a sign that is a mark already changes nothing."""
    is_taken = bool(separator) and separator in (profile.start, profile.end)
    return profile if is_taken else replace(profile, separator=separator)


def _frames(raw: str) -> Iterator[WedgeProfile]:
    """Every frame this text can have, plain ones first; a mark is no letter and no digit."""
    if len(raw) < 2:
        return
    ends = ("", _mark(raw[-1])) if _mark(raw[-1]) else ("",)
    for is_hex in (False, True):
        for end in ends:
            if raw[:3] in AIM_SYMBOLOGY:
                yield WedgeProfile(is_aim=True, end=end, is_hex=is_hex)
                continue
            yield WedgeProfile(end=end, is_hex=is_hex)
            if _mark(raw[0]):
                yield WedgeProfile(start=raw[0], end=end, is_hex=is_hex)


def _mark(letter: str) -> str:
    is_mark = letter.isprintable() and not letter.isalnum() and letter != " "
    return letter if is_mark else ""
