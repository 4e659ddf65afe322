"""The hardware scanner's page: what it really sends, how it frames its scans, each tone to listen to."""

from __future__ import annotations

import flet as ft

from app.contract.vocabulary import ScanSource, quantity_text
from app.scanner.events import ScanEvent
from app.scanner.label import (
    AIM_SYMBOLOGY,
    Ambiguous,
    BarcodeHit,
    BinLabel,
    CaseLabel,
    Gs1Label,
    Meaning,
    SkuLabel,
    SsccLabel,
    Unknown,
    interpret_event,
)
from app.scanner.profile import SEPARATORS, learn, with_separator
from app.scanner.wedge import WedgeProfile
from app.screens.floor.desk import FloorDesk, LastScan
from app.screens.floor.side import box, fact
from app.screens.parts.band import live
from app.screens.parts.buttons import button, chip
from app.screens.parts.text import code, words
from app.screens.theme import Pair

TONES = ("accept", "case", "attention", "reject", "undo", "done")
POINTS_SHOWN = 48


@ft.component
def ScannerScreen(desk: FloorDesk, last: LastScan, is_ready: bool, problem: str) -> ft.Control:
    """Scan anything: nothing is counted here."""
    parts = [_verdict(desk, last, is_ready), *_proposal(desk, last)]
    if last.raw:
        parts += _came_in(desk, last)
    if problem:
        parts.append(live(box(desk, problem), problem))
    parts += [*_frame(desk), *_advice(desk, last), *_tones(desk)]
    return ft.ListView(parts, spacing=12, padding=16, expand=True)


def readable(raw: str) -> str:
    """A scan with its control characters and blanks by name.

    >>> readable("]C110A" + chr(29) + "21 7")
    ']C110A<GS>21<SP>7'
    """
    names = {"\x1d": "<GS>", " ": "<SP>", "\t": "<HT>", "\r": "<CR>", "\n": "<LF>"}
    return "".join(names.get(c) or (c if c.isprintable() else f"<{ord(c):02X}>") for c in raw)


def is_of_the_site(desk: FloorDesk, event: ScanEvent) -> bool:
    """Whether a scan is a label that this site knows: what a frame can be learnt from."""
    meaning = interpret_event(event, desk.service.directory)
    if isinstance(meaning, Gs1Label):
        return meaning.hit is not None
    return not isinstance(meaning, Unknown | Ambiguous | SsccLabel)


def _verdict(desk: FloorDesk, last: LastScan, is_ready: bool) -> ft.Control:
    say, palette = desk.say, desk.palette
    verdict = say("scanner_test.ready" if is_ready else "scanner_test.not_ready")
    if last.refusal:
        verdict = say("scanner_test.refused")
    elif last.number:
        verdict = say("scanner_test.got", n=last.number)
    return live(words(verdict, size=20, strong=True, color=palette.text), verdict)


def _came_in(desk: FloorDesk, last: LastScan) -> list[ft.Control]:
    """The letters, their code points, the pace, and what it means."""
    say, palette = desk.say, desk.palette
    points = " ".join(f"{ord(c):02X}" for c in last.raw[:POINTS_SHOWN])
    parts: list[ft.Control] = [
        code(readable(last.raw), size=22, color=palette.accent, lines=3, key="last_scan"),
        code(points, size=14, color=palette.muted, lines=4),
    ]
    if last.refusal:
        parts.append(box(desk, say(f"refusal.{last.refusal}")))
    facts = [
        (say("scanner_test.source"), say(f"source.{last.source}")),
        (say("scanner_test.length"), str(len(last.raw))),
    ]
    if last.source == ScanSource.WEDGE:
        facts.append((say("scanner_test.pace"), _pace(desk, last)))
    if last.event is not None:
        kind = last.event.symbology
        if kind is not None:
            aim = last.raw[:3] if last.raw[:3] in AIM_SYMBOLOGY else ""
            facts.append((say("scanner_test.kind"), f"{kind.value} {aim}".strip()))
        meaning = interpret_event(last.event, desk.service.directory)
        facts.append((say("scanner_test.meaning"), meaning_words(desk, meaning)))
    return parts + [fact(desk, name, value) for name, value in facts]


def _pace(desk: FloorDesk, last: LastScan) -> str:
    if last.pace is None:
        return desk.say("scanner_test.no_pace")
    mean, longest = round(last.pace.mean_ms), round(last.pace.longest_ms)
    return desk.say("scanner_test.pace_ms", mean=mean, longest=longest)


def meaning_words(desk: FloorDesk, meaning: Meaning) -> str:
    """What a scan means on this site, as a sentence."""
    say = desk.say
    match meaning:
        case BinLabel():
            told = say("meaning.bin", bin=meaning.bin)
        case SkuLabel():
            told = say("meaning.item", item=desk.service.title_of(meaning.sku), sku=meaning.sku)
        case CaseLabel():
            hit = BarcodeHit(sku=meaning.sku, unit=meaning.unit, factor=meaning.factor)
            told = _pack_words(desk, hit)
        case Gs1Label():
            told = _gs1_words(desk, meaning)
        case SsccLabel():
            told = say("meaning.pallet", number=meaning.sscc)
        case Ambiguous():
            told = say("meaning.ambiguous", n=len(meaning.candidates))
        case Unknown():
            told = say(f"meaning.unknown_{meaning.reason.value}")
        case _:
            told = say("meaning.own")
    return told


