"""Casework: verdicts of a large count, storing and judging an ordinary one, a queue of 100,000 cases.

    python -m tests.bench casework        (BLINDCOUNT_BENCH_CASES=10000 for a quicker look)

The floor beside storing a count is the same push with nothing to judge it: the events, durable.
"""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from app.contract.count_fold import LineKey
from app.contract.vocabulary import BinKind, CountScope, PhysicalState
from server.domain.ranges import Span
from server.domain.reconcile import BinBook, CountedCell, CountFacts, reconcile
from server.domain.stock import Movement, StockKey
from server.services import case_view
from server.settings import Settings
from server.storage.case_queue import QueueFilter
from server.storage.columns import to_us
from server.storage.ledger import post
from server.storage.opening import open_database
from server.storage.tables_casework import ExceptionCaseRow
from server.storage.tables_records import BinRow, SkuRow
from tests.bench.ledger_data import START, fill
from tests.bench.report import Figure, percentile, timed_ms
from tests.support.floor import Floor
from tests.support.rim import ServerTime
from tests.support.server import SITE
from tests.support.sheets import terms

TITLE = "Casework: verdicts, storing a count, the queue (SQLite)"
LINES, MOVEMENTS = 10_000, 100_000
LEDGER = int(os.environ.get("BLINDCOUNT_BENCH_LEDGER", "1000000"))
CASES = int(os.environ.get("BLINDCOUNT_BENCH_CASES", "100000"))
COUNT_LINES = 20
COUNTS = 60


def figures() -> list[Figure]:
    """Everything measured here."""
    with tempfile.TemporaryDirectory(prefix="blindcount-bench-") as name:
        folder = Path(name)
        return [_verdicts(), *_counts(folder), *_queue(folder)]


# -- pure verdicts ---------------------------------------------------------------------------------


def _verdicts() -> Figure:
    chance = random.Random(3)
    moves = [_a_move(index, chance) for index in range(MOVEMENTS)]
    opening = {StockKey(bin="A", sku=f"S{n}"): Decimal(50) for n in range(LINES)}
    opened, closed = START + timedelta(hours=10), START + timedelta(hours=11)
    seen = Span(earliest=opened, latest=closed)
    count = CountFacts(
        count_id="c",
        bin="A",
        bin_kind=BinKind.PICK,
        scope=CountScope.WHOLE_BIN,
        sku=None,
        person="ana",
        opened=Span(earliest=opened, latest=opened),
        ended=Span(earliest=closed, latest=closed),
        cells=tuple(
            CountedCell(key=LineKey(sku=f"S{n}"), quantity=Decimal(n % 60), seen=seen)
            for n in range(LINES)
        ),
    )
    rule = terms()

    def judge() -> None:
        book = BinBook(
            bin="A", bin_kind=BinKind.PICK, opening=opening, movements=moves, tracking={}
        )
        assert len(reconcile(count, book, rule)) == LINES

    taken = timed_ms(judge, times=5)
    floor = timed_ms(lambda: _plain_loop(moves), times=5)
    return Figure(
        what=f"verdicts of a count of {LINES:,} lines, {MOVEMENTS:,} movements around it, worst of 5",
        value=max(taken) / 1000,
        unit="s",
        limit=1,
        floor_name="one dictionary look-up and Decimal sum per movement",
        floor=max(floor) / 1000,
    )


