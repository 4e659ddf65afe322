"""What a scanned text means: pure rules over the text, its symbology and the site's catalogue.

No I/O: the catalogue is asked through `Directory`. Ambiguity is an answer, never a guess.
"""

import json
from collections.abc import Callable, Sequence
from typing import Protocol

from app.contract.vocabulary import SCAN_LENGTH_MAX, ScanSource
from app.scanner.events import ScanEvent, Symbology
from app.scanner.gs1 import (
    GS,
    GsMessage,
    base_gtin,
    expand_upc_e,
    is_gtin,
    parse_message,
    sscc_of,
    swallowed_tails,
    twins,
)
from app.scanner.meanings import (
    Ambiguous,
    AmbiguousReason,
    Badge,
    BarcodeHit,
    BinLabel,
    Candidate,
    CaseLabel,
    Command,
    CommandKind,
    EnrolmentCode,
    Gs1Label,
    Meaning,
    SkuLabel,
    SsccLabel,
    Unknown,
    UnknownReason,
)

# The meanings are part of this door: callers import rules and values from here.
__all__ = [
    "AIM_SYMBOLOGY",
    "BADGE_PREFIX",
    "COMMAND_PREFIX",
    "Ambiguous",
    "AmbiguousReason",
    "Badge",
    "BarcodeHit",
    "BinLabel",
    "Candidate",
    "CaseLabel",
    "Command",
    "CommandKind",
    "Directory",
    "EnrolmentCode",
    "Gs1Label",
    "Meaning",
    "SkuLabel",
    "SsccLabel",
    "Unknown",
    "UnknownReason",
    "interpret",
    "interpret_event",
    "strip_aim",
]

COMMAND_PREFIX = "BC:CMD:"
BADGE_PREFIX = "BC:USER:"

# AIM symbology identifiers (ISO/IEC 15424) that scanners may put before the text.
AIM_SYMBOLOGY: dict[str, Symbology] = {
    "]E0": Symbology.EAN_13,
    "]E4": Symbology.EAN_8,
    "]C0": Symbology.CODE_128,
    "]C1": Symbology.GS1_128,
    "]C2": Symbology.CODE_128,
    "]A0": Symbology.CODE_39,
    "]A1": Symbology.CODE_39,
    "]A2": Symbology.CODE_39,
    "]I0": Symbology.ITF,
    "]I1": Symbology.ITF,
    "]Q0": Symbology.QR,
    "]Q1": Symbology.QR,
    "]Q3": Symbology.GS1_QR,
    "]d1": Symbology.DATA_MATRIX,
    "]d2": Symbology.GS1_DATA_MATRIX,
}


class Directory(Protocol):
    """What the site knows. Both look-ups are exact; twins are tried here, not there."""

    def lookup_bin(self, barcode: str) -> str | None:
        """The bin code whose label carries this barcode, or None."""
        ...

    def lookup_barcode(self, text: str) -> Sequence[BarcodeHit]:
        """Every SKU and unit that carries this barcode; empty if none."""
        ...


def interpret_event(event: ScanEvent, directory: Directory) -> Meaning:
    """What a scan means. A symbol that the camera read keeps its separators, as no keyboard does."""
    has_separators = event.source is ScanSource.CAMERA
    return interpret(event.text, event.symbology, directory, has_separators=has_separators)


def interpret(
    text: str,
    symbology: Symbology | None,
    directory: Directory,
    *,
    has_separators: bool = False,
) -> Meaning:
    """What a scanned text means on this site.

    With `has_separators` a GS1 symbol's text holds every separator that was printed: then a lot ends
    where it ends, and nobody is asked whether it swallowed what follows.

    Order: the symbol's own word first (AIM prefix, retail, FNC1), then our own labels, then what
    the site's tables know, and only then numbers that merely look like GS1. A bare EAN-13 is a
    GTIN: biip would also read 4006381333931 as `(400) order number`.
    """
    text, symbology = strip_aim(text, symbology)
    refused = _refuse(text)
    if refused is not None:
        return refused
    if symbology is not None and symbology.is_retail:
        return _retail(text, symbology, directory)
    if symbology is not None and symbology.is_gs1:
        return _message(text, directory, is_whole=has_separators) or Unknown(
            text=text, reason=UnknownReason.NOT_A_GS1_MESSAGE
        )
    steps: tuple[Callable[[], Meaning | None], ...] = (
        lambda: _own_label(text),
        lambda: _known(text, symbology, directory),
        lambda: _message(text, directory) if _looks_like_message(text) else None,
        lambda: _case_of_known_piece(text, directory),
    )
    for step in steps:
        meaning = step()
        if meaning is not None:
            return meaning
    return _nothing(text, symbology)


