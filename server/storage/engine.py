"""Opening the database and the unit of work. The only place that knows SQLite from PostgreSQL by name.

SQLite holds a site: WAL, synchronous=FULL, one writer at a time. SQLite 3.7.0 to 3.51.2 can corrupt
a WAL when two connections write or checkpoint at once (sqlite.org, wal.html), so writers take a
process-wide lock and a lock file before BEGIN IMMEDIATE; readers are never blocked.

PostgreSQL: readers get REPEATABLE READ (one snapshot for a whole answer), writers READ COMMITTED with
keys, `ON CONFLICT` and row locks where two could collide, so that no one has to retry a transaction.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection, make_url
from sqlmodel import Session

from server.storage.lock_file import LockFile

BUSY_TIMEOUT_MS = 5000
_WRITE = "blindcount_write"


class Database:
    """An opened database: `read()` and `write()` give sessions, each one transaction."""

    def __init__(self, url: str) -> None:
        self.url = url = with_driver(url)
        self.is_sqlite = url.startswith("sqlite")
        self._writer = threading.RLock()
        self._lock_file = LockFile(_lock_path(url))
        self.engine = (
            _open_sqlite(url) if self.is_sqlite else create_engine(url, pool_pre_ping=True)
        )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session over one consistent snapshot. Nothing done in it is kept."""
        with Session(self.engine) as session:
            if not self.is_sqlite:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose transaction may write. The caller commits by name; otherwise it is undone."""
        if not self.is_sqlite:
            with Session(self.engine) as session:
                yield session
            return
        with self._writer, self._lock_file, Session(self.engine) as session:
            session.connection(execution_options={_WRITE: True})
            yield session

    def free_bytes(self) -> int | None:
        """Room left on the disk of a SQLite file; None where another machine keeps the database."""
        beside = _lock_path(self.url)
        return None if beside is None else shutil.disk_usage(beside.absolute().parent).free

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def with_driver(url: str) -> str:
    """The URL with the driver that is installed here: hosts hand out `postgres://…` and `postgresql://…`."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return f"postgresql+psycopg://{url[len(scheme) :]}"
    return url


def sqlite_file(url: str) -> Path | None:
    """The SQLite file a URL names; None for a database in memory and for PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return None
    return Path(str(parsed.database))


def _lock_path(url: str) -> Path | None:
    """Beside the SQLite file; None where there is none."""
    file = sqlite_file(url)
    return None if file is None else file.with_name(f"{file.name}.lock")


def _open_sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by us, see _begin
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that turns into a write fails with BUSY whatever the timeout.
        is_write = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine
