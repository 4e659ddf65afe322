"""One history: a server, its devices, people and misfortunes, everything drawn from one seed."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from app.contract.events import BinClosed, BinOpened, Payload
from app.sync import limits
from app.sync.plan import BACKOFF_CAP_MS, HELLO_AFTER_MS
from server.services import snapshots
from tests.simulation import fates
from tests.simulation.invariants import Checks
from tests.simulation.sim_device import Recorded, SimDevice
from tests.simulation.sim_server import SimServer
from tests.simulation.templates import BINS, SKUS
from tests.simulation.virtual import SimClock, VirtualLoop
from tests.simulation.weather import Weather, draw_weather, made_brief
from tests.support.events import counted

LIVENESS_SECONDS = 2 * BACKOFF_CAP_MS / 1000 + 90
"""I7: twice the longest backoff, and what the network's last word (Retry-After) may add."""
PERSON_SECONDS = 7.0
DEVICES_MAX = 10
_RUBBISH = (
    "not json at all",
    '{"v":1,"id":"$ID","seq":$SEQ}',
    '{"v":9,"id":"$ID","seq":$SEQ,"payload":{"type":"from.the.future"}}',
    "a torn \x00 page",
    "[" * 2000,
    '{"text":"' + "🦆" * 5000 + '"}',
)


