"""The exception case as a state machine: one table, one function, and who may do what.

Facts (counts, movements) and people (decisions) both speak to a case through events. What is not
in TRANSITIONS is refused by name. Nothing here knows where a case is stored.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from app.contract.problems import RefusalError
from app.contract.review import Action
from app.contract.vocabulary import CaseState, Role
from server.domain.rounds import Standing


class CaseEvent(StrEnum):
    """What can happen to a case. The first group comes from people, the second from facts."""

    ASSIGN = "assign"
    REQUEST_RECOUNT = "request_recount"
    APPROVE = "approve"
    """One person approves. Posting follows when no second person is needed."""
    POST = "post"
    TRANSFER = "transfer"
    EXPLAIN = "explain"
    REJECT = "reject"
    ESCALATE = "escalate"
    CLOSE = "close"

    RECOUNT_ARRIVED = "recount_arrived"
    COUNTS_AGREED = "counts_agreed"
    ROUNDS_EXHAUSTED = "rounds_exhausted"
    RECOUNT_HIT = "recount_hit"
    FACTS_EXPLAINED = "facts_explained"
    """A movement that was posted late accounts for the variance."""
    FACTS_CHANGED = "facts_changed"
    """What had been concluded from the facts does not follow from them any more."""
    SUPERSEDED = "superseded"
    """Another case has the same line: late facts joined the two."""


_S, _E = CaseState, CaseEvent
LIVE = frozenset(
    {
        _S.OPEN,
        _S.ASSIGNED,
        _S.RECOUNT_REQUESTED,
        _S.RECOUNTED,
        _S.UNDER_REVIEW,
        _S.APPROVED,
        _S.ESCALATED,
    }
)
"""States in which somebody still has to do something. One live case per line."""

ENDED_BY_FACTS = frozenset({_S.COUNT_ERROR, _S.EXPLAINED})
"""Ends that facts may undo, when it was facts that brought them about."""


def _table() -> dict[tuple[CaseState, CaseEvent], CaseState]:
    table: dict[tuple[CaseState, CaseEvent], CaseState] = {}
    for state in LIVE:
        table |= {
            (state, _E.ASSIGN): _S.ASSIGNED if state is _S.OPEN else state,
            (state, _E.REQUEST_RECOUNT): _S.RECOUNT_REQUESTED,
            (state, _E.TRANSFER): _S.TRANSFERRED,
            (state, _E.EXPLAIN): _S.EXPLAINED,
            (state, _E.REJECT): _S.REJECTED,
            (state, _E.ESCALATE): _S.ESCALATED,
            (state, _E.CLOSE): _S.CLOSED,
            (state, _E.RECOUNT_ARRIVED): _S.RECOUNTED,
            (state, _E.COUNTS_AGREED): _S.UNDER_REVIEW,
            (state, _E.ROUNDS_EXHAUSTED): _S.UNDER_REVIEW,
            (state, _E.RECOUNT_HIT): _S.COUNT_ERROR,
            (state, _E.FACTS_EXPLAINED): _S.EXPLAINED,
            (state, _E.FACTS_CHANGED): _S.OPEN,
            (state, _E.SUPERSEDED): _S.CANCELLED,
        }
    for state in LIVE - {_S.RECOUNT_REQUESTED}:
        # While a recount is under way an approval would make a person walk for nothing.
        table[(state, _E.APPROVE)] = _S.APPROVED
    for state in ENDED_BY_FACTS:
        table[(state, _E.FACTS_CHANGED)] = _S.OPEN
    del table[(_S.ESCALATED, _E.ESCALATE)]
    table[(_S.APPROVED, _E.POST)] = _S.POSTED
    table[(_S.POSTED, _E.CLOSE)] = _S.CLOSED
    return table


TRANSITIONS = _table()
"""(state, event) -> next state. A pair that is not a key is refused with `transition-refused`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who makes an event happen: a person, or the server when facts speak."""

    user_id: str
    role: Role | None = None
    limit: Decimal | None = Decimal(0)
    """Most money, absolute, this person may approve in one case; None: no limit."""


SYSTEM = Actor(user_id="system", limit=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStanding:
    """A case as far as its states go. `version` rises with each transition."""

    case_id: str
    state: CaseState
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFact:
    """One transition that took place: append-only."""

    case_id: str
    at: datetime
    who: str
    event: CaseEvent
    from_state: CaseState
    to_state: CaseState
    why: str = ""


def transition(
    case: CaseStanding, event: CaseEvent, actor: Actor, *, at: datetime, why: str = ""
) -> tuple[CaseStanding, HistoryFact]:
    """The case after the event, and the entry for its history.

    Raises RefusalError `transition-refused` naming state and event when the table has no such pair.
    """
    target = TRANSITIONS.get((case.state, event))
    if target is None:
        raise RefusalError("transition-refused", record="case", state=case.state, event=event)
    fact = HistoryFact(
        case_id=case.case_id,
        at=at,
        who=actor.user_id,
        event=event,
        from_state=case.state,
        to_state=target,
        why=why,
    )
    return replace(case, state=target, version=case.version + 1), fact


def facts_events(
    state: CaseState, standing: Standing | None, *, used_rounds: int, is_awaited: bool
) -> tuple[CaseEvent, ...]:
    """What the facts have to say to a case in a state, in order; nothing when all is as it was.

    `standing` None: no episode is left. `is_awaited`: a recount was asked for and has not come.
    The events lead from any state that facts may leave to one that depends on the facts alone.
    """
    if state not in LIVE | ENDED_BY_FACTS:
        return ()
    goal = _goal(state, standing, used_rounds=used_rounds, is_awaited=is_awaited)
    if goal is state:
        return ()
    events: list[CaseEvent] = []
    if state not in LIVE:
        events.append(_E.FACTS_CHANGED)
    match goal:
        case CaseState.EXPLAINED:
            events.append(_E.FACTS_EXPLAINED)
        case CaseState.COUNT_ERROR:
            events.append(_E.RECOUNT_HIT)
        case CaseState.UNDER_REVIEW:
            if state is _S.RECOUNT_REQUESTED:
                events.append(_E.RECOUNT_ARRIVED)
            agreed = standing is Standing.AGREED
            events.append(_E.COUNTS_AGREED if agreed else _E.ROUNDS_EXHAUSTED)
        case CaseState.RECOUNTED:
            events.append(_E.RECOUNT_ARRIVED)
        case _:
            if not events:
                events.append(_E.FACTS_CHANGED)
    return tuple(events)


def _goal(
    state: CaseState, standing: Standing | None, *, used_rounds: int, is_awaited: bool
) -> CaseState:
    """The state a case belongs in by its facts; decisions that facts leave standing are kept."""
    if standing is None:
        return _S.EXPLAINED
    if standing is Standing.HIT:
        return _S.COUNT_ERROR
    if is_awaited and state is _S.RECOUNT_REQUESTED:
        return state
    if standing in (Standing.AGREED, Standing.EXHAUSTED):
        # An approval waiting for its second person, or an escalation, stands while the facts do.
        return state if state in (_S.APPROVED, _S.ESCALATED) else _S.UNDER_REVIEW
    if used_rounds > 1:
        return state if state is _S.ESCALATED else _S.RECOUNTED
    return state if state in (_S.OPEN, _S.ASSIGNED, _S.ESCALATED, _S.APPROVED) else _S.OPEN


EVENT_OF: dict[Action, CaseEvent] = {
    Action.RECOUNT: _E.REQUEST_RECOUNT,
    Action.APPROVE: _E.APPROVE,
    Action.TRANSFER: _E.TRANSFER,
    Action.EXPLAIN: _E.EXPLAIN,
    Action.REJECT: _E.REJECT,
    Action.ESCALATE: _E.ESCALATE,
    Action.REASSIGN: _E.ASSIGN,
    Action.CLOSE: _E.CLOSE,
}
"""What a decision means to the machine."""

DECIDERS = frozenset({Role.SUPERVISOR, Role.LEAD})
LEADS = frozenset({Role.LEAD})
"""Who may decide when the counts do not agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalTerms:
    """What an approval is checked against. Money is in the site's currency."""

    bin: str
    low: Decimal
    high: Decimal
    value_absolute: Decimal
    currency: str
    standing: Standing | None
    counted_by: Collection[str]
    second_above: Decimal | None = None
    """Above it two different people approve; None: never."""
    approved_by: str | None = None
    """Who gave the first of two approvals."""


