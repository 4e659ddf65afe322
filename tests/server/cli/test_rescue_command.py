"""A device's rescue file is taken in by one command, as often as somebody likes."""

from __future__ import annotations

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from app.contract.events import NoteAdded
from app.contract.rescue import rescue_text
from server.cli.main import app
from server.storage.tables_sync import DeviceEventRow
from tests.support.devices import a_device
from tests.support.events import an_id
from tests.support.rim import a_rim

runner = CliRunner()


@pytest.fixture
def file(sqlite_database, tmp_path, monkeypatch):
    monkeypatch.setenv("BLINDCOUNT_DATABASE_URL", sqlite_database.url)
    device = a_device(sqlite_database, a_rim())
    for number in range(3):
        device.record(NoteAdded(text=str(number)), an_id())
    path = tmp_path / "rescue.jsonl"
    path.write_text(rescue_text(device.device.install_id, device.pending), "utf-8")
    return path


def test_every_event_is_stored_once_however_often_the_file_comes(file, sqlite_database):
    first = runner.invoke(app, ["rescue", str(file)])
    second = runner.invoke(app, ["rescue", str(file)])

    assert (first.exit_code, first.stdout.strip()) == (0, "3 created")
    assert (second.exit_code, second.stdout.strip()) == (0, "3 exists")
    with sqlite_database.read() as session:
        assert len(session.exec(select(DeviceEventRow)).all()) == 3


def test_a_cut_file_gives_what_can_be_read_and_says_so(file):
    text = file.read_text("utf-8")
    file.write_text(text[: text.rindex('{"id"') + 30], "utf-8")

    outcome = runner.invoke(app, ["rescue", str(file)])

    assert "2 created" in outcome.output
    assert "cut" in outcome.output


def test_another_file_is_refused_in_words(file):
    file.write_text("a shopping list", "utf-8")

    outcome = runner.invoke(app, ["rescue", str(file)])

    assert outcome.exit_code == 1
    assert "cannot be read" in outcome.output


def test_a_restored_server_has_another_epoch(file, sqlite_database):
    first = runner.invoke(app, ["restored"])
    second = runner.invoke(app, ["restored"])

    assert first.exit_code == 0
    assert first.stdout != second.stdout
