"""Many bins in one question: the same answers as bin by bin, and never by reading the whole ledger."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from app.contract.vocabulary import PhysicalState
from server.storage import ledger
from server.storage.bin_books import books_of_bins, movements_of_bins
from server.storage.checkpoints import refresh_checkpoints
from tests.support.movements import a_movement
from tests.support.server import NOW, SITE

BINS = [f"A-{n:02}" for n in range(12)]


def some_movements(chance: random.Random) -> list:
    """Receipts, picks and moves between and inside a dozen bins, over a hundred hours."""
    moves = []
    for number in range(400):
        from_, to = chance.sample(["@supplier", "@customer", *BINS], 2)
        states = {}
        if number % 5 == 0:  # inside one bin, from one state to another
            from_ = to = chance.choice(BINS)
            states = {"to_state": PhysicalState.RESERVED}
        if from_.startswith("@") and to.startswith("@"):
            continue
        hours = chance.randrange(100)
        sku = f"S-{chance.randrange(4)}"
        moves.append(
            a_movement(f"m-{number}", "2", from_=from_, to=to, hours_ago=hours, sku=sku, **states)
        )
    return moves


@pytest.fixture
def stocked(database):
    """A dozen bins with some history, half of them with checkpoints."""
    with database.write() as session:
        ledger.post(session, SITE, some_movements(random.Random(4)))
        session.commit()
    refresh_checkpoints(database, SITE, BINS[::2])
    return database


def test_the_books_of_many_bins_are_those_of_each(stocked):
    at = {place: NOW - timedelta(hours=8 * number) for number, place in enumerate(BINS)}

    with stocked.read() as session:
        together = books_of_bins(session, SITE, at)
        alone = {p: ledger.book_of_bin(session, SITE, p, instant) for p, instant in at.items()}

    assert together == alone
    assert any(alone.values())


@pytest.mark.parametrize("skus", [None, {"S-1", "S-3"}])
def test_the_movements_of_many_bins_are_those_of_each(stocked, skus):
    spans = {
        place: (NOW - timedelta(hours=90 - number), NOW - timedelta(hours=3 * number))
        for number, place in enumerate(BINS)
    }

    with stocked.read() as session:
        together = movements_of_bins(session, SITE, spans, skus=skus)
        alone = {
            place: [
                move
                for move in ledger.movements_of_bin(session, SITE, place, *span)
                if skus is None or move.sku in skus
            ]
            for place, span in spans.items()
        }

    assert together == alone
    assert any(alone.values())


@pytest.mark.parametrize("bins", [1, 2, 100])
@pytest.mark.parametrize("is_analysed", [False, True])
def test_sqlite_reads_no_more_of_the_ledger_than_the_bins(databases, tmp_path, bins, is_analysed):
    database = databases.make("sqlite", tmp_path)
    asked = []
    places = [f"A-{n}" for n in range(bins)]
    with database.write() as session:
        ledger.post(session, SITE, some_movements(random.Random(4)))
        if is_analysed:
            session.execute(text("ANALYZE"))
        session.commit()

    with database.read() as session:
        event.listen(database.engine, "before_cursor_execute", lambda *a: asked.append(a[2:4]))
        books_of_bins(session, SITE, dict.fromkeys(places, NOW))
        movements_of_bins(session, SITE, dict.fromkeys(places, (NOW, NOW)))
        movements_of_bins(session, SITE, dict.fromkeys(places, (NOW, NOW)), skus=["S-1", "S-2"])
        questions = [each for each in asked if "movement" in each[0]]
        plan = [
            step[3]
            for statement, values in questions
            for step in session.connection().exec_driver_sql(
                f"EXPLAIN QUERY PLAN {statement}", values
            )
        ]
    database.close()

    assert len(questions) == 3
    assert [step for step in plan if "BLOOM" in step or step == "SCAN m"] == []
    assert sum("ix_movement_" in step for step in plan) == 6
