"""The device's file goes forward only, a copy is made first, and a step that fails leaves it as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text

from app.contract.events import NoteAdded
from app.store.database import LocalFile
from app.store.device_store import OPS_FILE
from app.store.event_log import EventDraft
from app.store.migrations import STEPS, migrate
from tests.support.device import a_store


@pytest.fixture
def path(tmp_path):
    store = a_store(tmp_path)
    store.append([EventDraft(payload=NoteAdded(text="kept"), user_id="ana")])
    store.close()
    return tmp_path / OPS_FILE


def add_colour(session):
    session.connection().execute(text("ALTER TABLE draft ADD COLUMN colour TEXT"))


def fails(session):
    session.connection().execute(text("ALTER TABLE draft ADD COLUMN shape TEXT"))
    raise RuntimeError("the power went")


def columns(path):
    with closing(sqlite3.connect(path)) as db:
        return [row[1] for row in db.execute("PRAGMA table_info(draft)")]


def version(path):
    with closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def test_a_new_step_is_applied_once_after_a_copy_was_made(path):
    file = LocalFile(path)
    migrate(file, (*STEPS, add_colour))
    migrate(file, (*STEPS, add_colour))
    file.close()

    assert version(path) == len(STEPS) + 1
    assert "colour" in columns(path)
    copy = path.with_suffix(f".v{len(STEPS)}.copy")
    assert "colour" not in columns(copy)
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("SELECT count(*) FROM event").fetchone() == (1,)


def test_a_step_that_fails_leaves_the_file_as_it_was(path):
    file = LocalFile(path)
    with pytest.raises(RuntimeError):
        migrate(file, (*STEPS, add_colour, fails))
    file.close()

    assert version(path) == len(STEPS) + 1
    assert "colour" in columns(path)
    assert "shape" not in columns(path)
