"""Drafts and settings: small things that must survive a kill but are nobody's count."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import Session, select

from app.store.tables_ops import DraftRow, SettingRow

DRAFT_CHARS_MAX = 20_000


def save_draft(session: Session, key: tuple[str, str, str], content: str, now_ms: int) -> None:
    """Keep what is being typed under (task, bin, person); the last one wins."""
    task_id, bin_code, user_id = key
    session.merge(
        DraftRow(
            task_id=task_id,
            bin=bin_code,
            user_id=user_id,
            content=content[:DRAFT_CHARS_MAX],
            saved_ms=now_ms,
        )
    )


def draft(session: Session, key: tuple[str, str, str]) -> str | None:
    """What was being typed there, or None."""
    row = session.get(DraftRow, key)
    return row.content if row else None


def clear_draft(session: Session, key: tuple[str, str, str]) -> None:
    """Forget it: it became an event, or was given up."""
    row = session.get(DraftRow, key)
    if row:
        session.delete(row)


def setting(session: Session, name: str) -> str | None:
    """A setting's value, or None when it was never set."""
    row = session.get(SettingRow, name)
    return row.value if row else None


def set_setting(session: Session, name: str, value: str | None) -> None:
    """Set or, with None, remove."""
    row = session.get(SettingRow, name)
    if value is None:
        if row:
            session.delete(row)
        return
    session.merge(SettingRow(name=name, value=value))


@dataclass(frozen=True, slots=True)
class Notes:
    """All drafts and settings, to be carried to another file."""

    drafts: tuple[DraftRow, ...]
    settings: tuple[SettingRow, ...]


def everything(session: Session) -> Notes:
    """All drafts and settings."""
    return Notes(
        tuple(DraftRow(**row.model_dump()) for row in session.exec(select(DraftRow))),
        tuple(SettingRow(**row.model_dump()) for row in session.exec(select(SettingRow))),
    )


def restore(session: Session, notes: Notes, *, without: Collection[str]) -> None:
    """Put them into this file, but for the settings named."""
    for row in (*notes.drafts, *(s for s in notes.settings if s.name not in without)):
        session.merge(row)