def _plain_loop(moves: list[Movement]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for move in moves:
        sums[move.sku] = sums.get(move.sku, Decimal(0)) + move.quantity
    return sums


def _a_move(index: int, chance: random.Random) -> Movement:
    at = START + timedelta(seconds=chance.randrange(86_400))
    is_out = index % 2 == 0
    return Movement(
        movement_id=f"m{index}",
        occurred_at=at,
        recorded_at=at,
        kind="pick",
        sku=f"S{index % LINES}",
        quantity=Decimal(1 + index % 5),
        from_bin="A" if is_out else "@supplier",
        from_state=PhysicalState.AVAILABLE,
        to_bin="@customer" if is_out else "A",
        to_state=PhysicalState.AVAILABLE,
    )


# -- storing and judging a count ---------------------------------------------------------------------


def _counts(folder: Path) -> list[Figure]:
    """Pushes of counts of 20 lines, two of which miss, into a ledger of a million movements."""
    path = folder / "counts.sqlite"
    database = open_database(Settings(database_url=f"sqlite:///{path}"), START)
    fill(path, LEDGER)
    floor = Floor(database, time=ServerTime(START + timedelta(days=366)))
    bins = [f"Z-{n:03}" for n in range(COUNTS)]
    with database.write() as session:
        for number, code in enumerate(bins):
            session.add(BinRow(site_id=SITE, bin=code, barcode=code, zone="Z", walk_order=number))
        for number in range(COUNT_LINES):
            session.add(
                SkuRow(
                    site_id=SITE, sku=f"Z{number}", unit_cost_u=2_000_000, cost_set_us=to_us(START)
                )
            )
        session.flush()
        post(session, SITE, [m for code in bins for m in _stock(code)])
        session.commit()
    judged, stored = [], []
    for index, code in enumerate(bins):
        wrong = index % COUNT_LINES
        items = {
            f"Z{n}": str(40 - (3 if n in (wrong, (wrong + 7) % COUNT_LINES) else 0))
            for n in range(COUNT_LINES)
        }
        floor.count("ana", code, items, push=False)
        judged.append(_ms(lambda: floor.push("ana")))
        floor.count("ben", "NO-SUCH-BIN", items, push=False)
        stored.append(_ms(lambda: floor.push("ben")))
    open_cases = len(floor.cases(kind="variance"))
    database.close()
    return [
        Figure(
            what=f"store and judge a count of {COUNT_LINES} lines (2 wrong), ledger of "
            f"{LEDGER:,} movements, p95 of {COUNTS}",
            value=percentile(judged[3:], 0.95),
            unit="ms",
            limit=50,
            floor_name="the same events into no bin: durable, nothing judged, p95",
            floor=percentile(stored[3:], 0.95),
            note=f"{open_cases} cases opened",
        )
    ]


def _stock(code: str) -> list[Movement]:
    at = START + timedelta(days=350)
    return [
        Movement(
            movement_id=f"{code}-{n}-{k}",
            occurred_at=at + timedelta(hours=5 * k),
            recorded_at=at + timedelta(hours=5 * k),
            kind="receipt" if k == 0 else "pick",
            sku=f"Z{n}",
            quantity=Decimal(60 if k == 0 else 4),
            from_bin="@supplier" if k == 0 else code,
            from_state=PhysicalState.AVAILABLE,
            to_bin=code if k == 0 else "@customer",
            to_state=PhysicalState.AVAILABLE,
        )
        for n in range(COUNT_LINES)
        for k in range(6)
    ]


def _ms(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


# -- the queue ---------------------------------------------------------------------------------------


def _queue(folder: Path) -> list[Figure]:
    path = folder / "queue.sqlite"
    database = open_database(Settings(database_url=f"sqlite:///{path}"), START)
    floor = Floor(database)
    floor.sku("S1")
    real = []
    for number in range(20):
        floor.stock(f"R-{number:02}")
        floor.count("ana", f"R-{number:02}", {"S1": "4"})
        floor.count("ben", f"R-{number:02}", {"S1": "4"})
        real.append(floor.case(bin=f"R-{number:02}").case_id)
    _fill_cases(path, floor)
    everything = QueueFilter()

    def first_page() -> None:
        page = case_view.queue_page(
            database, SITE, everything, cursor=None, limit=50, rim=floor.rim
        )
        assert page.total_open == CASES + 20

    pages = timed_ms(first_page, times=60, warm_up=3)
    sue = floor.person("sue")
    details = []
    for number in range(60):
        case_id = real[number % len(real)]
        details.append(
            _ms(lambda: case_view.find_detail(database, SITE, case_id, sue, rim=floor.rim))  # noqa: B023
        )
    with closing(sqlite3.connect(path)) as connection:
        sql = (
            "SELECT * FROM exception_case WHERE site_id = 'main' AND is_live "
            "ORDER BY rank, case_id LIMIT 50"
        )
        floor_ms = timed_ms(lambda: connection.execute(sql).fetchall(), times=60)
    database.close()
    return [
        Figure(
            what=f"first page of the queue, {CASES:,} open cases, with totals, p95",
            value=percentile(pages, 0.95),
            unit="ms",
            limit=50,
            floor_name="the 50 rows in plain SQL, without totals, p95",
            floor=percentile(floor_ms, 0.95),
        ),
        Figure(
            what="one case with all its evidence, p95",
            value=percentile(details, 0.95),
            unit="ms",
            limit=100,
        ),
    ]


def _fill_cases(path: Path, floor: Floor) -> None:
    template = floor.cases()[0].model_dump()
    chance = random.Random(9)
    names = list(template)
    assert set(names) <= set(ExceptionCaseRow.model_fields)
    rows = []
    for number in range(CASES):
        row = template | {
            "case_id": f"case-{number:07}",
            "bin": f"B-{number:06}",
            "rank": chance.randrange(40, 100),
            "value_u": chance.randrange(1, 10_000) * 10_000,
        }
        rows.append(tuple(row[name] for name in names))
    with closing(sqlite3.connect(path)) as connection:
        marks = ", ".join("?" * len(names))
        connection.executemany(
            f"INSERT INTO exception_case ({', '.join(names)}) VALUES ({marks})", rows
        )
        connection.commit()