def check_decider(actor: Actor, action: Action) -> None:
    """Raises `role-forbidden` unless the actor's role decides cases."""
    if actor.role not in DECIDERS:
        raise RefusalError("role-forbidden", role=actor.role or "guest", what=f"{action} a case")


def check_approval(actor: Actor, terms: ApprovalTerms) -> None:
    """The rules of approval, strictest first; raises the RefusalError of the first one broken.

    Ambiguity outranks rank: not even a lead may post a number that is not known.
    """
    check_decider(actor, Action.APPROVE)
    if actor.user_id in terms.counted_by:
        raise RefusalError("approver-counted")
    if terms.low != terms.high:
        raise RefusalError("variance-ambiguous", low=terms.low, high=terms.high)
    if terms.standing is not Standing.AGREED and actor.role not in LEADS:
        raise RefusalError("not-agreed")
    if actor.limit is not None and terms.value_absolute > actor.limit:
        raise RefusalError(
            "approver-limit",
            value=terms.value_absolute,
            currency=terms.currency,
            limit=actor.limit,
        )


def needs_second(actor: Actor, terms: ApprovalTerms) -> bool:
    """Whether, after this approval, somebody else still has to approve."""
    if terms.second_above is None or terms.value_absolute <= terms.second_above:
        return False
    return terms.approved_by is None or terms.approved_by == actor.user_id
