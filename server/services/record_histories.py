"""The history of any record, oldest first.

Bins, SKUs, documents and count tasks have theirs written as they change. An adjustment and a count are
facts that never change, and their states are what later facts make of them (a reversal, another count,
the end of a case): their history is read from those facts, so that the two can never disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlmodel import Session, col, func, select

from app.contract.count_fold import CountStatus
from server.domain.records import AdjustmentState, CountState, Record, next_state
from server.storage.columns import from_us
from server.storage.history import Change, history_of
from server.storage.tables_casework import (
    AdjustmentRow,
    CaseHistoryRow,
    CaseRoundRow,
    CountRow,
    ExceptionCaseRow,
)

Fact = tuple[datetime, str, str, str, str]
"""(when, event, who, why, through)."""


def full_history_of(
    session: Session, site_id: str, record: Record, record_id: str
) -> Sequence[Change]:
    """Everything that happened to a record, oldest first; empty when it is not known."""
    match record:
        case Record.ADJUSTMENT:
            facts = _of_adjustment(session, site_id, record_id)
            return _changes(record, record_id, AdjustmentState.PROPOSED, facts)
        case Record.COUNT:
            facts = _of_count(session, site_id, record_id)
            return _changes(record, record_id, CountState.SUBMITTED, facts)
        case _:
            return history_of(session, site_id, record, record_id)


def _changes(
    record: Record, record_id: str, first: AdjustmentState | CountState, facts: Iterator[Fact]
) -> list[Change]:
    """Facts as changes of state along the record's table; the first one makes it."""
    made: list[Change] = []
    state = ""
    for number, (at, event, actor, why, via) in enumerate(facts):
        after = next_state(record, state, event) if state else first.value
        made.append(
            Change(
                history_id=f"{record_id}-{number}",
                record=record,
                record_id=record_id,
                at=at,
                actor=actor,
                event=event,
                from_state=state,
                to_state=after,
                why=why,
                via=via,
            )
        )
        state = after
    return made


def _of_adjustment(session: Session, site_id: str, adjustment_id: str) -> Iterator[Fact]:
    row = session.get(AdjustmentRow, (site_id, adjustment_id))
    if row is None:
        return
    at, via = from_us(row.posted_us), f"case/{row.case_id}"
    why = f"{row.reason}: {row.note}" if row.note else row.reason
    second = f"; second approval by {row.second_by}" if row.second_by else ""
    yield at, "propose", row.approved_by, why, via
    yield at, "approve", row.approved_by, f"{why}{second}", via
    yield at, "post", row.second_by or row.approved_by, why, via
    undone = select(AdjustmentRow).where(
        col(AdjustmentRow.site_id) == site_id,
        col(AdjustmentRow.case_id) == row.case_id,
        col(AdjustmentRow.reverses) == adjustment_id,
    )
    for back in session.exec(undone):
        yield (
            from_us(back.posted_us),
            "reverse",
            back.approved_by,
            f"{back.reason}: {back.note}" if back.note else back.reason,
            f"adjustment/{back.adjustment_id}",
        )


def _of_count(session: Session, site_id: str, count_id: str) -> Iterator[Fact]:
    row = session.get(CountRow, (site_id, count_id))
    if row is None or row.status != CountStatus.CLOSED.value:
        return
    yield from_us(row.ended_latest_us), "submit", row.counted_by, "", f"device/{row.install_id}"
    received = from_us(row.received_us)
    rounds = _rounds_of(session, site_id, count_id)
    used = [own for own in rounds if own.is_used]
    if rounds and not used:
        yield received, "void", "system", rounds[0].why_not, f"case/{rounds[0].case_id}"
        return
    later = [fact for own in used for fact in _overtaken(session, site_id, own)]
    if later:
        yield max(later)
        return
    ends = [_end_of(session, site_id, own.case_id) for own in used]
    if None not in ends:
        at = max((end for end in ends if end is not None), default=received)
        yield at, "agree", "system", "" if used else "it agrees with the book", _cases(used)


def _rounds_of(session: Session, site_id: str, count_id: str) -> Sequence[CaseRoundRow]:
    return session.exec(
        select(CaseRoundRow)
        .where(col(CaseRoundRow.site_id) == site_id, col(CaseRoundRow.count_id) == count_id)
        .order_by(col(CaseRoundRow.case_id))
    ).all()


def _overtaken(session: Session, site_id: str, own: CaseRoundRow) -> Iterator[Fact]:
    """The next used count of the same case."""
    query = (
        select(CountRow, CaseRoundRow)
        .join(
            CaseRoundRow,
            (col(CaseRoundRow.site_id) == col(CountRow.site_id))
            & (col(CaseRoundRow.count_id) == col(CountRow.count_id)),
        )
        .where(
            col(CaseRoundRow.site_id) == site_id,
            col(CaseRoundRow.case_id) == own.case_id,
            col(CaseRoundRow.position) > own.position,
            col(CaseRoundRow.is_used),
        )
        .order_by(col(CaseRoundRow.position))
        .limit(1)
    )
    for count, _ in session.exec(query):
        at = from_us(count.received_us)
        yield at, "supersede", count.counted_by, "counted again", f"count/{count.count_id}"


def _end_of(session: Session, site_id: str, case_id: str) -> datetime | None:
    """When a case ended; None while it is open."""
    case = session.get(ExceptionCaseRow, (site_id, case_id))
    if case is None or case.is_live:
        return None
    last = select(func.max(CaseHistoryRow.at_us)).where(
        col(CaseHistoryRow.site_id) == site_id, col(CaseHistoryRow.case_id) == case_id
    )
    at_us = session.exec(last).one()
    return from_us(case.opened_us if at_us is None else at_us)


def _cases(rounds: Sequence[CaseRoundRow]) -> str:
    return f"case/{rounds[0].case_id}" if rounds else "ledger"
