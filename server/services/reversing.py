"""Taking a posting back: who may, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence

from app.contract.problems import RefusalError
from app.contract.review import Action
from app.contract.vocabulary import ReasonCode
from server.clock import Rim
from server.domain.adjustment import journal_totals
from server.domain.cases import Actor, check_decider
from server.domain.people import Person
from server.services import adjusting
from server.services.adjusting import Approval
from server.services.counting_tasks import people_who_counted
from server.services.desk import Desk
from server.services.journal import lines_of
from server.services.negative_books import negative_books
from server.services.reconciling import judge
from server.storage import cases as case_rows
from server.storage.casework_lock import lock_for_casework
from server.storage.columns import from_us
from server.storage.engine import Database
from server.storage.tables_casework import AdjustmentPartRow, AdjustmentRow


def reverse_adjustment(
    database: Database,
    site_id: str,
    adjustment_id: str,
    person: Person,
    *,
    reason: ReasonCode,
    note: str,
    rim: Rim,
    identity: str | None = None,
) -> str:
    """Take a posting back by a linked counter-entry; the reversal's id.

    The counts still say what they said: the variance opens again as a correction, for somebody to
    decide. It is an approval of as much money. `identity` sent again is answered and not done again.
    Raises not-found, role-forbidden, approver-counted, approver-limit, transition-refused.
    """
    with database.write() as session:
        lock_for_casework(session, site_id, posts=True)
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        row = session.get(AdjustmentRow, (site_id, adjustment_id))
        if row is None:
            raise RefusalError("not-found", what="adjustment", id=adjustment_id)
        case = case_rows.find_case(session, site_id, row.case_id, lock=True)
        if case is None:
            raise RefusalError("not-found", what="case", id=row.case_id)
        known = session.get(AdjustmentRow, (site_id, identity)) if identity else None
        if known is not None and known.reverses == adjustment_id:
            return known.adjustment_id
        parts = case_rows.parts_of_adjustments(session, site_id, [adjustment_id])[adjustment_id]
        check_reversal(desk, row, parts, person)
        approval = Approval(by=person.user_id, reason=reason, note=note)
        made = adjusting.reverse(desk, row, approval, identity or rim.new_id())
        session.flush()
        for place in sorted({part.bin for part in parts}):
            judge(desk, place, since=from_us(case.first_order_us or row.dated_us))
        negative_books(desk, {(part.bin, part.sku) for part in parts})
        session.commit()
        return made


def check_reversal(
    desk: Desk, row: AdjustmentRow, parts: Sequence[AdjustmentPartRow], person: Person
) -> None:
    """A reversal is an approval too: not by who counted, and not of more money than the limit.

    Raises role-forbidden, approver-counted, approver-limit.
    """
    check_decider(Actor(user_id=person.user_id, role=person.role), Action.APPROVE)
    cases = {row.case_id, *(part.case_id for part in parts if part.case_id)}
    if person.user_id in people_who_counted(desk.session, desk.site_id, sorted(cases)):
        raise RefusalError("approver-counted")
    value = journal_totals(lines_of(desk, [row])).absolute
    if value > person.approve_limit:
        raise RefusalError(
            "approver-limit", value=value, currency=desk.currency, limit=person.approve_limit
        )
