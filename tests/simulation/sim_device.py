"""The real store and engine on one device that is killed, cloned, restored and filled up, by the dice."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from app.contract.codec import hash_event
from app.contract.ids import RANDOM_BYTES, uuid7
from app.store.device_store import DeviceStore
from app.store.errors import StoreError
from app.store.event_log import EventDraft
from app.store.reference import Reference
from app.sync.engine import SyncEngine
from app.sync.status import SyncState, SyncStatus
from app.sync.transport import HttpTransport
from tests.simulation.sim_network import SimNetwork
from tests.simulation.sim_server import undo
from tests.simulation.virtual import SimClock

if TYPE_CHECKING:
    from tests.simulation.world import World

URL = "http://127.0.0.1:8400"


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event the device said was stored: from here on it must not be lost nor altered."""

    install_id: str
    seq: int
    id: str
    raw: str
    at_ms: int
    """True time."""


class GoneError(StoreError):
    """The process this object belonged to was killed."""


class _GoneFile:
    """What a killed process still holds: nothing."""

    path = Path("/nonexistent")

    @contextmanager
    def read(self) -> Iterator[Any]:
        raise GoneError("killed")
        yield

    write = write_rows = exclusive = replacing = read

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Process:
    """One run of the app, until it is killed."""

    device: SimDevice
    store: DeviceStore
    reference: Reference
    engine: SyncEngine
    is_alive: bool = True
    shown: SyncStatus | None = None
    """What the status line says."""

    def show(self, status: SyncStatus) -> None:
        self.shown = status
        if status.state is SyncState.STORE_PROBLEM and self.is_alive:
            self.device.world.checks.reference_is_whole(self.device, self)

    async def gate(self) -> None:
        """Every await of the app goes through here: it may be the last, or long."""
        device = self.device
        if self.is_alive and device.dice("kill"):
            device.kill("at an await")
            device.start_later()
        while self.is_alive and device.suspended_until_ms > device.world.now_ms:
            left = device.suspended_until_ms - device.world.now_ms
            # Somebody may wake it earlier; of a long sleep that is looked at less often.
            await asyncio.sleep(min(left, max(20_000, left // 8)) / 1000)
        if not self.is_alive and not device.world.is_over:
            await asyncio.Future()  # never: the process is gone

    async def on_disk(self, work: Callable[[], Any]) -> Any:
        await self.gate()
        result = work()
        await self.gate()
        return result

    async def wait(self, wake: asyncio.Event, milliseconds: int) -> None:
        """Timers: they do not run while the device sleeps."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), milliseconds / 1000)
        await self.gate()


@dataclass(frozen=True, slots=True)
class Image:
    """A copy of the device's storage."""

    folder: Path
    events: dict[str, Recorded]
    drafts: dict[tuple[str, str, str], str]
    loaded: bool


@dataclass
class SimDevice:
    """One handheld and what must be on it."""

    world: World
    name: str
    rng: Random
    clock: SimClock
    folder: Path
    events: dict[str, Recorded] = field(default_factory=dict)
    """By id: what its storage holds, sent or not."""
    drafts: dict[tuple[str, str, str], str] = field(default_factory=dict)
    loaded: bool = False
    """Whether it ever was told that it has all reference data."""
    suspended_until_ms: int = 0
    away_until_ms: int = 0
    process: Process | None = None
    image: Image | None = None
    _copies: int = 0
    _tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    def dice(self, kind: str) -> bool:
        """Whether a device fault happens now."""
        world = self.world
        rate = 0.0 if world.calm else world.weather.device.get(kind, 0.0)
        return rate > 0 and self.rng.random() < rate

    # -- the process

    def start(self) -> None:
        """Open the files and let the engine run."""
        if self.process is not None:
            return
        store = DeviceStore.open(self.folder, clock=self.clock, random=self.rng.randbytes)
        reference = Reference.open(self.folder)
        network = SimNetwork(self)
        process: list[Process] = []
        engine = SyncEngine(
            store,
            reference,
            HttpTransport(self.clock, inner=network),
            clock=self.clock,
            chance=self.rng.random,
            timers=_Timers(process),
            on_disk=_OnDisk(process),
        )
        process.append(Process(self, store, reference, engine))
        network.process = process[0]
        self.process = process[0]
        for file in (store._file, reference._file):
            event.listen(file._engine, "commit", self._before_commit)
        self.world.note(self.name, "starts", store.install_id)
        self.world.checks.after_start(self)
        engine.subscribe(process[0].show)
        engine.start()

    def _before_commit(self, connection: Connection) -> None:
        for kind, name, words in (
            ("device_full", "SQLITE_FULL", "database or disk is full"),
            ("device_io", "SQLITE_IOERR_WRITE", "disk I/O error"),
        ):
            if self.dice(kind):
                undo(connection)
                error = sqlite3.OperationalError(words)
                error.sqlite_errorname = name
                raise OperationalError("COMMIT", {}, error)

    def kill(self, why: str) -> None:
        """Drop the process; its files stay as they are on the disk."""
        process = self.process
        if process is None:
            return
        self.world.note(self.name, "killed", why)
        self.process, process.is_alive = None, False
        self.world.graves.append(process)
        self.folder = self._copy("run")
        _forget_files(process)

    def start_later(self) -> None:
        """Somebody opens the app again."""
        delay = self.rng.choice((0.0, 0.2, 3.0, 20.0))
        self._tasks.append(asyncio.get_running_loop().create_task(self._start_after(delay)))

    async def _start_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.start()

    def _copy(self, what: str) -> Path:
        """A copy of the storage as it is on the disk now."""
        self._copies += 1
        target = self.folder.with_name(f"{self.name}-{what}-{self._copies}")
        ignore = shutil.ignore_patterns("*-shm")
        shutil.copytree(self.folder, target, ignore=ignore)
        return target

    def cancel(self) -> list[asyncio.Task[Any]]:
        """End of the history."""
        if self.process is not None:
            process, self.process = self.process, None
            process.is_alive = False
            _forget_files(process)
        return self._tasks

    # -- what people do with it

    async def burst(self) -> None:
        """One count, as the screens record it: each step a transaction."""
        rng = self.rng
        count_id = uuid7(max(0, self.clock.wall_ms()), rng.randbytes(RANDOM_BYTES))
        user = "nobody" if self.world.is_poison(rng) else rng.choice(("ana", "ben"))
        for payload in self.world.payloads(rng):
            self.record([EventDraft(payload=payload, user_id=user, count_id=count_id)])
            if rng.random() < 0.25:
                self.draft(("", "A-01", user), f"{rng.randrange(1000)}")
            if rng.random() < 0.5:
                await asyncio.sleep(rng.choice((0.0, 0.3, 2.0, 8.0)))
        if self.world.is_poison(rng):
            self.record_rubbish()
        if rng.random() < 0.2:
            self.record_many(rng.choice((30, 120, 260)))

    def record(self, drafts: Sequence[EventDraft]) -> None:
        """Append, and remember what the store said is stored. Nothing happens while it is off."""
        process = self.process
        if process is None or self.suspended_until_ms > self.world.now_ms:
            return
        try:
            made = process.store.append(drafts)
            install_id = process.store.install_id
        except StoreError as error:
            self.world.note(self.name, "refused", type(error).__name__)
            self.world.checks.nothing_kept(self)
            return
        for one in made:
            raw = one.model_dump_json(exclude_none=True)
            self._recorded(Recorded(install_id, one.seq, one.id, raw, self.world.now_ms))
        process.engine.poke()

    def record_many(self, number: int) -> None:
        """A busy hour at once: more than one batch."""
        payload = self.world.payloads(self.rng)[1]
        self.record([EventDraft(payload=payload, user_id="ana") for _ in range(number)])

    def record_rubbish(self) -> None:
        """What a bug or a bad block could leave in the log: bytes the server cannot use."""
        process = self.process
        if process is None:
            return
        raw = self.world.rubbish(self.rng)
        event_id = uuid7(max(0, self.clock.wall_ms()), self.rng.randbytes(RANDOM_BYTES))
        path = process.store._file.path
        connection = sqlite3.connect(path)
        try:
            (seq,) = connection.execute("SELECT coalesce(max(seq), 0) + 1 FROM event").fetchone()
            raw = raw.replace("$ID", event_id).replace("$SEQ", str(seq))
            row = (seq, event_id, "note.added", 0, raw, hash_event(raw))
            connection.execute(
                "INSERT INTO event (seq, id, type, wall_ms, raw, sha256) VALUES (?,?,?,?,?,?)", row
            )
            connection.commit()
        finally:
            connection.close()
        made = Recorded(process.store.install_id, seq, event_id, raw, self.world.now_ms)
        self._recorded(made)
        process.engine.poke()

    def _recorded(self, made: Recorded) -> None:
        self.world.note(self.name, "records", made.seq, made.id)
        self.events[made.id] = made
        self.world.recorded[made.id] = made

    def draft(self, key: tuple[str, str, str], content: str) -> None:
        process = self.process
        if process is None:
            return
        with contextlib.suppress(StoreError):
            process.store.save_draft(task_id=key[0], bin=key[1], user_id=key[2], content=content)
            self.drafts[key] = content

    async def look_after(self) -> None:
        """A person reads the status line and does what it says."""
        process = self.process
        if process is None or self.suspended_until_ms > self.world.now_ms:
            return
        if process.shown is not None and process.shown.state == "update":
            self.kill("updated")  # what a store or a person does with an app called too old
            self.start_later()
        elif process.shown is not None and process.shown.state in ("enrol", "enrol_anew"):
            if self.world.server.is_down:
                return
            code = self.world.server.code()
            task = asyncio.get_running_loop().create_task(self._enrol(process, code))
            self._tasks.append(task)

    async def _enrol(self, process: Process, code: str) -> None:
        try:
            outcome = await process.engine.enrol(URL, code, self.name)
            self.world.note(self.name, "enrols", type(outcome).__name__)
        except StoreError as error:
            self.world.note(self.name, "cannot enrol", type(error).__name__)

    # -- copies of its storage

    def take_image(self) -> None:
        self.image = Image(self._copy("image"), dict(self.events), dict(self.drafts), self.loaded)
        self.world.note(self.name, "imaged")

    def restore_image(self) -> bool:
        """An old copy of the storage comes back. What was only in the newer one is gone with it."""
        if self.image is None:
            return False
        self.kill("restored from an image")
        self.folder, self._copies = self.image.folder, self._copies + 1
        self.image = replace(self.image, folder=self._copy("image"))
        self.loaded = self.image.loaded
        dropped = {i: e for i, e in self.events.items() if i not in self.image.events}
        self.events, self.drafts = dict(self.image.events), dict(self.image.drafts)
        self.world.storage_lost(dropped)
        self.world.note(self.name, "restored from an image", len(dropped))
        self.start_later()
        return True


class _Timers:
    def __init__(self, process: list[Process]) -> None:
        self._process = process

    async def wait(self, wake: asyncio.Event, milliseconds: int) -> None:
        await self._process[0].wait(wake, milliseconds)


class _OnDisk:
    def __init__(self, process: list[Process]) -> None:
        self._process = process

    def __call__(self, work: Callable[[], Any]) -> Awaitable[Any]:
        return self._process[0].on_disk(work)


def _forget_files(process: Process) -> None:
    """Close the connections without letting the dead process reach the files again."""
    process.store._file.close()
    process.reference.close()
    gone: Any = _GoneFile()
    process.store._file = gone
    process.reference._file = gone
    process.reference._aside = None
