"""The review's pure core: late answers, the next case, what is never restated."""

from __future__ import annotations

from dataclasses import replace

from app.contract.ids import uuid7
from app.contract.review import Action, CasePage, Decision, DecisionResult
from app.contract.vocabulary import CaseState
from app.review import steps
from app.review.answers import OutageKind, Trouble
from app.review.listing import MARKED_MAX
from app.review.reducer import next_case, reduce
from app.review.state import Filters, PendingDecision, Reach, ReviewState
from tests.support.review_cases import make_case, make_row

ROWS = tuple(make_row(n) for n in range(3))


def page(*rows: int, cursor: str | None = None) -> CasePage:
    items = tuple(make_row(n) for n in rows)
    return CasePage(items=items, next_cursor=cursor, total_open=9, value_open="1", currency="EUR")


def looking_at(number: int) -> ReviewState:
    return ReviewState(
        rows=ROWS,
        is_queue_known=True,
        selected=f"case-{number:03}",
        detail=make_case(ROWS[number]),
        total_open=3,
    )


def pending(number: int) -> PendingDecision:
    decision = Decision(decision_id=uuid7(1, bytes(10)), action=Action.REJECT, version=3)
    row = ROWS[number]
    return PendingDecision(case_id=row.case_id, bin=row.bin, decision=decision, made_by="olga")


def test_a_page_that_was_asked_for_with_other_filters_is_not_shown() -> None:
    state = replace(looking_at(0), filters=Filters(zone="B"))

    assert reduce(state, steps.QueueCame(Filters(), page(5))) == state


def test_a_second_page_that_comes_twice_is_added_once() -> None:
    state = reduce(ReviewState(), steps.QueueCame(Filters(), page(0, 1, cursor="a")))
    more = steps.QueueCame(Filters(), page(1, 2), after="a")

    once = reduce(state, more)

    assert [row.case_id for row in once.rows] == ["case-000", "case-001", "case-002"]
    assert reduce(once, more) == once


def test_evidence_of_a_case_that_is_not_looked_at_any_more_does_not_replace_what_is() -> None:
    state = looking_at(1)

    after = reduce(state, steps.CaseCame(make_case(ROWS[0])))

    assert after.case == state.case


def test_older_evidence_never_replaces_newer() -> None:
    newer = make_case(make_row(0, version=7))
    state = replace(looking_at(0), detail=newer)

    assert reduce(state, steps.CaseCame(make_case(ROWS[0]))).case == newer


def test_a_case_that_ended_elsewhere_leaves_the_list_but_stays_readable() -> None:
    ended = make_case(make_row(0, state=CaseState.COUNT_ERROR, version=5))

    after = reduce(looking_at(0), steps.CaseCame(ended))

    assert [row.case_id for row in after.rows] == ["case-001", "case-002"]
    assert after.case == ended


def test_an_ended_case_stays_in_the_list_of_the_ended_and_leaves_it_when_it_opens_again() -> None:
    ended = tuple(make_row(n, state=CaseState.EXPLAINED) for n in range(3))
    state = replace(looking_at(0), rows=ended, filters=Filters(is_ended=True))
    newer = {"state": CaseState.REJECTED, "version": 5}

    stays = reduce(state, steps.CaseCame(make_case(make_row(0, **newer))))
    leaves = reduce(state, steps.CaseCame(make_case(make_row(0, version=5))))

    assert [row.state for row in stays.rows][:1] == [CaseState.REJECTED]
    assert [row.case_id for row in leaves.rows] == ["case-001", "case-002"]


def test_the_next_case_is_the_one_below_and_at_the_end_the_one_above() -> None:
    state = looking_at(0)

    assert next_case(state, "case-000") == "case-001"
    assert next_case(state, "case-002") == "case-001"
    assert next_case(replace(state, rows=ROWS[:1]), "case-000") is None


def test_an_answer_to_another_decision_changes_nothing() -> None:
    state = replace(looking_at(0), pending=pending(0))
    other = DecisionResult(decision_id=uuid7(2, bytes(10)), case_id="case-000", done=True)

    assert reduce(state, steps.DecisionAnswered(other)) == state


