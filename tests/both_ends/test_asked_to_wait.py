"""A server that is well and busy asks for time in its very answer; a stranger's answer never ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.sync import transport as transports
from app.sync.outcomes import Failed, Trouble
from app.sync.plan import (
    ASKED_CAP_MS,
    Plan,
    after_delivery,
    after_poke,
    after_success,
    next_delay_ms,
)
from app.sync.transport import HttpTransport, Target
from tests.support.both_ends import Handheld, World
from tests.support.device import FakeClock


@pytest.mark.parametrize(("asked", "least"), [(60_000, 60_000), (10**12, ASKED_CAP_MS), (-5, 0)])
def test_the_next_attempt_is_not_sooner_than_asked(asked: int, least: int):
    plan = after_delivery(Plan(), sent=100, round_trip_ms=10, backoff_ms=asked)

    for chance in (0.0, 0.999):
        assert least <= next_delay_ms(plan, unsent=400, chance=chance) <= least + 2_000
    assert next_delay_ms(after_success(plan), unsent=1, chance=0.5) == 0


def test_a_scan_does_not_end_the_pause_but_a_person_does():
    plan = after_delivery(Plan(), sent=100, round_trip_ms=10, backoff_ms=60_000)

    def poked(*, is_urgent: bool) -> int:
        return after_poke(plan, due_in_ms=60_000, since_attempt_ms=0, is_urgent=is_urgent)

    assert poked(is_urgent=False) == 60_000
    assert poked(is_urgent=True) == 0


def test_a_device_stops_after_the_answer_that_asks_for_time(sqlite_database, tmp_path: Path):
    world = World(sqlite_database)
    device = Handheld.make(world, tmp_path)
    courier = device.engine._courier
    push, pushes = courier._transport.push, []

    async def asks_for_time(target, body):
        outcome = await push(target, body)
        pushes.append(body)
        return replace(outcome, reply=outcome.reply.model_copy(update={"backoff_ms": 90_000}))

    async def story() -> None:
        await device.enrol()
        await device.engine.cycle()
        for _ in range(50):
            device.count("A-01")
        courier._transport.push = asks_for_time
        await device.wait_and_cycle()

    asyncio.run(story())

    assert len(pushes) == 1
    assert device.engine.status.unsent == 50
    assert device.engine.due_in_ms >= 90_000


def test_an_answer_without_end_is_not_read_to_it(monkeypatch):
    monkeypatch.setattr(transports, "REPLY_BYTES_MAX", 1 << 20)
    given = 0

    async def for_ever():
        nonlocal given
        while True:
            given += 1 << 16
            yield bytes(1 << 16)

    inner = httpx.MockTransport(lambda _request: httpx.Response(200, content=for_ever()))
    transport = HttpTransport(FakeClock(), inner=inner)

    outcome = asyncio.run(transport.hello(Target(url="http://127.0.0.1:1")))

    assert isinstance(outcome, Failed)
    assert outcome.trouble is Trouble.PORTAL
    assert given <= (1 << 20) + (1 << 17)
