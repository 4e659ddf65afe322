"""What a printed number is: a GTIN with a right check digit, a GTIN that was damaged, or an own code."""

from __future__ import annotations

from enum import StrEnum

from biip import ParseError
from biip.gtin import Gtin

GTIN_LENGTHS = (8, 12, 13, 14)


class GtinVerdict(StrEnum):
    VALID = "valid"
    OWN = "own"
    """Not a GTIN and does not look like one: a code of the house's own."""
    CHECK_DIGIT = "check_digit"
    """As long as a GTIN, but its last digit does not fit the others."""
    ZEROS_LOST = "zeros_lost"
    """With zeros in front it would be a GTIN: a spreadsheet read it as a number."""


def judge_barcode(text: str) -> GtinVerdict:
    """Judge a barcode's text. Only digits are judged; anything else is a code of the house's own.

    GS1 General Specifications 7.9: the last digit of every GTIN is a check digit, modulo 10.
    """
    if not (text.isascii() and text.isdigit()):
        return GtinVerdict.OWN
    if len(text) in GTIN_LENGTHS:
        return GtinVerdict.VALID if _is_gtin(text) else GtinVerdict.CHECK_DIGIT
    longer = next((length for length in GTIN_LENGTHS if length > len(text)), None)
    # Six digits may be a UPC-E or an own number; only a short loss is told apart from those.
    if longer is not None and len(text) >= 7 and _is_gtin(text.zfill(longer)):
        return GtinVerdict.ZEROS_LOST
    return GtinVerdict.OWN


def with_check_digit(digits: str) -> str:
    """The GTIN of its leading digits: they and their check digit."""
    total = sum(
        int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))
    )
    return f"{digits}{-total % 10}"


def _is_gtin(text: str) -> bool:
    try:
        return Gtin.parse(text).value == text
    except ParseError:
        return False
