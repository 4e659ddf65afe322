"""The composition root: opens the store, makes service, engine and pages, and starts Flet.

One runtime per process, however often Flet calls `main(page)`: Android may keep the process and draw
anew, a browser may be reloaded; there is still one device, one store and one sync.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import flet as ft

from app.contract.ids import RANDOM_BYTES, uuid7
from app.counting.service import FloorService
from app.floor_link import FloorLink
from app.i18n.words import Words, load_words
from app.memory import spare_what_stays
from app.review_link import REVIEW_ROUTE, ReviewLink
from app.screens.page import AppPage, PageParts, show_trouble
from app.settings import ClientSettings, read_settings
from app.store.clock import SystemClock
from app.store.device_store import OPS_FILE, DeviceStore
from app.store.errors import StoreError
from app.store.reference import Reference
from app.store.rescue import export_of_damaged
from app.sync.engine import SyncEngine
from app.sync.transport import HttpTransport

APP_VERSION = "0.1.0"
IDLE_CHECK_SECONDS = 20.0

_log = logging.getLogger(__name__)


class Runtime:
    """Everything of this device that is not a page."""

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings
        self.words: Words = load_words(settings.language)
        self.clock = SystemClock()
        self.store = DeviceStore.open(settings.data_dir, clock=self.clock)
        self.reference = Reference.open(settings.data_dir)
        self.engine = SyncEngine(
            self.store,
            self.reference,
            HttpTransport(self.clock, allow_http=settings.allow_http),
            clock=self.clock,
            chance=secrets.SystemRandom().random,
            app_version=APP_VERSION,
        )
        self.service = FloorService(
            store=self.store,
            reference=self.reference,
            new_id=self.new_id,
            now=now,
            recorded=self.engine.poke,
            is_salvaged=self.store.salvage is not None,
        )
        self.service.start()
        self.link = FloorLink(
            engine=self.engine,
            store=self.store,
            service=self.service,
            say=self.words,
            settings=settings,
        )
        self._used_at = time.monotonic()
        self._watch: asyncio.Task[None] | None = None

    def run(self) -> None:
        """Send and lock by itself from now on; a second page changes nothing."""
        self.link.start()
        if self._watch is None or self._watch.done():
            self._watch = asyncio.get_running_loop().create_task(self._watch_idle())

    async def _watch_idle(self) -> None:
        while True:
            await asyncio.sleep(IDLE_CHECK_SECONDS)
            self.service.touch(timedelta(seconds=time.monotonic() - self._used_at))

    def shown(self) -> None:
        """The app is on the screen again: a good moment to send."""
        self.engine.poke(is_urgent=True)

    def used(self) -> None:
        """Somebody's hand is on the device."""
        self._used_at = time.monotonic()

    def new_id(self) -> str:
        """A fresh id of this device's clock and randomness."""
        return uuid7(self.clock.wall_ms(), secrets.token_bytes(RANDOM_BYTES))


def now() -> datetime:
    """The device's time."""
    return datetime.now(UTC)


_runtime: list[Runtime] = []


def runtime() -> Runtime:
    """The process's runtime, made at the first call. Raises StoreError when the disk refuses."""
    if not _runtime:
        _runtime.append(Runtime(read_settings()))
        spare_what_stays()
    return _runtime[0]


async def main(page: ft.Page) -> None:
    """One page: a phone's screen, or one tab of a browser. The path /review opens the review."""
    try:
        made = runtime()
    except StoreError as error:
        _log.error("the store cannot be opened: %s", error)
        settings = read_settings()
        say = load_words(settings.language)
        show_trouble(
            page,
            say(error.words),
            rescue=lambda: export_of_damaged(settings.data_dir / OPS_FILE),
            say=say,
            now=now,
        )
        return
    made.run()
    if (page.route or "").startswith(REVIEW_ROUTE):
        show_review(page)
    else:
        show_floor(page)


def show_floor(page: ft.Page) -> None:
    """The counter's pages."""
    made = runtime()
    parts = PageParts(
        service=made.service,
        words=made.words,
        rim=made.link,
        steady=time.monotonic,
        used=made.used,
        shown=made.shown,
        open_review=show_review,
    )
    AppPage(page, parts).show()


def show_review(page: ft.Page, user_id: str = "", pin: str = "") -> None:
    """The supervisor's pages, on the server this device belongs to."""
    made = runtime()
    link = ReviewLink(
        page,
        store=made.store,
        settings=made.settings,
        say=made.words,
        new_id=made.new_id,
        now=now,
        to_floor=show_floor,
        floor=made.service,
        user_id=user_id,
    )
    link.show()
    if pin:
        page.run_task(link.service.sign_in, user_id, pin)


def run() -> None:
    """Start the client; returns when it ends."""
    settings = read_settings()
    ft.run(
        main,
        port=settings.port,
        assets_dir=str(Path(__file__).resolve().parent / "assets"),
        no_cdn=True,
    )
