"""What each decision about a case does, once its rules allow it. Called by casework, which commits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.contract.problems import RefusalError
from app.contract.review import Action, Decision
from app.contract.vocabulary import CaseKind, CaseState, ReasonCode, quantity_text
from server.domain.cases import (
    Actor,
    CaseEvent,
    check_approval,
    needs_second,
)
from server.domain.people import Person
from server.domain.rounds import SettledAs
from server.services import adjusting, matching, planning
from server.services.adjusting import Approval, certain_parts
from server.services.approval_terms import approval_terms
from server.services.case_keeping import apply_event
from server.services.case_numbers import price, propose
from server.services.desk import Desk
from server.services.held_settling import settle_held
from server.storage import cases as case_rows
from server.storage.columns import from_u
from server.storage.tables_casework import ExceptionCaseRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One decision about one case, while it is being carried out."""

    desk: Desk
    case: ExceptionCaseRow
    decision: Decision
    person: Person

    @property
    def actor(self) -> Actor:
        return Actor(
            user_id=self.person.user_id,
            role=self.person.role,
            limit=self.person.approve_limit,
        )

    @property
    def through(self) -> str:
        return f"decision/{self.decision.decision_id}"

    def move(self, event: CaseEvent, why: str = "") -> None:
        """One transition of the case, by this person."""
        apply_event(
            self.desk,
            self.case,
            event,
            self.actor,
            why=why or self.decision.note or str(self.decision.reason or ""),
            through=self.through,
        )

    def settle(self, how: SettledAs, parts: str = "{}") -> None:
        """The case is ended by a person: facts do not open it again by themselves."""
        settle(self.case, how, parts)


