"""One server and its devices in one process, under clocks the test moves."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import select

from app.contract.events import BinClosed, BinOpened
from app.contract.vocabulary import Role
from app.contract.wire import RefKind
from app.store.device_store import DeviceStore
from app.store.event_log import EventDraft
from app.store.reference import Reference
from app.sync.engine import SyncEngine
from app.sync.transport import HttpTransport
from server.main import create_app
from server.services import access, enrolment
from server.services.access import NewPerson
from server.settings import Settings
from server.storage.changes import record_changes
from server.storage.engine import Database
from server.storage.tables_records import BinRow
from server.storage.tables_sync import DeviceEventRow, HeldEventRow
from tests.support.device import FakeClock, seeded
from tests.support.events import an_id, counted
from tests.support.network import LossyTransport
from tests.support.rim import ServerTime, a_rim
from tests.support.server import SITE

URL = "http://127.0.0.1:8400"


async def at_once(work):
    """Disk work in the test's own thread: nothing happens by itself."""
    return work()


class World:
    """The server, its people and bins, and what it has stored."""

    def __init__(self, database: Database, seed: int = 1, *, min_app: str = "0") -> None:
        self.database = database
        self.time = ServerTime()
        self.rim = a_rim(self.time, seed)
        settings = Settings(database_url=database.url, min_app=min_app)
        self.app = create_app(settings, database=database, rim=self.rim)
        people = [("ana", Role.COUNTER, "481516"), ("ben", Role.COUNTER, None)]
        access.add_people(
            database,
            SITE,
            [NewPerson(user_id=i, name=i.title(), role=r, pin=p) for i, r, p in people],
            rim=self.rim,
        )
        self.add_bins("A-01", "A-02")

    def add_bins(self, *codes: str) -> None:
        with self.database.write() as session:
            session.add_all(
                BinRow(site_id=SITE, bin=c, barcode=f"LOC-{c}", walk_order=i)
                for i, c in enumerate(codes)
            )
            record_changes(session, SITE, RefKind.BIN, codes)
            session.commit()

    def code(self) -> str:
        made = enrolment.make_enrol_code(self.database, SITE, rim=self.rim, minutes=10, actor="sue")
        return made.code

    def pass_ms(self, milliseconds: int, *clocks: FakeClock) -> None:
        """Time goes by everywhere."""
        self.time.advance(milliseconds=milliseconds)
        for clock in clocks:
            clock.pass_ms(milliseconds)

    def stored(self) -> list[tuple[str, int, str]]:
        """(install, number, bytes) of every usable event."""
        with self.database.read() as session:
            rows = session.exec(select(DeviceEventRow)).all()
            return sorted((r.install_id, r.seq, r.raw) for r in rows)

    def held(self) -> list[tuple[str, str]]:
        """(code, claimed id) of every held event."""
        with self.database.read() as session:
            return sorted((r.code, r.event_id) for r in session.exec(select(HeldEventRow)))


@dataclass
class Handheld:
    """A device of that world: real store, real engine, a network of its own."""

    world: World
    folder: Path
    clock: FakeClock
    network: LossyTransport
    store: DeviceStore
    reference: Reference
    engine: SyncEngine
    seed: int

    @classmethod
    def make(cls, world: World, folder: Path, seed: int = 1) -> Handheld:
        clock = FakeClock()
        network = LossyTransport(app=world.app)
        return cls._assemble(world, folder, clock, network, seed)

    @classmethod
    def _assemble(cls, world, folder, clock, network, seed) -> Handheld:
        store = DeviceStore.open(folder, clock=clock, random=seeded(seed))
        reference = Reference.open(folder)
        engine = SyncEngine(
            store,
            reference,
            HttpTransport(clock, inner=network),
            clock=clock,
            chance=random.Random(seed).random,
            on_disk=at_once,
        )
        return cls(world, folder, clock, network, store, reference, engine, seed)

    def restarted(self) -> Handheld:
        """The process was killed and started again: only files are left."""
        return self._assemble(self.world, self.folder, self.clock, self.network, self.seed + 1000)

    async def enrol(self):
        return await self.engine.enrol(URL, self.world.code(), f"handheld {self.seed}")

    def count(self, bin_code: str = "A-01", *quantities: str, user: str = "ana") -> str:
        """Count a bin as screens would, each step a transaction; the count's id."""
        count_id = an_id()

        def draft(payload):
            return [EventDraft(payload=payload, user_id=user, count_id=count_id)]

        self.store.append(draft(BinOpened(bin=bin_code)))
        for quantity in quantities or ("3",):
            self.store.append(draft(counted("S1", quantity)))
            self.world.pass_ms(1_000, self.clock)
        self.store.append(draft(BinClosed()))
        self.engine.poke()
        return count_id

    async def wait_and_cycle(self) -> None:
        """Let time pass until the next attempt is due, and make it."""
        self.world.pass_ms(self.engine.due_in_ms, self.clock)
        await self.engine.cycle()

    def recorded(self) -> list[tuple[str, int, str]]:
        """(install, number, bytes) of every event on this device."""
        from app.contract.rescue import read_rescue

        file = read_rescue(self.store.rescue_text())
        return [(file.install_id, e.seq, e.raw) for e in file.events]
