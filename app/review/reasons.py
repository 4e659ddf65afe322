"""Why stock was wrong: which reasons fit a case's evidence, and all of them in groups. Pure.

A supervisor with thirty exceptions must find the reason at a glance, so the few that the case itself
speaks for come first. What speaks for one, strongest first: a proposal that names it; the kind of the
case; the movements of the bin, the one nearest to the count first, because what was done last is where
a mistake was not yet found; then what is usual for stock that is missing or too much. A reason that
cannot make the variance of that sign is never among them: a short pick leaves too much, not too little.
That nobody knows the cause is always the last of them, so that nobody makes one up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from app.contract.review import CaseDetail, CaseRow, MovementView
from app.contract.vocabulary import CaseKind, ReasonCode

LIKELY = 5
"""As many are taken in at a glance, and stand in one row of a tablet."""
FROM_MOVEMENTS = 2
"""At most so many of them are read off the movements: not every mistake leaves one."""

GROUPS: tuple[tuple[str, tuple[ReasonCode, ...]], ...] = (
    (
        "receiving",
        (
            ReasonCode.RECEIVING_SHORT,
            ReasonCode.RECEIVING_OVER,
            ReasonCode.RECEIVING_WRONG_ITEM,
            ReasonCode.RECEIPT_NOT_POSTED,
            ReasonCode.RECEIPT_POSTED_TWICE,
        ),
    ),
    (
        "picking",
        (
            ReasonCode.PICK_SHORT,
            ReasonCode.PICK_WRONG_ITEM,
            ReasonCode.PICK_NOT_POSTED,
            ReasonCode.PICK_POSTED_TWICE,
        ),
    ),
    (
        "moving",
        (
            ReasonCode.PUTAWAY_WRONG_BIN,
            ReasonCode.TRANSFER_NOT_POSTED,
            ReasonCode.TRANSFER_KEYED_NOT_MOVED,
            ReasonCode.RETURN_NOT_POSTED,
        ),
    ),
    (
        "labels",
        (
            ReasonCode.LABEL_WRONG,
            ReasonCode.LABEL_SWAPPED,
            ReasonCode.WRONG_UNIT,
            ReasonCode.PACK_SIZE_WRONG,
            ReasonCode.DATA_ENTRY,
        ),
    ),
    (
        "goods",
        (
            ReasonCode.DAMAGED,
            ReasonCode.EXPIRED,
            ReasonCode.THEFT_SUSPECTED,
            ReasonCode.SAMPLE_OR_INTERNAL_USE,
        ),
    ),
    ("count", (ReasonCode.COUNT_ERROR, ReasonCode.UNKNOWN_CAUSE)),
)
"""Every reason once, by where in the warehouse the mistake was made. The name is an i18n key's end."""

ONLY_SHORT = frozenset(
    {
        ReasonCode.RECEIVING_SHORT,
        ReasonCode.RECEIPT_POSTED_TWICE,
        ReasonCode.PICK_NOT_POSTED,
        ReasonCode.THEFT_SUSPECTED,
        ReasonCode.SAMPLE_OR_INTERNAL_USE,
    }
)
"""They put more on the book than there is."""
ONLY_OVER = frozenset(
    {
        ReasonCode.RECEIVING_OVER,
        ReasonCode.RECEIPT_NOT_POSTED,
        ReasonCode.PICK_SHORT,
        ReasonCode.PICK_POSTED_TWICE,
        ReasonCode.RETURN_NOT_POSTED,
    }
)
"""They put less on the book than there is."""

TAKEN_BACK = (
    ReasonCode.COUNT_ERROR,
    ReasonCode.DATA_ENTRY,
    ReasonCode.WRONG_UNIT,
    ReasonCode.PUTAWAY_WRONG_BIN,
    ReasonCode.UNKNOWN_CAUSE,
)
"""Why a posting is taken back: the stock was there after all, or the figure was wrong."""

_OF_KIND: dict[CaseKind, tuple[ReasonCode, ...]] = {
    CaseKind.UNEXPECTED_ITEM: (
        ReasonCode.PUTAWAY_WRONG_BIN,
        ReasonCode.TRANSFER_NOT_POSTED,
        ReasonCode.RECEIVING_WRONG_ITEM,
        ReasonCode.LABEL_WRONG,
    ),
    CaseKind.UNKNOWN_BARCODE: (ReasonCode.LABEL_WRONG, ReasonCode.RECEIVING_WRONG_ITEM),
    CaseKind.WRONG_LOT: (
        ReasonCode.DATA_ENTRY,
        ReasonCode.LABEL_WRONG,
        ReasonCode.PICK_WRONG_ITEM,
        ReasonCode.PUTAWAY_WRONG_BIN,
    ),
    CaseKind.EXPIRED_LOT: (ReasonCode.EXPIRED, ReasonCode.DATA_ENTRY, ReasonCode.LABEL_WRONG),
    CaseKind.DAMAGED_FOUND: (ReasonCode.DAMAGED,),
    CaseKind.DUPLICATE_SERIAL: (
        ReasonCode.DATA_ENTRY,
        ReasonCode.LABEL_WRONG,
        ReasonCode.TRANSFER_NOT_POSTED,
    ),
    CaseKind.NEGATIVE_BOOK: (
        ReasonCode.RECEIPT_NOT_POSTED,
        ReasonCode.PICK_POSTED_TWICE,
        ReasonCode.TRANSFER_NOT_POSTED,
        ReasonCode.WRONG_UNIT,
    ),
    CaseKind.COUNTED_TWICE: (ReasonCode.COUNT_ERROR,),
}

