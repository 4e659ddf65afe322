"""Is the file sound? Checked daily; a damaged one is set aside and what is readable is taken over."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from app.store.rescue import rescue_of_damaged, write_durably

DAY_MS = 24 * 3600 * 1000
ROOM_LOW_BYTES = 200_000_000
"""Free space below which a person is warned: a shift of counting takes about a hundredth of it, and
what fills the rest (photos, updates) comes in pieces of this size."""
ROOM_ENOUGH_BYTES = 250_000_000
"""Free space from which the warning goes: at the edge it would come and go."""
_SIDECARS = ("-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class SalvageReport:
    """What a damaged file still gave. The server is told; a person is told."""

    set_aside: str
    """Name of the damaged file, kept beside the new one."""
    rescue_file: str
    """Name of the file with every event that could be read, for import at the server."""
    events: int
    reason: str


def is_room_low(free_bytes: int, *, was_low: bool) -> bool:
    """Whether to warn that the disk is nearly full."""
    return free_bytes < (ROOM_ENOUGH_BYTES if was_low else ROOM_LOW_BYTES)


def check_or_salvage(path: Path, *, now_ms: int) -> SalvageReport | None:
    """None when the file is sound or new. Else it is renamed, and its events are in a rescue file."""
    if not path.exists():
        return None
    reason = _damage(path)
    if reason is None:
        return None
    aside = path.with_name(f"{path.stem}.damaged-{now_ms}{path.suffix}")
    text, events = rescue_of_damaged(path)
    rescue = path.with_name(f"rescue-{now_ms}.jsonl")
    write_durably(rescue, text)
    for suffix in ("", *_SIDECARS):
        old = Path(f"{path}{suffix}")
        if old.exists():
            old.replace(Path(f"{aside}{suffix}"))
    return SalvageReport(
        set_aside=aside.name, rescue_file=rescue.name, events=events, reason=reason
    )


def _damage(path: Path) -> str | None:
    """The first complaint of quick_check, or None for a sound file."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            return complaint(connection)
    except sqlite3.OperationalError as error:
        # A lock or a full disk is not damage: the caller's own open will say what it is.
        is_damage = "malformed" in str(error) or "disk I/O" in str(error)
        return str(error) if is_damage else None
    except sqlite3.DatabaseError as error:
        return str(error)


def complaint(connection: sqlite3.Connection) -> str | None:
    """The first complaint of quick_check about an opened file; None for a sound one."""
    # Pages read before are dropped first: what is in memory says nothing about the disk.
    connection.execute("PRAGMA shrink_memory")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()
    return None if found == ("ok",) else str(found[0])
