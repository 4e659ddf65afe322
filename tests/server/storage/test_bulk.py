"""A large import lets the ledger's indexes go and builds them at its end: nobody may ever notice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import text

from server.domain.stock import StockKey
from server.storage import bulk, touched
from server.storage.ledger import book_of_bin
from server.storage.migrate import drift
from tests.support.imports import import_path, import_rows, make_site, write_rows
from tests.support.server import NOW, SITE

ROWS = [
    f"m-{n},2026-11-20T08:{n // 60:02}:{n % 60:02}Z,receipt,S-1,,,1,,@supplier,inbound,A-01-01,"
    "available,order/991"
    for n in range(2500)
]
PICKS = [
    f"p-{n},2026-11-20T18:{n:02}:00Z,pick,S-1,,,9,,A-01-02,available,@customer,shipped,"
    for n in range(3)
]
UNDONE = (
    "r-1,2026-11-21T08:00:00Z,reversal,S-1,,,1,,A-01-01,available,@supplier,inbound,movement/m-7"
)


@pytest.fixture
def let_go(database, tmp_path, monkeypatch):
    """The database with a site, and how often an index was let go."""
    monkeypatch.setattr(bulk, "_DEFERRED_FROM", 1000)
    monkeypatch.setattr(touched, "_BINS_AT_ONCE", 1)
    make_site(database, tmp_path)
    dropped = []
    defer = bulk.BulkPoster._defer_indexes
    monkeypatch.setattr(
        bulk.BulkPoster, "_defer_indexes", lambda self: (dropped.append(1), defer(self))
    )
    return dropped


def indexes(database):
    with database.read() as session:
        assert drift(session.connection()) == []
        if not database.is_sqlite:
            return []
        listed = text("SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name")
        return session.connection().execute(listed).all()


def book(database, code):
    with database.read() as session:
        return book_of_bin(session, SITE, code, NOW)


def test_the_indexes_are_there_again_and_all_that_needs_them_is_right(database, tmp_path, let_go):
    before = indexes(database)

    report = import_rows(database, tmp_path, "movements", *ROWS, *PICKS, UNDONE)

    assert len(let_go) == int(database.is_sqlite)
    assert (report.errors, report.created) == ((), 2504)
    assert [(n.bin, n.quantity) for n in report.negative] == [("A-01-02", "-27")]
    assert indexes(database) == before
    assert book(database, "A-01-01") == {StockKey(bin="A-01-01", sku="S-1"): Decimal(2499)}


def test_a_wrong_row_at_the_end_leaves_ledger_and_indexes_as_they_were(database, tmp_path, let_go):
    before = indexes(database)

    report = import_rows(database, tmp_path, "movements", *ROWS, "too,few")

    assert len(let_go) == int(database.is_sqlite)
    assert report.errors_total > 0
    assert indexes(database) == before
    assert book(database, "A-01-01") == {}


def test_a_file_that_breaks_off_leaves_ledger_and_indexes_as_they_were(database, tmp_path, let_go):
    before = indexes(database)
    path = write_rows(tmp_path / "broken.csv", "movements", ROWS)
    path.write_bytes(path.read_bytes() + b"m-x,\xff\xfe\n")

    with pytest.raises(Exception, match="not UTF-8"):
        import_path(database, "movements", path)

    assert len(let_go) == int(database.is_sqlite)
    assert indexes(database) == before
    assert book(database, "A-01-01") == {}


def test_a_ledger_that_is_larger_than_the_file_keeps_its_indexes(database, tmp_path, let_go):
    import_rows(database, tmp_path, "movements", *ROWS)
    let_go.clear()

    report = import_rows(database, tmp_path, "movements", *[f"x{row}" for row in ROWS[:1500]])

    assert (report.errors, report.created) == ((), 1500)
    assert let_go == []
