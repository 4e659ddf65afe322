"""Reading one row of an import, cell by cell: every wrong cell becomes an error, none stops the rest.

Pure. A reader returns None when its cell is wrong (the error is noted) and the default when it is
empty and may be.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from app.contract.vocabulary import QUANTITY_MAX, QUANTITY_PLACES
from server.domain.gtin import GtinVerdict, judge_barcode
from server.domain.row_errors import RowCode, RowError
from server.domain.spreadsheets import damage_of, failed_formula, undefused, with_lost_zeros

CODE_LENGTH_MAX = 64
TEXT_LENGTH_MAX = 500
_FAR = datetime(2200, 1, 1, tzinfo=UTC)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRules:
    """How the other system writes: set in the mapping file, otherwise strict."""

    zone: tzinfo | None = None
    """The zone of times that name none. None: such times are refused."""
    decimal_comma: bool = False
    check_gtin: bool = True
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """column -> their word -> ours."""


@dataclass(slots=True)
class Cells:
    """One row under reading. `errors` grows as cells are found wrong."""

    line: int
    values: Mapping[str, str]
    rules: CellRules
    errors: list[RowError] = field(default_factory=list)

    def wrong(self, column: str, code: RowCode, reason: str) -> None:
        """Note that a cell cannot be used."""
        self.errors.append(RowError(line=self.line, column=column, code=code, reason=reason))

    def raw(self, column: str) -> str:
        """The cell's text, trimmed, with the other system's words put into ours."""
        text = undefused(self.values.get(column, "").strip())
        words = self.rules.words.get(column)
        return text if words is None else words.get(text, text)

    def unknown(self, column: str, code: RowCode, reason: str, known: Container[str]) -> None:
        """Note a code that is not known; where one with zeros in front is, that is what is told."""
        text = self.raw(column)
        whole = with_lost_zeros(text, known)
        if whole is not None:
            code = RowCode.LEADING_ZEROS_LOST
            reason = f"{text} is not known, {whole} is: a spreadsheet dropped the zeros in front"
        self.wrong(column, code, reason)

    def text(self, column: str) -> str | None:
        """Free text for people; "" when empty."""
        text = self.raw(column)
        if len(text) > TEXT_LENGTH_MAX:
            self.wrong(column, RowCode.VALUE_TOO_LONG, f"at most {TEXT_LENGTH_MAX} characters")
            return None
        if not text.isprintable():
            self.wrong(column, RowCode.VALUE_NOT_PRINTABLE, f"{text!r} holds control characters")
            return None
        if damage := failed_formula(text):
            self.wrong(column, *damage)
            return None
        return text

    def code(self, column: str, *, required: bool = True) -> str | None:
        """An identifier: printable, 64 characters at most, and not what a spreadsheet made of it."""
        text = self.raw(column)
        if not text:
            if required:
                self.wrong(column, RowCode.VALUE_MISSING, "the cell is empty")
                return None
            return ""
        if len(text) > CODE_LENGTH_MAX:
            self.wrong(
                column, RowCode.VALUE_TOO_LONG, f"{text[:20]}… is over {CODE_LENGTH_MAX} characters"
            )
        elif not text.isprintable():
            self.wrong(column, RowCode.VALUE_NOT_PRINTABLE, f"{text!r} holds control characters")
        elif damage := damage_of(column, text):
            self.wrong(column, *damage)
        else:
            return text
        return None

    def barcode(self, column: str, *, required: bool) -> str | None:
        """A printed code; a GTIN's check digit must be right."""
        text = self.code(column, required=required)
        if not text or not self.rules.check_gtin:
            return text
        match judge_barcode(text):
            case GtinVerdict.CHECK_DIGIT:
                self.wrong(
                    column, RowCode.GTIN_CHECK_DIGIT, f"{text} is no GTIN: its check digit is wrong"
                )
                return None
            case GtinVerdict.ZEROS_LOST:
                self.wrong(
                    column,
                    RowCode.LEADING_ZEROS_LOST,
                    f"{text} would be a GTIN with zeros in front: a spreadsheet dropped them",
                )
                return None
            case _:
                return text

    def choice(self, column: str, words: type[Word], default: Word | None = None) -> Word | None:
        """One word of a closed list. An empty cell is the default, or an error without one."""
        text = self.raw(column)
        if not text and default is not None:
            return default
        try:
            return words(text)
        except ValueError:
            listed = ", ".join(word.value for word in words)
            shown = "the cell is empty" if not text else f"{text} is not in the list"
            self.wrong(column, RowCode.VALUE_NOT_IN_LIST, f"{shown}: {listed}")
            return None

    def number(
        self, column: str, *, default: Decimal | None = None, zero: bool = True
    ) -> Decimal | None:
        """A number that is not negative, with six decimal places at most."""
        text = self.raw(column)
        if not text:
            if default is None:
                self.wrong(column, RowCode.VALUE_MISSING, "the cell is empty")
            return default
        if self.rules.decimal_comma:
            text = text.replace(",", ".")
        problem = _number_problem(text, zero=zero)
        if problem is None:
            return Decimal(text)
        self.wrong(column, *problem)
        return None

    def whole(self, column: str, default: int) -> int | None:
        """A whole number from 0 to a million."""
        value = self.number(column, default=Decimal(default))
        if value is None:
            return None
        if value != int(value) or value > 1_000_000:
            self.wrong(column, RowCode.NOT_A_NUMBER, f"{value} is not a whole number up to 1000000")
            return None
        return int(value)

    def time(self, column: str, *, required: bool = True) -> datetime | None:
        """An instant: ISO 8601 with a zone ("2026-11-23T14:05:00+01:00", or Z)."""
        text = self.raw(column)
        if not text:
            if required:
                self.wrong(column, RowCode.VALUE_MISSING, "the cell is empty")
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self.wrong(
                column,
                RowCode.TIME_UNREADABLE,
                f"{text} is no time. Write it like 2026-11-23T14:05:00+01:00",
            )
            return None
        zoned = self._zoned(column, text, at)
        if zoned is not None and not _LONG_AGO <= zoned < _FAR:
            self.wrong(column, RowCode.TIME_UNREADABLE, f"{text} is before 1970 or after 2199")
            return None
        return zoned

    def _zoned(self, column: str, text: str, at: datetime) -> datetime | None:
        if at.tzinfo is None:
            if self.rules.zone is None:
                self.wrong(
                    column,
                    RowCode.TIME_WITHOUT_ZONE,
                    f"{text} names no zone. Write {text}Z or {text}+01:00, or give time_zone in the "
                    "mapping file",
                )
                return None
            at = at.replace(tzinfo=self.rules.zone)
            if at.utcoffset() != at.replace(fold=1).utcoffset():
                self.wrong(
                    column,
                    RowCode.TIME_AMBIGUOUS,
                    f"{text} is in the hour when clocks change. Write its zone",
                )
                return None
        try:
            return at.astimezone(UTC)
        except OverflowError:
            self.wrong(column, RowCode.TIME_UNREADABLE, f"{text} is before 1970 or after 2199")
            return None


def _number_problem(text: str, *, zero: bool) -> tuple[RowCode, str] | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    # Decimal reads "1_000", "Infinity" and digits of other scripts too; people do not write those.
    if not value.is_finite() or "_" in text or not text.isascii():
        hint = ". Write a decimal point: 1.5" if "," in text else ""
        return RowCode.NOT_A_NUMBER, f"{text} is not a number{hint}"
    if "e" in text.lower():
        return RowCode.EXCEL_NUMBER, f"{text} was shortened by a spreadsheet; write all digits"
    return _size_problem(text, value, zero=zero)


def _size_problem(text: str, value: Decimal, *, zero: bool) -> tuple[RowCode, str] | None:
    if value < 0:
        return RowCode.NUMBER_NEGATIVE, f"{text} is negative; from and to give the direction"
    if value == 0 and not zero:
        return RowCode.NUMBER_ZERO, "it must be above zero"
    if value > QUANTITY_MAX:
        return RowCode.NUMBER_TOO_LARGE, f"{text} is above {QUANTITY_MAX}: is it a barcode?"
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > QUANTITY_PLACES:
        return RowCode.NUMBER_TOO_PRECISE, f"{text} has over {QUANTITY_PLACES} decimal places"
    return None
