"""Real threads against real databases: identical pushes at once, and pulls beside late commits."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from app.contract.events import BinClosed, BinOpened, SessionOpened
from app.contract.wire import RefKind
from server.services import intake
from server.services.pulling import pull
from server.storage.changes import record_changes
from server.storage.tables_records import BinRow
from server.storage.tables_sync import DeviceEventRow, HeldEventRow, InstallRow
from tests.support.devices import a_device
from tests.support.events import an_id, counted
from tests.support.rim import a_rim
from tests.support.server import SITE

AT_ONCE = 64
PULLS = 1000


@pytest.mark.slow
def test_sixty_four_identical_pushes_at_once_store_each_event_once(database):
    device = a_device(database, a_rim())
    count_id = an_id()
    device.record(SessionOpened())
    device.push()  # the install is known: it is its row's lock that keeps the pushes apart
    device.pending.clear()
    for payload in (BinOpened(bin="A-01"), counted("S1", "3"), BinClosed()):
        device.record(payload, count_id=count_id)
    request = device.request()
    together = threading.Barrier(AT_ONCE)

    def push(_number: int):
        together.wait()
        reply = intake.push(database, SITE, device.device, request, rim=device.rim)
        return [str(result.r) for result in reply.results], reply.high_seq

    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = list(pool.map(push, range(AT_ONCE)))

    words = Counter(word for results, _ in replies for word in results)
    with database.read() as session:
        rows = session.exec(select(DeviceEventRow)).all()
        stored = sorted((row.seq, row.raw) for row in rows if row.seq > 1)
        held = session.exec(select(HeldEventRow)).all()
        row = session.exec(select(InstallRow)).one()
        install = (row.high_seq, row.pushes, row.is_forked)
    assert stored == [(event.seq, event.raw) for event in request.events]
    assert held == []
    assert words == {"created": 3, "exists": 3 * (AT_ONCE - 1)}
    assert {high for _, high in replies} == {4}
    assert install == (4, 2, False)


@pytest.mark.slow
def test_the_same_id_with_other_bytes_at_once_keeps_both_and_uses_one(database):
    one, two = a_device(database, a_rim(seed=1)), a_device(database, a_rim(seed=2), "scanner 2")
    mine = one.record(counted("S1", "3"))
    theirs = mine.model_copy(update={"raw": mine.raw.replace('"3"', '"4"')})
    together = threading.Barrier(2)

    def push(sender, sent):
        together.wait()
        return str(sender.push([sent]).results[0].r)

    with ThreadPoolExecutor(2) as pool:
        words = [pool.submit(push, one, mine), pool.submit(push, two, theirs)]
        results = sorted(word.result() for word in words)

    with database.read() as session:
        used = session.exec(select(DeviceEventRow.raw)).all()
        held = [bytes(raw).decode() for raw in session.exec(select(HeldEventRow.raw))]
    assert results == ["created", "mismatch"]
    assert sorted([*used, *held]) == sorted([mine.raw, theirs.raw])


@pytest.mark.slow
def test_a_pull_never_skips_a_row_that_commits_late(database):
    """Writers note their rows, dawdle, and commit in any order; a reader follows by cursor."""
    device = a_device(database, a_rim())
    writers, rows_each = 4, 25
    is_over = threading.Event()

    def write(number: int) -> None:
        dice = random.Random(number)
        for row in range(rows_each):
            code = f"W{number}-{row:03d}"
            with database.write() as session:
                session.add(BinRow(site_id=SITE, bin=code, barcode=f"LOC-{code}"))
                record_changes(session, SITE, RefKind.BIN, [code])
                session.flush()
                is_over.wait(dice.choice((0.0, 0.001, 0.01)))
                session.commit()

    def follow() -> tuple[set[str], int]:
        seen: set[str] = set()
        cursor, pulls, is_last = None, 0, False
        while True:
            is_last = is_last or (is_over.is_set() and pulls >= PULLS)
            page = pull(database, SITE, device.device, cursor, 7, rim=device.rim)
            pulls += 1
            seen |= {c.id for c in page.changes if c.kind is RefKind.BIN}
            cursor = page.cursor
            if is_last and not page.has_more:
                return seen, pulls

    with ThreadPoolExecutor(writers + 1) as pool:
        following = pool.submit(follow)
        writing = [pool.submit(write, number) for number in range(writers)]
        for work in writing:
            work.result()
        is_over.set()
        seen, pulls = following.result()

    assert pulls >= PULLS
    assert seen == {f"W{n}-{r:03d}" for n in range(writers) for r in range(rows_each)}
