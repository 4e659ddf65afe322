"""Count tasks: planned by rule or by hand, and recounts for a person who has not counted the bin."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from app.contract.problems import RefusalError
from app.contract.review import TaskRow
from app.contract.vocabulary import BinKind, RecordState, TaskState
from app.contract.wire import RefKind, RefTask
from server.clock import Rim
from server.domain.people import Person
from server.domain.planning import BinToPlan, Candidate, choose_recounter, plan_day
from server.domain.ranges import ZERO
from server.domain.records import Record
from server.domain.stock import visible_condition
from server.services.counting_tasks import move_task, people_who_counted
from server.services.desk import Desk
from server.storage import counts, ledger
from server.storage import tasks as task_rows
from server.storage.changes import record_changes
from server.storage.columns import from_us, to_us
from server.storage.engine import Database
from server.storage.records import Bin, all_bins
from server.storage.tables_casework import CountTaskRow, ExceptionCaseRow

TASKS_SHOWN_MAX = 1000


def add_task(
    desk: Desk,
    bin_code: str,
    *,
    actor: str,
    assigned_to: str = "",
    case_id: str = "",
    round_index: int = 0,
    why: str = "",
) -> CountTaskRow:
    """One more whole-bin task; devices hear of it with the commit.

    A recount, too, asks for the whole bin: naming the SKU would say which one was wrong. A task for
    the same purpose that somebody skipped is over with it.
    """
    _end_skipped(desk, bin_code, case_id, actor)
    task = CountTaskRow(
        site_id=desk.site_id,
        task_id=desk.new_id(),
        bin=bin_code,
        state=(TaskState.ASSIGNED if assigned_to else TaskState.PLANNED).value,
        assigned_to=assigned_to,
        case_id=case_id,
        round_index=round_index,
        why=why,
        created_us=to_us(desk.now),
        created_by=actor,
    )
    desk.session.add(task)
    task_rows.add_history(
        desk.session,
        desk.site_id,
        history_id=desk.new_id(),
        record=Record.COUNT_TASK.value,
        record_id=task.task_id,
        at=desk.now,
        actor=actor,
        event="plan",
        from_state="",
        to_state=task.state,
        why=why,
    )
    desk.session.flush()
    record_changes(desk.session, desk.site_id, RefKind.TASK, [task.task_id])
    return task


def _end_skipped(desk: Desk, bin_code: str, case_id: str, actor: str) -> None:
    for task in task_rows.skipped_tasks_of_bin(desk.session, desk.site_id, bin_code):
        if bool(task.case_id) == bool(case_id):
            move_task(desk, task, "cancel", actor=actor, why="planned again")


def ask_for_recount(
    desk: Desk, case: ExceptionCaseRow, person: Person, wanted: str | None
) -> CountTaskRow:
    """The task of somebody who has not counted the bin for this case, made or shared.

    A recount of the bin that is under way for another case serves this one too, when its person is
    independent here as well. Raises recounter-counted, unknown-user, no-recounter.
    """
    case_ids = [case.case_id] + ([case.corrects] if case.corrects else [])
    have_counted = people_who_counted(desk.session, desk.site_id, case_ids)
    busy = task_rows.open_tasks_per_person(desk.session, desk.site_id)
    for task in task_rows.open_tasks_of_bin(desk.session, desk.site_id, case.bin):
        is_free = task.assigned_to and task.assigned_to not in have_counted
        if task.case_id and is_free and wanted in (None, task.assigned_to):
            return task
    chosen = choose_recounter(
        [
            Candidate(user_id=p.user_id, role=p.role, open_tasks=busy.get(p.user_id, 0))
            for p in desk.active
        ],
        bin=case.bin,
        have_counted=have_counted,
        approver=person.user_id,
        wanted=wanted,
    )
    return add_task(
        desk,
        case.bin,
        actor=person.user_id,
        assigned_to=chosen,
        case_id=case.case_id,
        round_index=case.rounds,
        why="recount",
    )


def plan_bins(
    database: Database,
    site_id: str,
    bins: Sequence[str],
    person: Person,
    *,
    assigned_to: str = "",
    rim: Rim,
) -> list[TaskRow]:
    """A task for each of the bins that has none open. Raises unknown-bin, unknown-user."""
    with database.write() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        if assigned_to and assigned_to not in {p.user_id for p in desk.active}:
            raise RefusalError("unknown-user", user=assigned_to)
        made = []
        for code in dict.fromkeys(bins):
            place = desk.bin(code)
            if place is None or place.state is not RecordState.ACTIVE:
                raise RefusalError("unknown-bin", bin=code)
            if _has_first_count(desk, code):
                continue
            task = add_task(
                desk, code, actor=person.user_id, assigned_to=assigned_to, why="by hand"
            )
            made.append(to_view(task, place.zone))
        session.commit()
    return made


def plan_today(
    database: Database, site_id: str, person: Person, *, minutes: float, rim: Rim
) -> list[TaskRow]:
    """Plan what is due within the labour given: negative books, empty bins, then cadence by class."""
    with database.write() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        places = {
            place.bin: place
            for place in all_bins(session, site_id)
            if place.state is RecordState.ACTIVE and place.kind is not BinKind.STAGING
        }
        facts = [_to_plan(desk, place) for place in places.values()]
        made = []
        for planned in plan_day(facts, now=desk.now, minutes=minutes):
            task = add_task(desk, planned.bin, actor=person.user_id, why=planned.why)
            made.append(to_view(task, places[planned.bin].zone))
        session.commit()
    return made


def _has_first_count(desk: Desk, bin_code: str) -> bool:
    open_tasks = task_rows.open_tasks_of_bin(desk.session, desk.site_id, bin_code)
    return any(not task.case_id for task in open_tasks)


def _to_plan(desk: Desk, place: Bin) -> BinToPlan:
    book = ledger.book_of_bin(desk.session, desk.site_id, place.bin, desk.now)
    seen = {
        key: quantity
        for key, quantity in book.items()
        if visible_condition(key.state, place.kind) is not None
    }
    desk.load_skus({key.sku for key in seen})
    classes = [sku.abc_class for key in seen if (sku := desk.sku(key.sku)) is not None]
    last = counts.last_ended(desk.session, desk.site_id, place.bin)
    return BinToPlan(
        bin=place.bin,
        walk_order=place.walk_order,
        best_class=min(classes, default="C"),
        records=len(seen),
        last_counted_at=last,
        has_open_task=bool(task_rows.open_tasks_of_bin(desk.session, desk.site_id, place.bin)),
        has_negative_book=any(quantity < ZERO for quantity in seen.values()),
        became_empty=not seen
        and last is not None
        and bool(ledger.book_of_bin(desk.session, desk.site_id, place.bin, last)),
    )


def tasks_for_pull(session: Session, site_id: str, task_ids: Sequence[str]) -> dict[str, RefTask]:
    """What devices are told of those of the tasks that are open; never whether it is a recount."""
    return task_rows.ref_tasks(session, site_id, task_ids)


def list_tasks(database: Database, site_id: str, states: Sequence[str]) -> list[TaskRow]:
    """Tasks in those states (none: all), newest first, at most 1,000."""
    with database.read() as session:
        found = task_rows.list_tasks(session, site_id, states=states, limit=TASKS_SHOWN_MAX)
        return [to_view(task, zone) for task, zone in found]


def to_view(task: CountTaskRow, zone: str) -> TaskRow:
    """A task as the supervisor sees it; a device gets far less."""
    return TaskRow(
        task_id=task.task_id,
        bin=task.bin,
        zone=zone,
        state=TaskState(task.state),
        assigned_to=task.assigned_to or None,
        round_index=task.round_index,
        case_id=task.case_id or None,
        created_at=from_us(task.created_us),
    )
