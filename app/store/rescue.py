"""Getting events out of the device without the server: to share, to import, to begin anew."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from app.contract.rescue import RescueExport, RescueFileError, file_text, read_rescue, rescue_text
from app.contract.wire import SentEvent
from app.store.enrolment import INSTALL
from app.store.event_log import IS_HELD
from app.store.notes import setting


def export_of(db: sqlite3.Connection, folder: Path) -> RescueExport:
    """What the server does not have, or has and cannot use: this install's, and what was set aside."""
    which = f"WHERE seq NOT IN (SELECT seq FROM delivery WHERE NOT {IS_HELD})"
    text, events = _rescue_of(db, which)
    return _with_set_aside(text if events else "", events, folder)


def export_of_damaged(path: Path) -> RescueExport:
    """The same when the file cannot be used: everything readable in it."""
    text, events = rescue_of_damaged(path)
    return _with_set_aside(text if events else "", events, path.parent)


def set_aside(folder: Path) -> list[Path]:
    """Files of events that this install cannot send as its own, oldest first."""
    return sorted(folder.glob("rescue-*.jsonl"))


def _with_set_aside(text: str, events: int, folder: Path) -> RescueExport:
    for path in set_aside(folder):
        found = file_text(path.read_bytes())
        text += found if found.endswith("\n") else f"{found}\n"
        with contextlib.suppress(RescueFileError):
            events += len(read_rescue(found).events)
    return RescueExport(text=text, events=events)


def rescue_of(db: sqlite3.Connection, *, only_unsent: bool) -> tuple[str, int]:
    """(text, number of events) of a rescue file of this store."""
    return _rescue_of(db, "WHERE seq NOT IN (SELECT seq FROM delivery)" if only_unsent else "")


def _rescue_of(db: sqlite3.Connection, which: str) -> tuple[str, int]:
    rows = db.execute(f"SELECT id, seq, raw FROM event {which} ORDER BY seq").fetchall()
    events = [SentEvent(id=event_id, seq=seq, raw=raw) for event_id, seq, raw in rows]
    return rescue_text(setting(db, INSTALL) or "", events), len(events)


def rescue_of_damaged(path: Path) -> tuple[str, int]:
    """The same of a file that SQLite calls damaged: walked from both ends around the damage."""
    found: dict[int, SentEvent] = {}
    install_id = ""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as db:
        with contextlib.suppress(sqlite3.Error):
            row = db.execute("SELECT value FROM setting WHERE name = ?", (INSTALL,)).fetchone()
            install_id = str(row[0]) if row else ""
        for order in ("ASC", "DESC"):
            with contextlib.suppress(sqlite3.Error):
                query = f"SELECT seq, id, raw FROM event ORDER BY seq {order}"
                for seq, event_id, raw in db.execute(query):
                    with contextlib.suppress(ValueError):
                        found[seq] = SentEvent(id=event_id, seq=seq, raw=raw)
    events = [found[seq] for seq in sorted(found)]
    return rescue_text(install_id, events), len(events)


def write_durably(path: Path, text: str) -> None:
    """The whole file is on the disk when this returns, or none of it is under this name."""
    fresh = path.with_suffix(".part")
    with fresh.open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
