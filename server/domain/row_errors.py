"""What can be wrong with a row of an import: a closed list of codes, each with its sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RowCode(StrEnum):
    """Stable names for machines. The sentence for people is in the error's `reason`."""

    COLUMN_MISSING = "column-missing"
    CELLS_WRONG = "cells-wrong"
    VALUE_MISSING = "value-missing"
    VALUE_TOO_LONG = "value-too-long"
    VALUE_NOT_PRINTABLE = "value-not-printable"
    VALUE_NOT_IN_LIST = "value-not-in-list"
    NOT_A_NUMBER = "not-a-number"
    NUMBER_NEGATIVE = "number-negative"
    NUMBER_ZERO = "number-zero"
    NUMBER_TOO_LARGE = "number-too-large"
    NUMBER_TOO_PRECISE = "number-too-precise"
    TIME_UNREADABLE = "time-unreadable"
    TIME_WITHOUT_ZONE = "time-without-zone"
    TIME_AMBIGUOUS = "time-ambiguous"
    TIME_IN_FUTURE = "time-in-future"
    EXCEL_NUMBER = "excel-number"
    EXCEL_DATE = "excel-date"
    EXCEL_ERROR = "excel-error"
    LEADING_ZEROS_LOST = "leading-zeros-lost"
    GTIN_CHECK_DIGIT = "gtin-check-digit"
    BARCODE_TAKEN = "barcode-taken"
    UNKNOWN_BIN = "unknown-bin"
    UNKNOWN_SKU = "unknown-sku"
    UNIT_UNKNOWN = "unit-unknown"
    TRACKING_MISMATCH = "tracking-mismatch"
    SITE_OTHER = "site-other"
    CURRENCY_OTHER = "currency-other"
    DOCUMENT_UNREADABLE = "document-unreadable"
    MOVEMENT_IMPOSSIBLE = "movement-impossible"
    TRANSITION_REFUSED = "transition-refused"
    STOCK_KNOWN = "stock-known"
    ROW_CONFLICT = "row-conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """One thing wrong in one row. `line` is the file's, counted from 1, the header included."""

    line: int
    column: str
    code: RowCode
    reason: str
