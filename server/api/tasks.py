"""Count tasks as the supervisor plans them. Devices pull theirs through the sync protocol."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from app.contract.review import TaskRow
from app.contract.vocabulary import Code, TaskState
from server.api.auth import ReviewerDep, SupervisorDep
from server.api.deps import ContextDep
from server.services import planning

router = APIRouter(prefix="/api/v1", tags=["tasks"])


class PlanRequest(BaseModel):
    """Bins by name, or `minutes` of labour to fill by rule: negative books, empty bins, cadence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bins: Annotated[tuple[Code, ...], Field(max_length=1000)] = ()
    assigned_to: Code | None = None
    minutes: Annotated[float, Field(gt=0, le=24 * 60)] | None = None


@router.get("/tasks")
def tasks(
    context: ContextDep,
    _person: ReviewerDep,
    state: Annotated[list[TaskState] | None, Query()] = None,
) -> list[TaskRow]:
    """Tasks, newest first."""
    return planning.list_tasks(context.database, context.site_id, [s.value for s in state or ()])


@router.post("/tasks", status_code=201)
def plan(body: PlanRequest, context: ContextDep, person: SupervisorDep) -> list[TaskRow]:
    """Plan counts; bins that have an open task are left as they are. Answers the new tasks."""
    if body.minutes is not None:
        return planning.plan_today(
            context.database, context.site_id, person, minutes=body.minutes, rim=context.rim
        )
    return planning.plan_bins(
        context.database,
        context.site_id,
        body.bins,
        person,
        assigned_to=body.assigned_to or "",
        rim=context.rim,
    )
