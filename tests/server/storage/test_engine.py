"""One writer at a time, across processes too; what is not committed is not kept."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest
from sqlalchemy import text

from server.storage.engine import Database


def lock_path(database):
    return Path(database.url.removeprefix("sqlite:///") + ".lock")


def is_locked(path):
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_another_process_is_kept_from_writing_while_we_write(sqlite_database):
    with sqlite_database.write():
        assert is_locked(lock_path(sqlite_database))

    assert not is_locked(lock_path(sqlite_database))


def test_the_lock_is_given_back_when_a_write_fails(sqlite_database):
    with pytest.raises(ZeroDivisionError), sqlite_database.write():
        raise ZeroDivisionError

    assert not is_locked(lock_path(sqlite_database))


def test_readers_are_not_kept_out_by_a_writer(sqlite_database):
    with sqlite_database.write() as writer:
        writer.connection().execute(text("UPDATE site SET name = 'Other'"))
        with Database(sqlite_database.url).read() as reader:
            name = reader.connection().execute(text("SELECT name FROM site")).scalar_one()
        writer.commit()

    assert name == "Main warehouse"


def test_what_is_not_committed_is_not_kept(database):
    with database.write() as session:
        session.connection().execute(text("UPDATE site SET name = 'Other'"))

    with database.read() as session:
        assert session.connection().execute(text("SELECT name FROM site")).scalar_one() == (
            "Main warehouse"
        )
