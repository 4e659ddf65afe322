"""A decision about many cases ends as if each had been decided alone, refusals included."""

from __future__ import annotations

import pytest
from sqlmodel import select

from app.contract.review import Action, BulkDecision, BulkResult, Decision
from app.contract.vocabulary import ReasonCode
from server.services.bulk_decisions import decide_in_bulk
from server.storage.tables_casework import AdjustmentPartRow, CaseHistoryRow, DecisionRow
from tests.support.events import an_id, counted
from tests.support.floor import Floor, damaged_of
from tests.support.server import SITE

BINS = ("A-01", "A-02", "A-03", "A-04")


def told(floor: Floor) -> Floor:
    """Four bins: two lines short in one, damage instead of good in another, one SKU off in two."""
    for sku in ("S1", "S2", "S3"):
        floor.sku(sku)
    for place in BINS:
        floor.stock(place, "S1")
        floor.stock(place, "S2", "20")
    floor.count("ana", "A-01", {"S1": "7", "S2": "14"})
    floor.count("ana", "A-02", [counted("S1", "5"), damaged_of("S1", "2"), counted("S2", "20")])
    floor.count("ana", "A-03", {"S1": "10", "S2": "23", "S3": "2"})
    floor.count("ana", "A-04", {"S1": "13", "S2": "20"})
    return floor


def in_bulk(floor: Floor, cases: list[str], action: Action, by: str, **fields) -> BulkResult:
    decision = Decision(decision_id=fields.pop("decision_id", an_id()), action=action, **fields)
    bulk = BulkDecision(case_ids=tuple(cases), decision=decision)
    return decide_in_bulk(floor.database, SITE, bulk, floor.person(by), rim=floor.rim)


def left(floor: Floor) -> list:
    """All that decisions leave behind, without ids."""
    with floor.database.read() as session:
        parts = session.exec(select(AdjustmentPartRow)).all()
        entries = session.exec(select(CaseHistoryRow)).all()
        names = {c.case_id: (c.bin, c.sku, c.condition) for c in floor.cases()}
        return [
            [(names[c.case_id], c.kind, c.state, c.settled_as, c.parts) for c in floor.cases()],
            sorted((p.bin, p.sku, p.condition, p.quantity_u) for p in parts),
            sorted((names[e.case_id], e.number, e.event, e.to_state) for e in entries),
            [floor.book(place) for place in BINS],
        ]


@pytest.mark.parametrize("action", [Action.APPROVE, Action.REJECT, Action.EXPLAIN])
def test_deciding_together_leaves_what_deciding_one_by_one_leaves(databases, tmp_path, action):
    together, alone = (told(Floor(databases.make("sqlite", tmp_path))) for _ in range(2))

    in_bulk(
        together,
        [c.case_id for c in together.cases()],
        action,
        "lea",
        reason=ReasonCode.UNKNOWN_CAUSE,
    )
    for case in alone.cases():
        if alone.cases(case_id=case.case_id)[0].is_live:
            alone.decide(case, action, "lea", reason=ReasonCode.UNKNOWN_CAUSE)

    assert left(together) == left(alone)
    for floor in (together, alone):
        floor.database.close()


def test_a_refusal_undoes_only_its_own_case_and_is_not_kept(database):
    floor = told(Floor(database))
    cases = floor.cases()
    ended = cases[1].case_id
    floor.decide(ended, Action.REJECT, "lea")

    answer = in_bulk(
        floor,
        [cases[0].case_id, "no-such-case", ended, cases[2].case_id],
        Action.APPROVE,
        "lea",
        reason=ReasonCode.DAMAGED,
    )

    assert [(r.done, r.problem) for r in answer.results] == [
        (True, None),
        (False, "not-found"),
        (False, "transition-refused"),
        (True, None),
    ]
    with floor.database.read() as session:
        rows = session.exec(select(DecisionRow).where(DecisionRow.action == "approve"))
        kept = {row.case_id for row in rows}
    assert kept == {cases[0].case_id, cases[2].case_id}


def test_the_same_bulk_again_posts_nothing_again(database):
    floor = told(Floor(database))
    cases = [case.case_id for case in floor.cases()]
    wanted = {"decision_id": an_id(), "reason": ReasonCode.UNKNOWN_CAUSE}
    first = in_bulk(floor, cases, Action.APPROVE, "lea", **wanted)
    before = left(floor)

    again = in_bulk(floor, cases, Action.APPROVE, "lea", **wanted)

    assert left(floor) == before
    assert [r.repeated for r in again.results if r.done] == [True] * sum(
        r.done for r in first.results
    )


def test_nobody_who_counted_approves_in_bulk_either(database):
    floor = told(Floor(database))
    for place in BINS:
        floor.count("lea", place, {"S1": "1"})
    cases = [case.case_id for case in floor.cases() if case.is_live]

    answer = in_bulk(floor, cases, Action.APPROVE, "lea", reason=ReasonCode.UNKNOWN_CAUSE)

    assert {r.problem for r in answer.results} == {"approver-counted"}
