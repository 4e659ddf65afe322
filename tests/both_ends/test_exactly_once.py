"""The real engine and the real server: whatever the network does, each event arrives once, unaltered."""

from __future__ import annotations

import asyncio

import pytest

from app.sync.outcomes import Delivered
from app.sync.plan import BACKOFF_CAP_MS
from app.sync.status import SyncState
from server.services.epochs import begin_epoch
from tests.support.both_ends import URL, Handheld, World
from tests.support.server import SITE


@pytest.fixture
def world(sqlite_database):
    return World(sqlite_database)


@pytest.fixture
def handheld(world, tmp_path):
    return Handheld.make(world, tmp_path / "device")


def run(coroutine):
    return asyncio.run(coroutine)


def test_a_device_enrols_gets_the_site_and_sends_its_counts(world, handheld):
    async def story():
        assert isinstance(await handheld.enrol(), Delivered)
        await handheld.engine.cycle()
        handheld.count("A-01", "3", "0")
        await handheld.wait_and_cycle()

    run(story())

    assert world.stored() == handheld.recorded()
    assert handheld.reference.is_ready
    assert [b.bin for b in handheld.reference.bins()] == ["A-01", "A-02"]
    assert [u.user_id for u in handheld.reference.users()] == ["ana"]
    assert handheld.engine.status.state is SyncState.UP_TO_DATE
    assert handheld.engine.status.unsent == 0


def test_the_pin_of_a_person_opens_at_the_device(handheld):
    async def story():
        await handheld.enrol()
        await handheld.engine.cycle()

    run(story())
    ana = handheld.reference.user("ana")

    assert handheld.store.check_pin(ana, "481516").verdict == "right"
    assert handheld.store.check_pin(ana, "481517").verdict == "wrong"


@pytest.mark.parametrize(
    "fault",
    [
        *("away", "lost", "no_reply", "twice", "cut", "portal"),
        *(301, 400, 401, 403, 404, 409, 410, 413, 422, 426, 429, 500, 502, 503, 504),
    ],
)
def test_one_fault_anywhere_loses_and_doubles_nothing(world, tmp_path, fault):
    # The fault hits the n-th request after the count: hello, push, pull, and whatever follows.
    for place in range(4):
        handheld = Handheld.make(world, tmp_path / f"d{place}", seed=place + 1)

        async def story(handheld=handheld, place=place):
            await handheld.enrol()
            await handheld.engine.cycle()
            handheld.count("A-01", "3", "4")
            handheld.world.pass_ms(700_000, handheld.clock)
            handheld.network.faults.extend([None] * place + [fault])
            for _ in range(6):
                await handheld.wait_and_cycle()

        run(story())

        assert [e for e in world.stored() if e[0] == handheld.store.install_id] == (
            handheld.recorded()
        )
        assert handheld.engine.status.unsent == 0
        assert handheld.engine.status.state is SyncState.UP_TO_DATE
    assert world.held() == []


def test_a_count_made_offline_goes_up_by_itself_when_the_network_is_back(world, handheld):
    async def story():
        await handheld.enrol()
        await handheld.engine.cycle()
        handheld.network.default = "away"
        handheld.count("A-01")
        for _ in range(5):
            await handheld.wait_and_cycle()
            assert handheld.engine.status.state is SyncState.OFFLINE
            assert handheld.engine.due_in_ms <= BACKOFF_CAP_MS
        assert handheld.engine.status.unsent == 3
        handheld.network.default = None
        await handheld.wait_and_cycle()

    run(story())

    assert world.stored() == handheld.recorded()


def test_a_killed_app_goes_on_where_it_was_and_sends_once(world, handheld):
    async def story():
        await handheld.enrol()
        await handheld.engine.cycle()
        handheld.count("A-01")
        handheld.network.faults.extend([None, "no_reply"])
        handheld.world.pass_ms(700_000, handheld.clock)
        await handheld.wait_and_cycle()
        again = handheld.restarted()
        assert again.engine.status.unsent == 3
        await again.wait_and_cycle()
        return again

    again = run(story())

    assert world.stored() == again.recorded()
    assert again.engine.status.unsent == 0


def test_a_server_restored_from_a_copy_gets_again_what_it_lost(
    world, handheld, databases, tmp_path
):
    async def story():
        await handheld.enrol()
        await handheld.engine.cycle()
        handheld.count("A-01")
        await handheld.wait_and_cycle()
        copy = _copy_of(world.database, tmp_path)
        handheld.count("A-02")
        await handheld.wait_and_cycle()
        assert len(world.stored()) == 6

        restored = World.__new__(World)
        restored.__dict__.update(world.__dict__)
        restored.database = copy
        restored.app = _app_over(copy, world)
        begin_epoch(copy, SITE, world.rim)
        handheld.network.app = restored.app
        handheld.network.__post_init__()
        handheld.count("A-01", "9")
        for _ in range(3):
            await handheld.wait_and_cycle()
        return restored

    restored = run(story())

    assert restored.stored() == handheld.recorded()
    assert len(restored.stored()) == 9


