"""A held entry as people see it: the counter's badge, the supervisor's case with what settles it, its end."""

from __future__ import annotations

import asyncio

import flet as ft
import httpx
import pytest

from app.contract.vocabulary import CaseKind, Role
from app.i18n.words import load_words
from app.review.service import ReviewService
from app.screens.review.desk import ReviewDesk
from app.screens.review.root import ReviewRoot
from app.sync.plan import HELLO_AFTER_MS
from server.services import access
from server.services.access import NewPerson
from tests.support.both_ends import URL, Handheld, World
from tests.support.events import an_id
from tests.support.headless import Headless
from tests.support.tab import Tab

PIN = "481516"


class Rim:
    """The review page has no floor beside it here."""

    user_id = ""

    def leave(self) -> None: ...
    def may_count(self, _user_id: str) -> bool:
        return False

    def count(self, _user_id: str) -> None: ...


@pytest.fixture
def world(sqlite_database):
    made = World(sqlite_database)
    sue = NewPerson(user_id="sue", name="Sue", role=Role.SUPERVISOR, pin=PIN)
    access.add_people(sqlite_database, "main", [sue], rim=made.rim)
    return made


class Review:
    """The supervisor's page on the real server."""

    def __init__(self, world: World) -> None:
        self.service = ReviewService(
            URL,
            new_id=an_id,
            now=world.time.now,
            transport=httpx.ASGITransport(app=world.app),
            sleep=self._never,
        )
        self.desk = ReviewDesk(service=self.service, say=load_words(), rim=Rim())
        self.desk.model.width = 1280
        self.page = Headless()

    @staticmethod
    async def _never(_seconds: float) -> None:
        await asyncio.Event().wait()

    async def start(self) -> Review:
        await self.page.draw(lambda: ReviewRoot(self.desk, self.desk.model))
        await self.service.sign_in("sue", PIN)
        return self

    async def until(self, check, what: str) -> None:
        for _ in range(500):
            await self.page.settle()
            if check():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"waited for {what}; there is {self.page.texts()}")

    async def close_case(self, case_id: str) -> None:
        await self.service.select(case_id)
        await self.until(lambda: self.page.has("face-next"), "the case")
        if not self.page.has("act-close"):
            await self.page.press("act-more")
        await self.page.press("act-close")
        await self.page.type("note", "looked into")
        await self.page.press("form-do")
        await self.until(lambda: case_id not in {r.case_id for r in held_cases(self)}, "its end")
        assert self.page.crashes == []


def held_cases(review: Review) -> list:
    return [row for row in review.service.state.rows if row.kind is CaseKind.HELD_EVENT]


def badge(tab: Tab) -> tuple[str, bool]:
    """Colour of the pill, and whether the page of what waits speaks of a supervisor."""
    pill = tab.page.find("pill")
    assert isinstance(pill, ft.FilledButton)
    assert pill.style is not None
    return str(pill.style.bgcolor), "A supervisor looks at" in tab.page.texts()


async def next_hello(world: World, device: Handheld, tab: Tab) -> None:
    world.pass_ms(HELLO_AFTER_MS + 1, device.clock)
    await device.engine.cycle()
    await tab.page.settle()


@pytest.mark.parametrize("is_added", [False, True])
def test_the_counters_badge_goes_when_the_supervisor_has_closed_the_cases(
    world, tmp_path, is_added
):
    device = Handheld.make(world, tmp_path / "device")

    async def story() -> None:
        await device.enrol()
        await device.engine.cycle()
        tab = Tab(device)
        tab.service.sign_in("ana", PIN)
        await tab.page.settle()
        await tab.page.press("pill")
        quiet = badge(tab)

        device.count("A-01", "7", user="eve")
        await device.wait_and_cycle()
        await tab.page.settle()
        shown = badge(tab)
        assert shown[0] != quiet[0]
        assert (quiet[1], shown[1]) == (False, True)
        await tab.page.press("back")
        await tab.page.press("tab-done")
        assert any("supervisor looks" in text for text in tab.page.texts())

        review = await Review(world).start()
        await review.until(lambda: len(held_cases(review)) == 3, "three cases")
        texts = review.page.texts()
        assert any("handheld 1 cannot be used: unknown-user" in text for text in texts), texts
        assert any("Add the person, in a role that counts" in text for text in texts), texts
        if is_added:
            eve = NewPerson(user_id="eve", name="Eve", role=Role.COUNTER)
            access.add_people(world.database, "main", [eve], rim=world.rim)
        for row in held_cases(review):
            await review.close_case(row.case_id)
        await next_hello(world, device, tab)

        assert device.engine.status.held == 0
        assert not any("supervisor looks" in text for text in tab.page.texts())
        await tab.page.press("pill")
        assert badge(tab) == quiet
        signed_in, *eves = device.recorded()
        assert world.stored() == [signed_in, *(eves if is_added else ())]
        assert tab.page.crashes == []

    asyncio.run(story())
