"""The review's pure core: (state, what happened) -> state. Reads no clock, asks nobody, decides nothing.

Answers may come late and in any order: each says what it is an answer to, and one that nobody waits for
any more changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from app.contract.review import (
    Action,
    CaseDetail,
    DecisionResult,
    SignedIn,
)
from app.contract.vocabulary import CaseState
from app.review.answers import OutageKind, Trouble
from app.review.listing import mark, with_case
from app.review.state import (
    Filters,
    PendingDecision,
    Reach,
    ReviewState,
    Toast,
    ToastKind,
)
from app.review.steps import (
    AllMarked,
    CaseCame,
    CaseChosen,
    DecisionAnswered,
    DecisionMade,
    DecisionRefused,
    DecisionUnanswered,
    FiltersChosen,
    ManyAnswered,
    MarkingChosen,
    MarkTurned,
    PageChosen,
    PagesCame,
    QueueAsked,
    QueueCame,
    Refused,
    Said,
    SignedOut,
    SignInDone,
    SignInTried,
    Step,
    ToastRead,
    Unreached,
)


def reduce(state: ReviewState, step: Step) -> ReviewState:  # noqa: C901, PLR0911, PLR0912
    """The state after a step."""
    match step:
        case SignInTried():
            return replace(state, is_signing_in=True, trouble=None)
        case SignInDone(person):
            return _signed_in(state, person)
        case SignedOut(trouble):
            kept = state.pending if trouble is not None else None
            return ReviewState(trouble=trouble, pending=kept, toasts=state.toasts)
        case Refused(trouble):
            now = _reached(state)
            return replace(now, trouble=trouble, is_signing_in=False, is_queue_loading=False)
        case Unreached(kind):
            return replace(
                state,
                reach=Reach.OFFLINE,
                outage=kind,
                is_signing_in=False,
                is_queue_loading=False,
            )
        case PageChosen(page):
            return replace(state, page=page, trouble=None, enrol_code=None)
        case FiltersChosen(filters):
            return _filtered(state, filters)
        case QueueAsked():
            return replace(state, is_queue_loading=True)
        case QueueCame():
            return _queue(state, step)
        case CaseChosen(case_id):
            return replace(state, selected=case_id, trouble=None)
        case CaseCame(case):
            return _case(state, case)
        case DecisionMade(pending):
            return replace(state, pending=pending, trouble=None, toast=None)
        case DecisionUnanswered(decision_id, kind):
            return _unanswered(state, decision_id, kind)
        case DecisionAnswered(result):
            return _answered(state, result)
        case DecisionRefused(decision_id, trouble):
            if not _is_pending(state, decision_id):
                return state
            return replace(_reached(state), pending=None, trouble=trouble)
        case MarkingChosen() | MarkTurned() | AllMarked() | ManyAnswered():
            return mark(state, step)
        case PagesCame():
            return _pages(state, step)
        case Said(key, params):
            return _say(state, ToastKind.NOTICE, key, params)
        case ToastRead(serial):
            is_shown = state.toast is not None and state.toast.serial == serial
            return replace(state, toast=None) if is_shown else state


def _reached(state: ReviewState) -> ReviewState:
    return replace(state, reach=Reach.ONLINE, outage=None)


def _signed_in(state: ReviewState, person: SignedIn) -> ReviewState:
    """A decision that waits is sent in the name of who made it, or not at all."""
    pending = state.pending
    is_theirs = pending is not None and pending.made_by == person.user_id
    fresh = ReviewState(
        person=person,
        currency=person.currency,
        reach=Reach.ONLINE,
        pending=pending if is_theirs else None,
        toasts=state.toasts,
    )
    if pending is not None and not is_theirs:
        return _say(fresh, ToastKind.NOTICE, "review.toast.dropped", {"bin": pending.bin})
    return fresh


def _filtered(state: ReviewState, filters: Filters) -> ReviewState:
    if filters == state.filters:
        return state
    return replace(
        state,
        filters=filters,
        is_marking=False,
        marked=frozenset(),
        refused={},
        rows=(),
        is_queue_known=False,
        next_cursor=None,
        selected=None,
        detail=None,
        trouble=None,
    )


def _queue(state: ReviewState, came: QueueCame) -> ReviewState:
    if came.filters != state.filters:
        return state
    page = came.page
    rows = page.items
    if came.after is not None:
        if came.after != state.next_cursor:
            return state
        known = {row.case_id for row in state.rows}
        rows = state.rows + tuple(row for row in page.items if row.case_id not in known)
    ids = {row.case_id for row in rows}
    selected = state.selected
    is_kept = selected in ids or state.case is not None
    if not is_kept:
        selected = rows[0].case_id if rows else None
    zones = sorted({*state.zones, *(row.zone for row in rows if row.zone)})
    return replace(
        _reached(state),
        rows=rows,
        is_queue_known=True,
        is_queue_loading=False,
        next_cursor=page.next_cursor,
        total_open=page.total_open,
        value_open=page.value_open,
        currency=page.currency,
        zones=tuple(zones),
        selected=selected,
        marked=state.marked & ids,
    )


def _case(state: ReviewState, case: CaseDetail) -> ReviewState:
    reached = _reached(state)
    rows = with_case(state, case)
    if case.case_id != state.selected:
        return replace(reached, rows=rows)
    if state.case is not None and state.case.version > case.version:
        return reached
    return replace(reached, rows=rows, detail=case)


def _is_pending(state: ReviewState, decision_id: str) -> bool:
    return state.pending is not None and state.pending.decision.decision_id == decision_id


def _unanswered(state: ReviewState, decision_id: str, kind: OutageKind) -> ReviewState:
    if state.pending is None or not _is_pending(state, decision_id):
        return state
    pending = replace(state.pending, tries=state.pending.tries + 1)
    return replace(state, pending=pending, reach=Reach.OFFLINE, outage=kind)


def _answered(state: ReviewState, result: DecisionResult) -> ReviewState:
    pending = state.pending
    if pending is None or not _is_pending(state, result.decision_id):
        return state
    now = replace(_reached(state), pending=None, trouble=None)
    if not result.done:
        trouble = Trouble(code=result.problem or "internal", title="", detail=result.message)
        fresh = _case(now, result.case) if result.case is not None else now
        return replace(fresh, trouble=trouble)
    after = next_case(now, result.case_id)
    rows = with_case(now, result.case) if result.case is not None else now.rows
    gone = len(now.rows) - len(rows)
    if now.selected == result.case_id:
        now = replace(now, selected=after, detail=None)
    now = replace(now, rows=rows, total_open=max(0, now.total_open - gone))
    key, params = decision_words(pending, result)
    return _say(now, ToastKind.DONE, key, params)


def next_case(state: ReviewState, case_id: str) -> str | None:
    """Which case is looked at after this one: the next in the list, else the one before it."""
    ids = [row.case_id for row in state.rows]
    if case_id not in ids:
        return ids[0] if ids else None
    at = ids.index(case_id)
    if at + 1 < len(ids):
        return ids[at + 1]
    return ids[at - 1] if at > 0 else None


def decision_words(pending: PendingDecision, result: DecisionResult) -> tuple[str, dict[str, str]]:
    """What a decision came to, as an i18n key and its parameters."""
    action = pending.decision.action
    params = {"bin": pending.bin, "name": "", "other": pending.decision.other_bin or ""}
    case = result.case
    if action is Action.RECOUNT and case is not None and case.recounter_name:
        return "review.toast.recount_by", {**params, "name": case.recounter_name}
    if action is Action.REASSIGN and case is not None:
        return "review.toast.reassign", {**params, "name": case.owner_name}
    if action is Action.ESCALATE and case is not None:
        return "review.toast.escalate", {**params, "name": case.owner_name}
    if action is Action.APPROVE and case is not None and case.state is CaseState.APPROVED:
        return "review.toast.approved", params
    return f"review.toast.{action.value}", params


def _pages(state: ReviewState, came: PagesCame) -> ReviewState:
    return replace(
        _reached(state),
        tasks=state.tasks if came.tasks is None else came.tasks,
        accuracy=state.accuracy if came.accuracy is None else came.accuracy,
        devices=state.devices if came.devices is None else came.devices,
        people=state.people if came.people is None else came.people,
        enrol_code=state.enrol_code if came.enrol_code is None else came.enrol_code,
    )


def _say(state: ReviewState, kind: ToastKind, key: str, params: Mapping[str, str]) -> ReviewState:
    toast = Toast(kind=kind, key=key, params=dict(params), serial=state.toasts + 1)
    return replace(state, toast=toast, toasts=toast.serial)
