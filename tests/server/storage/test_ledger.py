"""The ledger gives back the book of any key at any instant, and takes each movement once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.contract.problems import RefusalError
from app.contract.vocabulary import PhysicalState
from server.domain.stock import StockKey
from server.storage.checkpoints import refresh_checkpoints, untrue_checkpoints
from server.storage.ledger import book_of_bin, book_of_key, movements_of_bin, post
from tests.support.movements import a_movement
from tests.support.server import NOW, SITE

KEY = StockKey(bin="A-01-01", sku="S-1")


def test_the_book_at_an_instant_has_what_occurred_up_to_it(database):
    with database.write() as session:
        post(
            session,
            SITE,
            [
                a_movement("m-1", "10", to="A-01-01", hours_ago=3),
                a_movement("m-2", "4", from_="A-01-01", hours_ago=2),
                a_movement("m-3", "1", from_="A-01-01", hours_ago=1),
            ],
        )
        session.commit()

    with database.read() as session:
        at_the_second = book_of_bin(session, SITE, "A-01-01", NOW - timedelta(hours=2))
        before = book_of_key(session, SITE, KEY, NOW - timedelta(hours=4))
    assert at_the_second == {KEY: Decimal(6)}
    assert before == 0


def test_states_lots_and_serials_are_keys_of_their_own(database):
    lot = a_movement("m-1", "2.5", to="A-01-01", lot="L1", to_state=PhysicalState.DAMAGED)
    with database.write() as session:
        post(session, SITE, [lot, a_movement("m-2", "1", to="A-01-01", serial="X9")])
        session.commit()

    with database.read() as session:
        book = book_of_bin(session, SITE, "A-01-01", NOW)
    assert book == {
        StockKey(bin="A-01-01", sku="S-1", lot="L1", state=PhysicalState.DAMAGED): Decimal("2.5"),
        StockKey(bin="A-01-01", sku="S-1", serial="X9"): Decimal(1),
    }


def test_the_same_movement_twice_counts_once(database):
    movement = a_movement("m-1", "10", to="A-01-01")
    for _ in range(2):
        with database.write() as session:
            post(session, SITE, [movement, movement])
            session.commit()

    with database.read() as session:
        assert book_of_key(session, SITE, KEY, NOW) == 10


def test_the_same_id_with_other_content_is_refused_by_name(database):
    with database.write() as session:
        post(session, SITE, [a_movement("m-1", "10", to="A-01-01")])
        session.commit()

    with (
        database.write() as session,
        pytest.raises(RefusalError, match=r"m-1.*quantity") as refused,
    ):
        post(session, SITE, [a_movement("m-1", "11", to="A-01-01")])
    assert refused.value.code == "row-conflict"


def test_stock_cannot_change_into_a_state_that_the_table_does_not_list(database):
    backwards = a_movement(
        "m-1",
        "1",
        from_="A-01-01",
        to="A-01-02",
        from_state=PhysicalState.DAMAGED,
        to_state=PhysicalState.RESERVED,
    )
    with database.write() as session, pytest.raises(RefusalError) as refused:
        post(session, SITE, [backwards])
    assert refused.value.code == "transition-refused"


def test_movements_of_a_bin_are_both_ends_inclusive_and_by_time(database):
    made = [
        a_movement("m-3", "1", from_="A-01-01", hours_ago=1),
        a_movement("m-1", "10", to="A-01-01", hours_ago=3, late_hours=9),
        a_movement("m-2", "4", from_="A-01-01", hours_ago=2, sku="S-2"),
        a_movement("m-4", "4", to="B-01-01", hours_ago=2),
    ]
    with database.write() as session:
        post(session, SITE, made)
        session.commit()

    with database.read() as session:
        since, until = NOW - timedelta(hours=3), NOW - timedelta(hours=1)
        all_of_them = movements_of_bin(session, SITE, "A-01-01", since, until)
        of_one = movements_of_bin(session, SITE, "A-01-01", since, until, sku="S-2")
    assert all_of_them == [made[1], made[2], made[0]]
    assert of_one == [made[2]]


def test_checkpoints_of_a_bin_with_many_keys_never_take_more_rows_than_its_entries(database):
    made = [
        a_movement(f"m-{n}", "1", to="A-01-01", sku=f"S-{n % 90}", hours_ago=500 - n)
        for n in range(400)
    ]
    with database.write() as session:
        post(session, SITE, made)
        session.commit()

    assert refresh_checkpoints(database, SITE, ["A-01-01"]) == 5

    with database.read() as session:
        lines = session.connection().execute(text("SELECT count(*) FROM checkpoint_line"))
        assert lines.scalar_one() == 32 + 4 * 90
        assert untrue_checkpoints(session, SITE) == []
        at = NOW - timedelta(hours=250)
        assert sum(book_of_bin(session, SITE, "A-01-01", at).values()) == 251
