"""The backlog both sides drain: what one device recorded while it counted bins without a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.contract.events import BinClosed, BinOpened, Entered, ItemCounted, ScanFact, StockLine
from app.contract.vocabulary import ScanSource
from app.store.device_store import DeviceStore
from app.store.event_log import EventDraft
from tests.support.device import a_store
from tests.support.events import an_id

EVENTS = 10_000
ITEMS_PER_BIN = 18
"""With opening and closing, twenty events for each bin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedBin:
    """One bin as it was found: units by SKU."""

    number: int
    bin: str
    units: dict[str, int]


def counted_bins(events: int = EVENTS) -> Iterator[CountedBin]:
    """The bins that make so many events."""
    for number in range(events // (ITEMS_PER_BIN + 2)):
        first = number * ITEMS_PER_BIN
        units = {f"SKU-{n:06}": 1 + n % 24 for n in range(first, first + ITEMS_PER_BIN)}
        label = f"A-{number // 100:02}-{number % 100:02}"
        yield CountedBin(number=number, bin=label, units=units)


def record(store: DeviceStore, events: int = EVENTS) -> None:
    """Each bin in one step: opened by its label, items scanned one after the other, closed."""
    for found in counted_bins(events):
        payloads = [
            BinOpened(bin=found.bin, scan=_scan(f"BIN{found.bin}", "code128")),
            *(_item(sku, units) for sku, units in found.units.items()),
            BinClosed(),
        ]
        count_id = an_id(found.number + 1)
        store.append([EventDraft(payload=p, user_id="ana", count_id=count_id) for p in payloads])
    unsent = store.outbox().unsent
    if unsent != events:
        raise ValueError(f"{unsent} events are unsent where {events} were asked for")


def _item(sku: str, units: int) -> ItemCounted:
    return ItemCounted(
        line=StockLine(sku=sku),
        entered=Entered(quantity=str(units)),
        scan=_scan(f"4{int(sku[-6:]):012}", "ean13"),
    )


def _scan(raw: str, symbology: str) -> ScanFact:
    return ScanFact(raw=raw, symbology=symbology, source=ScanSource.WEDGE)


def write_documents(path: Path, folder: Path, events: int = EVENTS) -> int:
    """The very bytes that a device with this backlog sends, one event a line; their mean size."""
    store = a_store(folder)
    record(store, events)
    texts = [event.raw for event in store.pending(events)]
    store.close()
    path.write_text("\n".join(texts), encoding="utf-8")
    return round(path.stat().st_size / events)
