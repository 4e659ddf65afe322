"""What spreadsheets do to text that passes through them, and what they must not be given to run. Pure."""

from __future__ import annotations

import re
from collections.abc import Container

from server.domain.row_errors import RowCode

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a cell that begins so (OWASP, CSV injection)."""

_PLAIN_NUMBER = re.compile(r"^-?\d+(\.\d+)?$", re.ASCII)
_SCIENTIFIC = re.compile(r"^\d+([.,]\d+)?[eE]\+?\d+$")
_MONTHS = (
    "jan(uary|uar)?|feb(ruary|ruar)?|mar(ch)?|mär(z)?|apr(il)?|may|mai|june?|juni|july?|juli|"
    "aug(ust)?|sept?(ember)?|oct(ober)?|okt(ober)?|nov(ember)?|dec(ember)?|dez(ember)?"
)
_EXCEL_DATE = re.compile(
    rf"^(\d{{1,2}}[-. ]+({_MONTHS})\.?([-. ]\d{{2,4}})?|({_MONTHS})\.?[-. ]\d{{2,4}}"
    r"|\d{4}-\d\d-\d\d[T ]00:00:00)$",
    re.IGNORECASE,
)
_DAY_OF_YEAR = re.compile(r"^\d{1,2}([./])\d{1,2}\1(19|20)\d\d$")
"""What becomes of 1-3-1: no bin and no SKU is called 01.03.2001. Lots and documents may be."""
_EXCEL_ERROR = re.compile(
    r"^#(N/A|NV|(REF|BEZUG|VALUE|WERT|DIV/0|NUM|ZAHL|NULL|SPILL|CALC)!|NAME\?|#{2,})$"
)
"""What a formula shows when it failed, and a number in a column that is too narrow."""
_NEVER_A_DATE = frozenset({"bin", "from_bin", "to_bin", "sku"})
MONTH_STARTS = frozenset(
    name[:3] for name in re.sub(r"\(.*?\)\??", "", _MONTHS).replace("?", "").split("|")
)
"""How every text begins that could be a spreadsheet's date with the month in front."""
_PADDED_MAX = 14
"""Digits of the longest code that is looked for with zeros in front: a GTIN's."""


def defused(text: str) -> str:
    """Text that a spreadsheet will not run: with an apostrophe in front where it looks like a formula.

    Text that begins with apostrophes before such a sign gets one more, so that `undefused` is exact.
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_STARTS) else text


def as_cell(text: str) -> str:
    """A cell of a report that is opened in a spreadsheet: numbers as they are, signs included."""
    return text if _PLAIN_NUMBER.match(text) else defused(text)


def undefused(text: str) -> str:
    """The text before `defused`."""
    is_defused = text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS)
    return text[1:] if is_defused else text


def with_lost_zeros(text: str, known: Container[str]) -> str | None:
    """The known code that this one is without its zeros in front; None when there is none."""
    if not (text.isascii() and text.isdigit()):
        return None
    padded = (text.zfill(length) for length in range(len(text) + 1, _PADDED_MAX + 1))
    return next((code for code in padded if code in known), None)


def damage_of(column: str, text: str) -> tuple[RowCode, str] | None:
    """What a spreadsheet made of a code, and how to keep it from that; None when it is whole."""
    if _SCIENTIFIC.match(text):
        what = f"{text} is a number that a spreadsheet shortened: its digits are lost"
        return RowCode.EXCEL_NUMBER, f"{what}. {_AS_TEXT}"
    if _EXCEL_DATE.match(text) or (column in _NEVER_A_DATE and _DAY_OF_YEAR.match(text)):
        what = f"{text} is a date that a spreadsheet made of a code"
        return RowCode.EXCEL_DATE, f"{what}. {_AS_TEXT}"
    return failed_formula(text)


def failed_formula(text: str) -> tuple[RowCode, str] | None:
    """That a cell shows an error where its text should be; None when it does not."""
    if _EXCEL_ERROR.match(text) is None:
        return None
    what = "is what a spreadsheet shows where a formula failed or a column is too narrow"
    return RowCode.EXCEL_ERROR, f"{text} {what}"


_AS_TEXT = "Format the column as text before filling it"
