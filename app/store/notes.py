"""Drafts and settings: small things that must survive a kill but are nobody's count."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from sqlite3 import Connection

DRAFT_CHARS_MAX = 20_000
_KEEP_DRAFT = (
    "INSERT OR REPLACE INTO draft (task_id, bin, user_id, content, saved_ms) VALUES (?, ?, ?, ?, ?)"
)
_KEEP_SETTING = "INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)"


def save_draft(db: Connection, key: tuple[str, str, str], content: str, now_ms: int) -> None:
    """Keep what is being typed under (task, bin, person); the last one wins."""
    db.execute(_KEEP_DRAFT, (*key, content[:DRAFT_CHARS_MAX], now_ms))


def draft(db: Connection, key: tuple[str, str, str]) -> str | None:
    """What was being typed there, or None."""
    query = "SELECT content FROM draft WHERE task_id = ? AND bin = ? AND user_id = ?"
    row = db.execute(query, key).fetchone()
    return row[0] if row else None


def clear_draft(db: Connection, key: tuple[str, str, str]) -> None:
    """Forget it: it became an event, or was given up."""
    db.execute("DELETE FROM draft WHERE task_id = ? AND bin = ? AND user_id = ?", key)


def setting(db: Connection, name: str) -> str | None:
    """A setting's value, or None when it was never set."""
    row = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def set_setting(db: Connection, name: str, value: str | None) -> None:
    """Set or, with None, remove."""
    if value is None:
        db.execute("DELETE FROM setting WHERE name = ?", (name,))
    else:
        db.execute(_KEEP_SETTING, (name, value))


@dataclass(frozen=True, slots=True)
class Notes:
    """All drafts and settings, to be carried to another file."""

    drafts: tuple[tuple[object, ...], ...]
    settings: tuple[tuple[str, str], ...]


def everything(db: Connection) -> Notes:
    """All drafts and settings."""
    drafts = db.execute("SELECT task_id, bin, user_id, content, saved_ms FROM draft").fetchall()
    settings = db.execute("SELECT name, value FROM setting").fetchall()
    return Notes(tuple(drafts), tuple(settings))


def restore(db: Connection, notes: Notes, *, without: Collection[str]) -> None:
    """Put them into this file, but for the settings named."""
    db.executemany(_KEEP_DRAFT, notes.drafts)
    db.executemany(_KEEP_SETTING, [s for s in notes.settings if s[0] not in without])
