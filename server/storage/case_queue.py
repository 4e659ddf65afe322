"""The queue: open cases by priority, a page at a time, whatever their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import tuple_
from sqlmodel import Session, col, func, select

from server.storage.columns import from_u, to_u, to_us
from server.storage.tables_casework import ExceptionCaseRow

_CASE = ExceptionCaseRow


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """What to show. Empty fields show everything; `live` None shows ended cases too."""

    live: bool | None = True
    states: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    zone: str = ""
    bin: str = ""
    sku: str = ""
    owner: str = ""
    value_from: Decimal | None = None
    overdue_at: datetime | None = None
    """Only those that were due before this instant."""

    def clauses(self, site_id: str) -> list[Any]:
        """As conditions of a query."""
        found: list[Any] = [col(_CASE.site_id) == site_id]
        if self.live is not None:
            found.append(col(_CASE.is_live) == self.live)
        for column, values in ((_CASE.state, self.states), (_CASE.kind, self.kinds)):
            if values:
                found.append(col(column).in_(values))
        for column, value in (
            (_CASE.zone, self.zone),
            (_CASE.bin, self.bin),
            (_CASE.sku, self.sku),
            (_CASE.owner_id, self.owner),
        ):
            if value:
                found.append(col(column) == value)
        if self.value_from is not None:
            found.append(col(_CASE.value_u) >= to_u(self.value_from))
        if self.overdue_at is not None:
            found.append(col(_CASE.due_us) < to_us(self.overdue_at))
        return found


def page_of_cases(
    session: Session,
    site_id: str,
    wanted: QueueFilter,
    *,
    after: tuple[int, str] | None,
    limit: int,
) -> Sequence[ExceptionCaseRow]:
    """Cases by priority, highest first, then by id; `after` is (rank, id) of the last one seen."""
    query = (
        select(_CASE)
        .where(*wanted.clauses(site_id))
        .order_by(col(_CASE.rank), col(_CASE.case_id))
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(col(_CASE.rank), col(_CASE.case_id)) > after)
    return session.exec(query).all()


def open_totals(session: Session, site_id: str) -> tuple[int, Decimal]:
    """How many cases are open, and their absolute money, read from the queue's index alone."""
    query = select(func.count(), func.coalesce(func.sum(_CASE.value_u), 0)).where(
        col(_CASE.site_id) == site_id, col(_CASE.is_live)
    )
    number, value = session.exec(query).one()
    return int(number), from_u(int(value))


def overdue_cases(
    session: Session, site_id: str, now: datetime, *, limit: int
) -> Sequence[ExceptionCaseRow]:
    """Open cases that were due before now and that no lead has yet, longest overdue first."""
    query = (
        select(_CASE)
        .where(
            col(_CASE.site_id) == site_id,
            col(_CASE.is_live),
            col(_CASE.due_us) < to_us(now),
            col(_CASE.lead_id) != "",
            col(_CASE.state) != "escalated",
        )
        .order_by(col(_CASE.due_us), col(_CASE.case_id))
        .limit(limit)
        .with_for_update()
    )
    return session.exec(query).all()
