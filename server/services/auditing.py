"""Who changed what, when, from, to and why: the histories of records and cases as one list."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from sqlalchemy import Select, literal, select, tuple_, union_all
from sqlmodel import col

from app.contract.problems import RefusalError
from server.storage.columns import from_us
from server.storage.engine import Database
from server.storage.tables_casework import CaseHistoryRow
from server.storage.tables_records import RecordHistoryRow

CASE = "case"


def audit_page(
    database: Database,
    site_id: str,
    *,
    record: str,
    record_id: str,
    cursor: str | None,
    limit: int,
) -> dict[str, Any]:
    """One page, newest first. `record` "case" or a record's kind narrows it. Raises request-invalid."""
    after = _seen(cursor)
    parts = [
        _page(query, after, limit + 1)
        for query in _queries(site_id, record=record, record_id=record_id)
    ]
    with database.read() as session:
        both = union_all(*(select(part.subquery()) for part in parts)).subquery()
        rows = (
            session.connection()
            .execute(
                select(both)
                .order_by(both.c.at_us.desc(), both.c.history_id.desc())
                .limit(limit + 1)
            )
            .mappings()
            .all()
        )
    shown = rows[:limit]
    items = [
        {"at": from_us(row["at_us"]).isoformat()}
        | {name: row[name] for name in row if name not in ("at_us",)}
        for row in shown
    ]
    last = shown[-1] if len(rows) > limit else None
    return {"items": items, "next_cursor": _cursor(last) if last else None}


def _queries(site_id: str, *, record: str, record_id: str) -> list[Select[Any]]:
    found: list[Select[Any]] = []
    h = RecordHistoryRow
    if record != CASE:
        query: Any = select(
            col(h.history_id).label("history_id"),
            col(h.at_us).label("at_us"),
            col(h.record).label("record"),
            col(h.record_id).label("record_id"),
            col(h.actor).label("who"),
            col(h.event).label("event"),
            col(h.from_state).label("from_state"),
            col(h.to_state).label("to_state"),
            col(h.why).label("why"),
            col(h.via).label("through"),
        ).where(col(h.site_id) == site_id)
        if record:
            query = query.where(col(h.record) == record)
        if record_id:
            query = query.where(col(h.record_id) == record_id)
        found.append(query)
    c = CaseHistoryRow
    if record in ("", CASE):
        cases: Any = select(
            col(c.history_id).label("history_id"),
            col(c.at_us).label("at_us"),
            literal(CASE).label("record"),
            col(c.case_id).label("record_id"),
            col(c.who).label("who"),
            col(c.event).label("event"),
            col(c.from_state).label("from_state"),
            col(c.to_state).label("to_state"),
            col(c.why).label("why"),
            col(c.through).label("through"),
        ).where(col(c.site_id) == site_id)
        if record_id:
            cases = cases.where(col(c.case_id) == record_id)
        found.append(cases)
    return found


def _page(query: Select[Any], after: tuple[int, str] | None, limit: int) -> Select[Any]:
    at, identity = query.selected_columns["at_us"], query.selected_columns["history_id"]
    if after is not None:
        query = query.where(tuple_(at, identity) < after)
    return query.order_by(at.desc(), identity.desc()).limit(limit)


def _cursor(row: Any) -> str:
    return base64.urlsafe_b64encode(f"{row['at_us']}:{row['history_id']}".encode()).decode()


def _seen(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    try:
        at_us, _, identity = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
        return int(at_us), identity
    except (ValueError, binascii.Error) as error:
        raise RefusalError("request-invalid", where="cursor", reason="not one of ours") from error
