"""Data of the ledger's benchmarks: 100,000 (bin, SKU) pairs, a year of movements, one very busy bin."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from server.storage.columns import to_us

START = datetime(2025, 1, 1, tzinfo=UTC)
BINS = 20_000
SKUS_PER_BIN = 5
PAIRS = BINS * SKUS_PER_BIN
HOT = "HOT"
HOT_EVERY = 50
"""One movement in so many enters or leaves the busiest bin."""


def bin_code(number: int) -> str:
    """The code of the n-th bin."""
    return f"A-{number:05}"


def write_files(folder: Path, rows: int) -> None:
    """bins.csv, skus.csv and movements.csv; every pair is received before it is picked from."""
    folder.mkdir(parents=True)
    _write(folder / "bins.csv", "bin,zone,walk_order", ((bin_code(n), "A", n) for n in range(BINS)))
    _write(
        folder / "skus.csv",
        "sku,description,unit_cost",
        ((f"SKU-{n:06}", "thing", "1.50") for n in range(BINS)),
    )
    step = timedelta(seconds=365 * 86_400 / rows)
    _write(
        folder / "movements.csv",
        "movement_id,occurred_at,kind,sku,lot,serial,quantity,unit,from_bin,from_state,to_bin,"
        "to_state,document",
        (_row(number, START + number * step) for number in range(rows)),
    )


def _row(number: int, at: datetime) -> tuple[str | int, ...]:
    pair = number * 7919 % PAIRS
    place, sku = bin_code(pair // SKUS_PER_BIN), f"SKU-{pair % BINS:06}"
    if number // PAIRS % 4 == 0:
        ends = ("receipt", 90, "@supplier", "inbound", place, "available", "purchase_order")
    else:
        ends = ("pick", 1 + number % 9, place, "available", "@customer", "shipped", "order")
    kind, quantity, from_bin, from_state, to_bin, to_state, document = ends
    return (
        f"M{number:09}", at.isoformat(), kind, sku, "", "", quantity, "each", from_bin, from_state,
        to_bin, to_state, f"{document}/{number // 3}",
    )  # fmt: skip


def _write(path: Path, header: str, rows: object) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{header}\n")
        csv.writer(file, lineterminator="\n").writerows(rows)  # type: ignore[arg-type]


def fill(path: Path, movements: int) -> str:
    """Many movements straight into the table, indexes last; the busiest bin's code."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-262144")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'movement' AND type = 'index' "
            "AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("BEGIN")
        connection.execute(
            f"""
            WITH RECURSIVE numbers(n) AS (
                SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {movements}
            ), placed AS (
                SELECT n, n * 7919 % {PAIRS} AS pair, n / {PAIRS} % 4 = 0 AS is_in,
                       {to_us(START)} + n * {365 * 86_400_000_000 // movements} AS at_us,
                       CASE WHEN n % {HOT_EVERY} = 0 THEN '{HOT}'
                            ELSE printf('A-%05d', n * 7919 % {PAIRS} / {SKUS_PER_BIN}) END AS place
                FROM numbers
            )
            INSERT INTO movement SELECT 'main', printf('M%09d', n), at_us, at_us,
                CASE WHEN is_in THEN 'receipt' ELSE 'pick' END,
                printf('SKU-%06d', CASE WHEN place = '{HOT}' THEN n / {HOT_EVERY} % 20
                                        ELSE pair % {BINS} END),
                '', '', CASE WHEN is_in THEN 90 ELSE 1 + n % 9 END * 1000000, 'each', 1000000,
                CASE WHEN is_in THEN '@supplier' ELSE place END,
                CASE WHEN is_in THEN 'inbound' ELSE 'available' END,
                CASE WHEN is_in THEN place ELSE '@customer' END,
                CASE WHEN is_in THEN 'available' ELSE 'shipped' END, '', ''
            FROM placed
            """
        )
        connection.execute("COMMIT")
        for _, sql in indexes:
            connection.execute(sql)
        connection.execute("ANALYZE")
    return HOT
