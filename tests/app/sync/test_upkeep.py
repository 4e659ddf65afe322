"""What an open app looks after by itself: room on the disk, and the soundness of its file, each day."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from app.contract.events import NoteAdded
from app.contract.rescue import read_rescue
from app.counting.state import Stage
from app.floor_link import FloorLink
from app.i18n.words import load_words
from app.settings import read_settings
from app.store.device_store import OPS_FILE, DeviceStore
from app.store.event_log import EventDraft
from app.store.health import DAY_MS, ROOM_ENOUGH_BYTES, ROOM_LOW_BYTES, is_room_low
from app.sync.engine import SyncEngine
from app.sync.transport import HttpTransport
from app.sync.upkeep import QUIET_MS, ROOM_EVERY_MS, Looked
from tests.support.both_ends import at_once
from tests.support.site import Floor

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("free", "was_low", "is_low"),
    [
        (ROOM_LOW_BYTES, False, False),
        (ROOM_LOW_BYTES - 1, False, True),
        (0, False, True),
        (ROOM_LOW_BYTES, True, True),
        (ROOM_ENOUGH_BYTES - 1, True, True),
        (ROOM_ENOUGH_BYTES, True, False),
    ],
)
def test_the_warning_comes_below_200_mb_and_goes_at_250(free: int, was_low: bool, is_low: bool):
    assert is_room_low(free, was_low=was_low) is is_low


def test_room_is_looked_at_at_once_and_then_every_minute():
    start = Looked(recorded_ms=0, checked_ms=0)
    after = Looked(recorded_ms=0, checked_ms=0, room_ms=5_000)

    assert start.room_due_in_ms(0) == 0
    assert after.room_due_in_ms(5_000) == ROOM_EVERY_MS
    assert after.room_due_in_ms(5_000 + ROOM_EVERY_MS) == 0


def test_the_file_is_checked_a_day_after_the_last_time_but_not_while_somebody_scans():
    looked = Looked(recorded_ms=DAY_MS - 1_000, checked_ms=0)

    assert looked.check_due_in_ms(0) == DAY_MS + QUIET_MS - 1_000
    assert looked.check_due_in_ms(DAY_MS) == QUIET_MS - 1_000
    assert looked.check_due_in_ms(DAY_MS + QUIET_MS) == 0


class Hours:
    """Timers under which so much time goes by at once, and then none."""

    def __init__(self, clock, milliseconds: int) -> None:
        self._clock = clock
        self._left = milliseconds
        self.is_over = asyncio.Event()

    async def wait(self, _wake: asyncio.Event, milliseconds: int) -> None:
        if self._left <= 0:
            self.is_over.set()
            await asyncio.Event().wait()
        self._left -= milliseconds
        self._clock.pass_ms(milliseconds)
        await asyncio.sleep(0)


def an_engine(floor: Floor, hours: Hours | None = None) -> SyncEngine:
    return SyncEngine(
        floor.store,
        floor.reference,
        HttpTransport(floor.clock),
        clock=floor.clock,
        chance=random.Random(1).random,
        timers=hours,
        on_disk=at_once,
    )


def a_link(floor: Floor, engine: SyncEngine) -> FloorLink:
    link = FloorLink(
        engine=engine,
        store=floor.store,
        service=floor.service,
        say=load_words(),
        settings=read_settings({}),
    )
    engine.subscribe(link._show)
    return link


def pass_hours(floor: Floor, hours: int) -> None:
    """The app stays open so long, with nobody near and its enrolment ended."""

    async def run() -> None:
        floor.store.drop_enrolment()
        timers = Hours(floor.clock, hours * HOUR_MS)
        engine = an_engine(floor, timers)
        a_link(floor, engine)
        engine.start()
        await timers.is_over.wait()
        await engine.stop()

    asyncio.run(run())


def test_a_nearly_full_disk_is_told_while_there_is_still_room(tmp_path: Path, monkeypatch):
    floor = Floor(tmp_path)
    free = [ROOM_LOW_BYTES - 1]
    monkeypatch.setattr(DeviceStore, "free_bytes", lambda _self: free[0])
    engine = an_engine(floor)
    a_link(floor, engine)

    asyncio.run(engine.look_after())
    assert floor.service.state.sync.is_room_low

    free[0] = ROOM_ENOUGH_BYTES
    asyncio.run(engine.look_after())
    assert floor.service.state.sync.is_room_low, "asked again only after a minute"
    floor.clock.pass_ms(ROOM_EVERY_MS)
    asyncio.run(engine.look_after())
    assert not floor.service.state.sync.is_room_low


def damage_the_file(folder: Path) -> None:
    """A page in the middle of what was counted goes bad, as flash does."""
    path = folder / OPS_FILE
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2 // 4096 * 4096
    whole[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(whole)


def test_damage_that_comes_while_the_app_is_open_is_found_within_a_day(tmp_path: Path):
    floor = Floor(tmp_path)
    notes = [EventDraft(payload=NoteAdded(text="x" * 900), user_id="ana") for _ in range(60)]
    floor.store.append(notes)
    floor.kill_and_start()
    floor.open_bin()
    damage_the_file(tmp_path)

    pass_hours(floor, 23)
    assert floor.store.salvage is None
    pass_hours(floor, 25)

    assert floor.store.salvage is not None
    rescued = read_rescue((tmp_path / floor.store.salvage.rescue_file).read_text())
    assert rescued.is_whole
    assert len(rescued.events) >= 30
    state = floor.service.state
    assert (state.stage, state.user, state.count, state.salvaged) == (Stage.ENROL, None, None, True)
    assert floor.store.append(notes[:1])[0].seq == 1, "the new file takes what comes"


def test_a_scan_puts_the_check_off_until_nobody_counts(tmp_path: Path):
    floor = Floor(tmp_path)
    floor.store.append([EventDraft(payload=NoteAdded(text="x" * 900))] * 60)
    floor.kill_and_start()
    engine = an_engine(floor)
    damage_the_file(tmp_path)

    floor.clock.pass_ms(DAY_MS)
    engine.poke()
    asyncio.run(engine.look_after())
    assert floor.store.salvage is None

    floor.clock.pass_ms(QUIET_MS)
    asyncio.run(engine.look_after())
    assert floor.store.salvage is not None


def test_a_sound_file_is_left_as_it_is_however_long_the_app_stays_open(tmp_path: Path):
    floor = Floor(tmp_path)
    floor.open_bin()
    before = floor.service.state.count
    engine = an_engine(floor)
    a_link(floor, engine)

    for _ in range(80):
        floor.clock.pass_ms(HOUR_MS)
        asyncio.run(engine.look_after())

    assert floor.store.salvage is None
    assert floor.service.state.count == before