def _pack_words(desk: FloorDesk, hit: BarcodeHit) -> str:
    item = desk.service.title_of(hit.sku)
    if hit.factor == 1:
        return desk.say("meaning.item", item=item, sku=hit.sku)
    return desk.say("meaning.case", item=item, sku=hit.sku, n=hit.factor)


def _gs1_words(desk: FloorDesk, label: Gs1Label) -> str:
    say, message = desk.say, label.message
    parts = [_pack_words(desk, label.hit) if label.hit else say("meaning.unknown_not_in_catalogue")]
    if message.lot:
        parts.append(say("meaning.lot", lot=message.lot))
    if message.serial:
        parts.append(say("meaning.serial", serial=message.serial))
    if message.expiry is not None:
        parts.append(say("count.expires", date=message.expiry.isoformat()))
    if message.count is not None:
        parts.append(say("meaning.count", count=quantity_text(message.count)))
    return " \u00b7 ".join(parts)


# -- the frame


def frame_words(desk: FloorDesk, profile: WedgeProfile) -> str:
    """A profile as a sentence."""
    say = desk.say
    begins = say("frame.plain")
    if profile.is_aim:
        begins = say("frame.aim")
    elif profile.start:
        begins = say("frame.start", mark=profile.start)
    parts = [begins]
    if profile.end:
        parts.append(say("frame.end", mark=profile.end))
    if profile.is_hex:
        parts.append(say("frame.hex"))
    return " ".join(parts)


def _frame(desk: FloorDesk) -> list[ft.Control]:
    """How scans are framed now, how to change it, and the sign for GS."""
    say, palette, now = desk.say, desk.palette, desk.rim.profile
    parts: list[ft.Control] = [fact(desk, say("frame.title"), frame_words(desk, now))]
    if now.is_framed or now.end or now.is_hex:
        plain = WedgeProfile(separator=now.separator)
        parts.append(_wide(desk, say("frame.forget"), "forget_profile", plain, palette.calm))
    parts += [words(say("frame.how"), size=16, color=palette.muted), *_separators(desk, now)]
    return parts


def _proposal(desk: FloorDesk, last: LastScan) -> list[ft.Control]:
    """The frame that the newest scan would teach, on top: it is what the person came for."""
    learnt = _learnt(desk, last, desk.rim.profile)
    if learnt is None:
        return []
    sentence = desk.say("frame.learnt", frame=frame_words(desk, learnt))
    return [
        live(box(desk, sentence, pair=desk.palette.calm), sentence),
        _wide(desk, desk.say("frame.use"), "use_profile", learnt),
    ]


def _learnt(desk: FloorDesk, last: LastScan, now: WedgeProfile) -> WedgeProfile | None:
    """The frame of the newest scan, if it is another than the one in use.

    A scan without its mark is what the marks are for: it is not taken for a new way of scanning.
    """
    if last.source != ScanSource.WEDGE:
        return None
    found = learn(last.raw, lambda event: is_of_the_site(desk, event))
    if found is None or (now.is_framed and not found.is_framed):
        return None
    found = with_separator(found, now.separator)
    return found if found != now else None


def _separators(desk: FloorDesk, now: WedgeProfile) -> list[ft.Control]:
    chips: list[ft.Control] = [
        chip(
            sign or desk.say("frame.no_separator"),
            key=f"separator-{number}",
            on_press=lambda sign=sign: desk.use_profile(with_separator(now, sign)),  # type: ignore[misc]
            palette=desk.palette,
            selected=now.separator == sign,
            expand=True,
        )
        for number, sign in enumerate(SEPARATORS)
    ]
    title = words(desk.say("frame.separator"), size=16, color=desk.palette.muted)
    return [title, ft.Row(chips, spacing=8)]


def _wide(
    desk: FloorDesk, text: str, key: str, profile: WedgeProfile, pair: Pair | None = None
) -> ft.Control:
    made = button(
        text, key=key, on_press=lambda: desk.use_profile(profile), palette=desk.palette, pair=pair
    )
    return ft.Row([made])


def _advice(desk: FloorDesk, last: LastScan) -> list[ft.Control]:
    """What to change in the scanner's own settings, as long as a cut-off scan would not be noticed."""
    say = desk.say
    is_named = last.event is not None and last.event.symbology is not None
    if last.source != ScanSource.WEDGE.value or is_named or desk.rim.profile.is_framed:
        return []
    steps = [say("scanner_test.zebra"), say("scanner_test.honeywell")]
    return [
        box(desk, say("scanner_test.no_id")),
        *(words(step, size=16, color=desk.palette.text) for step in steps),
    ]


def _tones(desk: FloorDesk) -> list[ft.Control]:
    palette = desk.palette
    rows: list[ft.Control] = [words(desk.say("scanner_test.tones"), size=16, color=palette.muted)]
    for at in range(0, len(TONES), 3):
        chips: list[ft.Control] = [
            chip(
                desk.say(f"tone.{tone}"),
                key=f"tone-{tone}",
                on_press=lambda tone=tone: desk.play(tone),  # type: ignore[misc]
                palette=palette,
                expand=True,
            )
            for tone in TONES[at : at + 3]
        ]
        rows.append(ft.Row(chips, spacing=8))
    return rows