_OF_MOVEMENT: tuple[tuple[tuple[str, ...], tuple[ReasonCode, ...]], ...] = (
    (
        ("receipt", "receiv", "inbound", "purchase"),
        (ReasonCode.RECEIVING_SHORT, ReasonCode.RECEIVING_OVER),
    ),
    (
        ("putaway", "put_away", "put-away"),
        (ReasonCode.PUTAWAY_WRONG_BIN, ReasonCode.RECEIVING_OVER),
    ),
    (("return", "restock"), (ReasonCode.RETURN_NOT_POSTED,)),
    (("pick", "ship", "issue"), (ReasonCode.PICK_NOT_POSTED, ReasonCode.PICK_SHORT)),
    (("transfer", "move", "replen"), (ReasonCode.TRANSFER_KEYED_NOT_MOVED,)),
)
"""Beginnings of the words that hosts give their movements, and what goes wrong with such a movement."""

_USUAL_SHORT = (
    ReasonCode.THEFT_SUSPECTED,
    ReasonCode.DAMAGED,
    ReasonCode.PICK_NOT_POSTED,
    ReasonCode.PUTAWAY_WRONG_BIN,
)
_USUAL_OVER = (
    ReasonCode.RECEIPT_NOT_POSTED,
    ReasonCode.PICK_SHORT,
    ReasonCode.RETURN_NOT_POSTED,
    ReasonCode.PUTAWAY_WRONG_BIN,
)
_USUAL = (
    ReasonCode.DATA_ENTRY,
    ReasonCode.COUNT_ERROR,
    ReasonCode.PUTAWAY_WRONG_BIN,
    ReasonCode.LABEL_WRONG,
)
"""Where it is open whether stock is missing or too much."""


def likely_reasons(case: CaseRow) -> tuple[ReasonCode, ...]:
    """The five reasons that fit a case best, best first, "cause unknown" last.

    A row of the queue has no proposals and no movements: its kind and its variance have to do.
    """
    side = _side(case)
    found = [r for r in _spoken_for(case, side) if _can_be(r, side)]
    return (*list(dict.fromkeys(found))[: LIKELY - 1], ReasonCode.UNKNOWN_CAUSE)


def likely_for_all(cases: Sequence[CaseRow]) -> tuple[ReasonCode, ...]:
    """The five that fit most of several cases; among equals what fits them better."""
    votes: Counter[ReasonCode] = Counter()
    for case in cases:
        for place, reason in enumerate(likely_reasons(case)[:-1]):
            votes[reason] += 2 * LIKELY - place
    order = list(ReasonCode)
    ranked = sorted(votes, key=lambda reason: (-votes[reason], order.index(reason)))
    return (*(ranked or _USUAL)[: LIKELY - 1], ReasonCode.UNKNOWN_CAUSE)


def _spoken_for(case: CaseRow, side: int) -> Iterator[ReasonCode]:
    """What speaks for a reason, strongest first; "cause unknown" has its own place."""
    if isinstance(case, CaseDetail):
        proposed = sorted(case.proposals, key=lambda p: -p.score)
        yield from (p.reason for p in proposed if p.reason not in (None, ReasonCode.UNKNOWN_CAUSE))
    yield from _OF_KIND.get(case.kind, ())
    if isinstance(case, CaseDetail):
        yield from _of_movements(case.movements, side)
    yield from _USUAL_SHORT if side < 0 else _USUAL_OVER if side > 0 else _USUAL


def _of_movements(movements: Iterable[MovementView], side: int) -> list[ReasonCode]:
    """Mistakes that the movements of the bin invite, the latest movement first."""
    found: dict[ReasonCode, None] = {}
    for movement in sorted(movements, key=lambda m: m.occurred_at, reverse=True):
        said = movement.kind.casefold()
        for words, reasons in _OF_MOVEMENT:
            if said.startswith(words):
                found |= dict.fromkeys(r for r in reasons if _can_be(r, side))
    return list(found)[:FROM_MOVEMENTS]


def _side(case: CaseRow) -> int:
    """-1: stock is missing; 1: there is too much; 0: neither is sure."""
    low, high = Decimal(case.variance.low), Decimal(case.variance.high)
    return (low > 0) - (high < 0)


def _can_be(reason: ReasonCode, side: int) -> bool:
    return not (reason in ONLY_SHORT and side > 0) and not (reason in ONLY_OVER and side < 0)
