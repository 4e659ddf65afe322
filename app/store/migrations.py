"""Bringing ops.db to this program's schema: forward only, each step with its number in one transaction.

A copy of the file is made first. A file written by a newer program is not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session

from app.store.database import LocalFile
from app.store.errors import StoreNewerError
from app.store.tables_ops import TRIGGERS, OpsTable

Step = Callable[[Session], None]


def _create(session: Session) -> None:
    OpsTable.metadata.create_all(session.connection())
    for trigger in TRIGGERS:
        session.connection().execute(text(trigger))


STEPS: tuple[Step, ...] = (_create,)
"""Step n brings a file of version n to n+1. A released step is never edited."""


def migrate(file: LocalFile, steps: tuple[Step, ...] = STEPS) -> int:
    """Run the missing steps; the version reached. Raises StoreNewerError for a newer file."""
    found = _version(file)
    if found > len(steps):
        raise StoreNewerError(f"{file.path.name} has version {found}, this app knows {len(steps)}")
    if 0 < found < len(steps):
        keep_copy(file, found)
    for number in range(found, len(steps)):
        with file.write() as session:
            steps[number](session)
            session.connection().execute(text(f"PRAGMA user_version = {number + 1}"))
    return len(steps)


def keep_copy(file: LocalFile, version: int) -> Path:
    """A complete copy of the file beside it, named by its version."""
    copy = file.path.with_suffix(f".v{version}.copy")
    copy.unlink(missing_ok=True)
    with file.exclusive() as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    return copy


def _version(file: LocalFile) -> int:
    with file.exclusive() as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
