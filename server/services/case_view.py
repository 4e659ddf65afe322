"""Cases as the supervisor's screen reads them: the row of the queue, and everything on one page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from decimal import Decimal

from app.contract.problems import RefusalError
from app.contract.review import (
    Action,
    ActionOffer,
    AdjustmentView,
    CaseDetail,
    CasePage,
    CaseRow,
    Impact,
    Interval,
    OrderAtRisk,
    Proposal,
)
from app.contract.vocabulary import (
    CaseKind,
    CaseState,
    Condition,
    ReasonCode,
    Verdict,
    quantity_text,
)
from server.clock import Rim
from server.domain.cases import (
    DECIDERS,
    EVENT_OF,
    TRANSITIONS,
    Actor,
    ApprovalTerms,
    check_approval,
)
from server.domain.impact import CaseImpact, cents
from server.domain.people import Person
from server.domain.proposals import Guess
from server.domain.ranges import Range
from server.domain.stock import visible_condition
from server.services.approval_terms import approval_terms
from server.services.case_evidence import guesses_of, impact_of
from server.services.case_timeline import history_view, movement_views, round_views, timeline
from server.services.desk import Desk
from server.services.lookahead import LookAhead
from server.services.reversing import check_reversal
from server.storage import case_queue, ledger
from server.storage import cases as case_rows
from server.storage.case_queue import QueueFilter
from server.storage.columns import from_u, from_us
from server.storage.engine import Database
from server.storage.tables_casework import (
    AdjustmentPartRow,
    AdjustmentRow,
    CountTaskRow,
    ExceptionCaseRow,
)

PAGE_MAX = 200


def interval(value: Range, *, money: bool = False) -> Interval:
    """A range on the wire: units as canonical decimals, money to the cent."""
    if money:
        return Interval(low=str(cents(value.low)), high=str(cents(value.high)))
    return Interval(low=quantity_text(value.low), high=quantity_text(value.high))


def queue_page(
    database: Database,
    site_id: str,
    wanted: QueueFilter,
    *,
    cursor: str | None,
    limit: int,
    rim: Rim,
) -> CasePage:
    """One page: the queue, most urgent first, or ended cases, the last first.

    Raises request-invalid for a cursor that is not ours.
    """
    with database.read() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        size = min(max(1, limit), PAGE_MAX)
        rows = case_queue.page_of_cases(
            session, site_id, wanted, after=_seen(cursor), limit=size + 1
        )
        shown = rows[:size]
        desk.load_skus({row.sku for row in shown if row.sku})
        number, value = case_queue.open_totals(session, site_id)
        return CasePage(
            items=tuple(case_row(desk, row) for row in shown),
            next_cursor=_cursor(*case_queue.place_of(shown[-1], wanted))
            if len(rows) > size
            else None,
            total_open=number,
            value_open=str(cents(value)),
            currency=desk.currency,
        )


def _cursor(place: int, case_id: str) -> str:
    return base64.urlsafe_b64encode(f"{place}:{case_id}".encode()).decode()


def _seen(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    try:
        place, _, case_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
        return int(place), case_id
    except (ValueError, binascii.Error) as error:
        raise RefusalError("request-invalid", where="cursor", reason="not one of ours") from error


def case_row(desk: Desk, case: ExceptionCaseRow) -> CaseRow:
    """One line of the queue."""
    return CaseRow(**_row_fields(desk, case))


def _row_fields(desk: Desk, case: ExceptionCaseRow) -> dict[str, object]:
    sku = desk.sku(case.sku) if case.sku else None
    variance = Range(from_u(case.variance_low_u), from_u(case.variance_high_u))
    return {
        "case_id": case.case_id,
        "kind": CaseKind(case.kind),
        "state": CaseState(case.state),
        "bin": case.bin,
        "zone": case.zone,
        "sku": case.sku,
        "description": case.title or (sku.description if sku else ""),
        "lot": case.lot,
        "condition": Condition(case.condition),
        "verdict": Verdict(case.verdict) if case.verdict else None,
        "variance": interval(variance),
        "value": interval(variance.times(from_u(case.unit_cost_u)), money=True),
        "currency": desk.currency,
        "priority": 100 - case.rank,
        "priority_why": case.priority_why,
        "owner_id": case.owner_id,
        "owner_name": desk.name_of(case.owner_id),
        "opened_at": from_us(case.opened_us),
        "due_at": from_us(case.due_us),
        "ended_at": from_us(case.ended_us) if case.ended_us else None,
        "orders_at_risk": case.orders_at_risk,
        "rounds": case.rounds,
        "next_action": Action(case.next_action) if case.next_action else None,
        "next_words": case.next_words,
        "version": case.version,
    }


def find_detail(
    database: Database, site_id: str, case_id: str, person: Person, *, rim: Rim
) -> CaseDetail:
    """One case with all its evidence. Raises not-found."""
    with database.read() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        case = case_rows.find_case(session, site_id, case_id)
        if case is None:
            raise RefusalError("not-found", what="case", id=case_id)
        return case_detail(desk, case, person)


def case_detail(desk: Desk, case: ExceptionCaseRow, person: Person) -> CaseDetail:
    """Everything about a case on one page, and what this person may do with it."""
    desk.ahead = LookAhead(rounds={case.case_id: list(desk.rounds(case.case_id))})
    detail = _detail(desk, case, person)
    desk.ahead = None
    return detail


def _detail(desk: Desk, case: ExceptionCaseRow, person: Person) -> CaseDetail:
    task = desk.session.get(CountTaskRow, (desk.site_id, case.recount_task_id))
    recounter = task.assigned_to if task and case.state == CaseState.RECOUNT_REQUESTED else ""
    rounds = round_views(desk, case)
    movements = movement_views(desk, case)
    history = history_view(desk, case)
    return CaseDetail(
        **_row_fields(desk, case),
        recounter_id=recounter or None,
        recounter_name=desk.name_of(recounter) if recounter else "",
        book_now=quantity_text(_book_now(desk, case)),
        round_views=tuple(rounds),
        movements=tuple(movements),
        timeline=tuple(timeline(case, rounds, movements, history)),
        impact=_impact(impact_of(desk, case)),
        proposals=tuple(_proposal(g) for g in guesses_of(desk, case)),
        actions=tuple(offers(desk, case, person)),
        history=tuple(history),
        adjustment=_adjustment(desk, case, person),
        linked_case_ids=_linked(desk, case),
    )


def _book_now(desk: Desk, case: ExceptionCaseRow) -> Decimal:
    place = desk.bin(case.bin)
    if place is None or not case.sku:
        return Decimal(0)
    book = ledger.book_of_bin(desk.session, desk.site_id, case.bin, desk.now)
    return sum(
        (
            quantity
            for key, quantity in book.items()
            if (key.sku, key.lot) == (case.sku, case.lot)
            and visible_condition(key.state, place.kind) == case.condition
        ),
        Decimal(0),
    )


def _impact(impact: CaseImpact) -> Impact:
    return Impact(
        unit_cost=quantity_text(impact.unit_cost),
        price=quantity_text(impact.price),
        inventory_net=str(_worse(impact.inventory_net)),
        inventory_absolute=str(impact.inventory_absolute),
        margin_at_risk=str(impact.margin_at_risk),
        cash_tied_up=str(impact.cash_tied_up),
        cost_at=impact.cost_at,
        orders=tuple(
            OrderAtRisk(
                number=order.number,
                promised_at=order.promised_at,
                quantity=quantity_text(order.quantity),
                short=quantity_text(order.short),
                value=str(order.value),
            )
            for order in impact.orders
        ),
    )


def _worse(value: Range) -> Decimal:
    return value.low if abs(value.low) >= abs(value.high) else value.high


def _proposal(guess: Guess) -> Proposal:
    return Proposal(
        kind=guess.kind,
        score=round(guess.score, 2),
        title=guess.title,
        evidence=guess.evidence,
        action=guess.action,
        reason=guess.reason,
        other_case_id=guess.other_case_id,
        other_bin=guess.other_bin,
        movement_id=guess.movement_id,
        sku=guess.sku,
    )


def offers(desk: Desk, case: ExceptionCaseRow, person: Person) -> list[ActionOffer]:
    """Every action with whether this person may do it now, and if not, the rule in words."""
    state = CaseState(case.state)
    actor = Actor(user_id=person.user_id, role=person.role, limit=person.approve_limit)
    terms = approval_terms(desk, [case])
    found = []
    for action, event in EVENT_OF.items():
        if (state, event) not in TRANSITIONS or not _fits(action, case):
            continue
        why = _why_not(actor, action, terms)
        if action is Action.APPROVE and not case.rounds:
            why = "Nobody has counted it. Ask for a count."
        found.append(ActionOffer(action=action, enabled=not why, why_not=why))
    return found


def _fits(action: Action, case: ExceptionCaseRow) -> bool:
    """Cases about stock are settled; the others are closed."""
    if action is Action.CLOSE:
        return bool(case.subject) or case.state == CaseState.POSTED
    if action in (Action.APPROVE, Action.TRANSFER, Action.EXPLAIN):
        return not case.subject
    return action is not Action.RECOUNT or bool(case.bin)


def _why_not(actor: Actor, action: Action, terms: ApprovalTerms) -> str:
    if actor.role not in DECIDERS:
        return RefusalError("role-forbidden", role=actor.role, what=f"{action} a case").detail
    try:
        if action is Action.APPROVE:
            check_approval(actor, terms)
        elif action is Action.TRANSFER and actor.user_id in terms.counted_by:
            raise RefusalError("approver-counted")
        elif action is Action.TRANSFER and terms.low != terms.high:
            raise RefusalError("variance-ambiguous", low=terms.low, high=terms.high)
    except RefusalError as refusal:
        return refusal.detail
    if action is Action.APPROVE and terms.approved_by == actor.user_id:
        return "You gave the first approval. Another person gives the second."
    return ""


def _adjustment(desk: Desk, case: ExceptionCaseRow, person: Person) -> AdjustmentView | None:
    rows = case_rows.adjustments_of_case(desk.session, desk.site_id, case.case_id)
    first = next((row for row in rows if not row.reverses), None)
    if first is None:
        return None
    parts = case_rows.parts_of_adjustments(desk.session, desk.site_id, [first.adjustment_id])[
        first.adjustment_id
    ]
    own = [p for p in parts if p.case_id == case.case_id]
    mine = [p for p in own if (p.sku, p.condition) == (case.sku, case.condition)]
    quantity = sum((from_u(p.quantity_u) for p in mine), Decimal(0))
    is_reversed = any(row.reverses == first.adjustment_id for row in rows)
    why_not = _why_not_reversed(desk, first, parts, person)
    return AdjustmentView(
        adjustment_id=first.adjustment_id,
        state="reversed" if is_reversed else "posted",
        quantity=quantity_text(quantity),
        value=str(cents(quantity * from_u(first.unit_cost_u))),
        reason=ReasonCode(first.reason),
        posted_at=from_us(first.posted_us),
        dated_at=from_us(first.dated_us),
        movement_id=mine[0].movement_id if mine else None,
        can_reverse=not is_reversed and not why_not,
        why_not_reverse="It has been taken back." if is_reversed else why_not,
    )


def _why_not_reversed(
    desk: Desk, row: AdjustmentRow, parts: Sequence[AdjustmentPartRow], person: Person
) -> str:
    try:
        check_reversal(desk, row, parts, person)
    except RefusalError as refusal:
        return refusal.detail
    return ""


def _linked(desk: Desk, case: ExceptionCaseRow) -> tuple[str, ...]:
    return tuple(case_rows.linked_cases(desk.session, desk.site_id, case))
