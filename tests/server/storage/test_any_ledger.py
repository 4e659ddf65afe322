"""Any random ledger: the book at any instant is the brute-force sum, in whatever order told.

Each ledger arrives in random order and in several transactions, with checkpoints worked out in between,
so that late movements meet checkpoints that they make untrue.
"""

from __future__ import annotations

import os
import random
from datetime import timedelta
from decimal import Decimal

import pytest

from app.contract.vocabulary import PhysicalState
from server.domain.stock import OUTSIDE, StockKey, book
from server.storage import checkpoints
from server.storage.book import book_of_sku, full_book
from server.storage.checkpoints import refresh_checkpoints, untrue_checkpoints
from server.storage.ledger import book_of_bin, post
from server.storage.records import ensure_site
from tests.support.movements import a_movement
from tests.support.server import NOW

LEDGERS = int(os.environ.get("BLINDCOUNT_LEDGERS", "200"))
"""1,000 take some minutes on both databases: BLINDCOUNT_LEDGERS=1000, before a release."""
INSTANTS = 100
BINS = ("A-1", "A-2", "B-1")
SKUS = ("S-1", "S-2")
LOTS = ("", "L1")


def a_ledger(rng):
    """Movements between bins and outside, some at the same instant; balances may go below zero."""
    made = []
    for number in range(rng.randrange(2, 40)):
        inside = rng.sample(BINS, 2)
        ends = rng.choice(
            [
                ("@supplier", inside[0]),
                (inside[0], "@customer"),
                tuple(inside),
                ("@found", inside[1]),
            ]
        )
        state = rng.choice([PhysicalState.AVAILABLE, PhysicalState.DAMAGED])
        made.append(
            a_movement(
                f"m-{number}",
                str(Decimal(rng.randrange(1, 4000)) / 100),
                from_=ends[0],
                to=ends[1],
                hours_ago=rng.randrange(0, 50),
                late_hours=rng.choice([0, 0, 5]),
                sku=rng.choice(SKUS),
                lot=rng.choice(LOTS),
                from_state=state,
                to_state=state,
            )
        )
    return made


def tell(database, ledgers, rng):
    """Post all of them in random order, in three waves, with checkpoints worked out between the waves.

    A wave of all ledgers is one transaction: a thousand times three commits would only wait for disks.
    """
    told = {site: rng.sample(movements, len(movements)) for site, movements in ledgers.items()}
    for wave in range(3):
        with database.write() as session:
            for site, movements in told.items():
                post(session, site, movements[wave::3])
            session.commit()
        if wave < 2:
            for site in rng.sample(sorted(ledgers), len(ledgers) // 2):
                refresh_checkpoints(database, site, BINS)


def keys_of(movements):
    return {
        StockKey(bin=place, sku=m.sku, lot=m.lot, state=state)
        for m in movements
        for place, state in ((m.from_bin, m.from_state), (m.to_bin, m.to_state))
    }


@pytest.mark.slow
def test_the_book_of_any_ledger_at_any_instant_is_its_brute_force_sum(database, monkeypatch):
    monkeypatch.setattr(checkpoints, "LEGS", 4)  # many checkpoints even in a small ledger
    monkeypatch.setattr(checkpoints, "DUE", 6)
    monkeypatch.setattr(checkpoints, "_LINES_AT_ONCE", 5)
    rng = random.Random(20_261_123)
    ledgers = {f"site-{number}": a_ledger(rng) for number in range(LEDGERS)}
    with database.write() as session:
        for site in ledgers:
            ensure_site(session, site, site, "EUR", NOW)
        session.commit()
    tell(database, ledgers, rng)
    compared = 0
    with database.read() as session:
        for site, movements in ledgers.items():
            keys = keys_of(movements)
            assert untrue_checkpoints(session, site) == []
            for instant in range(INSTANTS):
                at = NOW - timedelta(minutes=rng.randrange(-60, 55 * 60))
                place = BINS[instant % len(BINS)]
                there = [k for k in keys if k.bin == place]
                expected = {k: q for k in there if (q := book(movements, k, at)) != 0}
                assert book_of_bin(session, site, place, at) == expected, (site, place, at)
                compared += 1
            whole = {k: q for k in keys if (q := book(movements, k, at)) != 0}
            assert dict(full_book(session, site, at)) == whole
            assert book_of_sku(session, site, "S-1", at) == {
                k: q for k, q in whole.items() if k.sku == "S-1"
            }
            inside = sum((q for k, q in whole.items() if k.bin not in OUTSIDE), Decimal(0))
            assert inside == -sum((q for k, q in whole.items() if k.bin in OUTSIDE), Decimal(0))
    assert compared == LEDGERS * INSTANTS
