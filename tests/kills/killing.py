"""One seed's killings: a real server and real device processes on real files, SIGKILL at any moment.

The moments are drawn from the seed; what a process was doing then is the machine's choice. A seed
replays the plan of a failure, not each of its instants.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from app.contract.wire import RefKind
from server.cli.processes import Child
from server.storage.changes import record_changes
from server.storage.tables_records import BinRow, SkuRow
from tests.bench.live import ROOT, SITE, LiveServer
from tests.kills.device import BINS, DRAIN, NOTES
from tests.support.agreement import disagreements

DEVICES = 2
DRAINED_SECONDS = 120.0
TOLD_SECONDS = 5.0
"""Between two words on how far it is."""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """What came of one seed."""

    seed: int
    devices: int
    """SIGKILLs of device processes."""
    servers: int
    """SIGKILLs of the server."""
    events: int
    found: tuple[str, ...]
    """What is not as promised, in words."""

    @property
    def command(self) -> str:
        """Runs the same plan again."""
        return f"python -m tests.kills --seed {self.seed} --kills {self.devices + self.servers}"


def kill_and_compare(seed: int, folder: Path, kills: int, tell: Tell) -> Killed:
    """Kill so often, let everything heal, compare the files. `tell` hears how far it is."""
    rng = Random(seed)
    server = LiveServer(folder / "server")
    _furnish(server)
    server.start()
    devices = [_device(server, folder / f"device-{n}") for n in range(DEVICES)]
    try:
        for device in devices:
            device.start()
        servers, told = 0, time.monotonic()
        for done in range(1, kills + 1):
            servers += _kill_one(rng, server, devices)
            if time.monotonic() - told >= TOLD_SECONDS or done == kills:
                told = time.monotonic()
                tell(f"{done} of {kills} kills, {_recorded(folder, devices)} events recorded")
        left = _drain(folder, devices, tell)
    finally:
        for device in devices:
            device.kill()
        server.stop()
    compared = [_compare(folder / d.name, folder / "server" / "server.sqlite") for d in devices]
    return Killed(
        seed=seed,
        devices=kills - servers,
        servers=servers,
        events=sum(events for events, _ in compared),
        found=(*left, *(words for _, found in compared for words in found)),
    )


def _furnish(server: LiveServer) -> None:
    with server.database.write() as session:
        session.add_all(BinRow(site_id=SITE, bin=b, barcode=f"LOC-{b}") for b in BINS)
        session.add(SkuRow(site_id=SITE, sku="S1", description="Thing", cost_set_us=0))
        record_changes(session, SITE, RefKind.BIN, BINS)
        record_changes(session, SITE, RefKind.SKU, ["S1"])
        session.commit()


def _device(server: LiveServer, folder: Path) -> Child:
    command = [sys.executable, "-m", "tests.kills.device", str(folder), server.url, server.code()]
    return Child(folder.name, command, log=folder / "device.log", env={"PYTHONPATH": str(ROOT)})


def _kill_one(rng: Random, server: LiveServer, devices: list[Child]) -> bool:
    """Let them work for a moment, then kill one and start it again. True when it was the server."""
    time.sleep(rng.uniform(0.1, 2.0))
    if rng.random() < 0.3:
        server.kill()
        server.start()
        return True
    device = rng.choice(devices)
    if device.exit_code is not None:
        raise AssertionError(f"{device.name} ended by itself:\n{device.last_words()}")
    device.kill()
    device.start()
    return False


def _drain(folder: Path, devices: list[Child], tell: Tell) -> list[str]:
    """Let every device send what it has; who did not manage."""
    for device in devices:
        (folder / device.name / DRAIN).touch()
    began = told = time.monotonic()
    while any(d.is_running for d in devices) and time.monotonic() < began + DRAINED_SECONDS:
        time.sleep(0.2)
        if time.monotonic() - told >= TOLD_SECONDS:
            told = time.monotonic()
            tell(f"healing, waits for {', '.join(d.name for d in devices if d.is_running)}")
    return [
        f"{d.name} did not end well ({d.exit_code}): {d.last_words(3)}"
        for d in devices
        if d.exit_code != 0
    ]


def _recorded(folder: Path, devices: list[Child]) -> int:
    notes = [folder / device.name / NOTES for device in devices]
    return sum(len(note.read_bytes().splitlines()) for note in notes if note.exists())


def _compare(folder: Path, server: Path) -> tuple[int, list[str]]:
    # Killed before its first bin each time, it has noted nothing.
    path = folder / NOTES
    notes = path.read_text().splitlines() if path.exists() else []
    return len(notes), disagreements(folder / "ops.db", server, notes)
