"""Imports and the book: 1,000,000 movements in, one bin out of 10,000,000, the full book of 100,000 pairs.

    python -m tests.bench ledger          (BLINDCOUNT_BENCH_MOVEMENTS=1000000 for a quicker look)

Each figure stands beside its floor: the same rows by a bare `executemany` into the same table, and one
hand-written SQL aggregate. Every run makes its data anew in a temporary folder.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from server.settings import Settings
from server.storage.book import full_book
from server.storage.bulk import COLUMNS
from server.storage.checkpoints import refresh_checkpoints
from server.storage.columns import to_us
from server.storage.ledger import book_of_bin
from server.storage.opening import open_database
from tests.bench.ledger_data import BINS, SKUS_PER_BIN, START, bin_code, fill, write_files
from tests.bench.report import Figure

TITLE = "Ledger: imports and the book as of an instant (SQLite)"
SITE = "main"
IMPORT_ROWS = 1_000_000
FEW_ROWS = 100_000
READ_MOVEMENTS = int(os.environ.get("BLINDCOUNT_BENCH_MOVEMENTS", "10000000"))
READS = 1000
INDEXES = (
    "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'movement' AND type = 'index' "
    "AND sql IS NOT NULL"
)
HAND_WRITTEN = """
    SELECT bin, sku, lot, serial, state, sum(q) FROM (
        SELECT to_bin AS bin, sku, lot, serial, to_state AS state, quantity_u AS q
        FROM movement WHERE site_id = 'main' AND occurred_us <= ?1
        UNION ALL
        SELECT from_bin, sku, lot, serial, from_state, -quantity_u
        FROM movement WHERE site_id = 'main' AND occurred_us <= ?1)
    GROUP BY bin, sku, lot, serial, state HAVING sum(q) <> 0
"""
ONE_BIN = """
    SELECT sku, lot, serial, state, sum(q) FROM (
        SELECT sku, lot, serial, to_state AS state, quantity_u AS q
        FROM movement WHERE site_id = 'main' AND to_bin = ?2 AND occurred_us <= ?1
        UNION ALL
        SELECT sku, lot, serial, from_state, -quantity_u
        FROM movement WHERE site_id = 'main' AND from_bin = ?2 AND occurred_us <= ?1)
    GROUP BY sku, lot, serial, state HAVING sum(q) <> 0
