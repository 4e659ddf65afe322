"""What can go wrong with the device's own disk, each with the key of its words in app/i18n.

None of these is ever shown as "counted": the tone sounds after COMMIT or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError


class StoreError(Exception):
    """The local store refused. `words` is the i18n key: what happened, what it means, what to do."""

    words = "store.failed"


class StoreFullError(StoreError):
    """The disk is full: this step was not stored; everything confirmed before it is safe."""

    words = "store.full"


class StoreDamagedError(StoreError):
    """The file cannot be read or written reliably. Start again to salvage what is in it."""

    words = "store.damaged"


class StoreNewerError(StoreError):
    """A newer app wrote this file. It is opened for reading and export only."""

    words = "store.newer"


_FULL = {"SQLITE_FULL"}
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR", "SQLITE_READONLY")


def as_store_error(error: sqlite3.Error) -> StoreError | None:
    """The StoreError an SQLite error stands for; None when it is a programming error."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name in _FULL or "disk is full" in str(error):
        return StoreFullError(str(error))
    if name.startswith(_DAMAGED) or "malformed" in str(error) or "not a database" in str(error):
        return StoreDamagedError(f"{name}: {error}")
    return None


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn SQLite's disk errors into StoreError; everything else passes through."""
    try:
        yield
    except DBAPIError as error:
        cause = error.orig
        known = as_store_error(cause) if isinstance(cause, sqlite3.Error) else None
        if known is None:
            raise
        raise known from error
    except sqlite3.Error as error:
        known = as_store_error(error)
        if known is None:
            raise
        raise known from error
