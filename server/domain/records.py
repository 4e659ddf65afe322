"""Every record's closed states and the one table of its transitions, as data. Pure.

A table maps (state, event) to the next state; what is not listed is refused, naming both. The
exception case's own table is in server/domain/cases.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from app.contract.problems import RefusalError
from app.contract.vocabulary import PhysicalState, RecordState, TaskState


class Record(StrEnum):
    """The kinds of record that have an owner, a state and a history."""

    SKU = "sku"
    BIN = "bin"
    STOCK = "stock"
    ORDER = "order"
    PURCHASE_ORDER = "purchase_order"
    SHIPMENT = "shipment"
    RETURN = "return"
    PAYOUT = "payout"
    ADJUSTMENT = "adjustment"
    COUNT_TASK = "count_task"
    COUNT = "count"


DOCUMENT_KINDS = (
    Record.ORDER,
    Record.PURCHASE_ORDER,
    Record.SHIPMENT,
    Record.RETURN,
    Record.PAYOUT,
)
"""Records that a movement may name as its cause, written "order/991"."""


class OrderState(StrEnum):
    PROMISED = "promised"
    RESERVED = "reserved"
    PICKED = "picked"
    PACKED = "packed"
    SHIPPED = "shipped"
    INVOICED = "invoiced"
    RETURNED = "returned"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"


class PurchaseOrderState(StrEnum):
    ORDERED = "ordered"
    INBOUND = "inbound"
    RECEIVED = "received"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class ShipmentState(StrEnum):
    OPEN = "open"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    BLOCKED = "blocked"


class ReturnState(StrEnum):
    ANNOUNCED = "announced"
    RECEIVED = "received"
    INSPECTED = "inspected"
    RESTOCKED = "restocked"
    WRITTEN_OFF = "written_off"
    REFUNDED = "refunded"


class PayoutState(StrEnum):
    EXPECTED = "expected"
    PAID = "paid"
    RECONCILED = "reconciled"
    DISPUTED = "disputed"


class AdjustmentState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    POSTED = "posted"
    REVERSED = "reversed"


class CountState(StrEnum):
    SUBMITTED = "submitted"
    AGREED = "agreed"
    SUPERSEDED = "superseded"
    VOIDED = "voided"


STATES: Mapping[Record, type[StrEnum]] = MappingProxyType(
    {
        Record.SKU: RecordState,
        Record.BIN: RecordState,
        Record.STOCK: PhysicalState,
        Record.ORDER: OrderState,
        Record.PURCHASE_ORDER: PurchaseOrderState,
        Record.SHIPMENT: ShipmentState,
        Record.RETURN: ReturnState,
        Record.PAYOUT: PayoutState,
        Record.ADJUSTMENT: AdjustmentState,
        Record.COUNT_TASK: TaskState,
        Record.COUNT: CountState,
    }
)

_MASTER = {
    ("active", "block"): "blocked",
    ("blocked", "release"): "active",
    ("active", "retire"): "retired",
    ("blocked", "retire"): "retired",
    ("retired", "reinstate"): "active",
}
_ORDER = {
    ("promised", "reserve"): "reserved",
    ("promised", "pick"): "picked",
    ("reserved", "release"): "promised",
    ("reserved", "pick"): "picked",
    ("picked", "put_back"): "reserved",
    ("picked", "pack"): "packed",
    ("picked", "ship"): "shipped",
    ("packed", "unpack"): "picked",
    ("packed", "ship"): "shipped",
    ("shipped", "invoice"): "invoiced",
    ("shipped", "take_back"): "returned",
    ("invoiced", "take_back"): "returned",
    ("promised", "block"): "blocked",
    ("reserved", "block"): "blocked",
    ("picked", "block"): "blocked",
    ("packed", "block"): "blocked",
    ("blocked", "unblock_to_promised"): "promised",
    ("blocked", "unblock_to_reserved"): "reserved",
    ("promised", "cancel"): "cancelled",
    ("reserved", "cancel"): "cancelled",
    ("blocked", "cancel"): "cancelled",
}
_STOCK = {
    ("inbound", "receive"): "available",
    ("inbound", "hold"): "quarantined",
    ("inbound", "damage"): "damaged",
    ("available", "reserve"): "reserved",
    ("available", "pick"): "picked",
    ("available", "ship"): "shipped",
    ("available", "damage"): "damaged",
    ("available", "hold"): "quarantined",
    ("reserved", "release"): "available",
    ("reserved", "pick"): "picked",
    ("reserved", "damage"): "damaged",
    ("reserved", "hold"): "quarantined",
    ("picked", "put_back"): "available",
    ("picked", "put_back_reserved"): "reserved",
    ("picked", "pack"): "packed",
    ("picked", "ship"): "shipped",
    ("picked", "damage"): "damaged",
    ("packed", "unpack"): "picked",
    ("packed", "ship"): "shipped",
    ("packed", "damage"): "damaged",
    ("shipped", "take_back"): "returned",
    ("returned", "restock"): "available",
    ("returned", "damage"): "damaged",
    ("returned", "hold"): "quarantined",
    ("damaged", "repair"): "available",
    ("damaged", "hold"): "quarantined",
    ("quarantined", "release"): "available",
    ("quarantined", "damage"): "damaged",
}

TRANSITIONS: Mapping[Record, Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        Record.SKU: MappingProxyType(_MASTER),
        Record.BIN: MappingProxyType(_MASTER),
        Record.STOCK: MappingProxyType(_STOCK),
        Record.ORDER: MappingProxyType(_ORDER),
        Record.PURCHASE_ORDER: MappingProxyType(
            {
                ("ordered", "dispatch"): "inbound",
                ("ordered", "receive"): "received",
                ("inbound", "receive"): "received",
                ("received", "close"): "closed",
                ("ordered", "cancel"): "cancelled",
                ("inbound", "cancel"): "cancelled",
            }
        ),
        Record.SHIPMENT: MappingProxyType(
            {
                ("open", "pack"): "packed",
                ("open", "ship"): "shipped",
                ("packed", "unpack"): "open",
                ("packed", "ship"): "shipped",
                ("shipped", "deliver"): "delivered",
                ("open", "block"): "blocked",
                ("packed", "block"): "blocked",
                ("blocked", "unblock"): "open",
            }
        ),
        Record.RETURN: MappingProxyType(
            {
                ("announced", "receive"): "received",
                ("received", "inspect"): "inspected",
                ("inspected", "restock"): "restocked",
                ("inspected", "write_off"): "written_off",
                ("inspected", "refund"): "refunded",
                ("restocked", "refund"): "refunded",
                ("written_off", "refund"): "refunded",
            }
        ),
        Record.PAYOUT: MappingProxyType(
            {
                ("expected", "pay"): "paid",
                ("expected", "dispute"): "disputed",
                ("paid", "reconcile"): "reconciled",
                ("paid", "dispute"): "disputed",
                ("disputed", "settle"): "paid",
            }
        ),
        Record.ADJUSTMENT: MappingProxyType(
            {
                ("proposed", "approve"): "approved",
                ("approved", "post"): "posted",
                ("posted", "reverse"): "reversed",
            }
        ),
        Record.COUNT_TASK: MappingProxyType(
            {
                ("planned", "assign"): "assigned",
                ("planned", "start"): "counting",
                ("assigned", "unassign"): "planned",
                ("assigned", "reassign"): "assigned",
                ("assigned", "start"): "counting",
                ("planned", "submit"): "submitted",
                ("assigned", "submit"): "submitted",
                ("counting", "submit"): "submitted",
                ("counting", "leave"): "assigned",
                ("submitted", "reconcile"): "reconciled",
                ("planned", "skip"): "skipped",
                ("assigned", "skip"): "skipped",
                ("planned", "put_off"): "planned",
                ("assigned", "put_off"): "assigned",
                ("skipped", "assign"): "assigned",
                # Somebody counted it after all, offline or from another list.
                ("skipped", "start"): "counting",
                ("skipped", "submit"): "submitted",
                ("planned", "cancel"): "cancelled",
                ("assigned", "cancel"): "cancelled",
                ("skipped", "cancel"): "cancelled",
            }
        ),
        Record.COUNT: MappingProxyType(
            {
                ("submitted", "agree"): "agreed",
                ("submitted", "supersede"): "superseded",
                ("submitted", "void"): "voided",
                ("agreed", "supersede"): "superseded",
                ("agreed", "void"): "voided",
                ("superseded", "agree"): "agreed",
            }
        ),
    }
)


def next_state(record: Record, state: str, event: str) -> str:
    """The state after an event. RefusalError("transition-refused") when the table has no such row."""
    after = TRANSITIONS[record].get((state, event))
    if after is None:
        raise RefusalError("transition-refused", record=record.value, state=state, event=event)
    return after


def event_between(record: Record, before: str, after: str) -> str:
    """The event that leads from one state to the other: for a host system that only tells states.

    RefusalError("transition-refused") when no event does.
    """
    for (state, event), target in TRANSITIONS[record].items():
        if state == before and target == after:
            return event
    raise RefusalError(
        "transition-refused", record=record.value, state=before, event=f"become {after}"
    )


STOCK_MOVES = frozenset(
    {(PhysicalState(state), PhysicalState(after)) for (state, _), after in _STOCK.items()}
    | {(state, state) for state in PhysicalState}
)
"""(from, to) physical states that a movement inside the warehouse may have: another state by the
table, or the same state in another bin."""
