"""Orders that cannot be met any more because a posting said how little there is.

While a shortage is only a variance, the variance's own case carries the orders it endangers. Once it
is posted that case ends, but somebody still has to tell the customer or bring the goods: that is a
case of its own, one for each order and SKU. It ends by itself when stock arrives, or when the order
is met, changed or cancelled. An order that was oversold before anybody counted is no finding of a
count and opens none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal

from sqlalchemy import bindparam
from sqlmodel import col, or_, select

from app.contract.vocabulary import CaseKind, CaseState, PhysicalState, quantity_text
from server.domain.cases import SYSTEM, CaseEvent
from server.domain.impact import BrokenPromise, broken_promises, by_order, newly_broken, priority
from server.domain.ranges import ZERO
from server.domain.stock import OUTSIDE, Movement
from server.services.case_evidence import promised_lines
from server.services.case_keeping import apply_event
from server.services.case_numbers import set_priority
from server.services.desk import Desk
from server.services.odd_facts import OddFact, new_case
from server.storage import cases as case_rows
from server.storage import casework_stock
from server.storage.among import among
from server.storage.tables_casework import ExceptionCaseRow

SELLABLE = frozenset({PhysicalState.AVAILABLE, PhysicalState.RESERVED})
_CHUNK = 400


def after_posting(desk: Desk, case: ExceptionCaseRow, movements: Sequence[Movement]) -> None:
    """Movements of a case were just posted: open what they broke, end what they mended."""
    follow(desk, {case.sku})
    taken = -sum((_sellable(movement) for movement in movements), ZERO)
    lines = promised_lines(desk, case.sku) if taken > 0 else []
    if not lines:
        return
    left = casework_stock.on_hand_of_sku(desk.session, desk.site_id, case.sku)
    before, now = (by_order(broken_promises(stock, lines)) for stock in (left + taken, left))
    for broken in newly_broken(before, now):
        _open(desk, case, broken)


def _sellable(movement: Movement) -> Decimal:
    """What a movement adds to the sellable stock of the whole site."""
    came = movement.to_bin not in OUTSIDE and movement.to_state in SELLABLE
    left = movement.from_bin not in OUTSIDE and movement.from_state in SELLABLE
    return movement.quantity * (int(came) - int(left))


def _open(desk: Desk, cause: ExceptionCaseRow, broken: BrokenPromise) -> None:
    subject = f"order/{broken.number}/{cause.sku}"
    known = [
        case
        for case in case_rows.cases_of_subject(desk.session, desk.site_id, subject)
        if case.is_live
    ]
    fact = OddFact(
        kind=CaseKind.ORDER_AT_RISK,
        subject=subject,
        title="",
        next_words="",
        zone=cause.zone,
        sku=cause.sku,
    )
    case = known[0] if known else new_case(desk, fact, subject)
    _say(desk, case, broken, because=cause.case_id)


def _say(desk: Desk, case: ExceptionCaseRow, broken: BrokenPromise, *, because: str) -> None:
    """What the order lacks, on the face of its case."""
    short, wanted = quantity_text(broken.short), quantity_text(broken.quantity)
    promised = broken.promised_at
    by = f" by {promised:%Y-%m-%d %H:%M} UTC" if promised else ""
    case.title = f"Order {broken.number} lacks {short} of {wanted} × {case.sku}"
    case.next_words = f"Bring {short} × {case.sku}{by}, or tell the customer of {broken.number}"
    case.evidence = json.dumps(
        {
            "order": broken.number,
            "quantity": wanted,
            "short": short,
            "value": str(broken.value),
            "promised_at": promised.isoformat() if promised else "",
            "case_id": because,
        },
        sort_keys=True,
    )
    case.orders_at_risk = 1
    score, why = priority(
        CaseKind.ORDER_AT_RISK,
        value=ZERO,
        currency=desk.currency,
        standing=None,
        orders=1,
        first_promise=promised - desk.now if promised else None,
    )
    set_priority(case, score, f"{why.partition(';')[0]}; {broken.value} {desk.currency} of sales")
    desk.session.add(case)


def follow(desk: Desk, skus: Iterable[str]) -> None:
    """Stock or orders of the SKUs have changed: their cases end, open again, or say the new figure.

    Costs one query where no order is at risk. The caller commits.
    """
    desk.session.flush()
    for sku, cases in sorted(_cases_of(desk, sorted(set(skus))).items()):
        lines = promised_lines(desk, sku)
        left = casework_stock.on_hand_of_sku(desk.session, desk.site_id, sku)
        broken = by_order(broken_promises(left, lines))
        for case in cases:
            told = json.loads(case.evidence)
            _follow(desk, case, broken.get(told["order"]), because=told["case_id"])


def _cases_of(desk: Desk, skus: Sequence[str]) -> dict[str, list[ExceptionCaseRow]]:
    found: dict[str, list[ExceptionCaseRow]] = {}
    for start in range(0, len(skus), _CHUNK):
        values = {"site_id": desk.site_id, "skus": skus[start : start + _CHUNK]}
        for case in desk.session.exec(_AT_RISK, params=values):
            found.setdefault(case.sku, []).append(case)
    return found


_AT_RISK = select(ExceptionCaseRow).where(
    col(ExceptionCaseRow.site_id) == bindparam("site_id"),
    among(col(ExceptionCaseRow.sku), "skus"),
    col(ExceptionCaseRow.kind) == CaseKind.ORDER_AT_RISK.value,
    or_(col(ExceptionCaseRow.is_live), col(ExceptionCaseRow.ended_by_facts)),
)


def _follow(
    desk: Desk, case: ExceptionCaseRow, broken: BrokenPromise | None, *, because: str
) -> None:
    if broken is None:
        if case.is_live:
            why = "the order can be met, or does not wait any more"
            apply_event(desk, case, CaseEvent.FACTS_EXPLAINED, SYSTEM, why=why, through="facts")
            case.ended_by_facts = True
            case.next_action, case.next_words, case.orders_at_risk = "", "", 0
        return
    if not case.is_live:
        if CaseState(case.state) is not CaseState.EXPLAINED:
            return
        why = "the order cannot be met again"
        apply_event(desk, case, CaseEvent.FACTS_CHANGED, SYSTEM, why=why, through="facts")
        case.ended_by_facts = False
        case.next_action = "close"
    _say(desk, case, broken, because=because)
