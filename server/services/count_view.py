"""One count on one page: its lines as entered and as judged, its cases."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from app.contract.problems import RefusalError
from app.contract.vocabulary import quantity_text
from server.clock import Rim
from server.domain.ranges import Range
from server.services.desk import Desk
from server.storage import count_lines
from server.storage.columns import from_u, from_us
from server.storage.count_lines import CountLine
from server.storage.engine import Database
from server.storage.tables_casework import CaseRoundRow, CountRow


def one_count(database: Database, site_id: str, count_id: str, *, rim: Rim) -> dict[str, Any]:
    """A count as JSON. Raises not-found."""
    with database.read() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        row = session.get(CountRow, (site_id, count_id))
        if row is None:
            raise RefusalError("not-found", what="count", id=count_id)
        cases = session.exec(
            select(CaseRoundRow)
            .where(col(CaseRoundRow.site_id) == site_id, col(CaseRoundRow.count_id) == count_id)
            .order_by(col(CaseRoundRow.case_id))
        ).all()
        return {
            "count_id": row.count_id,
            "bin": row.bin,
            "scope": row.scope,
            "sku": row.sku or None,
            "task_id": row.task_id or None,
            "status": row.status,
            "counted_by": row.counted_by or None,
            "counted_by_name": desk.name_of(row.counted_by),
            "device": row.device_name,
            "opened_at": _span(row.opened_earliest_us, row.opened_latest_us),
            "ended_at": _span(row.ended_earliest_us, row.ended_latest_us),
            "received_at": from_us(row.received_us).isoformat(),
            "is_empty": row.is_empty,
            "lines": [_line(x) for x in count_lines.lines_of_count(session, site_id, count_id)],
            "cases": [
                {"case_id": c.case_id, "used": c.is_used, "why_not_used": c.why_not} for c in cases
            ],
        }


def _span(earliest_us: int, latest_us: int) -> dict[str, str]:
    return {
        "earliest": from_us(earliest_us).isoformat(),
        "latest": from_us(latest_us).isoformat(),
    }


def _line(row: CountLine) -> dict[str, Any]:
    book = Range(from_u(row.book_low_u), from_u(row.book_high_u))
    variance = book.taken_from(from_u(row.quantity_u))
    return {
        "sku": row.sku,
        "lot": row.lot,
        "serial": row.serial,
        "condition": row.condition,
        "is_counted": row.is_counted,
        "counted": quantity_text(from_u(row.quantity_u)),
        "seen_at": _span(row.earliest_us, row.latest_us),
        "expiry": row.expiry or None,
        "book": {"low": quantity_text(book.low), "high": quantity_text(book.high)},
        "variance": {"low": quantity_text(variance.low), "high": quantity_text(variance.high)},
        "verdict": row.verdict or None,
        "within_tolerance": row.is_inside,
    }
