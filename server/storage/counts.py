"""Counts as their events fold and as they were judged, in the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select

from app.contract.count_fold import CountStatus, LineKey
from app.contract.vocabulary import BinKind, CountScope
from server.domain.ranges import Span
from server.domain.reconcile import CountedCell, CountFacts
from server.storage.among import among
from server.storage.columns import from_us, to_us
from server.storage.rows import insert_rows
from server.storage.tables_casework import CountRow

COUNTS_PER_BIN_MAX = 200
"""Counts of one bin that are judged together. Nobody counts a bin so often in the time looked at."""
_CHUNK = 400


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


def find_counts(session: Session, site_id: str, count_ids: Sequence[str]) -> dict[str, CountRow]:
    """Those of the counts that are known."""
    found: dict[str, CountRow] = {}
    for start in range(0, len(count_ids), _CHUNK):
        values = {"site_id": site_id, "ids": count_ids[start : start + _CHUNK]}
        found |= {row.count_id: row for row in session.exec(_BY_ID, params=values)}
    return found


_BY_ID = select(CountRow).where(
    col(CountRow.site_id) == bindparam("site_id"),
    among(col(CountRow.count_id), "ids"),
)


def keep_counts(
    session: Session, site_id: str, counts: Iterable[FoldedFacts], known: Mapping[str, CountRow]
) -> None:
    """Write counts as they fold now, `known` being what there is of them; their lines can follow."""
    new: list[dict[str, Any]] = []
    for facts in counts:
        row = known.get(facts.count_id)
        if row is None:
            new.append({"count_id": facts.count_id} | _columns(facts))
        else:
            for name, value in _columns(facts).items():
                setattr(row, name, value)
    session.flush()
    insert_rows(session, site_id, CountRow, new)


def _columns(facts: FoldedFacts) -> dict[str, Any]:
    return {
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


def closed_counts_of_bins(
    session: Session, site_id: str, since: Mapping[str, datetime]
) -> dict[str, list[CountRow]]:
    """Of each bin the counts that were closed and began at or after its instant, in order.

    At most the last COUNTS_PER_BIN_MAX of a bin.
    """
    found: dict[str, list[CountRow]] = {place: [] for place in since}
    bins = sorted(since)
    for start in range(0, len(bins), _CHUNK):
        chunk = bins[start : start + _CHUNK]
        first = min(to_us(since[place]) for place in chunk)
        values = {"site_id": site_id, "bins": chunk, "since_us": first}
        for row in session.exec(_CLOSED, params=values):
            if row.opened_earliest_us >= to_us(since[row.bin]):
                found[row.bin].append(row)
    return {place: rows[-COUNTS_PER_BIN_MAX:] for place, rows in found.items()}


_CLOSED = (
    select(CountRow)
    .where(
        col(CountRow.site_id) == bindparam("site_id"),
        among(col(CountRow.bin), "bins"),
        col(CountRow.opened_earliest_us) >= bindparam("since_us"),
        col(CountRow.status) == CountStatus.CLOSED.value,
    )
    .order_by(col(CountRow.opened_earliest_us), col(CountRow.count_id))
)


def counted_between(session: Session, site_id: str, bins: Iterable[str]) -> dict[str, Span]:
    """From the opening of each bin's first closed count to the end of its last; others are left out."""
    wanted = sorted(set(bins))
    found: dict[str, Span] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = (
            select(
                CountRow.bin,
                func.min(CountRow.opened_earliest_us),
                func.max(CountRow.ended_latest_us),
            )
            .where(
                col(CountRow.site_id) == site_id,
                col(CountRow.bin).in_(wanted[start : start + _CHUNK]),
                col(CountRow.status) == CountStatus.CLOSED.value,
            )
            .group_by(col(CountRow.bin))
        )
        for place, first, last in session.exec(query):
            found[place] = Span(earliest=from_us(first), latest=from_us(last))
    return found


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


def to_facts(row: CountRow, cells: tuple[CountedCell, ...], bin_kind: BinKind) -> CountFacts:
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
        cells=cells,
    )


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
