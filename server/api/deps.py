"""What every route may ask for: the database, the settings, the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from server.clock import Rim
from server.settings import Settings
from server.storage.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The process's fixed parts, made once by create_app and handed to routes."""

    settings: Settings
    database: Database
    rim: Rim

    @property
    def site_id(self) -> str:
        return self.settings.site_id


def _context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


ContextDep = Annotated[Context, Depends(_context)]
