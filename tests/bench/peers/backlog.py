"""The backlog both sides drain: what one device recorded while it counted bins without a network."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from app.contract.events import BinClosed, BinOpened, Entered, ItemCounted, ScanFact, StockLine
from app.contract.vocabulary import ScanSource
from app.store.device_store import DeviceStore
from app.store.event_log import EventDraft
from tests.support.device import FakeClock, a_store
from tests.support.events import an_id

EVENTS = 10_000
ITEMS_PER_BIN = 18
"""With opening and closing, twenty events for each bin."""


def bins_counted() -> Iterator[list[EventDraft]]:
    """The steps of one bin after the other: opened by its label, items scanned, closed."""
    for bin_number in itertools.count(1):
        label = f"A-{bin_number // 100:02}-{bin_number % 100:02}"
        items = (_item(bin_number * ITEMS_PER_BIN + place) for place in range(ITEMS_PER_BIN))
        payloads = [
            BinOpened(bin=label, scan=_scan(f"BIN{label}", "code128")),
            *items,
            BinClosed(),
        ]
        count_id = an_id(bin_number)
        yield [EventDraft(payload=p, user_id="ana", count_id=count_id) for p in payloads]


def _item(number: int) -> ItemCounted:
    return ItemCounted(
        line=StockLine(sku=f"SKU-{number:06}"),
        entered=Entered(quantity=str(1 + number % 24)),
        scan=_scan(f"{4_000_000_000_000 + number}", "ean13"),
    )


def _scan(raw: str, symbology: str) -> ScanFact:
    return ScanFact(raw=raw, symbology=symbology, source=ScanSource.WEDGE)


def filled_store(folder: Path, events: int = EVENTS) -> DeviceStore:
    """A device's store with that many events unsent (whole bins: a multiple of twenty)."""
    clock = FakeClock()
    store = a_store(folder, clock)
    for drafts in itertools.islice(bins_counted(), events // (ITEMS_PER_BIN + 2)):
        clock.pass_ms(30_000)
        store.append(drafts)
    return store


def write_documents(path: Path, folder: Path, events: int = EVENTS) -> int:
    """The very bytes that such a store would send, one event a line; their mean size in bytes."""
    store = filled_store(folder, events)
    texts = [event.raw for event in store.pending(events)]
    store.close()
    if len(texts) != events:
        raise ValueError(f"{len(texts)} events are unsent where {events} were asked for")
    path.write_text("\n".join(texts), encoding="utf-8")
    return round(path.stat().st_size / events)
