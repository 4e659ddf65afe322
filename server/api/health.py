"""Liveness, readiness: for the machine that restarts us."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import text

from server.api.deps import ContextDep

ROOM_LOW_BYTES = 1_000_000_000
"""Free space below which readiness warns: an import of a million movements takes about half of it."""

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
    ready = {"status": "ready", "site_id": context.site_id}
    free = context.database.free_bytes()
    if free is not None and free < ROOM_LOW_BYTES:
        ready["warning"] = (
            f"The disk of the database has {free // 1_000_000} MB left. Counts are still stored; when it"
            " is full, devices keep theirs and wait. Free some space."
        )
    return ready
