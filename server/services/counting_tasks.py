"""Count tasks following what devices report and what cases conclude."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from app.contract.count_fold import CountStatus
from app.contract.vocabulary import TaskState
from app.contract.wire import RefKind
from server.domain.records import TRANSITIONS, Record, next_state
from server.services.desk import Desk
from server.storage import tasks as task_rows
from server.storage.among import among
from server.storage.changes import record_changes
from server.storage.counts import FoldedFacts
from server.storage.tables_casework import (
    CaseRoundRow,
    CountRow,
    CountTaskRow,
    ExceptionCaseRow,
)

_CHUNK = 400


def move_task(
    desk: Desk, task: CountTaskRow, event: str, *, actor: str, why: str = "", via: str = ""
) -> None:
    """One transition of a task, its history, and the news to devices. Unlisted pairs are refused."""
    before = task.state
    task.state = next_state(Record.COUNT_TASK, before, event)
    task_rows.add_history(
        desk.session,
        desk.site_id,
        history_id=desk.new_id(),
        record=Record.COUNT_TASK.value,
        record_id=task.task_id,
        at=desk.now,
        actor=actor,
        event=event,
        from_state=before,
        to_state=task.state,
        why=why,
        via=via,
    )
    desk.session.add(task)
    is_open = task.state in task_rows.OPEN_TASKS
    record_changes(
        desk.session, desk.site_id, RefKind.TASK, [task.task_id], "put" if is_open else "del"
    )


def can(task: CountTaskRow, event: str) -> bool:
    """Whether the task's table has the event in its state."""
    return (task.state, event) in TRANSITIONS[Record.COUNT_TASK]


def follow_count(desk: Desk, facts: FoldedFacts) -> None:
    """The task moves with the count made for it.

    A recount by somebody who had counted the bin for its case leaves the task open: that count is
    kept as evidence, but the independent look is still owed. A task that was cancelled meanwhile
    stays cancelled; the count is a fact all the same.
    """
    task = desk.task(facts.task_id)
    if task is None or task.bin != facts.bin or _owes_another_look(desk, task, facts):
        return
    event = {
        CountStatus.COUNTING: "start",
        CountStatus.CLOSED: "submit",
        CountStatus.LEFT: "leave",
    }[facts.status]
    if can(task, event):
        move_task(
            desk,
            task,
            event,
            actor=facts.counted_by or "unknown",
            via=f"count/{facts.count_id}",
        )


def _owes_another_look(desk: Desk, task: CountTaskRow, facts: FoldedFacts) -> bool:
    if not task.case_id:
        return False
    return facts.counted_by in people_who_counted(
        desk.session, desk.site_id, [task.case_id], but=facts.count_id
    )


def people_who_counted(
    session: Session, site_id: str, case_ids: Sequence[str], *, but: str = ""
) -> set[str]:
    """Everybody with a count among the cases' evidence, used as proof or not."""
    session.flush()
    values = {"site_id": site_id, "case_ids": case_ids, "but": but}
    return set(session.connection().execute(_WHO_COUNTED, values).scalars()) - {""}


_WHO_COUNTED = (
    select(CountRow.counted_by)
    .join(
        CaseRoundRow,
        (col(CaseRoundRow.site_id) == col(CountRow.site_id))
        & (col(CaseRoundRow.count_id) == col(CountRow.count_id)),
    )
    .where(
        col(CaseRoundRow.site_id) == bindparam("site_id"),
        among(col(CaseRoundRow.case_id), "case_ids"),
        col(CountRow.count_id) != bindparam("but"),
    )
)


def settle_tasks(desk: Desk, counts: Sequence[CountRow]) -> None:
    """Tasks whose counts are no part of a live case any more are reconciled; idle recounts end."""
    desk.load_tasks(count.task_id for count in counts)
    submitted = [
        (count, task)
        for count in counts
        if (task := desk.task(count.task_id)) and task.state == TaskState.SUBMITTED
    ]
    waiting = _in_live_cases(desk, [count.count_id for count, _ in submitted])
    for count, task in submitted:
        if count.count_id not in waiting and task.state == TaskState.SUBMITTED:
            move_task(desk, task, "reconcile", actor="system", via=f"count/{count.count_id}")
    places = {count.bin for count in counts}
    for task in task_rows.open_tasks_of_bins(desk.session, desk.site_id, places):
        if task.case_id and not _awaited_by(desk, task.task_id) and can(task, "cancel"):
            move_task(desk, task, "cancel", actor="system", why="nothing waits for it any more")


def _in_live_cases(desk: Desk, count_ids: Sequence[str]) -> set[str]:
    """Those of the counts that are part of a live case about a line."""
    found: set[str] = set()
    for start in range(0, len(count_ids), _CHUNK):
        query = (
            select(CaseRoundRow.count_id)
            .join(
                ExceptionCaseRow,
                (col(CaseRoundRow.site_id) == col(ExceptionCaseRow.site_id))
                & (col(CaseRoundRow.case_id) == col(ExceptionCaseRow.case_id)),
            )
            .where(
                col(CaseRoundRow.site_id) == desk.site_id,
                col(CaseRoundRow.count_id).in_(count_ids[start : start + _CHUNK]),
                col(ExceptionCaseRow.is_live),
                col(ExceptionCaseRow.subject) == "",
            )
        )
        found |= set(desk.session.exec(query))
    return found


def _awaited_by(desk: Desk, task_id: str) -> Sequence[str]:
    query = select(ExceptionCaseRow.case_id).where(
        col(ExceptionCaseRow.site_id) == desk.site_id,
        col(ExceptionCaseRow.is_live),
        col(ExceptionCaseRow.recount_task_id) == task_id,
    )
    return desk.session.exec(query).all()
