"""Pages of one device: each follows, whoever acts, and one whose browser is away does no harm."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from app.contract.rescue import RescueExport
from app.i18n.words import load_words
from app.scanner.wedge import WedgeProfile
from app.screens.floor.desk import Defaults
from app.screens.floor.sight import CameraView
from app.screens.page import AppPage, PageParts
from tests.support.headless import Headless
from tests.support.site import OIL, OIL_EACH, Floor


class Link:
    """No network."""

    defaults = Defaults()

    async def enrol(self, url: str, code: str, device_name: str) -> str:
        return f"no network for {device_name}: {url} {code}"

    async def send_now(self) -> None:
        return None

    def rescue(self) -> RescueExport:
        return RescueExport(text="", events=0)

    profile = WedgeProfile()

    def keep_profile(self, profile: WedgeProfile) -> str:
        self.profile = profile
        return ""


def an_app_page(floor: Floor, link: Link | None = None) -> tuple[Headless, AppPage]:
    """One tab on the device."""
    tab = Headless()
    tab.open()
    made = AppPage(
        tab.page,
        PageParts(
            service=floor.service,
            words=load_words(),
            rim=link or Link(),
            steady=time.monotonic,
            used=lambda: None,
            shown=lambda: None,
        ),
    )
    made.show()
    return tab, made


def on_tabs(tmp_path: Path, act) -> None:
    """Two tabs of one device with an open bin."""

    async def run() -> None:
        floor = Floor(tmp_path)
        floor.open_bin()
        first, page = an_app_page(floor)
        second, _ = an_app_page(floor)
        await second.settle()
        await act(floor, first, second, page)
        assert first.crashes == second.crashes == []

    asyncio.run(run())


def scan(floor: Floor) -> None:
    floor.scan(OIL_EACH)


def test_what_one_tab_does_the_other_shows(tmp_path: Path):
    async def act(floor, first, second, page) -> None:
        # The last tab made is the one that acts: Flet would send everything to it.
        scan(floor)
        await first.settle()
        await second.settle()

        assert first.find("quantity").value == "1"
        assert second.find("quantity").value == "1"

    on_tabs(tmp_path, act)


def test_a_tab_whose_browser_is_away_neither_fails_nor_falls_behind(tmp_path: Path):
    async def act(floor, first, second, page) -> None:
        await first.lose()
        scan(floor)
        scan(floor)
        await second.settle()
        assert second.find("quantity").value == "2"

        await first.come_back()
        assert first.find("quantity").value == "2"
        assert page.desk.model.state is floor.service.state

    on_tabs(tmp_path, act)


def test_a_tab_that_shows_the_review_hears_no_more_of_the_floor(tmp_path: Path):
    async def act(floor, first, second, page) -> None:
        before = page.desk.model.state
        page.open_review()
        await first.settle()
        scan(floor)
        await second.settle()

        assert page.desk.model.state is before
        assert page.field.control not in page.page.overlay
        assert second.find("quantity").value == "1"

    on_tabs(tmp_path, act)


def test_a_closed_camera_stays_on_the_page_until_its_last_answer_has_come(tmp_path: Path):
    async def act(floor, first, second, page) -> None:
        page._here(lambda: page.page.run_task(page.toggle_camera))
        await until(lambda: first.asked("get_available_cameras"))
        closing = asyncio.create_task(page.toggle_camera())
        await first.settle()
        assert page.desk.model.camera.is_leaving
        assert not first.has("camera_close"), "for the person it is closed"

        await first.answer("get_available_cameras", [])
        await closing
        assert not first.has("camera_panel")
        assert page.desk.model.camera == CameraView()

    on_tabs(tmp_path, act)


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_profile_chosen_in_one_tab_is_used_from_the_next_scan_in_every_tab(tmp_path: Path):
    async def run() -> None:
        floor = Floor(tmp_path)
        floor.open_bin()
        link = Link()
        (_, page), (_, other) = an_app_page(floor, link), an_app_page(floor, link)
        page.desk.use_profile(WedgeProfile(start="^"))
        other.field._take(OIL_EACH)
        band = floor.service.state.band
        assert band is not None
        assert band.key == "band.unreadable"
        assert floor.totals() == {}

        other.field._take(f"^{OIL_EACH}")
        assert floor.totals() == {OIL: "1"}

    asyncio.run(run())


def test_a_refused_scan_is_kept_for_the_scanners_page(tmp_path: Path):
    async def run() -> None:
        floor = Floor(tmp_path)
        _, page = an_app_page(floor)
        page.field._take("A\x07B")
        assert page.desk.model.last_scan.refusal == "unprintable"

    asyncio.run(run())
