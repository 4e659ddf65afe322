"""What every route may ask for: the database, the settings, the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from server.api.limits import Throttle
from server.clock import Rim
from server.services.snapshots import SnapshotStore
from server.settings import Settings
from server.storage.engine import Database

KNOCKS_A_MINUTE = 10
"""Tries to enrol or sign in from one address (ASVS 2.4.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The process's fixed parts, made once by create_app and handed to routes."""

    settings: Settings
    database: Database
    rim: Rim
    knocks: Throttle = field(default_factory=lambda: Throttle(KNOCKS_A_MINUTE))
    """Enrolments and sign-ins tried, by caller."""
    snapshots: SnapshotStore
    """Prebuilt reference files. Losing them costs a rebuild."""

    @property
    def site_id(self) -> str:
        return self.settings.site_id


def _context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


ContextDep = Annotated[Context, Depends(_context)]
