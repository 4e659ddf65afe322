"""A device as a process to be killed: counts bins as fast as its disk takes it, and sends them meanwhile.

`python -m tests.kills.device FOLDER URL CODE`. What it says is recorded it also notes in a file beside
its database, after the store has returned: a kill cannot take that note back. While FOLDER/drain
exists it counts no more; it ends when everything is sent.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from app.contract.events import BinClosed, BinOpened, Payload
from app.contract.ids import RANDOM_BYTES, uuid7
from app.store.device_store import DeviceStore
from app.store.event_log import EventDraft
from app.sync.engine import SyncEngine
from tests.bench.live import a_live_device
from tests.support.events import counted

BINS = tuple(f"K-{n:02}" for n in range(12))
NOTES = "confirmed.txt"
DRAIN = "drain"


async def live(folder: Path, url: str, code: str) -> None:
    """Count and send until told to drain and drained."""
    store, _, engine = a_live_device(folder)
    engine.start()
    while not (folder / DRAIN).exists():
        await _enrol(store, engine, url, code, folder.name)
        await _count_a_bin(store, engine, folder)
    while store.outbox().unsent or store.enrolment() is None:
        await _enrol(store, engine, url, code, folder.name)
        engine.poke(is_urgent=True)
        await asyncio.sleep(0.3)
    await engine.stop()
    store.close()


async def _enrol(store: DeviceStore, engine: SyncEngine, url: str, code: str, name: str) -> None:
    """What a person at the set-up screen does: try again, since a killed server answers nobody."""
    if store.enrolment() is None:
        await engine.enrol(url, code, name)


async def _count_a_bin(store: DeviceStore, engine: SyncEngine, folder: Path) -> None:
    count_id = uuid7(store.clock.wall_ms(), random.randbytes(RANDOM_BYTES))
    lines = [counted("S1", str(random.randrange(20))) for _ in range(random.randrange(1, 8))]
    steps: list[Payload] = [BinOpened(bin=random.choice(BINS)), *lines, BinClosed()]
    for payload in steps:
        draft = EventDraft(payload=payload, user_id="ana", count_id=count_id)
        events = store.append([draft])
        with (folder / NOTES).open("a") as notes:
            notes.writelines(f"{event.id}\n" for event in events)
        engine.poke()
        await asyncio.sleep(random.uniform(0.0, 0.01))
    if random.random() < 0.3:
        engine.poke(is_urgent=True)


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
