"""The composition root: opens the store, makes service, engine and pages, and starts Flet.

One runtime per process, however often Flet calls `main(page)`: Android may keep the process and draw
anew, a browser may be reloaded; there is still one device, one store and one sync.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

import flet as ft

from app.contract.ids import RANDOM_BYTES, uuid7
from app.counting.service import FloorService
from app.floor_link import FloorLink
from app.i18n.words import Words, load_words
from app.screens.page import AppPage, PageParts
from app.settings import ClientSettings, read_settings
from app.store.clock import SystemClock
from app.store.device_store import DeviceStore
from app.store.reference import Reference
from app.sync.engine import SyncEngine
from app.sync.transport import HttpTransport

APP_VERSION = "0.1.0"


class Runtime:
    """Everything of this device that is not a page."""

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings
        self.words: Words = load_words(settings.language)
        self.clock = SystemClock()
        settings.data_dir.mkdir(parents=True, exist_ok=True)
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
    """The process's runtime, made at the first call."""
    if not _runtime:
        _runtime.append(Runtime(read_settings()))
    return _runtime[0]


async def main(page: ft.Page) -> None:
    """One page: a phone's screen, or one tab of a browser."""
    made = runtime()
    made.link.start()
    parts = PageParts(
        service=made.service,
        words=made.words,
        rim=made.link,
        steady=time.monotonic,
        used=made.used,
        shown=made.service.refresh,
    )
    AppPage(page, parts).show()


def run() -> None:
    """Start the client; returns when it ends."""
    settings = read_settings()
    ft.run(
        main,
        name="",
        view=ft.AppView.FLET_APP,
        port=settings.port,
        assets_dir=str(Path(__file__).resolve().parent / "assets"),
        no_cdn=True,
    )