def test_a_decision_made_before_the_person_looked_elsewhere_does_not_move_the_view() -> None:
    state = replace(looking_at(2), pending=pending(0))
    ended = make_case(make_row(0, state=CaseState.REJECTED, version=4))
    result = DecisionResult(
        decision_id=pending(0).decision.decision_id, case_id="case-000", done=True, case=ended
    )

    after = reduce(state, steps.DecisionAnswered(result))

    assert after.selected == "case-002"
    assert after.case == state.case
    assert [row.case_id for row in after.rows] == ["case-001", "case-002"]


def test_an_answer_that_says_not_done_keeps_the_case_and_tells_why() -> None:
    state = replace(looking_at(0), pending=pending(0))
    result = DecisionResult(
        decision_id=pending(0).decision.decision_id,
        case_id="case-000",
        done=False,
        problem="already-posted",
        message="This case was posted by Max.",
    )

    after = reduce(state, steps.DecisionAnswered(result))

    assert after.selected == "case-000"
    assert after.trouble is not None
    assert (after.trouble.code, after.trouble.detail) == (
        "already-posted",
        "This case was posted by Max.",
    )


def test_each_unanswered_try_is_counted_on_the_same_decision() -> None:
    state = replace(looking_at(0), pending=pending(0))
    step = steps.DecisionUnanswered(pending(0).decision.decision_id, OutageKind.UNREACHED)

    after = reduce(reduce(state, step), step)

    assert after.pending == replace(pending(0), tries=2)
    assert after.reach is Reach.OFFLINE


def test_a_toast_is_taken_away_only_by_its_own_time() -> None:
    first = reduce(ReviewState(), steps.Said("review.toast.many", {"done": "1"}))
    second = reduce(first, steps.Said("review.toast.many", {"done": "2"}))

    assert reduce(second, steps.ToastRead(1)).toast is not None
    assert reduce(second, steps.ToastRead(2)).toast is None


def test_what_a_refusal_said_is_gone_with_the_next_step() -> None:
    trouble = Trouble(code="busy", title="", detail="")
    state = reduce(looking_at(0), steps.Refused(trouble))

    assert state.trouble == trouble
    assert reduce(state, steps.CaseChosen("case-001")).trouble is None


def test_marks_are_turned_and_fall_away_with_their_rows() -> None:
    state = looking_at(0)
    for case_id in ("case-000", "case-002", "case-000"):
        state = reduce(state, steps.MarkTurned(case_id))
    assert (state.is_marking, state.marked) == (True, {"case-002"})

    everything = reduce(state, steps.AllMarked())
    assert [row.case_id for row in everything.marked_rows] == ["case-000", "case-001", "case-002"]
    assert reduce(everything, steps.QueueCame(Filters(), page(1, 5))).marked == {"case-001"}
    assert reduce(everything, steps.FiltersChosen(Filters(zone="B"))).marked == frozenset()
    off = reduce(everything, steps.MarkingChosen(False))
    assert (off.is_marking, off.marked) == (False, frozenset())


def test_no_more_are_marked_than_the_server_decides_at_once() -> None:
    rows = tuple(make_row(n) for n in range(MARKED_MAX + 1))
    state = reduce(replace(looking_at(0), rows=rows), steps.AllMarked())
    assert len(state.marked) == MARKED_MAX

    assert reduce(state, steps.MarkTurned(f"case-{MARKED_MAX}")).marked == state.marked


def test_of_several_what_is_done_loses_its_mark_and_what_is_not_keeps_it_with_the_rule() -> None:
    state = reduce(looking_at(1), steps.AllMarked())
    done = make_case(make_row(0, state=CaseState.POSTED, version=4))
    answers = (
        DecisionResult(decision_id="d", case_id="case-000", done=True, case=done),
        DecisionResult(decision_id="d", case_id="case-001", done=False, message="You counted it."),
        DecisionResult(decision_id="d", case_id="case-002", done=True),
    )

    after = reduce(state, steps.ManyAnswered(answers))

    assert (after.is_marking, after.marked) == (True, {"case-001"})
    assert after.refused == {"case-001": "You counted it."}
    assert [row.case_id for row in after.rows] == ["case-001", "case-002"]
    assert after.total_open == 2
