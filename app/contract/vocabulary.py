"""The words both halves share: closed lists and the types of quantities, money and codes.

No I/O, no clock, no behaviour beyond validation. One meaning each; docs/glossary.md explains them.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

QUANTITY_PLACES = 6
"""Decimal places kept of a quantity. Scales and length goods need three; six leaves room to convert units."""

QUANTITY_MAX = Decimal("1000000000")
"""Largest magnitude of one quantity. Above it something was scanned into a quantity field."""

SCAN_LENGTH_MAX = 4096
"""Longest raw barcode kept. The largest QR code holds 4,296 digits; nobody prints one on a shelf."""


class PhysicalState(StrEnum):
    """Where in its life a unit of stock is. A state of stock, never a note."""

    INBOUND = "inbound"
    AVAILABLE = "available"
    RESERVED = "reserved"
    PICKED = "picked"
    PACKED = "packed"
    SHIPPED = "shipped"
    RETURNED = "returned"
    DAMAGED = "damaged"
    QUARANTINED = "quarantined"


class OutsidePlace(StrEnum):
    """The far side of a movement that enters or leaves the warehouse. Written where a bin would be."""

    SUPPLIER = "@supplier"
    CUSTOMER = "@customer"
    SHRINK = "@shrink"
    FOUND = "@found"


class Condition(StrEnum):
    """What a counter can see of a unit: fit to sell, damaged, or held (taped off, quarantined)."""

    GOOD = "good"
    DAMAGED = "damaged"
    HELD = "held"


class Unit(StrEnum):
    """The pack a quantity was counted in. The factor beside it says how many base units one holds."""

    EACH = "each"
    INNER = "inner"
    CASE = "case"
    PALLET = "pallet"


class Tracking(StrEnum):
    NONE = "none"
    LOT = "lot"
    SERIAL = "serial"


class AbcClass(StrEnum):
    A = "A"
    B = "B"
    C = "C"


class RecordState(StrEnum):
    """State of a SKU or of a bin."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    RETIRED = "retired"


class BinKind(StrEnum):
    PICK = "pick"
    BULK = "bulk"
    STAGING = "staging"
    RETURNS = "returns"
    QUARANTINE = "quarantine"


class CountScope(StrEnum):
    """Whole bin: what was not counted is zero once the bin is closed. Single SKU: the rest is not judged."""

    WHOLE_BIN = "whole_bin"
    SINGLE_SKU = "single_sku"


class ScanSource(StrEnum):
    CAMERA = "camera"
    WEDGE = "wedge"
    TYPED = "typed"


class Role(StrEnum):
    COUNTER = "counter"
    SUPERVISOR = "supervisor"
    LEAD = "lead"
    FINANCE = "finance"
    AUDITOR = "auditor"
    INTEGRATOR = "integrator"


COUNTING_ROLES = frozenset({Role.COUNTER, Role.SUPERVISOR, Role.LEAD})
"""Roles that count. Finance and auditors judge what others counted; programs count nothing."""


class TaskState(StrEnum):
    PLANNED = "planned"
    ASSIGNED = "assigned"
    COUNTING = "counting"
    SUBMITTED = "submitted"
    RECONCILED = "reconciled"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class CaseKind(StrEnum):
    VARIANCE = "variance"
    UNEXPECTED_ITEM = "unexpected_item"
    UNKNOWN_BARCODE = "unknown_barcode"
    WRONG_LOT = "wrong_lot"
    EXPIRED_LOT = "expired_lot"
    DAMAGED_FOUND = "damaged_found"
    DUPLICATE_SERIAL = "duplicate_serial"
    NEGATIVE_BOOK = "negative_book"
    TIME_AMBIGUOUS = "time_ambiguous"
    COUNTED_TWICE = "counted_twice"
    UNKNOWN_BIN = "unknown_bin"
    HELD_EVENT = "held_event"
    LATE_CORRECTION = "late_correction"
    DEVICE_GAP = "device_gap"
    ORDER_AT_RISK = "order_at_risk"


