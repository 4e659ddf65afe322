"""The queue: open cases by priority, a page at a time, whatever their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, tuple_
from sqlmodel import Session, col, func, select

from server.storage.columns import from_u, to_u, to_us
from server.storage.tables_casework import HAS_ENDED, ExceptionCaseRow

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
    find: str = ""
    """A case's id, or how a bin's or a SKU's name begins, in any case of letters."""
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
        if self.find:
            found.append(_found_by(self.find))
        if self.value_from is not None:
            found.append(col(_CASE.value_u) >= to_u(self.value_from))
        if self.overdue_at is not None:
            found.append(col(_CASE.due_us) < to_us(self.overdue_at))
        return found


def _found_by(text: str) -> Any:
    begins = (func.upper(col(c)).startswith(text.upper(), autoescape=True) for c in _NAMES)
    return or_(col(_CASE.case_id) == text.lower(), *begins)


_NAMES = (_CASE.bin, _CASE.sku)


def place_of(case: ExceptionCaseRow, wanted: QueueFilter) -> tuple[int, str]:
    """Where the case stands in a list of these: what `page_of_cases` goes on after."""
    return (case.ended_us if wanted.live is False else case.rank), case.case_id


def page_of_cases(
    session: Session,
    site_id: str,
    wanted: QueueFilter,
    *,
    after: tuple[int, str] | None,
    limit: int,
) -> Sequence[ExceptionCaseRow]:
    """Cases by priority, highest first, then by id; ended ones by their end, the last first.

    `after` is the place of the last one seen.
    """
    is_ended = wanted.live is False
    place = tuple_(col(_CASE.ended_us if is_ended else _CASE.rank), col(_CASE.case_id))
    query = select(_CASE).where(*wanted.clauses(site_id)).limit(limit)
    if is_ended:
        query = query.where(HAS_ENDED)
    if after is not None:
        query = query.where(place < after if is_ended else place > after)
    order = (each.desc() if is_ended else each for each in place.clauses)
    return session.exec(query.order_by(*order)).all()


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
