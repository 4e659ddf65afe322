"""The queue of exception cases: pages, one case with its evidence, decisions single and in bulk."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query

from app.contract.review import (
    BulkDecision,
    BulkResult,
    CaseDetail,
    CasePage,
    Decision,
    DecisionResult,
)
from app.contract.vocabulary import CaseKind, CaseState
from server.api.auth import PersonDep, ReviewerDep
from server.api.deps import ContextDep
from server.services import bulk_decisions, case_view, casework
from server.storage.case_queue import QueueFilter

router = APIRouter(prefix="/api/v1", tags=["exceptions"])


@router.get("/exceptions")
def queue(
    *,
    context: ContextDep,
    _person: ReviewerDep,
    state: Annotated[list[CaseState] | None, Query()] = None,
    kind: Annotated[list[CaseKind] | None, Query()] = None,
    zone: str = "",
    bin: str = "",
    sku: str = "",
    owner: str = "",
    find: Annotated[str, Query(max_length=80)] = "",
    value_from: Decimal | None = None,
    overdue: bool = False,
    ended: bool = False,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=case_view.PAGE_MAX)] = 50,
) -> CasePage:
    """Open cases, most urgent first. `ended=true`: the ended ones, the last first; a `state`: any.

    `find` is how a bin's or a SKU's name begins, or a case's id.
    """
    wanted = QueueFilter(
        live=None if state else not ended,
        states=tuple(s.value for s in state or ()),
        kinds=tuple(k.value for k in kind or ()),
        zone=zone,
        bin=bin,
        sku=sku,
        owner=owner,
        find=find.strip(),
        value_from=value_from,
        overdue_at=context.rim.now() if overdue else None,
    )
    return case_view.queue_page(
        context.database, context.site_id, wanted, cursor=cursor, limit=limit, rim=context.rim
    )


@router.post("/exceptions/decisions")
def decide_in_bulk(body: BulkDecision, context: ContextDep, person: PersonDep) -> BulkResult:
    """One decision about many cases; each answers for itself, a refusal stops no other."""
    return bulk_decisions.decide_in_bulk(
        context.database, context.site_id, body, person, rim=context.rim
    )


@router.post("/exceptions/escalate-overdue")
def escalate_overdue(context: ContextDep, _person: ReviewerDep) -> dict[str, int]:
    """Give overdue cases to their owners' leads. Harmless to repeat; a scheduler may call it."""
    moved = casework.escalate_overdue(context.database, context.site_id, rim=context.rim)
    return {"escalated": moved}


@router.get("/exceptions/{case_id}")
def one_case(case_id: str, context: ContextDep, person: ReviewerDep) -> CaseDetail:
    """One case: rounds, movements, timeline, impact, proposals, and what this person may do."""
    return case_view.find_detail(
        context.database, context.site_id, case_id, person, rim=context.rim
    )


@router.post("/exceptions/{case_id}/decisions")
def decide(case_id: str, body: Decision, context: ContextDep, person: PersonDep) -> DecisionResult:
    """Carry out a decision once. A refusal is a problem document that names the rule."""
    return casework.decide(
        context.database, context.site_id, case_id, body, person, rim=context.rim
    )
