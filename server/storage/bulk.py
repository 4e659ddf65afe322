"""A million movements into the ledger: rows as plain tuples, straight to the database's driver.

SQLite takes `executemany`; PostgreSQL takes COPY into a temporary table and one INSERT … SELECT.
An ORM row, or even a dict, per movement would cost more than the database's own work.
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
_CACHE_KB = 65_536
"""Page cache while a bulk lasts: with SQLite's own 2 MB six indexes evict each other."""
_STAGE = "movement_stage"


class BulkPoster:
    """Posts tuples inside the caller's transaction. See `bulk_posting`."""

    def __init__(self, session: Session) -> None:
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

    def insert(self, rows: Sequence[MovementTuple]) -> int:
        """Insert those whose id is new; how many were."""
        cursor: Any = self._connection.connection.cursor()
        try:
            if self._is_sqlite:
                cursor.executemany(self._insert, rows)
            else:
                self._stage(cursor, rows)
                cursor.execute(self._unstage)
            return cast(int, cursor.rowcount)
        finally:
            cursor.close()

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
def bulk_posting(session: Session) -> Iterator[BulkPoster]:
    """A poster for many movements, with room in memory for their indexes while it lasts."""
    connection = session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    before = 0
    if is_sqlite:
        before = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KB}")
    try:
        yield BulkPoster(session)
    finally:
        if is_sqlite and connection.in_transaction():
            connection.exec_driver_sql(f"PRAGMA cache_size = {before}")