def strip_aim(text: str, symbology: Symbology | None) -> tuple[str, Symbology | None]:
    """Takes an AIM identifier off the text; it decides the symbology where none was known.

    ]E0 covers EAN-13, UPC-A and UPC-E alike; the text's length tells them apart.
    """
    text = text.strip("\r\n\t ")
    if len(text) < 4 or text[0] != "]" or not text[1].isalpha() or not text[2].isalnum():
        return text, symbology
    named = AIM_SYMBOLOGY.get(text[:3])
    text = text[3:]
    if named is Symbology.EAN_13 and len(text) == 12:
        named = Symbology.UPC_A
    elif named is Symbology.EAN_13 and len(text) == 8:
        named = Symbology.UPC_E
    return text, named or symbology


def _refuse(text: str) -> Unknown | None:
    if not text.strip(GS):
        return Unknown(text=text, reason=UnknownReason.EMPTY)
    if len(text) > SCAN_LENGTH_MAX:
        return Unknown(text=text[:SCAN_LENGTH_MAX], reason=UnknownReason.TOO_LONG)
    if any(c != GS and not c.isprintable() for c in text):
        return Unknown(text=text, reason=UnknownReason.UNPRINTABLE)
    return None


def _own_label(text: str) -> Meaning | None:
    if text.startswith(COMMAND_PREFIX):
        name = text.removeprefix(COMMAND_PREFIX)
        if name in CommandKind.__members__:
            return Command(kind=CommandKind(name))
        return Unknown(text=text, reason=UnknownReason.UNKNOWN_COMMAND)
    if text.startswith(BADGE_PREFIX):
        user_id = text.removeprefix(BADGE_PREFIX).strip()
        if not user_id:
            return Unknown(text=text, reason=UnknownReason.EMPTY_BADGE)
        return Badge(user_id=user_id)
    if text.startswith("{"):
        return _enrolment(text)
    return None


def _enrolment(text: str) -> Meaning | None:
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(words, dict) or "token" not in words:
        return None
    url, token, ca = words.get("url"), words.get("token"), words.get("ca")
    if words.get("v") == 1 and isinstance(url, str) and isinstance(token, str) and token:
        is_web = url.startswith(("http://", "https://"))
        if is_web and (ca is None or isinstance(ca, str)):
            return EnrolmentCode(url=url, token=token, ca=ca)
    return Unknown(text="", reason=UnknownReason.ENROLMENT_BROKEN)


def _retail(text: str, symbology: Symbology, directory: Directory) -> Meaning:
    number = text
    if symbology is Symbology.UPC_E:
        number = expand_upc_e(text) or text
    if not is_gtin(number):
        return Unknown(text=text, reason=UnknownReason.CHECK_DIGIT_WRONG)
    found = _catalogue([*twins(number), text], directory)
    return _one(text, found) or Unknown(
        text=text, reason=UnknownReason.NOT_IN_CATALOGUE, gtin=number.zfill(14)
    )


def _known(text: str, symbology: Symbology | None, directory: Directory) -> Meaning | None:
    found: list[Candidate] = []
    bin_code = directory.lookup_bin(text)
    if bin_code is not None:
        found.append(Candidate(meaning=BinLabel(bin=bin_code), reason=AmbiguousReason.BIN_LABEL))
    forms = [text]
    if is_gtin(text) and symbology is not Symbology.CODE_39:
        forms += twins(text)
    if symbology is None and (upc_a := expand_upc_e(text)):
        forms += twins(upc_a)
    return _one(text, found + _catalogue(forms, directory))


