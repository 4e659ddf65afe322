"""A million movements into the ledger: rows as plain tuples, straight to the database's driver.

SQLite takes `executemany`; PostgreSQL takes COPY into a temporary table and one INSERT … SELECT.
An ORM row, or even a dict, per movement would cost more than the database's own work.

On SQLite an import that at least doubles the ledger lets its secondary indexes go and builds each of
them once, sorted, when all rows are in. That is part of the same transaction: readers go on with what
they have, and a roll-back brings the indexes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from sqlmodel import Session

from server.storage.ledger import MOVEMENT

COLUMNS = tuple(column.name for column in MOVEMENT.columns)
"""The order of a tuple's values."""

MovementTuple = tuple[str | int, ...]
_CACHE_KB = 32_768
"""Page cache while rows come in: with SQLite's own 2 MB six indexes evict each other."""
_SORT_KB = 8_192
"""The same once all are in: SQLite sorts in as much memory as its cache may have."""
_DEFERRED_FROM = 20_000
"""Rows from which it pays to build the indexes afterwards."""
_STAGE = "movement_stage"


class BulkPoster:
    """Posts tuples inside the caller's transaction. See `bulk_posting`."""

    def __init__(self, session: Session, *, may_defer: bool) -> None:
        self._connection = session.connection()
        self._is_sqlite = self._connection.dialect.name == "sqlite"
        names = ", ".join(COLUMNS)
        marks = ", ".join("?" * len(COLUMNS))
        self._insert = (
            f"INSERT INTO movement ({names}) VALUES ({marks}) "
            "ON CONFLICT (site_id, movement_id) DO NOTHING"
        )
        self._copy = f"COPY {_STAGE} ({names}) FROM STDIN"
        self._unstage = (
            f"INSERT INTO movement ({names}) SELECT {names} FROM {_STAGE} ORDER BY line "
            "ON CONFLICT (site_id, movement_id) DO NOTHING"
        )
        self._is_staged = False
        self._inserted = 0
        self._may_defer = may_defer and self._is_sqlite
        self._there_before = self._rows_there() if self._may_defer else 0
        self._deferred: list[str] = []

    def insert(self, rows: Sequence[MovementTuple]) -> int:
        """Insert those whose id is new; how many were."""
        if self._may_defer and self._inserted >= max(_DEFERRED_FROM, self._there_before):
            self._defer_indexes()
        cursor: Any = self._connection.connection.cursor()
        try:
            if self._is_sqlite:
                cursor.executemany(self._insert, rows)
            else:
                self._stage(cursor, rows)
                cursor.execute(self._unstage)
            inserted = cast(int, cursor.rowcount)
        finally:
            cursor.close()
        self._inserted += inserted
        return inserted

    def all_are_in(self) -> None:
        """No row comes any more: build the indexes that were let go. Readers by them call this first."""
        if self._is_sqlite:
            self._connection.exec_driver_sql(f"PRAGMA cache_size = -{_SORT_KB}")
        for statement in self._deferred:
            self._connection.exec_driver_sql(statement)
        self._deferred.clear()

    def _rows_there(self) -> int:
        """How many movements there are: none is ever deleted, so the last row's number says it."""
        found = self._connection.exec_driver_sql("SELECT max(rowid) FROM movement").scalar_one()
        return 0 if found is None else int(found)

    def _defer_indexes(self) -> None:
        self._may_defer = False
        listed = self._connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master "
            "WHERE type = 'index' AND tbl_name = 'movement' AND sql IS NOT NULL"
        ).all()
        for name, statement in listed:
            self._connection.exec_driver_sql(f"DROP INDEX {name}")
            self._deferred.append(statement)

    def _stage(self, cursor: Any, rows: Sequence[MovementTuple]) -> None:
        if not self._is_staged:
            cursor.execute(
                f"CREATE TEMPORARY TABLE {_STAGE} (line bigserial, LIKE movement) ON COMMIT DROP"
            )
            self._is_staged = True
        cursor.execute(f"TRUNCATE {_STAGE} RESTART IDENTITY")
        with cursor.copy(self._copy) as copy:
            for row in rows:
                copy.write_row(row)


@contextmanager
def bulk_posting(session: Session, *, may_defer: bool = False) -> Iterator[BulkPoster]:
    """A poster for many movements, with room in memory for their indexes while it lasts.

    With `may_defer` indexes other than the key's may be missing until `all_are_in` was called.
    """
    connection = session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    before = 0
    if is_sqlite:
        before = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KB}")
    try:
        yield BulkPoster(session, may_defer=may_defer)
    finally:
        if is_sqlite and connection.in_transaction():
            connection.exec_driver_sql(f"PRAGMA cache_size = {before}")
