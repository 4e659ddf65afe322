"""A first load of a large site is one verified file, resumed after a cut at any byte."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3

import httpx
import pytest

from app.contract.checksums import barcode_id
from app.contract.problems import RefusalError
from app.contract.wire import RefKind
from server.services import snapshots
from server.services.epochs import begin_epoch, ensure_epoch
from server.services.snapshots import SnapshotStore
from server.storage import snapshot_files
from server.storage.changes import record_changes, remove_server_mark
from server.storage.columns import to_us
from server.storage.tables_records import BarcodeRow, SkuRow
from tests.support.both_ends import Handheld, World
from tests.support.network import LossyTransport
from tests.support.server import NOW, SITE

SKUS = 3000


class CutTransport(LossyTransport):
    """Cuts the body of a part at a random byte, again and again."""

    chance = random.Random(5)
    cuts = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if "/snapshot/" not in request.url.path or self.chance.random() < 0.3:
            return response
        content = b"".join(response.stream)
        self.cuts += 1
        cut = self.chance.randrange(len(content) + 1)

        async def broken():
            yield content[:cut]
            raise httpx.ReadError("cut", request=request)

        headers = [(k, v) for k, v in response.headers.items() if k != "content-length"]

        class Stream(httpx.AsyncByteStream):
            def __aiter__(self):
                return broken()

        return httpx.Response(response.status_code, headers=headers, stream=Stream())


@pytest.fixture
def world(sqlite_database, monkeypatch):
    monkeypatch.setattr(snapshots, "WORTH_IT_FROM", 1000)
    monkeypatch.setattr(snapshot_files, "PART_BYTES", 8 * 1024)
    made = World(sqlite_database)
    _add_skus(made, range(SKUS))
    return made


def _add_skus(world, numbers):
    with world.database.write() as session:
        for n in numbers:
            session.add(
                SkuRow(
                    site_id=SITE,
                    sku=f"S{n:06}",
                    description=f"Thing {n}",
                    cost_set_us=to_us(NOW),
                    unit_cost_u=7_919_031_700,
                )
            )
        session.flush()
        for n in numbers:
            session.add(BarcodeRow(site_id=SITE, barcode=f"{n:013}", sku=f"S{n:06}"))
        record_changes(session, SITE, RefKind.SKU, [f"S{n:06}" for n in numbers])
        ids = [barcode_id(f"{n:013}", f"S{n:06}") for n in numbers]
        record_changes(session, SITE, RefKind.BARCODE, ids)
        session.commit()


def build(world):
    context = world.app.state.context
    with world.database.read() as session:
        from server.storage.changes import server_mark

        epoch = server_mark(session, SITE, "epoch")
    return context.snapshots.build(world.database, SITE, epoch, world.rim)


def test_a_cut_at_any_byte_is_gone_on_from_and_the_device_has_every_row(world, tmp_path):
    handheld = Handheld.make(world, tmp_path / "device")
    network = CutTransport(app=world.app)
    handheld = Handheld._assemble(world, tmp_path / "device", handheld.clock, network, 2)

    async def story():
        await handheld.enrol()
        build(world)
        _add_skus(world, range(SKUS, SKUS + 5))
        device = handheld
        for attempt in range(400):
            await device.wait_and_cycle()
            if device.reference.is_ready:
                break
            assert device.reference.sku("S000001") is None
            if attempt % 7 == 3:
                device = device.restarted()
        return device

    device = asyncio.run(story())

    assert network.cuts > 5
    assert device.reference.is_ready
    assert device.reference.verify()
    assert [b.sku for b in device.reference.barcodes(f"{SKUS + 4:013}")] == [f"S{SKUS + 4:06}"]
    assert [b.sku for b in device.reference.barcodes(f"{17:013}")] == ["S000017"]
    assert [u.user_id for u in device.reference.users()] == ["ana"]
    assert len(device.reference.bins()) == 2
    pages = [path for _, path in network.requests if path == "/sync/v1/pull"]
    assert len(pages) < 40
    assert not (tmp_path / "device" / "ref.download").exists()


def test_nothing_expected_nor_any_money_is_in_the_prebuilt_file(world, tmp_path):
    handheld = Handheld.make(world, tmp_path / "device")

    async def story():
        await handheld.enrol()
        build(world)
        for _ in range(3):
            await handheld.wait_and_cycle()

    asyncio.run(story())

    assert handheld.reference.is_ready
    everything = b"".join(p.read_bytes() for p in (tmp_path / "device").glob("*.db*"))
    for planted in (b"7919", b"79190317"):
        assert planted not in everything


def test_a_small_site_is_pulled_in_pages(sqlite_database, tmp_path):
    world = World(sqlite_database)
    handheld = Handheld.make(world, tmp_path / "device")

    async def story():
        await handheld.enrol()
        await handheld.wait_and_cycle()

    asyncio.run(story())

    assert handheld.reference.is_ready
    assert ("GET", "/sync/v1/snapshot") in handheld.network.requests
    assert not [p for _, p in handheld.network.requests if p.startswith("/sync/v1/snapshot/")]


def test_a_site_whose_file_is_not_built_yet_is_asked_again_soon(world, tmp_path):
    handheld = Handheld.make(world, tmp_path / "device")

    async def story():
        await handheld.enrol()
        await handheld.wait_and_cycle()
        assert not handheld.reference.is_ready
        assert handheld.engine.due_in_ms >= 3000
        world.app.state.context.snapshots._builder.join()
        for _ in range(3):
            await handheld.wait_and_cycle()

    asyncio.run(story())

    assert handheld.reference.is_ready


def test_a_restored_server_makes_the_device_fetch_a_new_picture_beside_the_old(world, tmp_path):
    handheld = Handheld.make(world, tmp_path / "device")

    async def story():
        await handheld.enrol()
        build(world)
        for _ in range(3):
            await handheld.wait_and_cycle()
        begin_epoch(world.database, SITE, world.rim)
        _add_skus(world, [SKUS + 77])
        build(world)
        handheld.world.pass_ms(700_000, handheld.clock)
        for _ in range(4):
            assert handheld.reference.is_ready
            await handheld.wait_and_cycle()

    asyncio.run(story())

    assert handheld.reference.sku(f"S{SKUS + 77:06}") is not None
    assert handheld.reference.verify()


def test_a_file_of_a_newer_server_is_left_alone_and_its_pages_are_taken(
    world, tmp_path, monkeypatch
):
    monkeypatch.setattr("app.sync.pull.REFERENCE_SCHEMA", 0)
    device = Handheld.make(world, tmp_path / "device")

    async def story() -> None:
        await device.enrol()
        build(world)
        await device.engine.cycle()

    asyncio.run(story())

    assert device.reference.is_ready
    assert device.reference.sku(f"S{SKUS - 1:06}") is not None
    assert device.reference.download().manifest() is None, "nothing of the file was fetched"


def _restore_from(world, copy: str) -> None:
    """Put a copy in the database's place, as an operator who tells nobody of it."""
    path = world.database.url.removeprefix("sqlite:///")
    world.database.engine.dispose()
    with sqlite3.connect(copy) as source, sqlite3.connect(path) as target:
        source.backup(target)
    source.close()
    target.close()


