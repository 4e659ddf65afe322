"""Which bins were counted in a period, and which should have been: coverage, bin by bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from app.contract.vocabulary import TaskState
from server.services.desk import Desk
from server.storage.columns import from_us, to_us
from server.storage.counts import counts_since
from server.storage.records import all_bins
from server.storage.tables_casework import CountTaskRow

COVERAGE_COLUMNS = ("bin", "zone", "planned", "counted", "counted_at", "counted_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class BinCoverage:
    """One bin of the period. `counted_at` None: nobody closed a count of it."""

    bin: str
    zone: str
    is_planned: bool
    """A task for a first count of it was made in the period and not cancelled."""
    counted_at: datetime | None = None
    counted_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Sums over the bins: of all there are, and of those that were planned."""

    total: int
    counted: int
    planned: int
    planned_counted: int


def coverage_of(
    desk: Desk, since: datetime, until: datetime, *, zone: str = "", person: str = ""
) -> list[BinCoverage]:
    """Every bin of a zone (all without one), and its last closed count in the period by the person."""
    last: dict[str, tuple[int, str]] = {}
    for row in counts_since(desk.session, desk.site_id, since, until):
        if person in ("", row.counted_by):
            mine = (row.ended_latest_us, row.counted_by)
            last[row.bin] = max(mine, last.get(row.bin, mine))
    planned = _planned(desk, since, until)
    return [
        BinCoverage(
            bin=place.bin,
            zone=place.zone,
            is_planned=place.bin in planned,
            counted_at=from_us(last[place.bin][0]) if place.bin in last else None,
            counted_by=last[place.bin][1] if place.bin in last else "",
        )
        for place in all_bins(desk.session, desk.site_id)
        if zone in ("", place.zone)
    ]


def _planned(desk: Desk, since: datetime, until: datetime) -> set[str]:
    query = select(CountTaskRow.bin).where(
        col(CountTaskRow.site_id) == desk.site_id,
        col(CountTaskRow.case_id) == "",
        col(CountTaskRow.state) != TaskState.CANCELLED.value,
        col(CountTaskRow.created_us) >= to_us(since),
        col(CountTaskRow.created_us) < to_us(until),
    )
    return set(desk.session.exec(query.distinct()))


def covered(rows: Sequence[BinCoverage]) -> Coverage:
    """The sums that a report shows. Pure: whoever has the rows can compute it again."""
    return Coverage(
        total=len(rows),
        counted=sum(row.counted_at is not None for row in rows),
        planned=sum(row.is_planned for row in rows),
        planned_counted=sum(row.is_planned and row.counted_at is not None for row in rows),
    )


def coverage_row(row: BinCoverage) -> Mapping[str, str]:
    """One bin as text."""
    return {
        "bin": row.bin,
        "zone": row.zone,
        "planned": "1" if row.is_planned else "0",
        "counted": "1" if row.counted_at else "0",
        "counted_at": row.counted_at.isoformat() if row.counted_at else "",
        "counted_by": row.counted_by,
    }