class CaseState(StrEnum):
    OPEN = "open"
    ASSIGNED = "assigned"
    RECOUNT_REQUESTED = "recount_requested"
    RECOUNTED = "recounted"
    UNDER_REVIEW = "under_review"
    APPROVED = "approved"
    POSTED = "posted"
    CLOSED = "closed"
    EXPLAINED = "explained"
    COUNT_ERROR = "count_error"
    TRANSFERRED = "transferred"
    REJECTED = "rejected"
    ESCALATED = "escalated"
    CANCELLED = "cancelled"


class Verdict(StrEnum):
    EXACT = "exact"
    WITHIN_TOLERANCE = "within_tolerance"
    OUT_OF_TOLERANCE = "out_of_tolerance"
    UNEXPECTED = "unexpected"
    MISSING = "missing"
    AMBIGUOUS = "ambiguous"


class ReasonCode(StrEnum):
    """Why stock was wrong. Chosen at review, never at the bin: asking there would be a hint."""

    RECEIVING_SHORT = "receiving_short"
    RECEIVING_OVER = "receiving_over"
    RECEIVING_WRONG_ITEM = "receiving_wrong_item"
    RECEIPT_NOT_POSTED = "receipt_not_posted"
    RECEIPT_POSTED_TWICE = "receipt_posted_twice"
    PICK_NOT_POSTED = "pick_not_posted"
    PICK_POSTED_TWICE = "pick_posted_twice"
    PICK_SHORT = "pick_short"
    PICK_WRONG_ITEM = "pick_wrong_item"
    PUTAWAY_WRONG_BIN = "putaway_wrong_bin"
    TRANSFER_NOT_POSTED = "transfer_not_posted"
    TRANSFER_KEYED_NOT_MOVED = "transfer_keyed_not_moved"
    RETURN_NOT_POSTED = "return_not_posted"
    WRONG_UNIT = "wrong_unit"
    PACK_SIZE_WRONG = "pack_size_wrong"
    DATA_ENTRY = "data_entry"
    LABEL_WRONG = "label_wrong"
    LABEL_SWAPPED = "label_swapped"
    DAMAGED = "damaged"
    EXPIRED = "expired"
    THEFT_SUSPECTED = "theft_suspected"
    SAMPLE_OR_INTERNAL_USE = "sample_or_internal_use"
    COUNT_ERROR = "count_error"
    UNKNOWN_CAUSE = "unknown_cause"


def _checked_quantity(text: str) -> str:
    """Refuse what is not a plain decimal: no exponent, sign only in front, at most six places."""
    try:
        value = Decimal(text)
    except ArithmeticError as error:
        raise ValueError(f"not a quantity: {text!r}") from error
    if not value.is_finite() or "e" in text.lower() or not text.isascii() or "_" in text:
        raise ValueError(f"not a plain decimal: {text!r}")
    if text.strip() != text or abs(value) > QUANTITY_MAX:
        raise ValueError(f"quantity out of range or padded: {text!r}")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > QUANTITY_PLACES:
        raise ValueError(f"more than {QUANTITY_PLACES} decimal places: {text!r}")
    return text


def _not_negative(text: str) -> str:
    if Decimal(text) < 0:
        raise ValueError(f"a counted quantity is never negative: {text!r}")
    return text


@lru_cache(maxsize=1024)
def _checked_count(text: str) -> str:
    """Both in one: each scan asks twice, and most quantities are the same few."""
    return _not_negative(_checked_quantity(text))


QuantityText = Annotated[str, StringConstraints(max_length=24), AfterValidator(_checked_quantity)]
"""A signed quantity as a plain decimal string, exactly as entered: "12", "0.5", "-3"."""

CountedText = Annotated[str, StringConstraints(max_length=24), AfterValidator(_checked_count)]
"""A quantity somebody counted: zero is an explicit fact, a negative one does not exist."""

Code = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""A site's own identifier (bin code, SKU, lot, serial, person): printable, 64 characters at most."""


def quantity_text(value: Decimal) -> str:
    """The canonical string of a quantity: no exponent, no trailing zeros, "0" for every zero."""
    if value == 0:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
