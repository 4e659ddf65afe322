"""Sync: storing and reconciling beside a bare insert, draining a backlog, a scan's way to the disk."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
from sqlalchemy import insert as insert_into
from sqlalchemy import text

from app.contract.events import BinClosed, BinOpened, Payload
from app.contract.vocabulary import PhysicalState
from app.store.device_store import DeviceStore
from app.store.event_log import EventDraft
from app.sync.outcomes import Delivered
from server.cli.serve import spare_what_stays
from server.clock import Rim
from server.domain.stock import Movement
from server.services import intake
from server.storage.columns import to_us
from server.storage.engine import Database
from server.storage.ledger import post
from server.storage.migrate import upgrade
from server.storage.records import ensure_site
from server.storage.tables_records import BinRow, SkuRow
from tests.bench.live import SITE, LiveServer, a_live_device, a_live_server
from tests.bench.report import Figure, percentile
from tests.support.devices import SimpleDevice, a_device
from tests.support.events import counted

TITLE = "Sync"
BINS = 500
SKUS = 2000
LINES = 18
"""Of one counted bin: with its opening and closing twenty events."""
BACKLOG = 10_000
PUSHES = 8
PAIRS = 3


def figures() -> list[Figure]:
    """Measured in this run; the limits are those of the specification."""
    return [_intake(), *_drains(), _scan()]


def _site(database: Database) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        ensure_site(session, SITE, "Bench", "EUR", now)
        session.execute(
            insert_into(BinRow),
            [
                {"site_id": SITE, "bin": f"B{n:04}", "barcode": f"LOC-B{n:04}", "walk_order": n}
                for n in range(BINS)
            ],
        )
        session.execute(
            insert_into(SkuRow),
            [
                {
                    "site_id": SITE,
                    "sku": f"S{n:05}",
                    "description": f"Thing {n}",
                    "cost_set_us": to_us(now),
                    "unit_cost_u": 1_500_000,
                }
                for n in range(SKUS)
            ],
        )
        post(session, SITE, _received(datetime(2026, 1, 1, tzinfo=UTC)))
        session.commit()


def _new_id() -> str:
    return Rim().new_id()


def _contents(number: int) -> list[tuple[str, int]]:
    """(SKU, units) in a bin: what is there, and what the book says."""
    return [(f"S{(number % BINS * LINES + i) % SKUS:05}", i % 7 + 1) for i in range(LINES)]


def _count(number: int) -> list[Payload]:
    """Somebody counts the bin; one line in fifty is miscounted."""
    lines = enumerate(_contents(number))
    return [
        BinOpened(bin=f"B{number % BINS:04}"),
        *(counted(sku, str(n + (number * LINES + i) % 50 // 49)) for i, (sku, n) in lines),
        BinClosed(),
    ]


def _received(at: datetime) -> list[Movement]:
    return [
        Movement(
            movement_id=f"M{number}-{sku}",
            occurred_at=at,
            recorded_at=at,
            kind="receipt",
            sku=sku,
            quantity=Decimal(units),
            from_bin="@supplier",
            from_state=PhysicalState.AVAILABLE,
            to_bin=f"B{number:04}",
            to_state=PhysicalState.AVAILABLE,
        )
        for number in range(BINS)
        for sku, units in _contents(number)
    ]


# -- the server alone


def _intake() -> Figure:
    spare_what_stays()  # as `blindcount serve` does
    ratios, ours_rate, floor_rate = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for pair in range(PAIRS):
            ours = _stored_per_second(Path(folder) / f"ours{pair}.sqlite")
            floor = _inserted_per_second(Path(folder) / f"ours{pair}.sqlite")
            ours_rate.append(ours)
            floor_rate.append(floor)
            ratios.append(floor / ours)
    return Figure(
        what="storing and reconciling 500-event pushes, times a bare insert of the same rows",
        value=percentile(ratios, 0.5),
        unit="x",
        limit=4,
        floor_name="bare insert, same durability, events/s",
        floor=percentile(floor_rate, 0.5),
        note=f"{percentile(ours_rate, 0.5):,.0f} events/s stored and reconciled",
    )


def _stored_per_second(path: Path) -> float:
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    _site(database)
    device = a_device(database, Rim())
    requests = [_a_push(device, push) for push in range(PUSHES + 1)]
    _push(device, requests[0])
    started = time.perf_counter()
    for request in requests[1:]:
        _push(device, request)
    taken = time.perf_counter() - started
    database.close()
    return PUSHES * 500 / taken


def _a_push(device: SimpleDevice, push: int) -> object:
    device.pending = []
    for count in range(25):
        count_id = _new_id()
        for payload in _count(push * 25 + count):
            device.record(payload, count_id)
    return device.request()


def _push(device: SimpleDevice, request: object) -> None:
    reply = intake.push(device.database, SITE, device.device, request, rim=device.rim)
    assert all(r.r == "created" for r in reply.results), reply.results[:3]


def _inserted_per_second(path: Path) -> float:
    """The same rows into the same table of a fresh file, 500 a transaction, synchronous FULL."""
    source = sqlite3.connect(path)
    rows = source.execute("SELECT * FROM device_event").fetchall()
    ddl = source.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'device_event' AND sql IS NOT NULL "
        "AND type IN ('table', 'index')"
    ).fetchall()
    source.close()
    target = sqlite3.connect(f"{path}.floor", isolation_level=None)
    target.execute("PRAGMA journal_mode=WAL")
    target.execute("PRAGMA synchronous=FULL")
    for (statement,) in ddl:
        target.execute(statement)
    marks = ", ".join("?" * len(rows[0]))
    started = time.perf_counter()
    for begin in range(0, len(rows), 500):
        target.execute("BEGIN IMMEDIATE")
        target.executemany(f"INSERT INTO device_event VALUES ({marks})", rows[begin : begin + 500])
        target.execute("COMMIT")
    taken = time.perf_counter() - started
    target.close()
    return len(rows) / taken


# -- both ends


def _drains() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, a_live_server(Path(folder) / "server") as server:
        _site(server.database)
        loopback = asyncio.run(_drained(server, Path(folder) / "near", None))
        far = asyncio.run(
            _drained(server, Path(folder) / "far", SlowLine(httpx.AsyncHTTPTransport()))
        )
        raw = _posts_of_nothing(server)
    return [
        Figure(
            what=f"{BACKLOG:,} events drained over loopback, stored and reconciled",
            value=loopback,
            unit="s",
            floor_name="20 requests of the same size answered without storing, s",
            floor=raw,
            note="beside PouchDB in make bench-peers",
        ),
        Figure(
            what=f"{BACKLOG:,} events drained at 200 ms round trip and 5 Mbit/s",
            value=far,
            unit="s",
            limit=60,
        ),
    ]


async def _drained(
    server: LiveServer, folder: Path, line: httpx.AsyncBaseTransport | None
) -> float:
    store, _, engine = a_live_device(folder, inner=line)
    assert isinstance(await engine.enrol(server.url, server.code(), folder.name), Delivered)
    await engine.cycle()
    _fill(store)
    started = time.perf_counter()
    while store.outbox().unsent:
        await engine.cycle()
    taken = time.perf_counter() - started
    assert store.outbox().held == 0
    with server.database.read() as session:
        stored = session.execute(
            text("SELECT count(*) FROM device_event WHERE install_id = :i"),
            {"i": store.install_id},
        ).scalar_one()
    assert stored == BACKLOG
    store.close()
    return taken


def _fill(store: DeviceStore) -> None:
    for number in range(BACKLOG // (LINES + 2)):
        count_id = _new_id()
        store.append(
            [EventDraft(payload=p, user_id="ana", count_id=count_id) for p in _count(number)]
        )


def _posts_of_nothing(server: LiveServer) -> float:
    """What HTTP alone costs: as many bodies of that size, refused for want of a token."""
    body = b"x" * 100_000
    with httpx.Client() as client:
        started = time.perf_counter()
        for _ in range(20):
            client.post(f"{server.url}/sync/v1/push", content=body)
        return time.perf_counter() - started


class SlowLine(httpx.AsyncBaseTransport):
    """A line with 200 ms round trip and 5 Mbit/s each way."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        await asyncio.sleep(0.1 + len(body) * 8 / 5e6)
        response = await self._inner.handle_async_request(request)
        size = int(response.headers.get("content-length", "0"))
        await asyncio.sleep(0.1 + size * 8 / 5e6)
        return response


# -- the device alone


def _scan() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        store, _, _ = a_live_device(Path(folder))
        _fill(store)
        count_id = _new_id()
        taken = []
        for _ in range(500):
            started = time.perf_counter()
            draft = EventDraft(payload=counted("S00001", "1"), user_id="ana", count_id=count_id)
            store.append([draft])
            taken.append((time.perf_counter() - started) * 1000)
        raw = _commits(Path(folder) / "floor.db")
        store.close()
    return Figure(
        what="scan to committed, p95, with 10,000 events on the device",
        value=percentile(taken, 0.95),
        unit="ms",
        limit=10,
        floor_name="bare SQLite commit of one row, FULL, p95 ms",
        floor=percentile(raw, 0.95),
        note=f"p50 {percentile(taken, 0.5):.2f} ms",
    )


def _commits(path: Path) -> list[float]:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE t (seq INTEGER PRIMARY KEY, raw TEXT)")
    taken = []
    for _ in range(500):
        started = time.perf_counter()
        db.execute("INSERT INTO t (raw) VALUES (?)", ("x" * 500,))
        taken.append((time.perf_counter() - started) * 1000)
    db.close()
    return taken