def settle(case: ExceptionCaseRow, how: SettledAs, parts: str = "{}") -> None:
    case.settled_as, case.settled_parts = how.value, parts
    case.ended_by_facts = False
    case.next_action, case.next_words, case.approved_by = "", "", ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of it. `problem`: kept, but something is still wanting."""

    message: str
    problem: str = ""
    is_settled: bool = False
    """Bins have to be judged again."""
    also: tuple[ExceptionCaseRow, ...] = ()


def _recount(ask: Ask) -> Answer:
    case = ask.case
    if not case.bin or ask.desk.bin(case.bin) is None:
        raise RefusalError("parameter-missing", action="A recount", parameter="a known bin")
    task = planning.ask_for_recount(ask.desk, case, ask.person, ask.decision.assign_to)
    ask.move(CaseEvent.REQUEST_RECOUNT, why=f"{ask.desk.name_of(task.assigned_to)} counts")
    case.recount_task_id, case.recount_after, case.approved_by = task.task_id, case.rounds, ""
    return Answer(message=f"{ask.desk.name_of(task.assigned_to)} recounts {case.bin}.")


def _approve(ask: Ask) -> Answer:
    case, desk = ask.case, ask.desk
    _only_lines(ask)
    if not case.rounds:
        raise RefusalError("parameter-missing", action="An approval", parameter="a count")
    if from_u(case.unit_cost_u) != desk.unit_cost(case.sku):
        price(desk, case)  # what is approved is what is posted: by the cost of now
    terms = approval_terms(desk, [case])
    check_approval(ask.actor, terms)
    reason = _reason(ask)
    if needs_second(ask.actor, terms):
        if case.approved_by != ask.person.user_id:
            ask.move(CaseEvent.APPROVE)
            case.approved_by = ask.person.user_id
        refusal = RefusalError("second-approver", limit=terms.second_above, currency=desk.currency)
        return Answer(message=refusal.detail, problem=refusal.code)
    first = case.approved_by or ask.person.user_id
    second = ask.person.user_id if case.approved_by else ""
    if CaseState(case.state) is not CaseState.APPROVED:
        ask.move(CaseEvent.APPROVE)
    approval = Approval(by=first, second_by=second, reason=reason, note=ask.decision.note)
    adjusting.post_variance(desk, case, approval)
    ask.move(CaseEvent.POST)
    ask.settle(SettledAs.POSTED)
    amount = quantity_text(from_u(case.variance_low_u))
    return Answer(message=f"Posted {amount} {case.sku} in {case.bin}.", is_settled=True)


def _only_lines(ask: Ask) -> None:
    if ask.case.subject:
        raise RefusalError(
            "transition-refused",
            record="case",
            state=ask.case.kind.replace("_", " "),
            event=ask.decision.action,
        )


def _reason(ask: Ask) -> ReasonCode:
    """The reason given, or the one that the followed proposal names. Raises reason-missing."""
    if ask.decision.reason is not None:
        return ask.decision.reason
    if ask.decision.proposal is not None:
        for guess in propose(ask.desk, ask.case):
            if guess.kind is ask.decision.proposal and guess.reason is not None:
                return guess.reason
    raise RefusalError("reason-missing")


def _transfer(ask: Ask) -> Answer:
    """Stock short here and over there is moved, zero shrink.

    Two counts that offset each other prove it together. Where nobody has counted the other bin, the
    rules of an approval hold: agreed counts or a lead, and the person's limit.
    """
    _only_lines(ask)
    case, desk = ask.case, ask.desk
    other = _other_case(ask)
    if other is None and ask.decision.other_bin is None:
        raise RefusalError("parameter-missing", action="A transfer", parameter="the other bin")
    cases = [case] if other is None else [case, other]
    _check_transfer(ask, cases)
    total = sum(certain_parts(case).values(), Decimal(0))
    if other is not None and certain_parts(other) != {
        serial: -quantity for serial, quantity in certain_parts(case).items()
    }:
        raise RefusalError(
            "parameter-missing", action="A transfer", parameter="a case that is off by the opposite"
        )
    reason = ask.decision.reason or ReasonCode.TRANSFER_NOT_POSTED
    approval = Approval(by=ask.person.user_id, reason=reason, note=ask.decision.note)
    to_bin = other.bin if other is not None else ask.decision.other_bin or ""
    if desk.bin(to_bin) is None:
        raise RefusalError("unknown-bin", bin=to_bin)
    if to_bin == case.bin:
        raise RefusalError("parameter-missing", action="A transfer", parameter="another bin")
    if other is None and total > 0:
        adjusting.post_arrival(desk, case, to_bin, approval)
    else:
        short, over = (case, other) if total < 0 or other is None else (other, case)
        adjusting.post_transfer(
            desk,
            short,
            over,
            to_bin=over.bin if over is not None else to_bin,
            approval=approval,
            decided=case,
        )
    for each in cases:
        apply_event(desk, each, CaseEvent.TRANSFER, ask.actor, why=str(reason), through=ask.through)
        settle(each, SettledAs.POSTED)
    return Answer(
        message=f"Moved {quantity_text(abs(total))} {case.sku} between {case.bin} and {to_bin}.",
        is_settled=True,
        also=tuple(cases[1:]),
    )


def _check_transfer(ask: Ask, cases: Sequence[ExceptionCaseRow]) -> None:
    """Raises the refusal of the first rule broken. A book below zero that nobody counted proves nothing."""
    counted = sorted(cases, key=lambda c: not c.rounds)
    if not counted[0].rounds:
        raise RefusalError("parameter-missing", action="A transfer", parameter="a count")
    terms = approval_terms(ask.desk, counted)
    if ask.person.user_id in terms.counted_by:
        raise RefusalError("approver-counted")
    if len(counted) > 1 and counted[1].rounds:
        return
    check_approval(ask.actor, terms)
    if terms.second_above is not None and terms.value_absolute > terms.second_above:
        raise RefusalError(
            "parameter-missing",
            action=f"A transfer above {terms.second_above} {terms.currency}",
            parameter="a count of the other bin",
        )


def _other_case(ask: Ask) -> ExceptionCaseRow | None:
    wanted = ask.decision.other_case_id
    if wanted is None:
        found = [
            c
            for c in ask.desk.live_cases(ask.case.sku)
            if c.bin == ask.decision.other_bin and _same_stock(c, ask.case)
        ]
        return found[0] if found else None
    other = case_rows.find_case(ask.desk.session, ask.desk.site_id, wanted, lock=True)
    if other is None:
        raise RefusalError("not-found", what="case", id=wanted)
    if not other.is_live:
        raise RefusalError("transition-refused", record="case", state=other.state, event="transfer")
    if not _same_stock(other, ask.case) or other.bin == ask.case.bin:
        raise RefusalError(
            "parameter-missing", action="A transfer", parameter="a case of the same SKU elsewhere"
        )
    return other


def _same_stock(one: ExceptionCaseRow, other: ExceptionCaseRow) -> bool:
    return (one.sku, one.lot, one.condition) == (other.sku, other.lot, other.condition)


def _explain(ask: Ask) -> Answer:
    _reason(ask)
    ask.move(CaseEvent.EXPLAIN)
    parts = case_rows.parts_of(ask.case.parts)
    if all(part.is_certain for part in parts.values()):
        ask.settle(SettledAs.EXPLAINED, case_rows.amounts_text(parts))
    else:
        # There is no one number to expect: these counts simply prove nothing more.
        ask.settle(SettledAs.DISMISSED)
    return Answer(
        message="Explained. Should the movement that explains it not arrive, the next count tells.",
        is_settled=True,
    )


def _reject(ask: Ask) -> Answer:
    ask.move(CaseEvent.REJECT)
    ask.settle(SettledAs.DISMISSED)
    return Answer(message="Rejected. Nothing was posted.", is_settled=True)


def _escalate(ask: Ask) -> Answer:
    ask.move(CaseEvent.ESCALATE)
    ask.case.owner_id = ask.decision.assign_to or ask.case.lead_id or ask.case.owner_id
    return Answer(message=f"{ask.desk.name_of(ask.case.owner_id)} owns it now.")


def _reassign(ask: Ask) -> Answer:
    wanted = ask.decision.assign_to
    if wanted is None:
        raise RefusalError("parameter-missing", action="Reassigning", parameter="a new owner")
    if wanted not in {p.user_id for p in ask.desk.active}:
        raise RefusalError("unknown-user", user=wanted)
    ask.move(CaseEvent.ASSIGN, why=f"to {ask.desk.name_of(wanted)}")
    ask.case.owner_id = wanted
    return Answer(message=f"{ask.desk.name_of(wanted)} owns it now.")


def _close(ask: Ask) -> Answer:
    case = ask.case
    if not case.subject and CaseState(case.state) is not CaseState.POSTED:
        raise RefusalError("transition-refused", record="case", state=case.state, event="close")
    if ask.decision.sku is not None:
        matching.match_barcode(ask.desk, case, ask.decision.sku)
    ask.move(CaseEvent.CLOSE)
    case.next_action, case.next_words = "", ""
    message = "Closed."
    if case.kind == CaseKind.HELD_EVENT:
        message = settle_held(ask.desk, case.subject, ask.person.user_id)
    return Answer(message=message, is_settled=bool(case.subject))


VERBS: dict[Action, Callable[[Ask], Answer]] = {
    Action.RECOUNT: _recount,
    Action.APPROVE: _approve,
    Action.TRANSFER: _transfer,
    Action.EXPLAIN: _explain,
    Action.REJECT: _reject,
    Action.ESCALATE: _escalate,
    Action.REASSIGN: _reassign,
    Action.CLOSE: _close,
}
