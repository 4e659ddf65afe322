"""A real server process and a real engine against it, for measurements and soaks."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from app.contract.vocabulary import Role
from app.memory import spare_what_stays
from app.store.clock import SystemClock
from app.store.device_store import DeviceStore
from app.store.reference import Reference
from app.sync.engine import SyncEngine
from app.sync.transport import HttpTransport
from server.cli.processes import Child, free_port
from server.clock import Rim
from server.services.access import NewPerson, add_people
from server.services.enrolment import make_enrol_code
from server.settings import Settings
from server.storage.engine import Database
from server.storage.opening import open_database

ROOT = Path(__file__).resolve().parents[2]
SITE = "main"


class LiveServer:
    """`blindcount serve` in a process of its own, on a SQLite file; can be killed and started."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port(8710)
        self.database_url = url or f"sqlite:///{folder / 'server.sqlite'}"
        self.database: Database = open_database(
            Settings(database_url=self.database_url), datetime.now(UTC)
        )
        add_people(
            self.database,
            SITE,
            [NewPerson(user_id="ana", name="Ana", role=Role.COUNTER)],
            rim=Rim(),
        )
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def code(self) -> str:
        """A fresh enrolment code."""
        return make_enrol_code(self.database, SITE, rim=Rim(), minutes=60, actor="bench").code

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self._child = Child(
            "server",
            [sys.executable, "-m", "server.cli.main", "serve", "--port", str(self.port)],
            log=self.folder / "server.log",
            env={
                "BLINDCOUNT_DATABASE_URL": self.database_url,
                "BLINDCOUNT_LOG_LEVEL": "warning",
                "PYTHONPATH": str(ROOT),
            },
        )
        self._child.start()
        self._child.wait_until_answers(f"{self.url}/readyz")

    def kill(self) -> None:
        """SIGKILL."""
        if self._child is not None:
            self._child.kill()

    def stop(self) -> None:
        """End it and let go of the database."""
        if self._child is not None:
            self._child.stop()
        self.database.close()


@contextmanager
def a_live_server(folder: Path) -> Iterator[LiveServer]:
    """A server that runs for as long as the block."""
    server = LiveServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def a_live_device(
    folder: Path, *, inner: httpx.AsyncBaseTransport | None = None
) -> tuple[DeviceStore, Reference, SyncEngine]:
    """Store, reference and engine as the client makes them."""
    spare_what_stays()
    clock = SystemClock()
    store = DeviceStore.open(folder, clock=clock, random=os.urandom)
    reference = Reference.open(folder)
    engine = SyncEngine(
        store,
        reference,
        HttpTransport(clock, inner=inner),
        clock=clock,
        chance=random.random,
        app_version="bench",
    )
    return store, reference, engine
