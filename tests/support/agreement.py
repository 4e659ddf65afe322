"""Device files against the server's file, read past both programs: what of a count is not as promised."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path


def rows_of(path: Path, sql: str) -> list[tuple[object, ...]]:
    """Rows of a SQLite file that a program may have open."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(sql).fetchall()


def disagreements(ops: Path, server: Path, confirmed: Iterable[str]) -> list[str]:
    """In words: everything of one device that was lost, doubled, altered, held or left unsent.

    `confirmed`: ids of events that the device said were recorded, kept outside of its file.
    """
    own = [
        (str(i), int(str(s)), str(r)) for i, s, r in rows_of(ops, "SELECT id, seq, raw FROM event")
    ]
    ((install,),) = rows_of(ops, "SELECT value FROM setting WHERE name = 'install_id'")
    there = rows_of(server, "SELECT install_id, event_id, seq, raw FROM device_event")
    stored = [(str(i), int(str(s)), str(r)) for who, i, s, r in there if who == install]
    found = [
        f"confirmed and not on the device: {i}" for i in set(confirmed) - {i for i, _, _ in own}
    ]
    found += [f"on the device, not on the server: {i}" for i, _, _ in set(own) - set(stored)]
    found += [f"on the server, not so on the device: {i}" for i, _, _ in set(stored) - set(own)]
    if len(stored) != len(set(stored)):
        found.append("the server holds an event twice")
    if sorted(s for _, s, _ in stored) != list(range(1, len(stored) + 1)):
        found.append("numbers are missing or doubled")
    held = rows_of(server, f"SELECT code FROM held_event WHERE install_id = '{install}'")
    found += [f"held: {code}" for (code,) in held]
    unsent = rows_of(ops, "SELECT count(*) FROM event WHERE seq NOT IN (SELECT seq FROM delivery)")
    if unsent != [(0,)]:
        found.append(f"the device calls {unsent[0][0]} of them unsent")
    return found