def test_a_silent_restore_is_noticed_too(world, handheld, tmp_path):
    async def story():
        await handheld.enrol()
        await handheld.engine.cycle()
        handheld.count("A-01")
        await handheld.wait_and_cycle()
        copy = _copy_of(world.database, tmp_path)
        handheld.count("A-02")
        await handheld.wait_and_cycle()
        restored = World.__new__(World)
        restored.__dict__.update(world.__dict__)
        restored.database = copy
        handheld.network.app = _app_over(copy, world)
        handheld.network.__post_init__()
        handheld.world.pass_ms(700_000, handheld.clock)
        for _ in range(3):
            await handheld.wait_and_cycle()
        return restored

    restored = run(story())

    assert restored.stored() == handheld.recorded()


def test_an_old_copy_of_the_device_becomes_another_install(world, handheld, tmp_path):
    import shutil

    async def story():
        await handheld.enrol()
        await handheld.engine.cycle()
        handheld.count("A-01")
        await handheld.wait_and_cycle()
        shutil.copytree(handheld.folder, tmp_path / "image")
        handheld.count("A-02")
        await handheld.wait_and_cycle()
        clone = Handheld._assemble(world, tmp_path / "image", handheld.clock, handheld.network, 77)
        before = clone.store.install_id
        clone.count("A-01", "5")
        await clone.wait_and_cycle()
        await clone.wait_and_cycle()
        assert clone.engine.status.state in (SyncState.ENROL, SyncState.ENROL_ANEW)
        assert clone.store.install_id != before
        assert world.stored() == handheld.recorded()

        await clone.enrol()
        await clone.wait_and_cycle()
        assert clone.store.rescue_files() == []
        for device in (handheld, clone):
            device.world.pass_ms(700_000, device.clock)
            await device.wait_and_cycle()
            assert device.engine.status.state is SyncState.UP_TO_DATE

    run(story())

    # What the copy had counted is there as well, as a branch of the install it was copied from.
    branch = [install for install, _, _ in world.stored() if "~" in install]
    assert len(branch) == 3
    assert len(world.stored()) == 9
    assert world.held() == []


def test_a_damaged_devices_counts_reach_the_server_as_a_rescue(world, handheld):
    async def story():
        await handheld.enrol()
        await handheld.engine.cycle()
        handheld.count("A-01")
        await handheld.wait_and_cycle()
        handheld.network.default = "away"
        handheld.count("A-02")
        recorded = handheld.recorded()
        handheld.store.close()
        path = handheld.folder / "ops.db"
        whole = bytearray(path.read_bytes())
        whole[-200:] = b"\xff" * 200
        path.write_bytes(whole)
        again = handheld.restarted()
        if again.store.salvage is None:
            pytest.fail("the damage was not noticed")
        again.network.default = None
        await again.enrol()
        for _ in range(2):
            await again.wait_and_cycle()
        return recorded, again

    recorded, again = run(story())

    assert again.store.salvage.events == len(recorded) == 6
    assert world.stored() == recorded


def test_a_revoked_device_keeps_its_counts_and_says_what_to_do(world, handheld):
    from server.services.enrolment import revoke_device

    async def story():
        await handheld.enrol()
        await handheld.engine.cycle()
        device_id = handheld.store.enrolment().device_id
        revoke_device(world.database, SITE, device_id, rim=world.rim, actor="sue")
        handheld.count("A-01")
        await handheld.wait_and_cycle()
        assert handheld.engine.status.state is SyncState.ENROL
        assert handheld.engine.status.unsent == 3
        await handheld.enrol()
        await handheld.wait_and_cycle()

    run(story())

    assert world.stored() == handheld.recorded()


def test_a_damaged_event_is_held_at_the_server_and_those_behind_it_arrive(world, handheld):
    async def story():
        await handheld.enrol()
        await handheld.engine.cycle()
        handheld.count("A-01", user="nobody here knows")
        handheld.count("A-02")
        await handheld.wait_and_cycle()

    run(story())

    assert {code for code, _ in world.held()} == {"unknown-user"}
    assert len(world.stored()) == 3
    assert handheld.engine.status.held == 3
    assert handheld.engine.status.unsent == 0


def test_an_unprotected_address_is_refused(handheld):
    from app.sync.transport import UnsafeAddressError

    with pytest.raises(UnsafeAddressError):
        run(handheld.engine.enrol("http://192.168.1.5:8400", "x", "d"))
    with pytest.raises(ValueError, match="not an address"):
        run(handheld.engine.enrol("blindcount", "x", "d"))
    assert URL.startswith("http://127.")


def _copy_of(database, folder):
    import sqlite3

    from server.storage.engine import Database

    path = folder / "restored.sqlite"
    source = sqlite3.connect(database.url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as target:
        source.backup(target)
    source.close()
    return Database(f"sqlite:///{path}")


def _app_over(database, world):
    from server.main import create_app
    from server.settings import Settings

    return create_app(Settings(database_url=database.url), database=database, rim=world.rim)