@dataclass
class World:
    """Everything there is in one history."""

    seed: int
    folder: Path
    templates: Path
    keep_trace: bool = False
    calm: bool = False
    is_brief: bool = False
    recorded: dict[str, Recorded] = field(default_factory=dict)
    """Every event any device ever said was stored, by id."""
    excused: set[str] = field(default_factory=set)
    """Of those, the ones whose only copy was destroyed with the storage that held it."""
    trace: list[str] = field(default_factory=list)
    requests: int = 0
    is_restored_unsaid: bool = False
    """Nobody began an epoch: devices notice at their next hello, minutes later."""
    slept: float = 0.0
    """Seconds of nights: what was to happen later happens so much later."""
    night_until: float = 0.0
    """Until then nobody is there to look at a device."""

    def __post_init__(self) -> None:
        self._rng = Random(f"history {self.seed}")
        # Dice of its own, so that histories without what was added later stay what they were: the
        # seeds that test_histories.py names are among those.
        self._later = Random(f"office {self.seed}")
        drawn = draw_weather(self._rng, Random(f"later {self.seed}"), self._later)
        self.weather: Weather = made_brief(drawn) if self.is_brief else drawn
        self._hash = hashlib.sha256()
        self.devices: list[SimDevice] = []
        self._background: list[asyncio.Task[Any]] = []
        self.graves: list[object] = []
        """Killed processes: what hangs in them must not be collected, it would run on."""
        self.is_over = False
        self.loop = VirtualLoop()
        self.checks = Checks(self)

    @property
    def now_ms(self) -> int:
        """True time, milliseconds since 1970; also the server's clock."""
        return self.loop.now_ms

    def note(self, *what: object) -> None:
        """One line of the trace."""
        line = f"{self.loop.clock.seconds:.6f} {what}"
        self._hash.update(line.encode("utf-8", "backslashreplace"))
        if self.keep_trace:
            self.trace.append(line)

    @property
    def trace_sha256(self) -> str:
        return self._hash.hexdigest()

    # -- running

    def run(self) -> None:
        """Live through it. Raises AssertionError, naming the invariant that does not hold."""
        asyncio.set_event_loop(self.loop)
        own = limits.PROTOCOL_LIMITS
        limits.PROTOCOL_LIMITS = own.model_copy(update={"pull_rows": self.weather.page_rows})
        worth, after = snapshots.WORTH_IT_FROM, snapshots.REBUILD_AFTER
        if self.weather.has_snapshots:
            snapshots.WORTH_IT_FROM, snapshots.REBUILD_AFTER = 1, 4
        try:
            self.loop.run_until_complete(self._live())
        finally:
            limits.PROTOCOL_LIMITS = own
            snapshots.WORTH_IT_FROM, snapshots.REBUILD_AFTER = worth, after
            self._end()

    async def _live(self) -> None:
        shutil.copyfile(self.templates / "server.sqlite", self.folder / "server.sqlite")
        self.server = SimServer(
            folder=self.folder,
            now_ms=lambda: self.now_ms,
            rng=Random(f"server {self.seed}"),
            rates=self.weather.commit,
        )
        for number in range(self.weather.devices):
            self.add_device(f"d{number}").start()
        people = self.background(self._people())
        work = [self.background(self._work(device)) for device in self.devices]
        for moment in fates.schedule(self._rng, self._later, self.weather):
            await self._until(moment.at)
            fates.happen(self, moment.kind, moment.rng)
        await self._until(self.weather.seconds)
        await asyncio.gather(*work)
        await self._heal()
        people.cancel()
        self.checks.at_the_end()
        self.note("end", len(self.recorded), len(self.excused))

    async def _until(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, self.slept + seconds - self.loop.time()))

    async def _heal(self) -> None:
        """Nothing goes wrong any more; within the promised time everything has arrived."""
        self.note("heal")
        self.calm = self.server.calm = True
        self.server.down_until_ms = 0
        for device in self.devices:
            device.suspended_until_ms = device.away_until_ms = 0
            device.start()
        await asyncio.sleep(50.0)  # what was delayed on the way arrives late, but arrives
        healed = self.loop.time()
        bound = LIVENESS_SECONDS + (HELLO_AFTER_MS / 1000 if self.is_restored_unsaid else 0)
        while why := self.checks.unsettled():
            self.checks.raise_if_any()
            assert self.loop.time() - healed <= bound, f"I7: {why}"
            await asyncio.sleep(5.0)

    def _end(self) -> None:
        self.is_over = True
        tasks = [*self._background, *(t for d in self.devices for t in d.cancel())]
        tasks = [*tasks, *asyncio.all_tasks(self.loop)]
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()
        asyncio.set_event_loop(None)
        self.server.close()

    def background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Something that goes on beside."""
        task = self.loop.create_task(work)
        self._background.append(task)
        return task

    async def _people(self) -> None:
        while True:
            await asyncio.sleep(max(PERSON_SECONDS, self.night_until - self.loop.time()))
            for device in list(self.devices):
                await device.look_after()

    async def _work(self, device: SimDevice) -> None:
        for _ in range(self.weather.bursts):
            await asyncio.sleep(device.rng.uniform(0.0, self.weather.seconds / self.weather.bursts))
            await device.burst()

    # -- devices

    def add_device(self, name: str, *, like: SimDevice | None = None) -> SimDevice:
        """A new device with empty storage, or a clone of another's."""
        rng = Random(f"{name} {self.seed}")
        clock = SimClock(name, lambda: self.now_ms, rng)
        folder = self.folder / name
        device = SimDevice(self, name, rng, clock, folder)
        if like is None:
            folder.mkdir()
            for file in ("ops.db", "ref.db"):
                shutil.copyfile(self.templates / file, folder / file)
        else:
            shutil.copytree(like.folder, folder, ignore=shutil.ignore_patterns("*-shm"))
            device.events, device.drafts = dict(like.events), dict(like.drafts)
            device.loaded = like.loaded
        self.devices.append(device)
        return device

    def storage_lost(self, events: Mapping[str, Recorded]) -> None:
        """These are on that device no more; excused when nobody else had them."""
        kept = self.server.keys()
        self.excuse(e for e in events.values() if (e.id, e.raw.encode()) not in kept)

    def excuse(self, events: Iterable[Recorded]) -> None:
        """No copy of them is left anywhere, unless another device holds one."""
        for event in events:
            if not any(event.id in device.events for device in self.devices):
                self.excused.add(event.id)

    # -- what is counted

    def is_poison(self, rng: Random) -> bool:
        return rng.random() < self.weather.poison

    def payloads(self, rng: Random) -> list[Payload]:
        """The steps of a small count."""
        seen = [
            counted(rng.choice(SKUS), rng.choice(("0", "1", "2", "0.5", "144", "1000000")))
            for _ in range(rng.randrange(1, 4))
        ]
        return [BinOpened(bin=rng.choice(BINS)), *seen, BinClosed()]

    def rubbish(self, rng: Random) -> str:
        return rng.choice((*_RUBBISH, rng.randbytes(9000).hex()))