"""


def figures() -> list[Figure]:
    """Everything measured here."""
    with tempfile.TemporaryDirectory(prefix="blindcount-bench-") as name:
        folder = Path(name)
        return [*_imports(folder), *_full_book(folder), *_one_bin(folder)]


def _imports(folder: Path) -> list[Figure]:
    """The command in a process of its own, so that its peak memory is its own."""
    few = _import(folder / "few", FEW_ROWS)
    many = _import(folder / "many", IMPORT_ROWS)
    floor, floor_cpu = _executemany(folder / "many", folder / "floor.sqlite", late_indexes=False)
    late, _ = _executemany(folder / "many", folder / "late.sqlite", late_indexes=True)
    return [
        Figure(
            what=f"import {IMPORT_ROWS:,} movements from CSV",
            value=many["seconds"],
            unit="s",
            limit=3 * floor,
            floor_name="bare executemany of the same rows",
            floor=floor,
            note=f"ratio {many['seconds'] / floor:.2f}; of processor time "
            f"{many['cpu_seconds'] / floor_cpu:.2f}",
        ),
        Figure(
            what="the same beside a bare executemany that builds its indexes afterwards, as ours does",
            value=many["seconds"],
            unit="s",
            floor_name="executemany, then CREATE INDEX",
            floor=late,
            note=f"ratio {many['seconds'] / late:.2f}",
        ),
        Figure(
            what=f"peak memory of that import ({FEW_ROWS:,} rows: {few['peak_mb']:.0f} MB)",
            value=many["peak_mb"],
            unit="MB",
            limit=400,
            floor_name=f"the same of {FEW_ROWS:,} rows",
            floor=few["peak_mb"],
        ),
    ]


def _import(folder: Path, rows: int) -> dict[str, float]:
    write_files(folder, rows)
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.ledger_import", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _executemany(folder: Path, path: Path, *, late_indexes: bool) -> tuple[float, float]:
    """(Seconds, processor seconds) of the floor: the same rows into the same table and indexes.

    Durability is ours (WAL, synchronous=FULL, one transaction); its page cache is twice ours, and it
    checks no foreign key. With `late_indexes` it builds its secondary indexes after the rows.
    """
    names = ", ".join(COLUMNS)
    with closing(sqlite3.connect(folder / "db.sqlite")) as made:
        rows = made.execute(f"SELECT {names} FROM movement ORDER BY rowid").fetchall()
    open_database(Settings(database_url=f"sqlite:///{path}"), START).close()
    marks = ", ".join("?" * len(COLUMNS))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("synchronous=FULL", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")
        indexes = connection.execute(INDEXES).fetchall() if late_indexes else []
        started, cpu_started = time.perf_counter(), time.process_time()
        connection.execute("BEGIN IMMEDIATE")
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.executemany(f"INSERT INTO movement ({names}) VALUES ({marks})", rows)
        for _, statement in indexes:
            connection.execute(statement)
        connection.execute("COMMIT")
        return time.perf_counter() - started, time.process_time() - cpu_started


def _full_book(folder: Path) -> list[Figure]:
    url = f"sqlite:///{folder / 'many' / 'db.sqlite'}"
    database = open_database(Settings(database_url=url), START)
    at = START + timedelta(days=300)
    with database.read() as session:
        started = time.perf_counter()
        ours = dict(full_book(session, SITE, at))
        seconds = time.perf_counter() - started
    with closing(sqlite3.connect(folder / "many" / "db.sqlite")) as connection:
        started = time.perf_counter()
        theirs = connection.execute(HAND_WRITTEN, (to_us(at),)).fetchall()
        floor = time.perf_counter() - started
    database.close()
    assert len(ours) == len(theirs)
    return [
        Figure(
            what=f"full book as of an instant, {len(ours):,} keys of {IMPORT_ROWS:,} movements",
            value=seconds,
            unit="s",
            limit=2 * floor,
            floor_name="one hand-written SQL aggregate",
            floor=floor,
            note=f"ratio {seconds / floor:.2f}",
        )
    ]


def _one_bin(folder: Path) -> list[Figure]:
    path = folder / "large.sqlite"
    database = open_database(Settings(database_url=f"sqlite:///{path}"), START)
    hot = fill(path, READ_MOVEMENTS)
    started = time.perf_counter()
    made = refresh_checkpoints(database, SITE, [*map(bin_code, range(BINS)), hot])
    checkpoint_seconds = time.perf_counter() - started
    rng = random.Random(7)
    asked = [
        (bin_code(rng.randrange(BINS)), START + timedelta(seconds=rng.randrange(365 * 86_400)))
        for _ in range(READS)
    ]
    often = [(hot, at) for _, at in asked]
    result = []
    with (
        database.read() as session,
        closing(sqlite3.connect(path)) as connection,
    ):
        for name, reads in (("any bin", asked), ("the busiest bin", often)):
            ours, theirs = [], []
            for place, at in reads:
                started = time.perf_counter()
                book = book_of_bin(session, SITE, place, at)
                ours.append((time.perf_counter() - started) * 1000)
                if len(theirs) < READS // 10:
                    started = time.perf_counter()
                    found = connection.execute(ONE_BIN, (to_us(at), place)).fetchall()
                    theirs.append((time.perf_counter() - started) * 1000)
                    assert len(found) == len(book)
            result.append(
                Figure(
                    what=f"book of {name} as of any instant, {READ_MOVEMENTS:,} movements, p95",
                    value=_p95(ours),
                    unit="ms",
                    limit=5,
                    floor_name="the same summed over all its movements in plain SQL, p95",
                    floor=_p95(theirs),
                )
            )
    database.close()
    result.append(
        Figure(
            what=f"working out {made:,} checkpoints after loading",
            value=checkpoint_seconds,
            unit="s",
        )
    )
    return result


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


assert SKUS_PER_BIN * BINS == 100_000
assert datetime.now(UTC) > START
