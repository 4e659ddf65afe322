"""One SQLite file, one connection, one lock. The only place in the client that opens a database.

A single connection removes the precondition of SQLite's WAL-reset corruption (3.7.0 to 3.51.2,
sqlite.org/wal.html), which the libraries on phones still have.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import StaticPool
from sqlmodel import Session

from app.store.errors import store_errors

BUSY_TIMEOUT_MS = 5000
_WRITE = "blindcount_write"


class LocalFile:
    """An opened file: `read()` and `write()` are transactions, one at a time over all threads."""

    def __init__(self, path: Path, *, synchronous: str = "FULL") -> None:
        self.path = path
        self._synchronous = synchronous
        self._lock = threading.RLock()
        self._engine = _open(path, synchronous)
        self._driver: sqlite3.Connection | None = None
        with store_errors(), self._engine.connect():
            pass  # the switch to WAL is made, and with it the rollback journal is gone: below, for good
        sync_folder(path.parent)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the file. Nothing done in it is kept."""
        with self._lock, store_errors(), Session(self._engine) as session:
            yield session
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction committed when the block ends, undone when it raises.

        Raises StoreFullError or StoreDamagedError; then nothing of the block was kept.
        """
        with self._lock, store_errors(), Session(self._engine, expire_on_commit=False) as session:
            session.connection(execution_options={_WRITE: True})
            yield session
            session.commit()

    @contextmanager
    def write_rows(self) -> Iterator[sqlite3.Connection]:
        """`write()` with the driver's own connection, for what each scan and each push writes."""
        with self._lock, store_errors(), self._engine.connect() as connection:
            connection.execution_options(**{_WRITE: True})
            with connection.begin():
                yield cast(sqlite3.Connection, connection.connection.driver_connection)

    @contextmanager
    def exclusive(self) -> Iterator[sqlite3.Connection]:
        """The driver's own connection outside any transaction: for PRAGMA, VACUUM and quick reads.

        Nobody writes meanwhile, so that all its reads see one state. What each scan and each push asks
        is asked here: a query that is built and mapped takes up to a hundred times as long.
        """
        with self._lock, store_errors():
            if self._driver is None:
                borrowed = self._engine.raw_connection()
                self._driver = cast(sqlite3.Connection, borrowed.driver_connection)
                borrowed.close()  # the pool has one connection and keeps it open
            yield self._driver

    @contextmanager
    def replacing(self) -> Iterator[None]:
        """Close the file for as long as the block puts another in its place, then open that one."""
        with self._lock:
            self.close()
            try:
                yield
            finally:
                sync_folder(self.path.parent)
                self._engine = _open(self.path, self._synchronous)

    def close(self) -> None:
        """Let go of the file; waits for a transaction under way."""
        with self._lock:
            self._driver = None
            self._engine.dispose()


def _open(path: Path, synchronous: str) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun in _begin, never by the driver
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "trusted_schema=OFF",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that turns into a write fails with BUSY whatever the timeout.
        is_write = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine


def sync_folder(folder: Path) -> None:
    """Make names in the folder durable: which files there are, and which are gone.

    With synchronous=FULL SQLite does not wait for the removal of a rollback journal to reach the disk
    (only EXTRA does). A journal that comes back after a power cut would undo a new database whose
    WAL holds confirmed events; tests/app/store/test_crash_images.py found that.
    """
    with contextlib.suppress(OSError):  # Windows has no such thing to open
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def fold_sidecars(path: Path) -> None:
    """Put everything of a closed database into its one file, durably: no -wal, no -shm is left."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()
    sync_folder(path.parent)