def _catalogue(forms: Sequence[str], directory: Directory) -> list[Candidate]:
    hits = {
        hit: form
        for form in reversed(list(dict.fromkeys(forms)))
        for hit in directory.lookup_barcode(form)
    }
    return [
        Candidate(meaning=_of_hit(hit, form), reason=AmbiguousReason.CATALOGUE_BARCODE)
        for hit, form in sorted(hits.items(), key=lambda pair: (pair[0].sku, pair[0].factor))
    ]


def _of_hit(hit: BarcodeHit, barcode: str) -> SkuLabel | CaseLabel:
    if hit.factor == 1:
        return SkuLabel(sku=hit.sku, unit=hit.unit, barcode=barcode)
    return CaseLabel(sku=hit.sku, unit=hit.unit, factor=hit.factor, barcode=barcode)


def _one(text: str, found: Sequence[Candidate]) -> Meaning | None:
    if not found:
        return None
    if len(found) == 1:
        return found[0].meaning
    return Ambiguous(text=text, candidates=tuple(found))


def _looks_like_message(text: str) -> bool:
    """Strong signs only: brackets, a separator, a Digital Link, or a leading GTIN or SSCC."""
    if text.startswith("(") or GS in text or text.lower().startswith(("http://", "https://")):
        return True
    if text[:2] in {"01", "02"} and len(text) >= 16:
        return is_gtin(text[2:16])
    return text[:2] == "00" and len(text) >= 20 and sscc_of(text[2:20]) is not None


def _message(text: str, directory: Directory, *, is_whole: bool = False) -> Meaning | None:
    message = parse_message(text)
    if message is None:
        return None
    meaning = _of_message(message, text, directory)
    is_whole = is_whole or GS in text or text.startswith(("(", "http", "HTTP"))
    if isinstance(meaning, Ambiguous) or is_whole:
        return meaning
    others = [
        Candidate(meaning=other, reason=AmbiguousReason.SEPARATOR_LOST)
        for split, _what in swallowed_tails(text)
        if (parsed := parse_message(split)) is not None
        and not isinstance(other := _of_message(parsed, split, directory), Ambiguous)
    ]
    if not others:
        return meaning
    first = Candidate(meaning=meaning, reason=AmbiguousReason.LOT_RUNS_TO_THE_END)
    return Ambiguous(text=text, candidates=(first, *others))


def _of_message(
    message: GsMessage, text: str, directory: Directory
) -> Gs1Label | SsccLabel | Ambiguous:
    hits: dict[BarcodeHit, None] = {}
    for form in twins(message.gtin) if message.gtin else ():
        hits |= dict.fromkeys(directory.lookup_barcode(form))
    labels = [Gs1Label(message=message, hit=hit) for hit in hits] or [
        Gs1Label(message=message, hit=None)
    ]
    if message.sscc is not None:
        content = labels[0] if message.gtin and len(labels) == 1 else None
        return SsccLabel(sscc=message.sscc, content=content)
    if len(labels) == 1:
        return labels[0]
    return Ambiguous(
        text=text,
        candidates=tuple(
            Candidate(meaning=label, reason=AmbiguousReason.CATALOGUE_BARCODE) for label in labels
        ),
    )


def _case_of_known_piece(text: str, directory: Directory) -> Meaning | None:
    """A case code whose piece is known but whose factor is not: never guessed, always asked."""
    base = base_gtin(text) if is_gtin(text) else None
    if base is None:
        return None
    found = _catalogue(twins(base), directory)
    asked = tuple(
        Candidate(meaning=c.meaning, reason=AmbiguousReason.CASE_OF_KNOWN_PIECE) for c in found
    )
    return Ambiguous(text=text, candidates=asked) if asked else None


def _nothing(text: str, symbology: Symbology | None) -> Meaning:
    if is_gtin(text):
        return Unknown(text=text, reason=UnknownReason.NOT_IN_CATALOGUE, gtin=text.zfill(14))
    if symbology is not Symbology.CODE_39 and (sscc := sscc_of(text)) is not None:
        return SsccLabel(sscc=sscc)
    return Unknown(text=text, reason=UnknownReason.NOT_IN_CATALOGUE)
