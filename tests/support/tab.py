"""A device's page in a browser that is not there: real store, engine and screens, drawn in memory."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from app.counting.service import FloorService
from app.floor_link import FloorLink
from app.i18n.words import load_words
from app.screens.page import AppPage, PageParts
from app.settings import read_settings
from tests.support.both_ends import Handheld
from tests.support.events import an_id
from tests.support.headless import Headless


class Tab:
    """The device's page in a browser."""

    def __init__(self, device: Handheld, *, web: bool = True) -> None:
        self.service = FloorService(
            store=device.store,
            reference=device.reference,
            new_id=an_id,
            now=lambda: datetime.fromtimestamp(device.clock.wall_ms() / 1000, UTC),
        )
        self.service.start()
        link = FloorLink(
            engine=device.engine,
            store=device.store,
            service=self.service,
            say=load_words(),
            settings=read_settings({}),
        )
        device.engine.subscribe(link._show)
        self.page = Headless(web=web)
        self.page.open()
        AppPage(
            self.page.page,
            PageParts(
                service=self.service,
                words=load_words(),
                rim=link,
                steady=time.monotonic,
                used=lambda: None,
                shown=lambda: None,
            ),
        ).show()

    async def press_save(self, answer: str | None = None) -> tuple[str, bytes]:
        """The button on the page of what waits; (name, content) of the file the browser was given."""
        await self.page.press("save_rescue")
        for _ in range(500):
            await asyncio.sleep(0.01)
            asked = self.page.arguments("save_file")
            if asked:
                await self.page.answer("save_file", answer)
                return asked[-1]["file_name"], asked[-1]["src_bytes"]
        raise AssertionError("no file was given to the browser")
