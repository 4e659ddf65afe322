"""Sizes of the review pages and the colours of what is urgent. The rest of the look is the theme's.

Widths after Material's window classes: below 600 compact, 600 to 839 medium (list, then detail), from 840
list and detail side by side.
"""

from __future__ import annotations

import flet as ft

from app.contract.review import CaseRow
from app.contract.vocabulary import CaseKind, CaseState, Role, Verdict
from app.screens.theme import Pair, Palette

RAIL = 80
LIST = 400
LIST_NARROW = 328
"""Width of the list from 840 to 1199, so that the evidence keeps more than half of the screen."""
ROW = 72
TARGET = 48
MEDIUM = 600
EXPANDED = 840
LARGE = 1200

OWNERS = frozenset({Role.SUPERVISOR, Role.LEAD})
"""Who can be given a case."""

URGENT = 70
SOON = 40
"""Priorities from which a chip is red and amber; 0 to 100, given by the server."""

KIND_ICONS: dict[CaseKind, ft.IconData] = {
    CaseKind.VARIANCE: ft.Icons.DIFFERENCE,
    CaseKind.UNEXPECTED_ITEM: ft.Icons.QUESTION_MARK,
    CaseKind.UNKNOWN_BARCODE: ft.Icons.QR_CODE,
    CaseKind.WRONG_LOT: ft.Icons.LABEL_OFF,
    CaseKind.EXPIRED_LOT: ft.Icons.EVENT_BUSY,
    CaseKind.DAMAGED_FOUND: ft.Icons.BROKEN_IMAGE,
    CaseKind.DUPLICATE_SERIAL: ft.Icons.CONTENT_COPY,
    CaseKind.NEGATIVE_BOOK: ft.Icons.REMOVE_CIRCLE_OUTLINE,
    CaseKind.TIME_AMBIGUOUS: ft.Icons.SCHEDULE,
    CaseKind.COUNTED_TWICE: ft.Icons.PEOPLE,
    CaseKind.UNKNOWN_BIN: ft.Icons.LOCATION_OFF,
    CaseKind.HELD_EVENT: ft.Icons.PAUSE_CIRCLE_OUTLINE,
    CaseKind.LATE_CORRECTION: ft.Icons.HISTORY,
    CaseKind.DEVICE_GAP: ft.Icons.PHONELINK_ERASE,
    CaseKind.ORDER_AT_RISK: ft.Icons.LOCAL_SHIPPING,
}

ENDED_ICONS: dict[CaseState, ft.IconData] = {
    CaseState.POSTED: ft.Icons.CHECK,
    CaseState.TRANSFERRED: ft.Icons.SWAP_HORIZ,
    CaseState.EXPLAINED: ft.Icons.LINK,
    CaseState.COUNT_ERROR: ft.Icons.REPLAY,
    CaseState.REJECTED: ft.Icons.CLOSE,
    CaseState.CANCELLED: ft.Icons.CLOSE,
}

VERDICT_ICONS: dict[Verdict, ft.IconData] = {
    Verdict.EXACT: ft.Icons.CHECK_CIRCLE,
    Verdict.WITHIN_TOLERANCE: ft.Icons.CHECK_CIRCLE_OUTLINE,
    Verdict.OUT_OF_TOLERANCE: ft.Icons.WARNING_ROUNDED,
    Verdict.UNEXPECTED: ft.Icons.QUESTION_MARK,
    Verdict.MISSING: ft.Icons.REMOVE_CIRCLE_OUTLINE,
    Verdict.AMBIGUOUS: ft.Icons.SCHEDULE,
}


def is_wide(width: float) -> bool:
    """Whether list and detail stand side by side."""
    return width >= EXPANDED


def case_width(width: float) -> float:
    """How much of the window a case has for itself."""
    if not is_wide(width):
        return width - RAIL if width >= MEDIUM else width
    return width - RAIL - (LIST if width >= LARGE else LIST_NARROW)


def urgency(row: CaseRow, palette: Palette) -> tuple[Pair, ft.IconData]:
    """Ground and shape of the priority: the shape says the same without the colour. Ended: how."""
    if row.ended_at is not None:
        return palette.calm, ENDED_ICONS.get(row.state, ft.Icons.CHECK)
    if row.priority >= URGENT:
        return palette.reject, ft.Icons.KEYBOARD_DOUBLE_ARROW_UP
    if row.priority >= SOON:
        return palette.warn, ft.Icons.KEYBOARD_ARROW_UP
    return palette.calm, ft.Icons.KEYBOARD_ARROW_DOWN


def urgency_key(row: CaseRow) -> str:
    """i18n key of the group of the queue a case stands in."""
    if row.priority >= URGENT:
        return "review.group.urgent"
    return "review.group.soon" if row.priority >= SOON else "review.group.later"


def verdict_pair(verdict: Verdict, palette: Palette) -> Pair:
    """Ground of a verdict."""
    if verdict in (Verdict.EXACT, Verdict.WITHIN_TOLERANCE):
        return palette.ok
    return palette.info if verdict is Verdict.AMBIGUOUS else palette.warn
