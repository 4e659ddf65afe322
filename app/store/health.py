"""Is the file sound? Checked daily; a damaged one is set aside and what is readable is taken over."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from app.store.tables_ops import EventRow

DAY_MS = 24 * 3600 * 1000
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


def check_or_salvage(path: Path, *, now_ms: int) -> SalvageReport | None:
    """None when the file is sound or new. Else it is renamed, and its events are in a rescue file."""
    if not path.exists():
        return None
    reason = _damage(path)
    if reason is None:
        return None
    aside = path.with_name(f"{path.stem}.damaged-{now_ms}{path.suffix}")
    lines = _readable_events(path)
    rescue = path.with_name(f"rescue-{now_ms}.jsonl")
    rescue.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    for suffix in ("", *_SIDECARS):
        old = Path(f"{path}{suffix}")
        if old.exists():
            old.replace(Path(f"{aside}{suffix}"))
    return SalvageReport(
        set_aside=aside.name, rescue_file=rescue.name, events=len(lines), reason=reason
    )


def _damage(path: Path) -> str | None:
    """The first complaint of quick_check, or None for a sound file."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        # A lock or a full disk is not damage: the caller's own open will say what it is.
        is_damage = "malformed" in str(error) or "disk I/O" in str(error)
        return str(error) if is_damage else None
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if found == ("ok",) else str(found[0])


def _readable_events(path: Path) -> list[str]:
    """Each readable event as one JSON line, by walking the table from both ends around the damage."""
    found: dict[int, str] = {}
    table = EventRow.__tablename__
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as db:
        for order in ("ASC", "DESC"):
            with contextlib.suppress(sqlite3.Error):
                rows = db.execute(f"SELECT seq, id, raw FROM {table} ORDER BY seq {order}")
                for seq, event_id, raw in rows:
                    found[seq] = json.dumps({"id": event_id, "seq": seq, "raw": raw})
    return [found[seq] for seq in sorted(found)]
