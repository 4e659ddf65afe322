"""A case's price, priority, due time and proposed next step, kept where the queue reads them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from app.contract.review import Action, ProposalKind
from app.contract.vocabulary import CaseKind, CaseState, quantity_text
from server.domain.impact import due_after, priority
from server.domain.proposals import Guess, proposals
from server.domain.rounds import Standing
from server.services.case_evidence import impact_of, puzzle_of
from server.services.desk import Desk
from server.storage.columns import from_u, to_u, to_us
from server.storage.tables_casework import CountTaskRow, ExceptionCaseRow


def price(desk: Desk, case: ExceptionCaseRow) -> None:
    """Work out money, priority, due time and the next step of a live line case, and store them."""
    impact = impact_of(desk, case)
    first = min((o.promised_at for o in impact.orders if o.promised_at), default=None)
    score, why = priority(
        CaseKind(case.kind),
        value=impact.inventory_absolute,
        currency=desk.currency,
        standing=Standing(case.standing) if case.standing else None,
        orders=len(impact.orders),
        first_promise=None if first is None else first - desk.now,
    )
    case.unit_cost_u = to_u(impact.unit_cost)
    case.value_u = to_u(impact.inventory_absolute)
    case.orders_at_risk = len(impact.orders)
    set_priority(case, score, why)
    propose(desk, case)


def price_again(desk: Desk, skus: Iterable[str]) -> None:
    """Orders, stock elsewhere or documents of the SKUs changed: what their open cases put at risk.

    Their variances are what they were. Cases that nobody has counted are left to the ledger.
    """
    for sku in sorted(set(skus)):
        for case in desk.live_cases(sku):
            if case.rounds:
                price(desk, case)


def set_priority(case: ExceptionCaseRow, score: int, why: str) -> None:
    """Store a priority; the due time runs from the opening and only ever comes nearer."""
    case.rank, case.priority_why = 100 - score, why
    due_us = case.opened_us + due_after(score) // timedelta(microseconds=1)
    case.due_us = due_us if case.due_us == case.opened_us else min(case.due_us, due_us)


def propose(desk: Desk, case: ExceptionCaseRow) -> tuple[Guess, ...]:
    """The case's proposals, best first; the first one is stored with the step that follows from it."""
    puzzle = puzzle_of(desk, case)
    guesses = proposals(puzzle) if puzzle else ()
    case.top_proposal = guesses[0].kind.value if guesses else ""
    action, words = next_step(desk, case, guesses)
    case.next_action, case.next_words = action.value if action else "", words
    return guesses


def next_step(
    desk: Desk, case: ExceptionCaseRow, guesses: tuple[Guess, ...]
) -> tuple[Action | None, str]:
    """The one step proposed, and in words what happens next.

    A proposal is taken as the step only where the state of proof allows it: an approval waits until
    two people agree, however well it is explained.
    """
    state, amount = CaseState(case.state), _signed(case)
    if state is CaseState.RECOUNT_REQUESTED:
        task = desk.session.get(CountTaskRow, (desk.site_id, case.recount_task_id))
        who = desk.name_of(task.assigned_to) if task and task.assigned_to else "Somebody else"
        return None, f"{who} recounts {case.bin}"
    if state is CaseState.APPROVED:
        return Action.APPROVE, f"A second person approves {amount}"
    if case.variance_low_u != case.variance_high_u:
        return Action.RECOUNT, f"Recount {case.bin}: stock moved during the count"
    top = guesses[0] if guesses else None
    if top and top.action is Action.TRANSFER:
        return top.action, f"Book the transfer: {top.title}"
    if top and top.action is Action.EXPLAIN:
        return top.action, f"Explain it: {top.title}"
    return _by_proof(case, amount, f": {top.title}" if top else "")


def _by_proof(case: ExceptionCaseRow, amount: str, because: str) -> tuple[Action, str]:
    match case.standing:
        case Standing.EXHAUSTED:
            return Action.APPROVE, f"A lead decides on {amount}: the counts do not agree"
        case Standing.AGREED:
            return Action.APPROVE, f"Approve {amount}{because}"
        case _:
            return Action.RECOUNT, f"Recount {case.bin}{because}"


def _signed(case: ExceptionCaseRow) -> str:
    quantity = from_u(case.variance_low_u)
    sign = "+" if quantity > 0 else "−" if quantity < 0 else ""
    return f"{sign}{quantity_text(abs(quantity))} {case.sku}"


def reconsider_siblings(desk: Desk, bin_code: str, skus: Iterable[str]) -> None:
    """Proposals of the same SKUs' cases in other bins: they may have found or lost their other half."""
    for sku in sorted(set(skus)):
        cases = desk.live_cases(sku)
        halves = {-case.variance_low_u for case in cases if case.bin == bin_code}
        for other in cases:
            if other.bin == bin_code or not other.standing:
                continue
            had_one = other.top_proposal == ProposalKind.OFFSETTING_TRANSFER
            if had_one or other.variance_low_u in halves:
                propose(desk, other)


def is_overdue(case: ExceptionCaseRow, desk: Desk) -> bool:
    """Whether the case should have been done by now."""
    return case.is_live and case.due_us < to_us(desk.now)
