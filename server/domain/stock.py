"""Stock as the ledger sees it: places, keys and immutable double-entry movements. Pure values.

The book of a key is the sum of the movements' effects on it; docs/design of the ledger is in
docs/architecture.md. Quantities are Decimal in base units and always positive in a movement: the
direction is given by from and to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from app.contract.problems import RefusalError
from app.contract.vocabulary import BinKind, Condition, OutsidePlace, PhysicalState
from server.domain.records import STOCK_MOVES

OUTSIDE = frozenset(OutsidePlace)
GONE_FROM_BIN = frozenset({PhysicalState.PICKED, PhysicalState.PACKED, PhysicalState.SHIPPED})
"""States of stock that is no longer in the bin it is booked on: nobody can count it there."""


class StockKey(NamedTuple):
    """One cell of the book: how many of this, there, in that physical state."""

    bin: str
    sku: str
    lot: str = ""
    serial: str = ""
    state: PhysicalState = PhysicalState.AVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Stock left one (place, state) and entered another at one instant. Never edited; reversed.

    `from_bin` and `to_bin` are bin codes or an OutsidePlace. `occurred_at` is when it happened,
    `recorded_at` when the ledger was told: the difference is what late postings are made of.
    """

    movement_id: str
    occurred_at: datetime
    recorded_at: datetime
    kind: str
    sku: str
    quantity: Decimal
    from_bin: str
    from_state: PhysicalState
    to_bin: str
    to_state: PhysicalState
    lot: str = ""
    serial: str = ""
    unit: str = "each"
    """Unit it was posted in; `quantity` is already in base units."""
    factor: Decimal = Decimal(1)
    """Base units in one `unit` when it was posted; a later change of pack size restates nothing."""
    document: str = ""
    """"order/991", "purchase_order/17", "case/<id>": what caused it."""

    def effect_on(self, key: StockKey) -> Decimal:
        """The signed change of one key's book by this movement; 0 when it does not touch it."""
        if (self.sku, self.lot, self.serial) != (key.sku, key.lot, key.serial):
            return Decimal(0)
        entered = (
            self.quantity if (self.to_bin, self.to_state) == (key.bin, key.state) else Decimal(0)
        )
        left = (
            self.quantity
            if (self.from_bin, self.from_state) == (key.bin, key.state)
            else Decimal(0)
        )
        return entered - left


def check_movement(movement: Movement) -> None:
    """Refuse what is no movement: nothing moved, or stock that cannot change so.

    Raises RefusalError "transition-refused" for states, "request-invalid" for the rest. Coming from
    or going to an outside place, stock may have any state: what is found may be found damaged.
    """
    problem = movement_problem(
        movement.from_bin, movement.from_state, movement.to_bin, movement.to_state
    )
    if movement.quantity <= 0:
        problem = "the quantity must be above zero; from and to give the direction"
    if problem is not None:
        raise RefusalError(
            "request-invalid", where=f"movement {movement.movement_id}", reason=problem
        )
    inside = movement.from_bin not in OUTSIDE and movement.to_bin not in OUTSIDE
    is_listed = (movement.from_state, movement.to_state) in STOCK_MOVES
    if inside and not is_listed and not is_reversal(movement.document):
        raise RefusalError(
            "transition-refused",
            record="stock",
            state=movement.from_state.value,
            event=f"become {movement.to_state.value}",
        )


def is_reversal(document: str) -> bool:
    """True when the document says that a movement undoes another ("movement/<its id>").

    A counter-entry may go back where the table of states has no way back.
    """
    return document.startswith("movement/")


def movement_problem(
    from_bin: str, from_state: PhysicalState, to_bin: str, to_state: PhysicalState
) -> str | None:
    """What is wrong with a movement's two ends, in words; None when nothing is."""
    if (from_bin, from_state) == (to_bin, to_state):
        return "it leaves and enters the same place in the same state, so nothing moved"
    if from_bin in OUTSIDE and to_bin in OUTSIDE:
        return "both ends are outside the warehouse"
    return None


def visible_condition(state: PhysicalState, bin_kind: BinKind) -> Condition | None:
    """How stock in a state looks to a person in front of the bin; None when it is not there to see.

    good = available + reserved (+ returned in a returns bin), damaged = damaged, held = quarantined.
    """
    match state:
        case PhysicalState.AVAILABLE | PhysicalState.RESERVED:
            return Condition.GOOD
        case PhysicalState.RETURNED:
            return Condition.GOOD if bin_kind is BinKind.RETURNS else Condition.HELD
        case PhysicalState.DAMAGED:
            return Condition.DAMAGED
        case PhysicalState.QUARANTINED:
            return Condition.HELD
        case _:
            return None


def book(movements: Iterable[Movement], key: StockKey, at: datetime) -> Decimal:
    """The book quantity of a key at an instant: everything that occurred at or before it."""
    effects = (m.effect_on(key) for m in movements if m.occurred_at <= at)
    return sum(effects, Decimal(0))
