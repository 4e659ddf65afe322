"""GS1 numbers and messages, read through biip: check digits, twins, element strings.

Pure. No catalogue knowledge here; that is `app.scanner.label`.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import biip
from biip.checksums import gs1_standard_check_digit
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementStrings
from biip.gs1_messages import GS1Message
from biip.sscc import Sscc
from biip.upc import Upc

GS = "\x1d"

# Lengths a GTIN may have in print (GS1 General Specifications 3.3).
_GTIN_LENGTHS = frozenset({8, 12, 13, 14})


@dataclass(frozen=True, slots=True, kw_only=True)
class GsMessage:
    """The parts of a GS1 message a count needs, and the rest by application identifier.

    `gtin` has 14 digits; it is AI 01, or AI 02 (`is_content`) when the message describes what is
    inside a logistic unit. `count` is AI 30 or 37 in trade items; `weight_kg` is AI 310n.
    `expiry` is AI 17, else AI 15 (best before), named by `expiry_kind`.
    """

    gtin: str | None = None
    is_content: bool = False
    sscc: str | None = None
    lot: str | None = None
    serial: str | None = None
    expiry: date | None = None
    expiry_kind: str | None = None
    count: Decimal | None = None
    weight_kg: Decimal | None = None
    elements: dict[str, str] = field(default_factory=dict)


def is_check_digit_right(digits: str) -> bool:
    """Whether the last digit is the GS1 check digit of the rest (any GTIN or SSCC length)."""
    return (
        len(digits) > 1
        and digits.isascii()
        and digits.isdigit()
        and gs1_standard_check_digit(digits[:-1]) == int(digits[-1])
    )


def is_gtin(text: str) -> bool:
    """Whether a text can be a GTIN-8, -12, -13 or -14 with a right check digit."""
    return len(text) in _GTIN_LENGTHS and is_check_digit_right(text) and text.strip("0") != ""


def expand_upc_e(text: str) -> str | None:
    """The UPC-A of an 8-digit UPC-E, or None if it is none."""
    if len(text) != 8 or not text.isdigit():
        return None
    try:
        return Upc.parse(text).as_upc_a()
    except biip.ParseError:
        return None


def twins(gtin: str) -> tuple[str, ...]:
    """Every printed length of one GTIN, as given first: a UPC-A is an EAN-13 that begins with 0."""
    bare = gtin.lstrip("0")
    forms = [gtin] + [bare.zfill(n) for n in (13, 12, 8, 14) if len(bare) <= n]
    return tuple(dict.fromkeys(forms))


def base_gtin(gtin14: str) -> str | None:
    """The GTIN-13 of the single item inside a case code (indicator 1-8), or None for others."""
    if len(gtin14) != 14 or gtin14[0] not in "12345678":
        return None
    body = gtin14[1:13]
    return body + str(gs1_standard_check_digit(body))


def parse_message(text: str, separators: tuple[str, ...] = (GS,)) -> GsMessage | None:
    """A GS1 element string, human-readable `(01)...` text or Digital Link; None if it is none.

    A message must begin with 00, 01 or 02 or carry a known set of identifiers; whether a bare
    digit string should be taken for a message at all is the caller's decision.
    """
    try:
        if text.lower().startswith(("http://", "https://")):
            return _fold(GS1DigitalLinkURI.parse(text).element_strings)
        if text.startswith("("):
            return _fold(GS1Message.parse_hri(text).element_strings)
        config = biip.ParseConfig(separator_chars=separators)
        return _fold(
            GS1Message.parse(text.strip("".join(separators)), config=config).element_strings
        )
    except (biip.ParseError, ValueError, ArithmeticError):
        return None


def sscc_of(text: str) -> str | None:
    """The SSCC of an 18-digit text with a right check digit, or None."""
    try:
        return Sscc.parse(text).value
    except biip.ParseError:
        return None


def swallowed_tails(text: str) -> list[tuple[str, str]]:
    """Where a lot or serial read without separators may have swallowed what follows it.

    Without FNC1 a variable-length field runs to the end: `10ABC17261231` is lot `ABC17261231`,
    or lot `ABC` and an expiry. Returns (text with the separator put back, what it would be) for
    each split whose tail is a date that exists or a count, and nothing else. Only a tail of
    dates is convincing enough to ask; serials after lots cannot be told apart from lots.
    """
    found = []
    for match in re.finditer(r"(?:11|13|15|17)\d{6}", text):
        head, tail = text[: match.start()], text[match.start() :]
        if len(head) < 4:
            continue
        whole, first, rest = parse_message(text), parse_message(head), parse_message(tail)
        if whole is None or first is None or rest is None:
            continue
        keys = set(rest.elements)
        if keys <= {"11", "13", "15", "17", "30", "37"} and not keys & set(whole.elements):
            found.append((head + GS + tail, ", ".join(f"({ai})" for ai in sorted(keys))))
    return found


def _fold(elements: GS1ElementStrings) -> GsMessage | None:
    if not elements:
        return None
    if any(e.gtin_error or e.sscc_error for e in elements):
        return None
    by_ai = {e.ai.ai: e for e in elements}
    item = by_ai.get("01") or by_ai.get("02")
    expiry = by_ai.get("17") or by_ai.get("15")
    count = by_ai.get("30") or by_ai.get("37")
    weight = next((e for ai, e in by_ai.items() if re.fullmatch(r"310\d", ai)), None)
    return GsMessage(
        gtin=item.value if item else None,
        is_content="01" not in by_ai and "02" in by_ai,
        sscc=by_ai["00"].value if "00" in by_ai else None,
        lot=by_ai["10"].value if "10" in by_ai else None,
        serial=by_ai["21"].value if "21" in by_ai else None,
        expiry=expiry.date if expiry else None,
        expiry_kind=expiry.ai.ai if expiry else None,
        count=Decimal(count.value) if count else None,
        weight_kg=weight.decimal if weight else None,
        elements={ai: e.value for ai, e in by_ai.items()},
    )
