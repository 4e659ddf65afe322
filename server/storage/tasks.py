"""Count tasks in the tables, and the little of them that a device is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select

from app.contract.vocabulary import CountScope, TaskState
from app.contract.wire import RefTask
from server.storage.among import among
from server.storage.columns import to_us
from server.storage.tables_casework import CountTaskRow
from server.storage.tables_records import BinRow, RecordHistoryRow

OPEN_TASKS = (TaskState.PLANNED, TaskState.ASSIGNED, TaskState.COUNTING)
"""States in which somebody still has to go there: what devices hold."""
_CHUNK = 400


def ref_tasks(session: Session, site_id: str, task_ids: Iterable[str]) -> dict[str, RefTask]:
    """What devices are told of those of the tasks that are open.

    Nothing in it differs between a first count and a recount: no round, no case, no reason, and the
    order of walking comes from the bin.
    """
    wanted = sorted(set(task_ids))
    found: dict[str, RefTask] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = (
            select(CountTaskRow, BinRow.walk_order)
            .join(
                BinRow,
                (col(BinRow.site_id) == col(CountTaskRow.site_id))
                & (col(BinRow.bin) == col(CountTaskRow.bin)),
            )
            .where(
                col(CountTaskRow.site_id) == site_id,
                col(CountTaskRow.task_id).in_(wanted[start : start + _CHUNK]),
                col(CountTaskRow.state).in_(OPEN_TASKS),
            )
        )
        for row, walk_order in session.exec(query):
            found[row.task_id] = RefTask(
                task_id=row.task_id,
                bin=row.bin,
                scope=CountScope(row.scope),
                sku=row.sku or None,
                assigned_to=row.assigned_to or None,
                walk_order=walk_order,
                due_on=row.due_on or None,
            )
    return found


def open_task_ids(session: Session, site_id: str) -> list[str]:
    """Every task a device should have, for a first load."""
    query = select(CountTaskRow.task_id).where(
        col(CountTaskRow.site_id) == site_id, col(CountTaskRow.state).in_(OPEN_TASKS)
    )
    return sorted(session.exec(query))


def find_task(session: Session, site_id: str, task_id: str) -> CountTaskRow | None:
    """The task, or None."""
    return session.get(CountTaskRow, (site_id, task_id)) if task_id else None


def find_tasks(session: Session, site_id: str, task_ids: Iterable[str]) -> dict[str, CountTaskRow]:
    """Those of the tasks that are known."""
    wanted = sorted(set(task_ids))
    found: dict[str, CountTaskRow] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = select(CountTaskRow).where(
            col(CountTaskRow.site_id) == site_id,
            col(CountTaskRow.task_id).in_(wanted[start : start + _CHUNK]),
        )
        found |= {row.task_id: row for row in session.exec(query)}
    return found


def open_tasks_of_bins(session: Session, site_id: str, bins: Iterable[str]) -> list[CountTaskRow]:
    """Tasks that still send somebody to one of the bins, bin by bin, oldest first."""
    wanted = sorted(set(bins))
    found: list[CountTaskRow] = []
    for start in range(0, len(wanted), _CHUNK):
        values = {"site_id": site_id, "bins": wanted[start : start + _CHUNK]}
        found += session.exec(_OPEN_OF_BINS, params=values)
    return found


_OPEN_OF_BINS = (
    select(CountTaskRow)
    .where(
        col(CountTaskRow.site_id) == bindparam("site_id"),
        among(col(CountTaskRow.bin), "bins"),
        col(CountTaskRow.state).in_(OPEN_TASKS),
    )
    .order_by(col(CountTaskRow.bin), col(CountTaskRow.created_us), col(CountTaskRow.task_id))
)


def open_tasks_of_bin(session: Session, site_id: str, bin_code: str) -> Sequence[CountTaskRow]:
    """Tasks that still send somebody to the bin, oldest first."""
    return open_tasks_of_bins(session, site_id, [bin_code])


def skipped_tasks_of_bin(session: Session, site_id: str, bin_code: str) -> Sequence[CountTaskRow]:
    """Tasks of the bin that somebody could not do and nobody has planned again, oldest first."""
    return _tasks_of_bin(session, site_id, bin_code, (TaskState.SKIPPED,))


def _tasks_of_bin(
    session: Session, site_id: str, bin_code: str, states: Sequence[TaskState]
) -> Sequence[CountTaskRow]:
    query = (
        select(CountTaskRow)
        .where(
            col(CountTaskRow.site_id) == site_id,
            col(CountTaskRow.bin) == bin_code,
            col(CountTaskRow.state).in_(states),
        )
        .order_by(col(CountTaskRow.created_us), col(CountTaskRow.task_id))
    )
    return session.exec(query).all()


def list_tasks(
    session: Session, site_id: str, *, states: Sequence[str], limit: int
) -> Sequence[tuple[CountTaskRow, str]]:
    """Tasks in those states with their bin's zone, newest first."""
    query = (
        select(CountTaskRow, BinRow.zone)
        .join(
            BinRow,
            (col(BinRow.site_id) == col(CountTaskRow.site_id))
            & (col(BinRow.bin) == col(CountTaskRow.bin)),
        )
        .where(col(CountTaskRow.site_id) == site_id)
        .order_by(col(CountTaskRow.created_us).desc(), col(CountTaskRow.task_id))
        .limit(limit)
    )
    if states:
        query = query.where(col(CountTaskRow.state).in_(states))
    return session.exec(query).all()


def open_tasks_per_person(session: Session, site_id: str) -> dict[str, int]:
    """How many open tasks are assigned to each person."""
    query = (
        select(CountTaskRow.assigned_to, func.count())
        .where(
            col(CountTaskRow.site_id) == site_id,
            col(CountTaskRow.state).in_(OPEN_TASKS),
            col(CountTaskRow.assigned_to) != "",
        )
        .group_by(col(CountTaskRow.assigned_to))
    )
    return {person: int(number) for person, number in session.exec(query)}


def add_history(
    session: Session,
    site_id: str,
    *,
    history_id: str,
    record: str,
    record_id: str,
    at: datetime,
    actor: str,
    event: str,
    from_state: str,
    to_state: str,
    why: str = "",
    via: str = "",
) -> None:
    """Append one change of a record to its history."""
    session.add(
        RecordHistoryRow(
            site_id=site_id,
            history_id=history_id,
            record=record,
            record_id=record_id,
            at_us=to_us(at),
            actor=actor,
            event=event,
            from_state=from_state,
            to_state=to_state,
            why=why,
            via=via,
        )
    )
