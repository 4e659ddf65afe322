"""Commands on exception cases: each checks the rules, moves the case, keeps the decision, once.

A refusal names its rule and changes nothing. The same decision sent again is answered from what was
kept. Whatever a decision settles is judged again in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from app.contract.problems import RefusalError
from app.contract.review import Action, Decision, DecisionResult
from app.contract.vocabulary import CaseState
from server.clock import Rim
from server.domain.cases import (
    Actor,
    CaseEvent,
    check_decider,
)
from server.domain.people import Person
from server.services.case_keeping import apply_event
from server.services.case_numbers import propose
from server.services.case_view import case_detail
from server.services.counting_tasks import settle_tasks
from server.services.decision_verbs import VERBS, Answer, Ask
from server.services.desk import Desk
from server.services.negative_books import negative_books
from server.services.reconciling import judge_bins
from server.storage import cases as case_rows
from server.storage.case_queue import overdue_cases
from server.storage.case_rounds import rounds_by_case
from server.storage.casework_lock import lock_for_casework
from server.storage.columns import from_us, to_us
from server.storage.engine import Database
from server.storage.tables_casework import CountRow, DecisionRow, ExceptionCaseRow


def decide(
    database: Database,
    site_id: str,
    case_id: str,
    decision: Decision,
    person: Person,
    *,
    rim: Rim,
) -> DecisionResult:
    """Carry out one decision. Raises RefusalError naming the rule that forbids it."""
    with database.write() as session:
        lock_for_casework(session, site_id, posts=True)
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        result = decide_at(desk, case_id, decision, person)
        session.commit()
        return result


def decide_at(desk: Desk, case_id: str, decision: Decision, person: Person) -> DecisionResult:
    """The same inside a transaction that is under way; the caller commits."""
    result, settled = decide_only(desk, case_id, decision, person)
    judge_again(desk, settled)
    desk.session.flush()
    case = case_rows.find_case(desk.session, desk.site_id, case_id)
    assert case is not None, "it was just decided"
    return result.model_copy(update={"case": case_detail(desk, case, person)})


def decide_only(
    desk: Desk, case_id: str, decision: Decision, person: Person
) -> tuple[DecisionResult, tuple[ExceptionCaseRow, ...]]:
    """Carry out the decision; what came of it, and the cases whose bins are to be judged again.

    Nothing is judged yet: see `judge_again`.
    """
    case = case_rows.find_case(desk.session, desk.site_id, case_id, lock=True)
    if case is None:
        raise RefusalError("not-found", what="case", id=case_id)
    earlier = case_rows.find_decision(desk.session, desk.site_id, decision.decision_id, case_id)
    if earlier is not None:
        _refuse_another(earlier, decision, person)
        repeated = _result(decision, case_id, problem=earlier.problem, message=earlier.message)
        return repeated.model_copy(update={"done": earlier.done, "repeated": True}), ()
    check_decider(Actor(user_id=person.user_id, role=person.role), decision.action)
    top = case.top_proposal
    ask = Ask(desk=desk, case=case, decision=decision, person=person)
    _refuse_what_is_over(ask)
    if decision.version is not None and decision.version != case.version:
        raise RefusalError("version-stale", seen=decision.version, now=case.version)
    answer = VERBS[decision.action](ask)
    _keep(ask, answer, top)
    if not answer.is_settled and case.is_live and not case.subject:
        propose(desk, case)
    result = _result(decision, case_id, problem=answer.problem, message=answer.message)
    return result, (case, *answer.also) if answer.is_settled else ()


def _result(decision: Decision, case_id: str, *, problem: str, message: str) -> DecisionResult:
    return DecisionResult(
        decision_id=decision.decision_id,
        case_id=case_id,
        done=not problem,
        problem=problem or None,
        message=message,
    )


def _refuse_another(earlier: DecisionRow, decision: Decision, person: Person) -> None:
    """An id that is used again for something else must not be answered as if that were done."""
    known = (earlier.user_id, earlier.action, earlier.reason, earlier.note, earlier.proposal)
    if known != (person.user_id, *_content(decision)):
        raise RefusalError(
            "decision-differs",
            id=decision.decision_id,
            known=" ".join(filter(None, (earlier.action, earlier.reason))),
        )


def _content(decision: Decision) -> tuple[str, str, str, str]:
    return (
        decision.action.value,
        decision.reason.value if decision.reason else "",
        decision.note,
        decision.proposal.value if decision.proposal else "",
    )


def _refuse_what_is_over(ask: Ask) -> None:
    """An approval of what is posted says so, and by whom, rather than naming states."""
    if ask.decision.action not in (Action.APPROVE, Action.TRANSFER):
        return
    posted = case_rows.adjustments_of_case(ask.desk.session, ask.desk.site_id, ask.case.case_id)
    for row in posted:
        if not row.reverses:
            raise RefusalError(
                "already-posted",
                at=from_us(row.posted_us).isoformat(timespec="seconds"),
                who=ask.desk.name_of(row.approved_by),
            )


def _keep(ask: Ask, answer: Answer, top: str) -> None:
    decision = ask.decision
    action, reason, note, proposal = _content(decision)
    ask.desk.session.add(
        DecisionRow(
            site_id=ask.desk.site_id,
            decision_id=decision.decision_id,
            case_id=ask.case.case_id,
            at_us=to_us(ask.desk.now),
            user_id=ask.person.user_id,
            action=action,
            reason=reason,
            note=note,
            proposal=proposal,
            top_proposal=top,
            done=not answer.problem,
            problem=answer.problem,
            message=answer.message,
        )
    )


def judge_again(desk: Desk, cases: Sequence[ExceptionCaseRow]) -> None:
    """Let what follows from settled cases follow: their bins are judged again, all at once."""
    if not cases:
        return
    desk.session.flush()
    since: dict[str, datetime] = {}
    for case in cases:
        if case.bin and case.first_order_us:
            first = from_us(case.first_order_us)
            since[case.bin] = min(first, since.get(case.bin, first))
        elif case.bin:
            _settle_tasks_of(desk, case)
    judge_bins(desk, since)
    negative_books(desk, {(case.bin, case.sku) for case in cases if case.bin and case.sku})


def _settle_tasks_of(desk: Desk, case: ExceptionCaseRow) -> None:
    rounds = rounds_by_case(desk.session, desk.site_id, [case.case_id])
    rows = [desk.session.get(CountRow, (desk.site_id, r.count_id)) for r in rounds[case.case_id]]
    settle_tasks(desk, [row for row in rows if row is not None])


def escalate_overdue(database: Database, site_id: str, *, rim: Rim, limit: int = 500) -> int:
    """Give cases that are overdue to their owner's lead; how many. Safe to call at any time."""
    with database.write() as session:
        lock_for_casework(session, site_id)
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        overdue: Iterable[ExceptionCaseRow] = overdue_cases(session, site_id, desk.now, limit=limit)
        moved = 0
        for case in overdue:
            if CaseState(case.state) is CaseState.ESCALATED or not case.lead_id:
                continue
            apply_event(desk, case, CaseEvent.ESCALATE, why="overdue", through="clock")
            case.owner_id = case.lead_id
            moved += 1
        session.commit()
        return moved
