"""When the server does not answer: what is kept, what starts again by itself, over real sockets too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from app.contract.ids import uuid7
from app.review import api as review_api
from app.review.answers import OutageError
from app.review.api import ReviewApi
from app.review.service import AWAY_SECONDS, POLL_SECONDS, ReviewService
from app.review.state import Page, Reach
from tests.support.review_cases import NOW
from tests.support.review_desk import PIN, Cable, ReviewDesk


class Clock:
    """Pauses that end at once; what happens during each is told beforehand, and then nothing more."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.during: list[Callable[[], None]] = []

    async def sleep(self, seconds: float) -> None:
        if not self.during:
            await asyncio.Event().wait()
        self.slept.append(seconds)
        self.during.pop(0)()
        await asyncio.sleep(0)


async def signed_in(cable: Cable, clock: Clock) -> ReviewService:
    service = ReviewService(
        "http://server.test",
        new_id=lambda: uuid7(1, bytes(10)),
        now=lambda: NOW,
        transport=cable,
        sleep=clock.sleep,
    )
    assert await service.sign_in("olga", PIN)
    return service


async def run_out(service: ReviewService, clock: Clock) -> None:
    running = asyncio.ensure_future(service.run())
    async with asyncio.timeout(10):
        while clock.during:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
    running.cancel()


def play(script: Coroutine[object, object, None]) -> None:
    asyncio.run(script)


@pytest.mark.parametrize(
    ("page", "name"),
    [(Page.TASKS, "tasks"), (Page.ACCURACY, "accuracy"), (Page.DEVICES, "devices")],
)
def test_a_page_that_could_not_be_fetched_comes_by_itself(page: Page, name: str) -> None:
    async def script() -> None:
        cable, clock = Cable(ReviewDesk(3)), Clock()
        service = await signed_in(cable, clock)
        cable.is_cut = True
        await service.show(page)
        assert service.state.reach is Reach.OFFLINE
        assert getattr(service.state, name) is None

        def back() -> None:
            cable.is_cut = False

        clock.during = [lambda: None, back]
        await run_out(service, clock)

        assert clock.slept == [AWAY_SECONDS, AWAY_SECONDS]
        assert getattr(service.state, name) is not None
        assert service.state.reach is Reach.ONLINE

    play(script())


def test_the_queue_keeps_what_is_looked_at_and_is_fresh_again_when_the_server_is_back() -> None:
    async def script() -> None:
        desk, clock = ReviewDesk(34), Clock()
        cable = Cable(desk)
        service = await signed_in(cable, clock)
        await service.select("case-020")
        before = service.state

        def cut() -> None:
            cable.is_cut = True

        clock.during = [cut]
        await run_out(service, clock)
        away = service.state
        assert (away.reach, away.selected, away.case) == (Reach.OFFLINE, "case-020", before.case)
        assert away.rows == before.rows

        def back() -> None:
            cable.is_cut = False
            del desk.rows["case-003"]

        clock.during = [back]
        await run_out(service, clock)

        assert clock.slept == [POLL_SECONDS, AWAY_SECONDS]
        assert (service.state.reach, service.state.selected) == (Reach.ONLINE, "case-020")
        assert "case-003" not in {row.case_id for row in service.state.rows}

    play(script())


class Impatient:
    """A server that closes a connection on which nothing was said for a while, as every server does.

    It notices only when the next call comes: a call that was on its way at that moment gets no answer.
    """

    def __init__(self, *, patience: float) -> None:
        self._patience = patience
        self.calls = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        last = asyncio.get_running_loop().time()
        while await self._asked(reader):
            now = asyncio.get_running_loop().time()
            if now - last > self._patience:
                break
            last = now
            self.calls += 1
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
            writer.write(b"content-length: 2\r\n\r\n[]")
            await writer.drain()
        writer.close()

    async def _asked(self, reader: asyncio.StreamReader) -> bool:
        try:
            await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        return True


def test_a_call_after_a_pause_is_not_lost_on_a_connection_the_server_closes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ask_twice(patience: float, pause: float) -> int:
        far_end = Impatient(patience=patience)
        server = await asyncio.start_server(far_end.serve, "127.0.0.1", 0)
        api = ReviewApi(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        try:
            await api.people()
            await asyncio.sleep(pause)
            await api.people()
        finally:
            await api.close()
            server.close()
        return far_end.calls

    assert review_api.IDLE_SECONDS < 5, "uvicorn closes after five seconds"
    monkeypatch.setattr(review_api, "IDLE_SECONDS", 0.1)
    assert asyncio.run(ask_twice(patience=0.2, pause=0.4)) == 2
    monkeypatch.setattr(review_api, "IDLE_SECONDS", 5.0)
    with pytest.raises(OutageError):
        asyncio.run(ask_twice(patience=0.2, pause=0.4))


def test_cases_of_one_owner_that_are_late_are_the_servers_filters() -> None:
    async def script() -> None:
        service = await signed_in(Cable(ReviewDesk(12)), Clock())
        await service.narrow(owner="max")
        assert {row.owner_id for row in service.state.rows} == {"max"}

        await service.narrow(owner="max", is_overdue=True)
        assert service.state.rows
        assert all(row.due_at < NOW for row in service.state.rows)
        await service.narrow(is_mine=True, is_overdue=False)
        assert {row.owner_id for row in service.state.rows} == {"olga"}

    play(script())
