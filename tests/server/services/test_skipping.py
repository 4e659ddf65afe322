"""A counter cannot do a task: the supervisor sees it, the case stops waiting, the bin is planned again."""

from __future__ import annotations

import pytest
from sqlmodel import col, select

from app.contract.events import BinLeft, TaskSkipped
from app.contract.review import Action
from app.contract.vocabulary import CaseState, TaskState
from server.services import planning
from server.storage.tables_records import RecordHistoryRow
from server.storage.tasks import ref_tasks
from tests.support.floor import Floor, clock
from tests.support.server import SITE


@pytest.fixture
def floor(database):
    made = Floor(database)
    made.sku("S1")
    made.stock("A-01")
    return made


def planned(floor: Floor, assigned_to: str = "") -> str:
    floor.time.advance(minutes=1)
    (task,) = planning.plan_bins(
        floor.database,
        SITE,
        ["A-01"],
        floor.person("sue"),
        assigned_to=assigned_to,
        rim=floor.rim,
    )
    return task.task_id


def skip(floor: Floor, person: str, task: str, why: str = "cannot_reach", **fields) -> None:
    floor.time.advance(minutes=1)
    payload = TaskSkipped.model_validate({"why": why, **fields})
    floor.device(person).record(payload, None, user_id=person, task_id=task)
    floor.push(person)


def states(floor: Floor) -> list[TaskState]:
    return [t.state for t in reversed(planning.list_tasks(floor.database, SITE, []))]


def history(floor: Floor, task: str) -> list[tuple[str, str, str, str]]:
    with floor.database.read() as session:
        query = (
            select(RecordHistoryRow)
            .where(col(RecordHistoryRow.record_id) == task)
            .order_by(col(RecordHistoryRow.at_us), col(RecordHistoryRow.history_id))
        )
        return [(r.event, r.to_state, r.actor, r.why) for r in session.exec(query)]


def test_a_skipped_task_says_who_and_why_and_leaves_every_device(floor: Floor):
    task = planned(floor)

    skip(floor, "ana", task, note="pallet in the way")

    assert states(floor) == [TaskState.SKIPPED]
    assert history(floor, task)[-1] == (
        "skip",
        "skipped",
        "ana",
        "cannot reach: pallet in the way",
    )
    with floor.database.read() as session:
        assert ref_tasks(session, SITE, [task]) == {}


def test_a_task_that_is_put_off_stays_on_the_list(floor: Floor):
    task = planned(floor, "ana")

    skip(floor, "ana", task, "not_now")

    assert states(floor) == [TaskState.ASSIGNED]
    assert history(floor, task)[-1] == ("put_off", "assigned", "ana", "not now")


def test_planning_the_bin_again_ends_what_was_skipped(floor: Floor):
    first = planned(floor)
    skip(floor, "ana", first)

    second = planned(floor, "ben")

    assert sorted(states(floor)) == [TaskState.ASSIGNED, TaskState.CANCELLED]
    assert history(floor, first)[-1] == ("cancel", "cancelled", "sue", "planned again")
    floor.count("ben", "A-01", {"S1": "10"}, task=second)
    assert sorted(states(floor)) == [TaskState.CANCELLED, TaskState.RECONCILED]


@pytest.mark.parametrize("skip_first", [True, False])
def test_a_bin_that_was_counted_after_all_counts_whatever_arrives_first(
    floor: Floor, skip_first: bool
):
    task = planned(floor)
    deeds = [
        lambda: skip(floor, "ana", task),
        lambda: floor.count("ben", "A-01", {"S1": "10"}, task=task),
    ]
    for deed in deeds if skip_first else reversed(deeds):
        deed()

    assert states(floor) == [TaskState.RECONCILED]


def test_the_same_skip_sent_twice_is_followed_once(floor: Floor):
    task = planned(floor)
    payload = TaskSkipped(why="cannot_reach")
    floor.time.advance(minutes=1)
    sent = floor.device("ana").record(payload, None, user_id="ana", task_id=task)
    floor.push("ana")
    floor.devices["ana"].pending.append(sent)

    floor.push("ana")

    assert [event for event, *_ in history(floor, task)] == ["plan", "skip"]


def test_a_task_nobody_knows_or_that_has_moved_on_is_left_alone(floor: Floor):
    task = planned(floor)
    floor.count("ana", "A-01", {"S1": "10"}, task=task)

    skip(floor, "ana", task)
    skip(floor, "ana", "no-such-task")

    assert states(floor) == [TaskState.RECONCILED]


def test_a_count_that_was_left_leaves_its_task_to_do(floor: Floor):
    task = planned(floor)

    floor.count("ana", "A-01", {"S1": "2"}, task=task, end=BinLeft(why="called_away"))

    assert states(floor) == [TaskState.PLANNED]
    assert floor.cases() == []


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_case_stops_waiting_for_a_recount_that_does_not_come(floor: Floor, rounds: int):
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    if rounds == 2:
        floor.count("dia", "A-01", {"S1": "6"}, at=clock("10:30"))
    floor.decide(floor.case(), Action.RECOUNT, assign_to="ben")
    (task,) = planning.list_tasks(floor.database, SITE, ["assigned"])

    skip(floor, "ben", task.task_id)

    case = floor.case()
    before = CaseState.OPEN if rounds == 1 else CaseState.RECOUNTED
    assert (case.state, case.next_action) == (before, Action.RECOUNT)
    told = floor.decide(case, Action.RECOUNT).case
    assert told is not None
    assert told.recounter_id == "ben"
    assert "Ben could not count: cannot reach" in [entry.why for entry in told.history]
    floor.count("cem", "A-01", {"S1": "10"}, at=clock("11:00"))
    assert floor.case().state == CaseState.COUNT_ERROR
