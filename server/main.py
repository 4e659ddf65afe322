"""Composition root of the server: settings in, ASGI application out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

from server.api.adjustments import router as adjustments_router
from server.api.counts import router as counts_router
from server.api.deps import Context
from server.api.exceptions import router as exceptions_router
from server.api.health import router as health_router
from server.api.imports import router as imports_router
from server.api.people import router as people_router
from server.api.problems import install_problem_handlers
from server.api.queries import only_known_queries
from server.api.records import router as records_router
from server.api.reports import router as reports_router
from server.api.rules import router as rules_router
from server.api.sync import router as sync_router
from server.api.tasks import router as tasks_router
from server.clock import Rim
from server.services.snapshots import SnapshotStore
from server.services.watching import watch
from server.settings import Settings, read_settings
from server.storage.engine import Database
from server.storage.opening import open_database

VERSION = "0.1.0"
WATCH_SECONDS = 60.0
"""How late an overdue case may be noticed: the shortest due time is hours."""

log = logging.getLogger("blindcount.watch")


async def _keep_watch(context: Context, stop: asyncio.Event) -> None:
    """Look at what is overdue, now and every minute, until the server stops. A failure is logged."""
    while not stop.is_set():
        try:
            await asyncio.to_thread(watch, context.database, context.site_id, rim=context.rim)
        except Exception:
            log.exception("what is overdue could not be looked at; it is tried again")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), WATCH_SECONDS)


def create_app(
    settings: Settings | None = None, *, database: Database | None = None, rim: Rim | None = None
) -> FastAPI:
    """The application over an opened, migrated database. Tests pass their own, and clock and randomness.

    Without one, the settings' database is opened and migrated first.
    """
    settings = settings or read_settings()
    rim = rim or Rim()
    context = Context(
        settings=settings,
        database=database or open_database(settings, rim.now()),
        rim=rim,
        snapshots=SnapshotStore(settings.snapshot_folder()),
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        stop = asyncio.Event()
        keeping = asyncio.create_task(_keep_watch(context, stop))
        yield
        stop.set()
        await keeping
        context.database.close()

    app = FastAPI(title="Blindcount", version=VERSION, lifespan=lifespan)
    app.state.context = context
    install_problem_handlers(app)
    app.include_router(health_router)
    app.include_router(sync_router)
    for router in (
        people_router,
        exceptions_router,
        tasks_router,
        counts_router,
        adjustments_router,
        reports_router,
        rules_router,
        imports_router,
        records_router,
    ):
        app.include_router(router, dependencies=[Depends(only_known_queries)])
    return app
