"""Every record has a history, also those whose state is what later facts make of them."""

from __future__ import annotations

import pytest

from app.contract.review import Action
from app.contract.vocabulary import ReasonCode, Role
from server.domain.records import TRANSITIONS, Record
from server.services import planning
from server.services.record_histories import full_history_of
from server.services.reversing import reverse_adjustment
from tests.support.desk import a_desk
from tests.support.floor import Floor, clock
from tests.support.server import SITE


@pytest.fixture
def floor(database):
    made = Floor(database)
    made.sku("S1")
    made.stock("A-01")
    return made


def history(floor, record, record_id):
    with floor.database.read() as session:
        changes = full_history_of(session, SITE, record, record_id)
    for change in changes[1:]:
        assert TRANSITIONS[record][(change.from_state, change.event)] == change.to_state
    assert [c.at for c in changes] == sorted(c.at for c in changes)
    return [(c.event, c.to_state, c.actor, c.via) for c in changes]


def test_an_adjustment_tells_who_approved_posted_and_reversed_it(floor):
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    case = floor.approve(floor.case(), "lea").case
    reverse_adjustment(
        floor.database,
        SITE,
        case.adjustment.adjustment_id,
        floor.person("lea"),
        reason=ReasonCode.DATA_ENTRY,
        note="wrong bin",
        rim=floor.rim,
    )

    told = history(floor, Record.ADJUSTMENT, case.adjustment.adjustment_id)

    via = f"case/{case.case_id}"
    assert told[:3] == [
        ("propose", "proposed", "lea", via),
        ("approve", "approved", "lea", via),
        ("post", "posted", "lea", via),
    ]
    assert told[3][:3] == ("reverse", "reversed", "lea")
    assert history(floor, Record.ADJUSTMENT, told[3][3].removeprefix("adjustment/"))


def test_a_count_is_submitted_superseded_by_the_next_and_the_next_agreed(floor):
    first = floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    device = floor.devices["ana"].device.install_id
    submitted = ("submit", "submitted", "ana", f"device/{device}")
    assert history(floor, Record.COUNT, first) == [submitted]
    floor.decide(floor.case(), Action.RECOUNT)
    (task,) = planning.list_tasks(floor.database, SITE, ["assigned"])

    second = floor.count("ben", "A-01", {"S1": "4"}, at=clock("11:00"), task=task.task_id)

    assert history(floor, Record.COUNT, first) == [
        submitted,
        ("supersede", "superseded", "ben", f"count/{second}"),
    ]
    assert [told[1] for told in history(floor, Record.COUNT, second)] == ["submitted"]
    case = floor.approve(floor.case()).case
    assert history(floor, Record.COUNT, second)[1:] == [
        ("agree", "agreed", "system", f"case/{case.case_id}")
    ]


def test_a_count_that_meets_the_book_is_agreed_and_one_that_proves_nothing_is_void(floor):
    agreed = floor.count("ana", "A-01", {"S1": "10"}, at=clock("09:00"))
    assert history(floor, Record.COUNT, agreed)[1:] == [("agree", "agreed", "system", "ledger")]
    floor.stock("A-02")
    floor.count("ana", "A-02", {"S1": "4"}, at=clock("10:00"))
    floor.decide(floor.case(), Action.RECOUNT)

    again = floor.count("ana", "A-02", {"S1": "4"}, at=clock("11:00"))

    assert history(floor, Record.COUNT, again)[1:] == [
        ("void", "voided", "system", f"case/{floor.case().case_id}")
    ]


def test_the_api_reads_them_and_knows_nothing_of_what_is_not_there(floor):
    count = floor.count("ana", "A-01", {"S1": "10"}, at=clock("09:00"))
    ask = a_desk(floor.database, Role.AUDITOR)

    told = ask("GET", f"/api/v1/history/count/{count}").json()

    assert [(c["event"], c["from_state"], c["to_state"]) for c in told] == [
        ("submit", "", "submitted"),
        ("agree", "submitted", "agreed"),
    ]
    for record in ("count", "adjustment", "count_task", "bin"):
        assert ask("GET", f"/api/v1/history/{record}/none").json() == []
