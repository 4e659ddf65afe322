"""Tasks that a counter could not do: the task's state and history, and the case that waited for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from app.contract.codec import decode_event
from app.contract.events import DeviceEvent, TaskSkipped
from app.contract.vocabulary import CaseState
from server.domain.cases import CaseEvent
from server.services.case_keeping import apply_event
from server.services.counting_tasks import can, move_task
from server.services.desk import Desk, NewId
from server.services.reconciling import judge
from server.storage import tasks as task_rows
from server.storage.columns import from_us
from server.storage.tables_casework import CountTaskRow, ExceptionCaseRow
from server.storage.tables_sync import DeviceEventRow

PUT_OFF = "not_now"
"""The one reason that leaves a task where it is: the same person means to come back."""


def tasks_skipped(
    session: Session, site_id: str, event_ids: Iterable[str], now: datetime, new_id: NewId
) -> None:
    """Follow events that say a task was skipped; one that has moved on meanwhile stays where it is.

    The caller commits.
    """
    desk = Desk(session, site_id, now, new_id)
    for event_id in sorted(set(event_ids)):
        row = session.get(DeviceEventRow, (site_id, event_id))
        event = decode_event(row.raw) if row is not None else None
        if event is not None and isinstance(event.payload, TaskSkipped):
            _skipped(desk, event, event.payload)


def _skipped(desk: Desk, event: DeviceEvent, payload: TaskSkipped) -> None:
    task = task_rows.find_task(desk.session, desk.site_id, event.task_id or "")
    name = "put_off" if payload.why == PUT_OFF else "skip"
    if task is None or not can(task, name):
        return
    why = ": ".join(text for text in (payload.why.replace("_", " "), payload.note) if text)
    who = event.user_id or "unknown"
    move_task(desk, task, name, actor=who, why=why, via=f"event/{event.id}")
    if name == "skip" and task.case_id:
        _stop_waiting(desk, task, f"{desk.name_of(who)} could not count: {why}")


def _stop_waiting(desk: Desk, task: CountTaskRow, why: str) -> None:
    """Whoever waited for the recount hears that it does not come, and may ask somebody else."""
    desk.session.flush()
    query = select(ExceptionCaseRow).where(
        col(ExceptionCaseRow.site_id) == desk.site_id,
        col(ExceptionCaseRow.is_live),
        col(ExceptionCaseRow.recount_task_id) == task.task_id,
    )
    waiting = desk.session.exec(query).all()
    for case in waiting:
        case.recount_task_id = ""
        if CaseState(case.state) is CaseState.RECOUNT_REQUESTED:
            apply_event(
                desk, case, CaseEvent.FACTS_CHANGED, why=why, through=f"task/{task.task_id}"
            )
    desk.session.flush()
    first = min((case.first_order_us for case in waiting if case.first_order_us), default=0)
    if first:
        judge(desk, task.bin, since=from_us(first))
