"""From an approved variance to movements and journal lines. The variance is posted, never the number.

Movements are dated at the count; corrections and reversals are further entries, never edits. What
moves between bins or conditions stays inventory and makes no journal line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from app.contract.vocabulary import BinKind, Condition, OutsidePlace, PhysicalState, ReasonCode
from server.domain.impact import cents
from server.domain.judging import CaseLine
from server.domain.ranges import ZERO
from server.domain.stock import Movement, StockKey

INVENTORY = "inventory_asset"
SHRINKAGE = "shrinkage_expense"
"""The two accounts of a count adjustment; a site maps them to its own numbers on export."""

ADJUSTMENT_KIND = "adjustment"
TRANSFER_KIND = "transfer"
REVERSAL_KIND = "reversal"
CASE_DOCUMENT = "case/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One approved change of stock, before it is movements. Quantities signed, in base units."""

    adjustment_id: str
    case_id: str
    bin: str
    bin_kind: BinKind
    line: CaseLine
    parts: Mapping[str, Decimal]
    """Per serial, "" when there is none."""
    dated_at: datetime
    recorded_at: datetime


def states_of(condition: Condition, bin_kind: BinKind) -> tuple[PhysicalState, ...]:
    """The states that look like a condition, the one that finds are booked to first."""
    match condition:
        case Condition.DAMAGED:
            return (PhysicalState.DAMAGED,)
        case Condition.HELD:
            held = (PhysicalState.QUARANTINED,)
            return held if bin_kind is BinKind.RETURNS else (*held, PhysicalState.RETURNED)
        case Condition.GOOD:
            good = (PhysicalState.AVAILABLE, PhysicalState.RESERVED)
            return (PhysicalState.RETURNED, *good) if bin_kind is BinKind.RETURNS else good


def posting_movements(
    posting: Posting, balances: Mapping[StockKey, Decimal]
) -> tuple[Movement, ...]:
    """The movements of an adjustment against shrink and found.

    `balances` is the book at `dated_at`. What is missing leaves the states that had it, available
    before reserved; what no state had leaves the first, so that the total is always the variance.
    """
    pieces = [
        (serial, state, part)
        for serial, quantity in sorted(posting.parts.items())
        for state, part in _over_states(posting, serial, quantity, balances)
    ]
    return tuple(
        _movement(posting, f"adj-{posting.adjustment_id}-{index}", *piece)
        for index, piece in enumerate(pieces)
    )


def _over_states(
    posting: Posting, serial: str, quantity: Decimal, balances: Mapping[StockKey, Decimal]
) -> Iterator[tuple[PhysicalState, Decimal]]:
    states = states_of(posting.line.condition, posting.bin_kind)
    if quantity > 0:
        yield states[0], quantity
        return
    left = -quantity
    for state in states:
        key = StockKey(
            bin=posting.bin,
            sku=posting.line.sku,
            lot=posting.line.lot,
            serial=serial,
            state=state,
        )
        taken = min(left, max(ZERO, balances.get(key, ZERO)))
        if taken > 0:
            yield state, -taken
        left -= taken
    if left > 0:
        yield states[0], -left


def _movement(
    posting: Posting, movement_id: str, serial: str, state: PhysicalState, quantity: Decimal
) -> Movement:
    is_found = quantity > 0
    return Movement(
        movement_id=movement_id,
        occurred_at=posting.dated_at,
        recorded_at=posting.recorded_at,
        kind=ADJUSTMENT_KIND,
        sku=posting.line.sku,
        lot=posting.line.lot,
        serial=serial,
        quantity=abs(quantity),
        from_bin=OutsidePlace.FOUND if is_found else posting.bin,
        from_state=state,
        to_bin=posting.bin if is_found else OutsidePlace.SHRINK,
        to_state=state,
        document=CASE_DOCUMENT + posting.case_id,
    )


def moved_instead(
    movements: Iterable[Movement], *, to_bin: str, to_condition: Condition | None = None
) -> tuple[Movement, ...]:
    """The same shortage, where the stock turned out to be elsewhere or in another condition.

    It is moved, not lost and found: zero shrink. `to_condition` None keeps each state; GOOD becomes
    available, for stock in another state than that has to be received or released by its own people.
    """
    states = {
        Condition.GOOD: PhysicalState.AVAILABLE,
        Condition.DAMAGED: PhysicalState.DAMAGED,
        Condition.HELD: PhysicalState.QUARANTINED,
    }
    moved = []
    for movement in movements:
        if movement.to_bin != OutsidePlace.SHRINK:
            raise ValueError("what is moved instead starts on the short side")
        state = movement.from_state if to_condition is None else states[to_condition]
        moved.append(replace(movement, to_bin=to_bin, to_state=state, kind=TRANSFER_KIND))
    return tuple(moved)


def reversal_movements(
    movements: Iterable[Movement], adjustment_id: str, recorded_at: datetime
) -> tuple[Movement, ...]:
    """The counter-entries of an adjustment: the same stock back, at the same date."""
    return tuple(
        replace(
            m,
            movement_id=f"adj-{adjustment_id}-{index}",
            kind=REVERSAL_KIND,
            recorded_at=recorded_at,
            from_bin=m.to_bin,
            from_state=m.to_state,
            to_bin=m.from_bin,
            to_state=m.from_state,
        )
        for index, m in enumerate(movements)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedPart:
    """One posted movement as the journal sees it: signed quantity at the cost of the count's day."""

    adjustment_id: str
    case_id: str
    movement_id: str
    bin: str
    sku: str
    lot: str
    serial: str
    quantity: Decimal
    unit_cost: Decimal
    cost_at: datetime
    dated_at: datetime
    posted_at: datetime
    reason: ReasonCode
    approved_by: str
    reverses: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """Debit one account, credit the other, by the same amount, always positive."""

    part: PostedPart
    debit: str
    credit: str
    amount: Decimal

    @property
    def net(self) -> Decimal:
        """Signed effect on the inventory account."""
        return self.amount if self.debit == INVENTORY else -self.amount


def journal_line(part: PostedPart) -> JournalLine:
    """A shortage is an expense against inventory; an overage the same entry the other way round.

    Source: shrinkage entries at double-entry-bookkeeping.com (105 units x 14.00 = 1,470.00).
    """
    is_found = part.quantity > 0
    return JournalLine(
        part=part,
        debit=INVENTORY if is_found else SHRINKAGE,
        credit=SHRINKAGE if is_found else INVENTORY,
        amount=cents(abs(part.quantity) * part.unit_cost),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalTotals:
    """Sums over journal lines; absolute is never smaller than net's magnitude."""

    lines: int
    net: Decimal
    absolute: Decimal
    shrink: Decimal
    overage: Decimal


def journal_totals(lines: Iterable[JournalLine]) -> JournalTotals:
    """Totals as sums of rounded lines, so that they agree to the cent with what is exported."""
    amounts = [line.net for line in lines]
    shrink = sum((-a for a in amounts if a < 0), ZERO)
    overage = sum((a for a in amounts if a > 0), ZERO)
    return JournalTotals(
        lines=len(amounts),
        net=overage - shrink,
        absolute=overage + shrink,
        shrink=shrink,
        overage=overage,
    )
