"""One count as it was made and as it was judged. For reviewers only: it shows the book."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from server.api.auth import ReviewerDep
from server.api.deps import ContextDep
from server.services import count_view

router = APIRouter(prefix="/api/v1", tags=["counts"])


@router.get("/counts/{count_id}")
def one_count(count_id: str, context: ContextDep, _person: ReviewerDep) -> dict[str, Any]:
    """Who counted what, when, as entered; beside it the book of that moment and the verdicts."""
    return count_view.one_count(context.database, context.site_id, count_id, rim=context.rim)
