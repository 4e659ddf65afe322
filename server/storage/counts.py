"""Counts as their events fold and as they were judged, in the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, func, select

from app.contract.count_fold import CountStatus, LineKey
from app.contract.vocabulary import BinKind, Condition, CountScope, Tracking
from server.domain.ranges import Span
from server.domain.reconcile import CountedCell, CountFacts, JudgedCell, merged_cells
from server.storage.columns import from_u, from_us, to_u, to_us
from server.storage.tables_casework import CountLineRow, CountRow

COUNTS_PER_BIN_MAX = 200
"""Counts of one bin that are judged together. Nobody counts a bin so often in the time looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedFacts:
    """A count as folded from its events, with its times, before it is known what it is worth."""

    count_id: str
    bin: str
    scope: CountScope
    sku: str
    task_id: str
    counted_by: str
    install_id: str
    device_name: str
    status: CountStatus
    opened: Span
    ended: Span
    received_at: datetime
    is_empty: bool
    cells: tuple[CountedCell, ...]
    expiries: Mapping[LineKey, str]


def keep_count(
    session: Session, site_id: str, facts: FoldedFacts, tracking: Mapping[str, Tracking]
) -> CountRow:
    """Write a count and what was counted in it; what was known of it before is replaced."""
    row = session.get(CountRow, (site_id, facts.count_id))
    values: dict[str, Any] = {
        "bin": facts.bin,
        "scope": facts.scope.value,
        "sku": facts.sku,
        "task_id": facts.task_id,
        "counted_by": facts.counted_by,
        "install_id": facts.install_id,
        "device_name": facts.device_name,
        "status": facts.status.value,
        "opened_earliest_us": to_us(facts.opened.earliest),
        "opened_latest_us": to_us(facts.opened.latest),
        "ended_earliest_us": to_us(facts.ended.earliest),
        "ended_latest_us": to_us(facts.ended.latest),
        "received_us": to_us(facts.received_at),
        "is_empty": facts.is_empty,
    }
    if row is None:
        row = CountRow(site_id=site_id, count_id=facts.count_id, **values)
        session.add(row)
        session.flush()  # its lines refer to it
    else:
        row.sqlmodel_update(values)
    _keep_cells(session, site_id, facts, tracking)
    return row


def _keep_cells(
    session: Session, site_id: str, facts: FoldedFacts, tracking: Mapping[str, Tracking]
) -> None:
    known = {_key(line): line for line in lines_of_count(session, site_id, facts.count_id)}
    cells = {cell.key: cell for cell in merged_cells(facts.cells, tracking)}
    for key, line in known.items():
        if line.is_counted and key not in cells:
            session.delete(line)
    for key, cell in cells.items():
        found = known.get(key)
        if found is None:
            found = CountLineRow(
                site_id=site_id,
                count_id=facts.count_id,
                sku=key.sku,
                lot=key.lot,
                serial=key.serial,
                condition=key.condition.value,
                is_counted=True,
                quantity_u=0,
                earliest_us=0,
                latest_us=0,
            )
            session.add(found)
        found.is_counted = True
        found.quantity_u = to_u(cell.quantity)
        found.earliest_us = to_us(cell.seen.earliest)
        found.latest_us = to_us(cell.seen.latest)
        found.expiry = facts.expiries.get(key, "")


def _key(line: CountLineRow) -> LineKey:
    return LineKey(
        sku=line.sku, lot=line.lot, serial=line.serial, condition=Condition(line.condition)
    )


def lines_of_count(session: Session, site_id: str, count_id: str) -> Sequence[CountLineRow]:
    """Every line of a count, counted or judged missing."""
    query = (
        select(CountLineRow)
        .where(col(CountLineRow.site_id) == site_id, col(CountLineRow.count_id) == count_id)
        .order_by(
            col(CountLineRow.sku),
            col(CountLineRow.lot),
            col(CountLineRow.serial),
            col(CountLineRow.condition),
        )
    )
    return session.exec(query).all()


def lines_of_counts(
    session: Session, site_id: str, count_ids: Sequence[str]
) -> dict[str, list[CountLineRow]]:
    """The lines of several counts, read together."""
    found: dict[str, list[CountLineRow]] = {count_id: [] for count_id in count_ids}
    for start in range(0, len(count_ids), 400):
        query = select(CountLineRow).where(
            col(CountLineRow.site_id) == site_id,
            col(CountLineRow.count_id).in_(count_ids[start : start + 400]),
        )
        for row in session.exec(query):
            found[row.count_id].append(row)
    return found


