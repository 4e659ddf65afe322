"""The loop on real databases: count, case, recount by another, approval, one posting, a right book."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from app.contract.problems import RefusalError
from app.contract.review import Action
from app.contract.vocabulary import (
    CaseKind,
    CaseState,
    PhysicalState,
    ReasonCode,
    TaskState,
    Verdict,
)
from server.services import planning
from server.services.case_view import find_detail
from server.storage.tasks import ref_tasks
from tests.support.floor import Floor, an_unknown, clock, damaged_of
from tests.support.server import NOW, SITE


@pytest.fixture
def floor(database):
    made = Floor(database)
    made.sku("S1")
    return made


def test_a_count_that_agrees_closes_its_task_and_opens_no_case(floor: Floor):
    floor.stock("A-01")
    (task,) = planning.plan_bins(floor.database, SITE, ["A-01"], floor.person("sue"), rim=floor.rim)

    floor.count("ana", "A-01", {"S1": "10"}, task=task.task_id)

    assert floor.cases() == []
    (after,) = planning.list_tasks(floor.database, SITE, [])
    assert after.state is TaskState.RECONCILED


def test_a_pick_posted_while_the_device_was_away_makes_no_case(floor: Floor):
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "10"}, at=clock("10:00"), push=False)
    floor.move("4", frm="A-01", at=clock("10:30"))

    floor.push("ana")

    assert floor.cases() == []


def test_from_a_miscounted_bin_to_a_right_book(floor: Floor):
    floor.stock("A-01")
    (task,) = planning.plan_bins(floor.database, SITE, ["A-01"], floor.person("sue"), rim=floor.rim)
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"), task=task.task_id)
    case = floor.case()
    assert (case.kind, case.state, case.verdict) == (
        CaseKind.VARIANCE,
        CaseState.OPEN,
        Verdict.OUT_OF_TOLERANCE,
    )
    assert (case.variance_low_u, case.value_u) == (-6_000_000, 12_000_000)
    assert case.next_action == Action.RECOUNT

    asked = floor.decide(case, Action.RECOUNT)

    assert asked.case is not None
    assert asked.case.state is CaseState.RECOUNT_REQUESTED
    assert asked.case.recounter_id == "ben"
    tasks = planning.list_tasks(floor.database, SITE, ["assigned"])
    assert [(t.assigned_to, t.round_index, t.case_id) for t in tasks] == [("ben", 1, case.case_id)]

    floor.move("1", frm="A-01", at=clock("10:30"))  # stock moves on between the two counts
    floor.count("ben", "A-01", {"S1": "3"}, at=clock("11:00"), task=tasks[0].task_id)
    agreed = floor.case()
    assert (agreed.state, agreed.standing, agreed.rounds) == (CaseState.UNDER_REVIEW, "agreed", 2)
    assert agreed.next_action == Action.APPROVE

    done = floor.approve(agreed, reason=ReasonCode.THEFT_SUSPECTED, version=agreed.version)

    assert done.done
    assert done.case is not None
    assert done.case.state is CaseState.POSTED
    assert done.case.adjustment is not None
    assert (done.case.adjustment.quantity, done.case.adjustment.value) == ("-6", "-12.00")
    assert floor.book("A-01") == {("S1", "available"): Decimal(3)}
    assert floor.book("A-01", clock("10:15")) == {("S1", "available"): Decimal(4)}
    assert floor.case().case_id == case.case_id
    states = {t.state for t in planning.list_tasks(floor.database, SITE, [])}
    assert states == {TaskState.RECONCILED}
    assert [h.event for h in done.case.history] == [
        "request_recount",
        "recount_arrived",
        "counts_agreed",
        "approve",
        "post",
    ]


def test_a_recount_that_meets_the_book_ends_the_case_as_a_count_error(floor: Floor):
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    floor.decide(floor.case(), Action.RECOUNT, assign_to="cem")
    (task,) = planning.list_tasks(floor.database, SITE, ["assigned"])

    floor.count("cem", "A-01", {"S1": "10"}, at=clock("11:00"), task=task.task_id)

    assert floor.case().state == CaseState.COUNT_ERROR
    assert not floor.case().is_live
    (after,) = planning.list_tasks(floor.database, SITE, [])
    assert after.state is TaskState.RECONCILED


def test_a_recount_by_the_same_person_is_refused_and_one_made_offline_is_kept_but_not_used(
    floor: Floor,
):
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    with pytest.raises(RefusalError) as refused:
        floor.decide(floor.case(), Action.RECOUNT, assign_to="ana")
    assert refused.value.code == "recounter-counted"
    floor.decide(floor.case(), Action.RECOUNT)
    (task,) = planning.list_tasks(floor.database, SITE, ["assigned"])

    floor.count("ana", "A-01", {"S1": "4"}, at=clock("11:00"), task=task.task_id)

    case = floor.case()
    assert (case.state, case.rounds) == (CaseState.RECOUNT_REQUESTED, 1)
    detail = find_detail(floor.database, SITE, case.case_id, floor.person("sue"), rim=floor.rim)
    assert [(r.counted_by, r.used) for r in detail.round_views] == [("ana", True), ("ana", False)]
    (still,) = planning.list_tasks(floor.database, SITE, ["assigned"])
    assert still.task_id == task.task_id


def test_a_recount_task_looks_like_any_other_task_to_a_device(floor: Floor):
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"})
    floor.decide(floor.case(), Action.RECOUNT)
    floor.bins("A-02")
    planning.plan_bins(
        floor.database, SITE, ["A-02"], floor.person("sue"), assigned_to="ben", rim=floor.rim
    )
    ids = [t.task_id for t in planning.list_tasks(floor.database, SITE, ["assigned"])]

    with floor.database.read() as session:
        told = ref_tasks(session, SITE, ids)

    first, recount = (
        next(t for t in told.values() if t.bin == code).model_dump(
            exclude={"task_id", "bin", "walk_order"}
        )
        for code in ("A-02", "A-01")
    )
    assert first == recount


@pytest.mark.parametrize(
    ("by", "fields", "code"),
    [
        ("ana", {}, "role-forbidden"),
        ("sue", {}, "not-agreed"),
        ("sue", {"version": 99}, "version-stale"),
        ("lea", {"reason": None}, "reason-missing"),
    ],
)
def test_a_refused_approval_names_its_rule_and_changes_nothing(
    floor: Floor, by: str, fields: dict, code: str
):
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"})
    before = floor.case()

    with pytest.raises(RefusalError) as refused:
        floor.approve(before, by, **fields)

    assert refused.value.code == code
    assert floor.case() == before


def test_a_lead_may_decide_without_agreement_and_the_same_decision_twice_is_done_once(
    floor: Floor,
):
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    case = floor.case()
    decision = "01999999-0000-7000-8000-000000000001"
    first = floor.approve(case, "lea", decision_id=decision)

    again = floor.approve(case, "lea", decision_id=decision)

    assert first.done
    assert not first.repeated
    assert (again.done, again.repeated, again.message) == (True, True, first.message)
    with pytest.raises(RefusalError) as refused:
        floor.approve(case, "lea")
    assert refused.value.code == "already-posted"
    assert floor.book("A-01") == {("S1", "available"): Decimal(4)}


def test_a_late_pick_explains_an_open_case(floor: Floor):
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))

    floor.move("6", frm="A-01", at=clock("09:00"))

    case = floor.case()
    assert (case.state, case.is_live) == (CaseState.EXPLAINED, False)
    assert floor.book("A-01") == {("S1", "available"): Decimal(4)}


def test_a_late_pick_after_posting_opens_a_correction_linked_to_the_first(floor: Floor):
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    floor.count("ben", "A-01", {"S1": "4"}, at=clock("11:00"))
    first = floor.case()
    floor.approve(first)
    floor.move("2", frm="A-01", at=clock("09:00"))  # keyed late: only 4 were really missing

    correction = floor.case(kind=CaseKind.LATE_CORRECTION)

    assert correction.corrects == first.case_id
    assert (correction.variance_low_u, correction.standing) == (2_000_000, "agreed")
    floor.approve(correction)
    assert floor.book("A-01") == {("S1", "available"): Decimal(4)}
    assert all(not case.is_live for case in floor.cases())


def test_stock_that_moved_during_the_count_is_recounted_and_never_posted(floor: Floor):
    floor.stock("A-01")
    floor.move("3", frm="A-01", at=clock("10:00") - timedelta(seconds=50))
    floor.count("ana", "A-01", {"S1": "5"}, at=clock("10:00"), minutes=1)

    case = floor.case()

    assert (case.kind, case.verdict) == (CaseKind.TIME_AMBIGUOUS, Verdict.AMBIGUOUS)
    assert (case.variance_low_u, case.variance_high_u) == (-5_000_000, -2_000_000)
    with pytest.raises(RefusalError) as refused:
        floor.approve(case, "lea")
    assert refused.value.code == "variance-ambiguous"


def test_a_short_bin_and_an_over_one_become_a_transfer_with_zero_shrink(floor: Floor):
    floor.stock("A-01")
    floor.stock("A-02")
    floor.count("ana", "A-01", {"S1": "4"})
    floor.count("ana", "A-02", {"S1": "16"})
    short, over = floor.cases()
    assert (short.top_proposal, over.top_proposal) == ("offsetting_transfer",) * 2
    assert short.next_action == Action.TRANSFER

    floor.decide(short, Action.TRANSFER, other_case_id=over.case_id)

    assert {c.state for c in floor.cases()} == {CaseState.TRANSFERRED}
    assert floor.book("A-01") == {("S1", "available"): Decimal(4)}
    assert floor.book("A-02") == {("S1", "available"): Decimal(16)}


def test_a_damaged_unit_is_one_case_and_moves_between_conditions_without_shrink(floor: Floor):
    floor.stock("A-01")
    floor.count("ana", "A-01", [counted_good("9"), damaged_of("S1", "1")], at=clock("10:00"))
    floor.count("ben", "A-01", [counted_good("9"), damaged_of("S1", "1")], at=clock("11:00"))
    case = floor.case()
    assert (case.kind, case.top_proposal) == (CaseKind.DAMAGED_FOUND, "damage_not_marked")

    floor.approve(case, reason=ReasonCode.DAMAGED)

    assert floor.book("A-01") == {
        ("S1", "available"): Decimal(9),
        ("S1", "damaged"): Decimal(1),
    }
    assert floor.cases(is_live=True) == []


def counted_good(quantity: str):
    from tests.support.events import counted

    return counted("S1", quantity)


def test_an_unknown_barcode_is_a_case_that_matching_closes(floor: Floor):
    floor.stock("A-01")
    floor.count("ana", "A-01", [counted_good("10"), an_unknown("4006381333931", "2")])
    case = floor.case()
    assert (case.kind, case.title) == (
        CaseKind.UNKNOWN_BARCODE,
        "2 × unknown barcode 4006381333931 in A-01",
    )

    done = floor.decide(case, Action.CLOSE, sku="S1")

    assert done.case is not None
    assert done.case.state is CaseState.CLOSED
    floor.count("ben", "A-01", [counted_good("10"), an_unknown("4006381333931", "2")])
    assert floor.cases(is_live=True) == []


def test_an_item_nobody_expects_here_is_a_case_of_its_own(floor: Floor):
    floor.stock("A-01")
    floor.sku("S2")
    floor.count("ana", "A-01", {"S1": "10", "S2": "3"})

    case = floor.case()

    assert (case.kind, case.verdict, case.sku) == (
        CaseKind.UNEXPECTED_ITEM,
        Verdict.UNEXPECTED,
        "S2",
    )


def test_a_book_below_zero_is_a_case_until_it_is_mended(floor: Floor):
    floor.stock("A-01", quantity="1")
    floor.move("3", frm="A-01", at=NOW - timedelta(hours=1))
    assert floor.case(is_live=True).kind == CaseKind.NEGATIVE_BOOK

    floor.move("5", to="A-01", at=NOW - timedelta(hours=2))

    assert floor.case().state == CaseState.EXPLAINED


def test_a_reversal_puts_the_stock_back_and_the_variance_is_open_again(floor: Floor):
    from server.services.reversing import reverse_adjustment

    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    posted = floor.approve(floor.case(), "lea").case
    assert posted is not None
    assert posted.adjustment is not None

    reverse_adjustment(
        floor.database,
        SITE,
        posted.adjustment.adjustment_id,
        floor.person("lea"),
        reason=ReasonCode.DATA_ENTRY,
        note="wrong bin",
        rim=floor.rim,
    )

    assert floor.book("A-01") == {("S1", "available"): Decimal(10)}
    again = floor.case(is_live=True)
    assert (again.kind, again.corrects, again.variance_low_u) == (
        CaseKind.LATE_CORRECTION,
        posted.case_id,
        -6_000_000,
    )


def test_reserved_stock_is_visible_and_picked_stock_is_not(floor: Floor):
    floor.stock("A-01")
    floor.move("4", frm="A-01", to="A-01", to_state=PhysicalState.RESERVED, at=clock("08:00"))
    floor.move(
        "1",
        frm="A-01",
        to="A-01",
        from_state=PhysicalState.RESERVED,
        to_state=PhysicalState.PICKED,
        at=clock("08:30"),
    )

    floor.count("ana", "A-01", {"S1": "9"}, at=clock("10:00"))

    assert floor.cases() == []
