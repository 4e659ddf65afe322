"""Builders of device events for tests: each says only what matters to the test at hand."""

from __future__ import annotations

from itertools import count
from typing import Any

from app.contract.events import GENESIS_HASH, DeviceEvent, Entered, ItemCounted, Payload, StockLine
from app.contract.ids import RANDOM_BYTES, uuid7
from app.contract.vocabulary import Condition, Unit

_numbers = count(1)
START_MS = 1_790_000_000_000


def an_id(number: int | None = None) -> str:
    """A valid UUIDv7 that differs for each number."""
    value = next(_numbers) if number is None else number
    return uuid7(START_MS, value.to_bytes(RANDOM_BYTES, "big"))


def an_event(payload: Payload, *, seq: int, count_id: str, **overrides: Any) -> DeviceEvent:
    """An event one second after the one before it."""
    fields: dict[str, Any] = {
        "id": an_id(),
        "seq": seq,
        "prev_hash": GENESIS_HASH,
        "wall_ms": START_MS + seq * 1000,
        "boot_ms": 60_000 + seq * 1000,
        "boot_id": "boot-1",
        "tz_min": 0,
        "user_id": "ana",
        "count_id": count_id,
        "payload": payload,
    }
    return DeviceEvent(**(fields | overrides))


def a_count_of(payloads: list[Payload], *, count_id: str | None = None) -> list[DeviceEvent]:
    """The events of one count, in sequence."""
    identity = count_id or an_id()
    return [an_event(p, seq=i, count_id=identity) for i, p in enumerate(payloads, start=1)]


def counted(
    sku: str,
    quantity: str,
    *,
    unit: Unit = Unit.EACH,
    factor: str = "1",
    condition: Condition = Condition.GOOD,
    lot: str = "",
    serial: str = "",
    total: bool = False,
) -> ItemCounted:
    """So many of a SKU were seen."""
    return ItemCounted(
        line=StockLine(sku=sku, lot=lot, serial=serial),
        condition=condition,
        entered=Entered(quantity=quantity, unit=unit, factor=factor),
        mode="set" if total else "add",
    )