def test_a_prebuilt_file_from_before_a_restore_is_not_given_out(world, tmp_path):
    ensure_epoch(world.database, SITE, world.rim)
    copy = str(tmp_path / "copy.sqlite")
    with sqlite3.connect(world.database.url.removeprefix("sqlite:///")) as live:
        with sqlite3.connect(copy) as kept:
            live.backup(kept)
        kept.close()
    live.close()
    _add_skus(world, range(SKUS, SKUS + 5))
    lost = build(world)
    _restore_from(world, copy)
    store = world.app.state.context.snapshots

    with pytest.raises(RefusalError, match="busy"):
        store.manifest(world.database, SITE, rim=world.rim)
    store._builder.join()
    again = store.manifest(world.database, SITE, rim=world.rim)

    assert again.snapshot_id != lost.snapshot_id
    assert again.rev < lost.rev


def test_a_prebuilt_file_that_leads_nowhere_is_not_fetched_again(world, tmp_path, monkeypatch):
    """An older server still gives out a file of another time; pages are always of this one."""
    handheld = Handheld.make(world, tmp_path / "device")

    async def story():
        await handheld.enrol()
        made = build(world)
        of_another_time = made.model_copy(update={"cursor": made.cursor.replace("~", "~x", 1)})
        monkeypatch.setattr(SnapshotStore, "manifest", lambda *_a, **_k: of_another_time)
        await handheld.wait_and_cycle()

    asyncio.run(story())

    paths = [path for _, path in handheld.network.requests]
    assert handheld.reference.is_ready
    assert handheld.reference.verify()
    assert paths.count("/sync/v1/snapshot") == 1


def test_files_of_another_time_do_not_push_out_the_one_just_made(world):
    """However new they look: a server's clock may have been ahead."""
    store = world.app.state.context.snapshots
    ensure_epoch(world.database, SITE, world.rim)
    lost = [build(world).snapshot_id for _ in range(2)]
    with world.database.write() as session:
        for name in lost:
            remove_server_mark(session, SITE, f"snapshot {name}")
        session.commit()
    for name in lost:
        os.utime(store.folder / name / "manifest.json", (2e9, 2e9))

    made = build(world)

    assert store.manifest(world.database, SITE, rim=world.rim).snapshot_id == made.snapshot_id
    assert [p.name for p in store.folder.iterdir()] == [made.snapshot_id]


def test_devices_pull_pages_where_no_file_can_be_built(world, tmp_path, monkeypatch):
    def full(*_args, **_keywords):
        raise OSError("no space left on device")

    monkeypatch.setattr(snapshot_files, "build", full)
    handheld = Handheld.make(world, tmp_path / "device")
    store = world.app.state.context.snapshots

    async def story():
        await handheld.enrol()
        await handheld.wait_and_cycle()
        store._builder.join()
        await handheld.wait_and_cycle()

    asyncio.run(story())

    assert handheld.reference.is_ready
    assert len(handheld.reference.bins()) == 2
