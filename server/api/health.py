"""Liveness, readiness: for the machine that restarts us."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import text

from server.api.deps import ContextDep

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(context: ContextDep) -> dict[str, str]:
    """The database answers too."""
    with context.database.read() as session:
        session.connection().execute(text("SELECT 1"))
    return {"status": "ready", "site_id": context.site_id}
