"""What was posted: adjustments, reversals, and the journal of a period."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict

from app.contract.review import Reversal, Reversed
from server.api.auth import ReviewerDep, SupervisorDep
from server.api.deps import ContextDep
from server.services import journal as service
from server.services import reversing
from server.services.journal import Basis

router = APIRouter(prefix="/api/v1", tags=["adjustments"])
PERIOD = timedelta(days=31)
"""How far back a period without a beginning reaches."""


class Period(BaseModel):
    """From `since` (included) to `until` (not), by the count's date or by the posting's."""

    model_config = ConfigDict(frozen=True)

    since: datetime
    until: datetime
    basis: Basis


def _period(
    context: ContextDep,
    since: datetime | None = None,
    until: datetime | None = None,
    basis: Basis = Basis.COUNT,
) -> Period:
    end = until or context.rim.now() + timedelta(microseconds=1)
    return Period(since=since or end - PERIOD, until=end, basis=basis)


PeriodDep = Annotated[Period, Depends(_period)]


@router.get("/adjustments")
def adjustments(context: ContextDep, period: PeriodDep, _person: ReviewerDep) -> dict[str, Any]:
    """Every adjustment dated in the period, with what each movement did to each line."""
    return service.adjustment_list(
        context.database,
        context.site_id,
        period.since,
        period.until,
        rim=context.rim,
        basis=period.basis,
    )


@router.post("/adjustments/{adjustment_id}/reversal", status_code=201)
def reverse(
    adjustment_id: str, body: Reversal, context: ContextDep, person: SupervisorDep
) -> Reversed:
    """Take an adjustment back by a linked counter-entry; its variance opens again for a decision."""
    identity = reversing.reverse_adjustment(
        context.database,
        context.site_id,
        adjustment_id,
        person,
        reason=body.reason,
        note=body.note,
        rim=context.rim,
        identity=body.reversal_id,
    )
    return Reversed(adjustment_id=identity, reverses=adjustment_id)


@router.get("/journal", response_model=None)
def journal(
    context: ContextDep,
    period: PeriodDep,
    _person: ReviewerDep,
    format: Literal["json", "csv"] = "json",
) -> dict[str, Any] | Response:
    """Debit, credit, cost and cost date of every posting; totals are sums of the lines to the cent."""
    found = service.journal(
        context.database,
        context.site_id,
        period.since,
        period.until,
        rim=context.rim,
        basis=period.basis,
    )
    if format == "csv":
        return Response(service.journal_csv(found), media_type="text/csv; charset=utf-8")
    return service.journal_json(found)
