"""Commands on exception cases: each checks the rules, moves the case, keeps the decision, once.

A refusal names its rule and changes nothing. The same decision sent again is answered from what was
kept. Whatever a decision settles is judged again in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.contract.problems import RefusalError
from app.contract.review import Action, BulkDecision, BulkResult, Decision, DecisionResult
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
from server.services.reconciling import judge
from server.storage import cases as case_rows
from server.storage.case_queue import overdue_cases
from server.storage.case_rounds import rounds_by_case
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
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        result = decide_at(desk, case_id, decision, person)
        session.commit()
        return result


def decide_in_bulk(
    database: Database, site_id: str, bulk: BulkDecision, person: Person, *, rim: Rim
) -> BulkResult:
    """The same decision about many cases, each by itself: one refusal never stops the others."""
    results = []
    for case_id in dict.fromkeys(bulk.case_ids):
        try:
            result = decide(database, site_id, case_id, bulk.decision, person, rim=rim)
        except RefusalError as refusal:
            result = DecisionResult(
                decision_id=bulk.decision.decision_id,
                case_id=case_id,
                done=False,
                problem=refusal.code,
                message=refusal.detail,
            )
        results.append(result)
    return BulkResult(results=tuple(results))


def decide_at(desk: Desk, case_id: str, decision: Decision, person: Person) -> DecisionResult:
    """The same inside a transaction that is under way; the caller commits."""
    case = case_rows.find_case(desk.session, desk.site_id, case_id, lock=True)
    if case is None:
        raise RefusalError("not-found", what="case", id=case_id)
    earlier = case_rows.find_decision(desk.session, desk.site_id, decision.decision_id, case_id)
    if earlier is not None:
        return DecisionResult(
            decision_id=decision.decision_id,
            case_id=case_id,
            done=earlier.done,
            repeated=True,
            problem=earlier.problem or None,
            message=earlier.message,
            case=case_detail(desk, case, person),
        )
    check_decider(Actor(user_id=person.user_id, role=person.role), decision.action)
    top = case.top_proposal
    ask = Ask(desk=desk, case=case, decision=decision, person=person)
    _refuse_what_is_over(ask)
    if decision.version is not None and decision.version != case.version:
        raise RefusalError("version-stale", seen=decision.version, now=case.version)
    answer = VERBS[decision.action](ask)
    _keep(ask, answer, top)
    if answer.is_settled:
        _judge_again(desk, (case, *answer.also))
    elif case.is_live and not case.subject:
        propose(desk, case)
    desk.session.flush()
    return DecisionResult(
        decision_id=decision.decision_id,
        case_id=case_id,
        done=not answer.problem,
        problem=answer.problem or None,
        message=answer.message,
        case=case_detail(desk, case, person),
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
    ask.desk.session.add(
        DecisionRow(
            site_id=ask.desk.site_id,
            decision_id=decision.decision_id,
            case_id=ask.case.case_id,
            at_us=to_us(ask.desk.now),
            user_id=ask.person.user_id,
            action=decision.action.value,
            reason=decision.reason.value if decision.reason else "",
            note=decision.note,
            proposal=decision.proposal.value if decision.proposal else "",
            top_proposal=top,
            done=not answer.problem,
            problem=answer.problem,
            message=answer.message,
        )
    )


def _judge_again(desk: Desk, cases: Sequence[ExceptionCaseRow]) -> None:
    desk.session.flush()
    for case in cases:
        if case.bin and case.first_order_us:
            judge(desk, case.bin, since=from_us(case.first_order_us))
        elif case.bin:
            _settle_tasks_of(desk, case)


def _settle_tasks_of(desk: Desk, case: ExceptionCaseRow) -> None:
    rounds = rounds_by_case(desk.session, desk.site_id, [case.case_id])
    rows = [desk.session.get(CountRow, (desk.site_id, r.count_id)) for r in rounds[case.case_id]]
    settle_tasks(desk, [row for row in rows if row is not None])


def escalate_overdue(database: Database, site_id: str, *, rim: Rim, limit: int = 500) -> int:
    """Give cases that are overdue to their owner's lead; how many. Safe to call at any time."""
    with database.write() as session:
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