def closed_counts_of_bin(
    session: Session, site_id: str, bin_code: str, *, since: datetime
) -> Sequence[CountRow]:
    """Counts of the bin that were closed and began at or after an instant, in order."""
    query = (
        select(CountRow)
        .where(
            col(CountRow.site_id) == site_id,
            col(CountRow.bin) == bin_code,
            col(CountRow.opened_earliest_us) >= to_us(since),
            col(CountRow.status) == CountStatus.CLOSED.value,
        )
        .order_by(col(CountRow.opened_earliest_us).desc(), col(CountRow.count_id).desc())
        .limit(COUNTS_PER_BIN_MAX)
    )
    return session.exec(query).all()[::-1]


def counted_between(session: Session, site_id: str, bin_code: str) -> Span | None:
    """From the opening of the bin's first closed count to the end of its last; None for never."""
    query = select(func.min(CountRow.opened_earliest_us), func.max(CountRow.ended_latest_us)).where(
        col(CountRow.site_id) == site_id,
        col(CountRow.bin) == bin_code,
        col(CountRow.status) == CountStatus.CLOSED.value,
    )
    first, last = session.exec(query).one()
    return None if first is None else Span(earliest=from_us(first), latest=from_us(last))


def last_ended(session: Session, site_id: str, bin_code: str) -> datetime | None:
    """When the last count of the bin ended at the latest, or None."""
    query = (
        select(CountRow.ended_latest_us)
        .where(
            col(CountRow.site_id) == site_id,
            col(CountRow.bin) == bin_code,
            col(CountRow.status) == CountStatus.CLOSED.value,
        )
        .order_by(col(CountRow.ended_latest_us).desc())
        .limit(1)
    )
    found = session.exec(query).first()
    return None if found is None else from_us(found)


def to_facts(row: CountRow, lines: Iterable[CountLineRow], bin_kind: BinKind) -> CountFacts:
    """A stored count as the engine judges it."""
    return CountFacts(
        count_id=row.count_id,
        bin=row.bin,
        bin_kind=bin_kind,
        scope=CountScope(row.scope),
        sku=row.sku or None,
        person=row.counted_by or None,
        opened=Span(earliest=from_us(row.opened_earliest_us), latest=from_us(row.opened_latest_us)),
        ended=Span(earliest=from_us(row.ended_earliest_us), latest=from_us(row.ended_latest_us)),
        cells=tuple(
            CountedCell(
                key=_key(line),
                quantity=from_u(line.quantity_u),
                seen=Span(earliest=from_us(line.earliest_us), latest=from_us(line.latest_us)),
            )
            for line in lines
            if line.is_counted
        ),
    )


def keep_judgement(
    session: Session,
    site_id: str,
    count_id: str,
    *,
    lines: Sequence[CountLineRow],
    judged: Sequence[JudgedCell],
    unit_costs: Mapping[str, Decimal],
) -> None:
    """Write the verdicts beside the counted lines; cells nobody counted get a line of their own."""
    known = {_key(line): line for line in lines}
    cells = {cell.key: cell for cell in judged}
    for key, line in known.items():
        if key not in cells and not line.is_counted:
            session.delete(line)
    for key, cell in cells.items():
        line = known.get(key) or CountLineRow(
            site_id=site_id,
            count_id=count_id,
            sku=key.sku,
            lot=key.lot,
            serial=key.serial,
            condition=key.condition.value,
            is_counted=False,
            quantity_u=0,
            earliest_us=to_us(cell.seen.earliest),
            latest_us=to_us(cell.seen.latest),
        )
        line.book_low_u = to_u(cell.book.low)
        line.book_high_u = to_u(cell.book.high)
        line.verdict = cell.verdict.value
        line.is_inside = cell.is_inside
        line.unit_cost_u = to_u(unit_costs.get(key.sku, Decimal(0)))
        if key not in known:
            session.add(line)


def counts_since(
    session: Session, site_id: str, since: datetime, until: datetime
) -> Sequence[CountRow]:
    """Closed counts that ended in a period, for reports."""
    query = (
        select(CountRow)
        .where(
            col(CountRow.site_id) == site_id,
            col(CountRow.status) == CountStatus.CLOSED.value,
            col(CountRow.ended_latest_us) >= to_us(since),
            col(CountRow.ended_latest_us) < to_us(until),
        )
        .order_by(col(CountRow.ended_latest_us), col(CountRow.count_id))
    )
    return session.exec(query).all()


JUST_BEFORE = timedelta(microseconds=1)
