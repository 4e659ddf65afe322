"""The real server application over a file that crashes, fills up, is restored, by the dice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import httpx
from fastapi import FastAPI
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

from server.api.deps import Context
from server.clock import Rim
from server.main import create_app
from server.services import enrolment
from server.services.epochs import begin_epoch
from server.services.snapshots import SnapshotStore
from server.settings import Settings
from server.storage.changes import position
from server.storage.engine import Database
from server.storage.tables_access import DeviceRow
from server.storage.tables_sync import DeviceEventRow, HeldEventRow, HeldReleaseRow
from tests.simulation.templates import SITE, copy_live, remove_file

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_application: list[FastAPI] = []
"""One for the process: building routes costs more than a history; the context is the history's."""


class ServerCrashError(BaseException):
    """The process is gone. No handler of the application may see it."""


class _SnapshotsAtOnce(SnapshotStore):
    """Builds a prebuilt file where it is asked for, not in a thread of its own."""

    def _begin(self, database: Database, site_id: str, epoch: str, rim: Rim) -> None:
        self.build(database, site_id, epoch, rim)


def undo(connection: Connection) -> None:
    """What SQLite does by itself when a COMMIT fails: the transaction is undone."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.rollback()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out of the server."""

    status: int
    headers: httpx.Headers
    body: bytes


@dataclass
class SimServer:
    """The server of one history and its disk."""

    folder: Path
    now_ms: Callable[[], int]
    rng: Random
    rates: Mapping[str, float]
    calm: bool = False
    """True: nothing goes wrong any more."""
    down_until_ms: int = 0
    expected_500: bool = False
    backups: list[Path] = field(default_factory=list)
    starts: int = 0
    _in_request: bool = False
    _crash_after: bool = False

    def __post_init__(self) -> None:
        self.rim = Rim(now=self._now, random=Random(self.rng.random()).randbytes)
        self._files = 0
        self._open(self.folder / "server.sqlite")

    def _now(self) -> datetime:
        return _EPOCH + timedelta(milliseconds=self.now_ms())

    def _open(self, path: Path) -> None:
        self.starts += 1
        self.path = path
        self.database = Database(f"sqlite:///{path}")
        event.listen(self.database.engine, "begin", self._before_begin, insert=True)
        event.listen(self.database.engine, "commit", self._before_commit)
        settings = Settings(database_url=self.database.url, site_id=SITE)
        if not _application:
            made = create_app(settings, database=self.database, rim=self.rim)
            _application.append(made)
        context = Context(
            settings=settings,
            database=self.database,
            rim=self.rim,
            snapshots=_SnapshotsAtOnce(self.folder / "snapshots"),
        )
        _application[0].state.context = context
        self._asgi = httpx.ASGITransport(app=_application[0], raise_app_exceptions=False)

    def _fresh_path(self) -> Path:
        self._files += 1
        return self.folder / f"server-{self._files}.sqlite"

    def close(self) -> None:
        self.database.close()

    # -- requests

    @property
    def is_down(self) -> bool:
        return self.now_ms() < self.down_until_ms

    async def handle(self, request: httpx.Request) -> Answer:
        """Pass a request to the application. Raises ServerCrashError when it dies on the way."""
        self._in_request, self._crash_after, self.expected_500 = True, False, False
        try:
            response = await self._asgi.handle_async_request(request)
            body = b"".join([chunk async for chunk in response.stream])
        except ServerCrashError:
            self.crash()
            raise
        finally:
            self._in_request = False
        if self._crash_after:
            self.crash()
            raise ServerCrashError
        return Answer(response.status_code, response.headers, body)

    def _before_begin(self, _connection: Connection) -> None:
        rate = 0.0 if self.calm or not self._in_request else self.rates.get("server_locked", 0.0)
        if rate and self.rng.random() < rate:
            raise OperationalError("BEGIN", {}, sqlite3.OperationalError("database is locked"))

    def _before_commit(self, connection: Connection) -> None:
        if self.calm or not self._in_request:
            return
        for kind, rate in self.rates.items():
            if kind == "server_locked" or self.rng.random() >= rate:
                continue
            if kind == "crash_before":
                raise ServerCrashError
            if kind == "crash_after":
                self._crash_after = True
                return
            words = {
                "server_full": "database or disk is full",
                "server_io": "disk I/O error",
            }[kind]
            self.expected_500 = kind == "server_io"
            undo(connection)
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError(words))

    # -- what happens to machines

    def crash(self) -> None:
        """Killed: another process opens what is on the disk, some time later."""
        fresh = self._fresh_path()
        copy_live(self.path, fresh)
        self._replace(fresh)
        self.down_until_ms = self.now_ms() + self.rng.choice((0, 500, 5_000, 40_000))

    def backup(self) -> None:
        """A copy as `blindcount backup` makes it, while the server runs."""
        path = self.folder / f"backup-{len(self.backups)}.sqlite"
        source = sqlite3.connect(self.path)
        target = sqlite3.connect(path)
        source.backup(target)
        target.close()
        source.close()
        self.backups.append(path)

    def restore(self, *, silently: bool) -> bool:
        """Put the last copy in place; False when there is none. Silently: nobody began an epoch."""
        if not self.backups:
            return False
        fresh = self._fresh_path()
        copy_live(self.rng.choice(self.backups), fresh)
        self._replace(fresh)
        if not silently:
            begin_epoch(self.database, SITE, self.rim)
        self.down_until_ms = self.now_ms() + self.rng.choice((0, 5_000))
        return True

    def _replace(self, fresh: Path) -> None:
        self.database.close()
        remove_file(self.path)
        self._open(fresh)

    # -- what people do

    def code(self) -> str:
        """A code that enrols one device."""
        made = enrolment.make_enrol_code(self.database, SITE, rim=self.rim, minutes=10, actor="sue")
        return made.code

    def revoke_one(self) -> str | None:
        """Some device is revoked; its id."""
        with self.database.read() as session:
            ids = sorted(session.exec(select(DeviceRow.device_id)))
        if not ids:
            return None
        chosen = self.rng.choice(ids)
        enrolment.revoke_device(self.database, SITE, chosen, rim=self.rim, actor="sue")
        return chosen

    # -- what is in it

    def usable(self) -> list[DeviceEventRow]:
        with self.database.read() as session:
            rows = session.exec(select(DeviceEventRow)).all()
            session.expunge_all()
        return list(rows)

    def held(self) -> list[HeldEventRow]:
        """What waits for somebody: not what came to use by another way."""
        used = select(HeldReleaseRow.held_id).where(HeldReleaseRow.outcome == "used")
        with self.database.read() as session:
            rows = session.exec(
                select(HeldEventRow).where(col(HeldEventRow.held_id).not_in(used))
            ).all()
            session.expunge_all()
        return list(rows)

    def keys(self) -> set[tuple[str, bytes]]:
        """(id, bytes) of everything it keeps, usable or not."""
        with self.database.engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT event_id, CAST(raw AS BLOB) FROM device_event "
                "UNION ALL SELECT event_id, raw FROM held_event"
            ).all()
        return {(event_id, bytes(raw)) for event_id, raw in rows}

    def heads(self) -> set[tuple[str, str]]:
        """(install, head) of every push it knows of."""
        with self.database.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT install_id, head FROM push").all()
        return {(install_id, head) for install_id, head in rows}

    @property
    def rev(self) -> int:
        with self.database.read() as session:
            return position(session, SITE).rev
