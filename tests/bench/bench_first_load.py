"""The first load of a large site: one prebuilt file; then look-ups in it, and the client's memory."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from app.contract.checksums import barcode_id, checksum_text, row_checksum
from app.store.reference import Reference
from app.sync.outcomes import Delivered
from server.clock import Rim
from server.services.epochs import ensure_epoch
from server.services.snapshots import SnapshotStore
from server.settings import Settings
from server.storage.columns import to_us
from tests.bench.live import SITE, LiveServer, a_live_device, a_live_server
from tests.bench.report import Figure, percentile

TITLE = "First load"
SKUS = int(os.environ.get("BLINDCOUNT_BENCH_SKUS", "1000000"))
BINS = SKUS // 5
_BATCH = 50_000
LOOKUPS = 2000


def figures() -> list[Figure]:
    """Measured in this run, with 1,000,000 SKUs unless BLINDCOUNT_BENCH_SKUS says otherwise."""
    with tempfile.TemporaryDirectory() as folder, a_live_server(Path(folder) / "server") as server:
        _fill(server)
        built = _build(server)
        loaded, grown, reference = asyncio.run(_load(server, Path(folder) / "device"))
        looked_up = _look_up(reference)
        size = sum(p.stat().st_size for p in (Path(folder) / "device").glob("ref.db*"))
        copied = _copied(Path(folder) / "device" / "ref.db", Path(folder) / "copy.db")
    return [
        Figure(
            what=f"first load of {SKUS:,} SKUs and {BINS:,} bins over loopback, verified",
            value=loaded,
            unit="s",
            limit=30,
            floor_name="copying the finished file with fsync, s",
            floor=copied,
            note=f"{size / 1e6:.0f} MB; built on the server in {built:.1f} s beforehand",
        ),
        Figure(
            what="a barcode looked up in it, p99",
            value=percentile(looked_up, 0.99),
            unit="ms",
            limit=2,
            note=f"p50 {percentile(looked_up, 0.5):.2f} ms",
        ),
        Figure(what="the client's memory grew by, at most", value=grown, unit="MB", limit=64),
    ]


def _fill(server: LiveServer) -> None:
    """Rows straight into the tables, with their revisions, as an import leaves them."""
    path = server.database_url.removeprefix("sqlite:///")
    now = to_us(datetime.now(UTC))
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        rev = _known_revisions(db)
        for kind, count in (("sku", SKUS), ("bin", BINS), ("barcode", SKUS)):
            checksum = 0
            for start in range(0, count, _BATCH):
                numbers = range(start, min(start + _BATCH, count))
                _insert(db, kind, numbers, now)
                marks = [(SITE, kind, _row_id(kind, n), rev + 1 + n - start, 0) for n in numbers]
                db.executemany(
                    "INSERT INTO change (site_id, kind, row_id, rev, is_deleted) VALUES (?,?,?,?,?)",
                    marks,
                )
                checksum += sum(row_checksum(kind, m[2], m[3]) for m in marks)
                rev += len(marks)
            db.execute(
                "INSERT INTO change_total VALUES (?, ?, ?, ?)",
                (SITE, kind, count, checksum_text(checksum % (1 << 64))),
            )
        db.execute("UPDATE change_counter SET rev = ? WHERE site_id = ?", (rev, SITE))


def _known_revisions(db: sqlite3.Connection) -> int:
    return int(
        db.execute("SELECT rev FROM change_counter WHERE site_id = ?", (SITE,)).fetchone()[0]
    )


def _row_id(kind: str, n: int) -> str:
    names = {"sku": f"S{n:07}", "bin": f"B{n:06}", "barcode": barcode_id(f"{n:013}", f"S{n:07}")}
    return names[kind]


def _insert(db: sqlite3.Connection, kind: str, numbers: range, now: int) -> None:
    if kind == "sku":
        db.executemany(
            "INSERT INTO sku (site_id, sku, description, tracking, abc_class, unit_cost_u, cost_set_us,"
            " price_u, currency, state, owner) VALUES (?,?,?,'none','C',0,?,0,'EUR','active','')",
            ((SITE, f"S{n:07}", f"Thing number {n} in blue", now) for n in numbers),
        )
    elif kind == "bin":
        db.executemany(
            "INSERT INTO bin (site_id, bin, barcode, zone, aisle, bay, level, kind, walk_order, state,"
            " owner) VALUES (?,?,?,'Z','A','1','1','pick',?,'active','')",
            ((SITE, f"B{n:06}", f"LOC-{n:06}", n) for n in numbers),
        )
    else:
        db.executemany(
            "INSERT INTO barcode (site_id, barcode, sku, unit, factor_u) VALUES (?,?,?,'each',1000000)",
            ((SITE, f"{n:013}", f"S{n:07}") for n in numbers),
        )


def _build(server: LiveServer) -> float:
    """As the nightly build does, into the folder the server gives parts from."""
    folder = Settings(database_url=server.database_url).snapshot_folder()
    epoch = ensure_epoch(server.database, SITE, Rim())
    started = time.perf_counter()
    SnapshotStore(folder).build(server.database, SITE, epoch, Rim())
    return time.perf_counter() - started


async def _load(server: LiveServer, folder: Path) -> tuple[float, float, Reference]:
    _, reference, engine = a_live_device(folder)
    assert isinstance(await engine.enrol(server.url, server.code(), "bench"), Delivered)
    before = _forget_the_peak_mb()
    started = time.perf_counter()
    while not reference.is_ready:
        await engine.cycle()
    taken = time.perf_counter() - started
    assert len(reference.barcodes(f"{SKUS - 1:013}")) == 1
    return taken, _status_mb("VmHWM") - before, reference


def _forget_the_peak_mb() -> float:
    """What the process holds now; from here on its peak is the load's own, not that of its start."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return _status_mb("VmRSS")


def _status_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def _look_up(reference: Reference) -> list[float]:
    chance = random.Random(1)
    taken = []
    for _ in range(LOOKUPS):
        barcode = f"{chance.randrange(SKUS):013}"
        started = time.perf_counter()
        found = reference.barcodes(barcode)
        taken.append((time.perf_counter() - started) * 1000)
        assert len(found) == 1
    return taken


def _copied(source: Path, target: Path) -> float:
    started = time.perf_counter()
    with source.open("rb") as read, target.open("wb") as write:
        while chunk := read.read(1 << 20):
            write.write(chunk)
        write.flush()
        os.fsync(write.fileno())
    return time.perf_counter() - started
