"""A file that a person takes off a device without a network: from the button to the server's events."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.contract.rescue import read_bundle
from app.counting.state import Stage
from app.i18n.words import load_words
from app.screens.page import show_trouble
from app.store.errors import StoreFullError, StoreNewerError
from app.store.event_log import EventDraft
from app.store.rescue import export_of_damaged
from server.cli.main import app as command
from tests.support.both_ends import Handheld, World
from tests.support.events import an_id, counted
from tests.support.headless import Headless
from tests.support.tab import Tab

runner = CliRunner()


@pytest.fixture
def world(sqlite_database, monkeypatch):
    monkeypatch.setenv("BLINDCOUNT_DATABASE_URL", sqlite_database.url)
    return World(sqlite_database)


@pytest.fixture
def handheld(world, tmp_path):
    """It counted A-01, sent it, and then A-02 where there is no network."""
    device = Handheld.make(world, tmp_path / "device")

    async def day() -> None:
        await device.enrol()
        await device.engine.cycle()
        device.count("A-01", "7")
        await device.wait_and_cycle()
        device.network.default = "away"
        device.count("A-02", "4", "0")
        await device.wait_and_cycle()

    asyncio.run(day())
    return device


def saved_by_hand(device: Handheld, folder: Path) -> Path:
    """Press the button and keep the file as a browser would."""

    async def press() -> tuple[str, bytes, list[str]]:
        tab = Tab(device)
        await tab.page.settle()
        await tab.page.press("pill")
        name, content = await tab.press_save()
        await tab.page.settle()
        assert tab.page.crashes == []
        return name, content, tab.page.spoken()

    name, content, spoken = asyncio.run(press())
    assert any(f"went to your browser as {name}" in sentence for sentence in spoken)
    path = folder / name
    path.write_bytes(content)
    return path


def take_in(path: Path) -> str:
    done = runner.invoke(command, ["rescue", str(path)])
    assert done.exit_code == 0, done.output
    return done.output.strip()


def test_the_file_holds_what_waits_and_comes_in_exactly_once(world, handheld, tmp_path):
    path = saved_by_hand(handheld, tmp_path)

    assert take_in(path) == "4 created\nSigned by handheld 1."
    assert world.stored() == handheld.recorded()
    assert take_in(path) == "4 exists\nSigned by handheld 1."
    assert world.stored() == handheld.recorded()

    handheld.network.default = None
    asyncio.run(handheld.wait_and_cycle())
    assert world.stored() == handheld.recorded(), (
        "the device sends them too, and nothing is doubled"
    )
    assert handheld.engine.status.unsent == 0


def test_the_file_says_nothing_but_what_was_counted_here(world, handheld, tmp_path):
    bundle = read_bundle(saved_by_hand(handheld, tmp_path).read_text("utf-8"))

    (file,) = bundle.files
    assert [(file.install_id, e.seq, e.raw) for e in file.events] == handheld.recorded()[3:]


def test_what_the_server_could_not_use_and_what_was_set_aside_are_in_it(world, handheld, tmp_path):
    async def nobody_knows_her() -> None:
        handheld.network.default = None
        handheld.count("A-01", user="eve")
        await handheld.wait_and_cycle()
        handheld.network.default = "away"
        handheld.count("A-02")
        handheld.store.begin_new_install()
        handheld.count("A-01", "9")

    asyncio.run(nobody_knows_her())
    export = handheld.store.rescue_export()
    (path,) = (tmp_path / "device").glob("rescue-*.jsonl")
    path.write_bytes(path.read_bytes()[:-9] + b"\xff\n")
    damaged = handheld.store.rescue_export()

    assert export.events == 3 + 3
    own, aside = read_bundle(export.text).files
    assert own.install_id == handheld.store.install_id
    assert (own.is_whole, aside.is_whole) == (True, True)
    assert damaged.events == export.events, "a broken byte costs its line"
    assert not read_bundle(damaged.text).files[1].is_whole


def test_held_entries_are_taken_along(world, handheld):
    async def held() -> None:
        handheld.network.default = None
        await handheld.wait_and_cycle()
        handheld.count("A-01", user="eve")
        await handheld.wait_and_cycle()

    asyncio.run(held())

    assert handheld.engine.status.unsent == 0
    assert handheld.store.rescue_export().events == 3


def test_a_file_that_somebody_changed_is_not_called_the_devices(world, handheld, tmp_path):
    path = saved_by_hand(handheld, tmp_path)
    text = path.read_text("utf-8")
    assert '\\"quantity\\":\\"4\\"' in text
    path.write_text(text.replace('\\"quantity\\":\\"4\\"', '\\"quantity\\":\\"44\\"'), "utf-8")

    said = take_in(path)

    assert "not of a device as it is enrolled now" in said
    assert "cut or was changed" in said
    assert "quarantined" in said, "the hash chain shows where"


def test_line_ends_of_a_mail_program_are_no_damage(world, handheld, tmp_path):
    path = saved_by_hand(handheld, tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert take_in(path) == "4 created\nSigned by handheld 1."


def test_a_full_device_gives_its_file_too(world, handheld, tmp_path, monkeypatch):
    def full(*_args):
        raise StoreFullError("full")

    async def press() -> bytes:
        tab = Tab(handheld, web=False)
        await tab.page.settle()
        tab.service.block(StoreFullError("full"))
        monkeypatch.setattr(handheld.store, "append", full)
        await tab.page.settle()
        assert tab.service.state.stage is Stage.BLOCKED
        _, content = await tab.press_save(answer="/sdcard/Download/x.jsonl")
        await tab.page.settle()
        assert any("4 entries are in" in sentence for sentence in tab.page.spoken())
        return content

    path = tmp_path / "x.jsonl"
    path.write_bytes(asyncio.run(press()))
    assert take_in(path).startswith("4 created")


def test_a_damaged_file_gives_what_can_be_read(world, handheld, tmp_path):
    for number in range(60):
        handheld.store.append([EventDraft(payload=counted("S1", str(number)), count_id=an_id())])
    handheld.store.close()
    path = tmp_path / "device" / "ops.db"
    again = handheld.restarted()
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2 // 4096 * 4096
    whole[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(whole)

    export = again.store.rescue_export()

    assert export.events >= 30
    assert read_bundle(export.text).files[0].is_whole


def test_a_file_of_a_newer_app_can_be_taken_out_by_the_older_one(world, handheld, tmp_path):
    handheld.store.close()
    with closing(sqlite3.connect(tmp_path / "device" / "ops.db")) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreNewerError):
        handheld.restarted()

    async def press() -> tuple[bytes, list[str]]:
        page = Headless()
        page.open()
        show_trouble(
            page.page,
            load_words()(StoreNewerError.words),
            rescue=lambda: export_of_damaged(tmp_path / "device" / "ops.db"),
            say=load_words(),
            now=lambda: datetime.now(UTC),
        )
        await page.press("save_rescue")
        while not page.arguments("save_file"):
            await asyncio.sleep(0.01)
        await page.answer("save_file", None)
        return page.arguments("save_file")[0]["src_bytes"], page.texts()

    path = tmp_path / "x.jsonl"
    content, texts = asyncio.run(press())
    path.write_bytes(content)
    assert any("went to your browser" in text for text in texts)
    assert take_in(path) == "4 created, 3 exists"


def test_where_nothing_waits_nothing_is_saved(world, handheld):
    async def press() -> list[str]:
        handheld.network.default = None
        await handheld.wait_and_cycle()
        tab = Tab(handheld)
        await tab.page.settle()
        await tab.page.press("pill")
        await tab.page.press("save_rescue")
        for _ in range(200):
            await asyncio.sleep(0.01)
            if any("nothing to save" in sentence for sentence in tab.page.spoken()):
                break
        assert tab.page.arguments("save_file") == []
        return tab.page.spoken()

    assert any("The server has everything" in sentence for sentence in asyncio.run(press()))
