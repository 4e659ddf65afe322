"""Power cuts at every write and sync: the file opens, is sound, and holds all that was confirmed."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing

import pytest

from app.contract.events import GENESIS_HASH, BinClosed, BinOpened
from app.contract.wire import EventResult, Result
from app.store import database
from app.store.device_store import OPS_FILE, DeviceStore
from app.store.event_log import EventDraft
from tests.support.device import FakeClock, a_store, seeded
from tests.support.events import an_id, counted

apsw = pytest.importorskip("apsw", reason="the phone's lane has no apsw; the full lane has")

from tests.support.recorded_disk import Recording, RecordingVfs, engines_over  # noqa: E402

IMAGES = int(os.environ.get("BLINDCOUNT_CRASH_IMAGES", "600"))
STEPS = 40


@pytest.fixture
def story(tmp_path, monkeypatch):
    """A shift on the recorded disk: (recording, [(operations done, numbers confirmed by then)])."""
    recording = Recording()
    vfs = RecordingVfs("recorded", recording)
    monkeypatch.setattr(database, "create_engine", engines_over("recorded"))
    monkeypatch.setattr(database, "sync_folder", lambda _folder: recording.sync_folder())
    # Checkpoints often, so that the main file is written too.
    store = a_store(tmp_path / "device")
    with store._file.exclusive() as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 12")
    confirmed = [(len(recording.ops), 0)]
    for step in range(STEPS):
        count_id = an_id()
        drafts = [BinOpened(bin="A-01"), *(counted(f"S{i}", "2") for i in range(3)), BinClosed()]
        for draft in drafts:
            events = store.append([EventDraft(payload=draft, user_id="ana", count_id=count_id)])
            confirmed.append((len(recording.ops), events[-1].seq))
        store.save_draft(task_id="t", bin="A-01", user_id="ana", content=str(step))
        if step % 5 == 4:
            words = [EventResult(id=p.id, r=Result.CREATED) for p in store.pending(20)]
            store.acknowledge(words, epoch="e1")
    yield recording, confirmed
    store.close()
    monkeypatch.undo()
    vfs.unregister()


def test_no_power_cut_loses_what_was_confirmed(story, tmp_path):
    recording, confirmed = story
    chance = random.Random(20261123)
    # Before the first confirmed event there is nothing to lose: the file is made anew.
    first = next(ops for ops, seq in confirmed if seq)
    cuts = [chance.randrange(first, len(recording.ops) + 1) for _ in range(IMAGES)]

    for number, cut in enumerate(cuts):
        folder = tmp_path / f"image{number}"
        folder.mkdir()
        for name, content in recording.image(cut, chance).items():
            if not name.endswith("-shm"):
                (folder / name).write_bytes(content)
        promised = max(seq for ops, seq in confirmed if ops <= cut)
        _check(folder, promised)
        if number % 40 == 0:
            _go_on(folder, promised)
        for path in sorted(folder.iterdir()):
            path.unlink()


def _check(folder, promised):
    with closing(sqlite3.connect(folder / OPS_FILE)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = db.execute("SELECT seq, raw, sha256 FROM event ORDER BY seq").fetchall()
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= promised
    previous = GENESIS_HASH
    for _, raw, sha256 in rows:
        assert f'"prev_hash":"{previous}"' in raw
        previous = sha256


def _go_on(folder, promised):
    store = DeviceStore.open(folder, clock=FakeClock(), random=seeded(5))
    assert store.salvage is None
    last = store.outbox().last_seq
    assert last >= promised
    [event] = store.append([EventDraft(payload=counted("S9", "1"), user_id="ana")])
    assert event.seq == last + 1
    store.close()


def test_with_normal_instead_of_full_the_same_cuts_do_lose_something(tmp_path, monkeypatch):
    # The test above can fail: without FULL a commit is confirmed before it is synced.
    recording = Recording()
    vfs = RecordingVfs("recorded-normal", recording)
    monkeypatch.setattr(database, "create_engine", engines_over("recorded-normal"))
    monkeypatch.setattr(database, "sync_folder", lambda _folder: recording.sync_folder())
    store = a_store(tmp_path / "device")
    with store._file.exclusive() as connection:
        connection.execute("PRAGMA synchronous = NORMAL")
    confirmed = []
    for _ in range(30):
        events = store.append([EventDraft(payload=counted("S1", "1"), user_id="ana")])
        confirmed.append((len(recording.ops), events[-1].seq))
    monkeypatch.undo()
    chance = random.Random(1)

    lost = 0
    for number, (cut, promised) in enumerate(confirmed):
        folder = tmp_path / f"image{number}"
        folder.mkdir()
        for name, content in recording.image(cut, chance).items():
            (folder / name).write_bytes(content)
        try:
            _check(folder, promised)
        except (AssertionError, sqlite3.Error):
            lost += 1
    store.close()
    vfs.unregister()

    assert lost > 0
