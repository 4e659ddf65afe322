"""No request is larger than the server said in hello; nonsense there never stops the queue."""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.contract.rescue import RescueFile
from app.contract.wire import Hello, Limits, RescueRequest, SentEvent
from app.sync.limits import PROTOCOL_LIMITS, within_protocol
from app.sync.outcomes import Refused
from app.sync.plan import Need, Plan, after_delivery, after_hello, next_delay_ms
from app.sync.push import send_rescue
from app.sync.transport import Target, encode_measured
from server.services import enrolment
from tests.support.both_ends import Handheld, World
from tests.support.server import SITE

HOUR_MS = 3_600_000


def hello_with(limits: object) -> Hello:
    return Hello.model_validate(
        {"server_epoch": "e", "site_id": "main", "t1_ms": 1, "t2_ms": 2, "limits": limits}
    )


def test_the_smaller_of_both_holds_each_for_itself():
    said = Limits(events=7, body_bytes=10**9, inflated_bytes=5_000, pull_rows=6_000)

    assert within_protocol(said) == Limits(events=7, inflated_bytes=5_000)


@pytest.mark.parametrize("nonsense", [0, -1, "many", None, 2.5, True, [], {}])
def test_a_limit_that_is_none_counts_as_not_said(nonsense):
    hello = hello_with({"events": nonsense, "pull_rows": 50})

    assert within_protocol(hello.limits) == Limits(pull_rows=50)


@pytest.mark.parametrize("nonsense", [0, "none", None, [1]])
def test_limits_that_are_none_at_all_are_the_protocols(nonsense):
    assert within_protocol(hello_with(nonsense).limits) == PROTOCOL_LIMITS


def test_growing_batches_stay_below_it_until_the_next_hello():
    plan = after_hello(Plan(), Limits(events=150))
    for _ in range(5):
        plan = after_delivery(plan, sent=plan.events, round_trip_ms=5)
        assert plan.events <= 150
    assert after_hello(plan, Limits()).events > 100


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_a_device_that_must_stop_asks_again_within_minutes_and_not_often(chance: float):
    delay = next_delay_ms(Plan(need=Need.ENROL, failures=9), unsent=5, chance=chance)

    assert delay <= 400_000
    assert HOUR_MS / delay <= 16


def test_a_revoked_device_keeps_all_and_asks_a_few_times_an_hour(sqlite_database, tmp_path: Path):
    world = World(sqlite_database)
    device = Handheld.make(world, tmp_path)

    async def story() -> int:
        await device.enrol()
        await device.engine.cycle()
        known = device.store.enrolment()
        enrolment.revoke_device(sqlite_database, SITE, known.device_id, rim=world.rim, actor="sue")
        device.count("A-01")
        await device.wait_and_cycle()
        device.network.requests.clear()
        waited = 0
        while waited + device.engine.due_in_ms <= HOUR_MS:
            device.engine.poke()  # a scan does not make it ask sooner
            waited += device.engine.due_in_ms
            await device.wait_and_cycle()
        asked = len(device.network.requests)
        device.engine.poke(is_urgent=True)
        assert device.engine.due_in_ms == 0
        await device.enrol()
        await device.engine.cycle()
        return asked

    asked = asyncio.run(story())

    assert 9 <= asked <= 16
    assert device.engine.status.unsent == 0


def _of_server(device: Handheld, limits: Limits) -> list[bytes]:
    """Every hello says these limits from now on; the pushes that then go out."""
    transport = device.engine._courier._transport
    hello, push, pushes = transport.hello, transport.push, []

    async def says(target):
        outcome = await hello(target)
        return replace(outcome, reply=outcome.reply.model_copy(update={"limits": limits}))

    async def seen(target, body):
        pushes.append(body)
        return await push(target, body)

    transport.hello, transport.push = says, seen
    return pushes


@pytest.mark.parametrize(
    "limits",
    [
        Limits(events=7),
        Limits(body_bytes=1_500),
        Limits(inflated_bytes=20_000),
        Limits(events=0, body_bytes=-1, inflated_bytes=0, pull_rows=0),
        Limits(body_bytes=1, inflated_bytes=1, pull_rows=1),
    ],
)
def test_every_push_is_within_what_the_server_said(sqlite_database, tmp_path: Path, limits: Limits):
    device = Handheld.make(World(sqlite_database), tmp_path)
    pushes, bounds = _of_server(device, limits), within_protocol(limits)

    async def story() -> None:
        await device.enrol()
        for _ in range(40):
            device.count("A-01")
        await device.engine.cycle()

    asyncio.run(story())

    assert device.engine.status.unsent == 0
    assert device.reference.cursor() is not None
    assert len(device.world.stored()) == 120
    assert set(device.network.page_sizes) == {str(bounds.pull_rows)}
    for body in pushes:
        plain = gzip.decompress(body)
        events = len(json.loads(plain)["events"])
        assert events <= bounds.events
        assert events == 1 or len(body) <= bounds.body_bytes
        assert events == 1 or len(plain) <= bounds.inflated_bytes


@pytest.mark.parametrize(
    "limits", [Limits(events=7), Limits(body_bytes=2_500), Limits(inflated_bytes=20_000)]
)
def test_a_rescue_is_sent_in_parts_within_them(sqlite_database, tmp_path: Path, limits: Limits):
    device = Handheld.make(World(sqlite_database), tmp_path)
    transport = device.engine._courier._transport
    rescue, parts = transport.rescue, []

    async def seen(target, request):
        parts.append(request)
        return await rescue(target, request)

    transport.rescue = seen

    assert _rescued(device, limits, counts=20)
    sizes = [(len(r.events), _size(r)) for r in parts]
    assert sum(count for count, _ in sizes) == 60
    for count, (body, inflated) in sizes:
        assert count <= limits.events
        assert count == 1 or (body <= limits.body_bytes and inflated <= limits.inflated_bytes)


def _rescued(device: Handheld, limits: Limits, *, counts: int) -> bool:
    """So many counts of three events go up as a rescue; whether the server has all of it."""

    async def story() -> bool:
        await device.enrol()
        for _ in range(counts):
            device.count("A-01")
        known = device.store.enrolment()
        pending = device.store.pending(500)
        events = tuple(SentEvent(id=e.id, seq=e.seq, raw=e.raw) for e in pending)
        file = RescueFile(install_id="", events=events, is_whole=True, unreadable=0)
        target = Target(url=known.server_url, token=known.device_token)
        transport = device.engine._courier._transport
        return await send_rescue(transport, target, file, limits) is None

    return asyncio.run(story())


def _size(request: RescueRequest) -> tuple[int, int]:
    body, inflated = encode_measured(request)
    return len(body), inflated


def test_a_rescue_that_is_too_much_all_the_same_is_halved(sqlite_database, tmp_path: Path):
    """Something in between, or another server, takes less than was said."""
    device = Handheld.make(World(sqlite_database), tmp_path)
    transport = device.engine._courier._transport
    rescue, sizes = transport.rescue, []

    async def strict(target, request):
        sizes.append(len(request.events))
        if len(request.events) > 8:
            return Refused(status=413, code="body-too-large")
        return await rescue(target, request)

    transport.rescue = strict

    assert _rescued(device, Limits(), counts=10)
    assert sizes == [30, 15, 7, 7, 7, 7, 2]
