"""The same work done by Blindcount, to stand beside the peers.

`ours_inventory` is Tryton's: the server's services on a SQLite file, in this process, like Tryton's
server models. `ours_drain` is PouchDB's: a device's engine against a server process over loopback.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import insert
from sqlmodel import col, func, select

from app.contract.ids import RANDOM_BYTES, uuid7
from app.contract.review import Action, BulkDecision, Decision
from app.contract.vocabulary import PhysicalState, ReasonCode
from app.sync.outcomes import Delivered
from server.cli.serve import spare_what_stays
from server.domain.stock import Movement
from server.services import bulk_decisions
from server.storage import ledger
from server.storage.columns import to_u, to_us
from server.storage.engine import Database
from server.storage.tables_casework import CountRow, ExceptionCaseRow
from server.storage.tables_records import BinRow, SkuRow
from tests.bench.live import LiveServer, a_live_device, a_live_server
from tests.bench.peers.backlog import EVENTS, ITEMS_PER_BIN, counted_bins, record
from tests.bench.peers.environments import HOME
from tests.support.floor import LONG_AGO, Floor
from tests.support.server import NOW, SITE, Databases

BOOK = 40
"""Units of each SKU on the shelf at first, as in Tryton's run."""
OFF = 3
"""Units a line that is different is short."""
DIFFERENT_EVERY = 10
PUSH = 500
Shelves = dict[str, dict[str, int]]
"""Bin -> SKU -> units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventorySeconds:
    """Seconds from the first push to the last verdict, and from there to the last posting."""

    entered: float
    confirmed: float

    @property
    def total(self) -> float:
        return self.entered + self.confirmed


def ours_inventory(
    *, lines: int = 2_000, different: int = 200, bins: int = 100
) -> InventorySeconds:
    """Counts pushed, stored and reconciled; then every difference approved by a lead and posted.

    Not timed: making the database, filling the shelf, what the device does before it sends, checking
    that the book is what was counted. Tryton asks nobody to count again; so the lead approves here
    without a recount, which is a lead's right.
    """
    HOME.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HOME) as name:
        folder = Path(name)
        floor = Floor(Databases(folder).make("sqlite", folder))
        counted = _shelves(lines, different, bins)
        book = {place: dict.fromkeys(shelf, BOOK) for place, shelf in counted.items()}
        spare_what_stays()  # as `blindcount serve` does
        _fill(floor.database, book, LONG_AGO)
        _record(floor, counted)
        began = time.perf_counter()
        _push(floor)
        entered = time.perf_counter()
        _approve_all(floor, expected=different)
        confirmed = time.perf_counter()
        _check(floor, counted)
        floor.database.close()
    return InventorySeconds(entered=entered - began, confirmed=confirmed - entered)


def _shelves(lines: int, different: int, bins: int) -> Shelves:
    """What is found. Every so many-th line is short."""
    every = lines // different
    shelves: Shelves = {}
    for number in range(lines):
        shelf = shelves.setdefault(f"A-{number * bins // lines:03}", {})
        shelf[f"SKU-{number:05}"] = BOOK - OFF if number % every == 0 else BOOK
    return shelves


def _fill(database: Database, book: Shelves, since: datetime) -> None:
    """Records of bins and SKUs, and one receipt of each line at `since`."""
    lines = [(place, sku, units) for place, shelf in book.items() for sku, units in shelf.items()]
    bins = [
        {"site_id": SITE, "bin": b, "barcode": f"BIN{b}", "zone": "A", "walk_order": i}
        for i, b in enumerate(book)
    ]
    cost = {"unit_cost_u": to_u(Decimal(5)), "cost_set_us": to_us(since)}
    skus = [{"site_id": SITE, "sku": s, "description": f"Thing {s}", **cost} for _, s, _ in lines]
    with database.write() as session:
        session.execute(insert(BinRow), bins)
        session.execute(insert(SkuRow), skus)
        ledger.post(session, SITE, list(_receipts(lines, since)))
        session.commit()


def _receipts(lines: Iterable[tuple[str, str, int]], at: datetime) -> Iterable[Movement]:
    for place, sku, units in lines:
        yield Movement(
            movement_id=f"in-{sku}",
            occurred_at=at,
            recorded_at=at,
            kind="receipt",
            sku=sku,
            quantity=Decimal(units),
            from_bin="@supplier",
            from_state=PhysicalState.AVAILABLE,
            to_bin=place,
            to_state=PhysicalState.AVAILABLE,
        )


def _record(floor: Floor, counted: Shelves) -> None:
    for place, shelf in counted.items():
        floor.count("ana", place, {sku: str(n) for sku, n in shelf.items()}, push=False)


def _push(floor: Floor) -> None:
    device = floor.device("ana")
    unsent = list(device.pending)
    for start in range(0, len(unsent), PUSH):
        device.pending = unsent[start : start + PUSH]
        floor.push("ana")


def _approve_all(floor: Floor, *, expected: int) -> None:
    ids = [case.case_id for case in floor.cases()]
    if len(ids) != expected:
        raise ValueError(f"{len(ids)} cases opened where {expected} lines were different")
    for start in range(0, len(ids), 200):
        decision = Decision(
            decision_id=uuid7(int(NOW.timestamp() * 1000), start.to_bytes(RANDOM_BYTES, "big")),
            action=Action.APPROVE,
            reason=ReasonCode.UNKNOWN_CAUSE,
        )
        bulk = BulkDecision(case_ids=tuple(ids[start : start + 200]), decision=decision)
        answer = bulk_decisions.decide_in_bulk(
            floor.database, SITE, bulk, floor.person("lea"), rim=floor.rim
        )
        refused = [r for r in answer.results if not r.done]
        if refused:
            raise ValueError(f"{len(refused)} approvals refused: {refused[0].message}")


def _check(floor: Floor, counted: Shelves) -> None:
    for place, shelf in counted.items():
        book = {sku: int(n) for (sku, _), n in floor.book(place).items()}
        if book != shelf:
            raise ValueError(f"the book of {place} is not what was counted")


def ours_drain(*, events: int = EVENTS) -> float:
    """Seconds until a device's backlog is stored durably and reconciled by a server over loopback.

    Not timed: recording the backlog, starting and filling the server, enrolling. One line in ten
    differs from the book, so a tenth of the lines becomes cases; PouchDB only stores.
    """
    HOME.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HOME) as name, a_live_server(Path(name, "server")) as live:
        found = {each.bin: each.units for each in counted_bins(events)}
        _fill(live.database, _book_of(found), datetime.now(UTC) - timedelta(days=30))
        seconds = asyncio.run(_drain(live, Path(name, "device"), events))
        _check_drained(live.database, bins=len(found))
    return seconds


def _book_of(found: Shelves) -> Shelves:
    """A book in which every tenth line has more than is found."""
    numbered = (
        (place, sku, units) for place, shelf in found.items() for sku, units in shelf.items()
    )
    book: Shelves = {}
    for number, (place, sku, units) in enumerate(numbered):
        off = OFF if number % DIFFERENT_EVERY == 0 else 0
        book.setdefault(place, {})[sku] = units + off
    return book


async def _drain(live: LiveServer, folder: Path, events: int) -> float:
    store, _, engine = a_live_device(folder)
    enrolled = await engine.enrol(live.url, live.code(), "bench")
    if not isinstance(enrolled, Delivered):
        raise ValueError(f"the device could not be enrolled: {enrolled}")
    await engine.cycle()
    record(store, events)
    began = time.perf_counter()
    while store.outbox().unsent:
        await engine.cycle()
    seconds = time.perf_counter() - began
    if store.outbox().held:
        raise ValueError("the server could not use some events: this run is no measure")
    store.close()
    return seconds


def _check_drained(database: Database, *, bins: int) -> None:
    """Every bin is a closed count, every tenth line a case."""
    with database.read() as session:
        closed = session.exec(
            select(func.count()).select_from(CountRow).where(col(CountRow.status) == "closed")
        ).one()
        cases = session.exec(select(func.count()).select_from(ExceptionCaseRow)).one()
    expected = -(-bins * ITEMS_PER_BIN // DIFFERENT_EVERY)
    if (closed, cases) != (bins, expected):
        raise ValueError(f"{closed} counts and {cases} cases where {bins} and {expected} should be")
