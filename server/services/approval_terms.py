"""What an approval is held against, read from the case: when it is offered and when it is given."""

from __future__ import annotations

from collections.abc import Sequence

from server.domain.cases import ApprovalTerms
from server.domain.rounds import Standing
from server.services.counting_tasks import people_who_counted
from server.services.desk import Desk
from server.storage.columns import from_u
from server.storage.tables_casework import ExceptionCaseRow


def approval_terms(desk: Desk, cases: Sequence[ExceptionCaseRow]) -> ApprovalTerms:
    """The terms of approving the first of `cases`; who counted any of them, or what they correct, counted."""
    case = cases[0]
    ids = [c.case_id for c in cases] + [c.corrects for c in cases if c.corrects]
    return ApprovalTerms(
        bin=case.bin,
        low=from_u(case.variance_low_u),
        high=from_u(case.variance_high_u),
        value_absolute=from_u(case.value_u),
        currency=desk.currency,
        standing=Standing(case.standing) if case.standing else None,
        counted_by=people_who_counted(desk.session, desk.site_id, ids),
        second_above=desk.policy.second_above,
        approved_by=case.approved_by or None,
    )
