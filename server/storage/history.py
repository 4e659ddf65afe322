"""The append-only history of records: who or what changed it, when, from, to, why, through what."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from server.domain.records import Record
from server.storage.columns import from_us, to_us
from server.storage.tables_records import RecordHistoryRow

_HISTORY = RecordHistoryRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one record. `from_state` is "" when the record was made."""

    history_id: str
    record: Record
    record_id: str
    at: datetime
    actor: str
    """A person's id, or the integration's name."""
    event: str
    from_state: str = ""
    to_state: str
    why: str = ""
    via: str = ""
    """"import/<id>", "device/<id>", "api", "cli"."""
    changes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """field -> [before, after], for what changed besides the state."""


def append_history(session: Session, site_id: str, changes: Sequence[Change]) -> None:
    """Write changes into the history. Called in the transaction that makes the change."""
    if not changes:
        return
    rows = [
        {
            "site_id": site_id,
            "history_id": change.history_id,
            "record": change.record.value,
            "record_id": change.record_id,
            "at_us": to_us(change.at),
            "actor": change.actor,
            "event": change.event,
            "from_state": change.from_state,
            "to_state": change.to_state,
            "why": change.why,
            "via": change.via,
            "changes": json.dumps(change.changes) if change.changes else "",
        }
        for change in changes
    ]
    session.connection().execute(_HISTORY.insert(), rows)


def history_of(session: Session, site_id: str, record: Record, record_id: str) -> list[Change]:
    """Everything that happened to a record, oldest first."""
    query = (
        select(RecordHistoryRow)
        .where(
            col(RecordHistoryRow.site_id) == site_id,
            col(RecordHistoryRow.record) == record.value,
            col(RecordHistoryRow.record_id) == record_id,
        )
        .order_by(col(RecordHistoryRow.at_us), col(RecordHistoryRow.history_id))
    )
    return [
        Change(
            history_id=row.history_id,
            record=Record(row.record),
            record_id=row.record_id,
            at=from_us(row.at_us),
            actor=row.actor,
            event=row.event,
            from_state=row.from_state,
            to_state=row.to_state,
            why=row.why,
            via=row.via,
            changes=json.loads(row.changes) if row.changes else {},
        )
        for row in session.exec(query)
    ]
