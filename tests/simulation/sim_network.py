"""What lies between a device and the server: loses, doubles, delays, cuts and lies, by the dice."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

import httpx

from app.contract.problems import CATALOGUE
from app.contract.wire import (
    BODY_BYTES_MAX,
    EVENTS_MAX,
    INFLATED_BYTES_MAX,
)
from app.sync.transport import READ_SECONDS
from tests.simulation.sim_server import Answer, ServerCrashError
from tests.simulation.weather import LATER_FAULTS, REFUSALS, REQUEST_FAULTS, STATUSES

if TYPE_CHECKING:
    from tests.simulation.sim_device import Process, SimDevice

OPAQUE_MAX = 2 * BODY_BYTES_MAX
_PAGE = b"<html><body>Please accept the terms of the guest network</body></html>"


class SimNetwork(httpx.AsyncBaseTransport):
    """The device's radio."""

    def __init__(self, device: SimDevice) -> None:
        self.device = device
        self.process: Process | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        process = self.process
        assert process is not None, "set when the process is made"
        await process.gate()
        body = await request.aread()
        _check_limits(request.url.path, body)
        try:
            response = await self._carry(request, body)
        finally:
            await process.gate()
        return response

    def _draw(self) -> str | None:
        world, rng = self.device.world, self.device.rng
        if world.calm:
            return None
        for kind in (*REQUEST_FAULTS, *LATER_FAULTS):
            rate = world.weather.request.get(kind, 0.0)
            if rate and rng.random() < rate:
                return kind
        return None

    async def _carry(self, request: httpx.Request, body: bytes) -> httpx.Response:
        device, world, rng = self.device, self.device.world, self.device.rng
        fault = self._draw()
        boot = device.clock.boot_id()
        up, down = (rng.choice((0.01, 0.05, 0.2)) for _ in range(2))
        if fault == "slow":
            up, down = rng.choice((0.0, 1.0, 5.0)), rng.choice((0.0, 1.0, 9.0))
        world.note(device.name, "asks", request.method, request.url.path, len(body), fault, boot)
        if device.away_until_ms > world.now_ms or fault == "away":
            await asyncio.sleep(rng.choice((0.0, 5.0)))
            raise httpx.ConnectError("no route", request=request)
        liar = self._liar(fault)
        if liar is not None:
            await asyncio.sleep(up + down)
            return liar
        if fault in ("lost", "only_later"):
            if fault == "only_later":
                self._later(request, body)
            await asyncio.sleep(READ_SECONDS)
            raise httpx.ReadTimeout("timed out", request=request)
        await asyncio.sleep(up)
        if fault in ("request_cut", "reset_in_body"):
            body = body[: rng.randrange(len(body) + 1)]
        if fault == "gzip_damaged" and body:
            at = rng.randrange(len(body))
            body = body[:at] + bytes([body[at] ^ (1 << rng.randrange(8))]) + body[at + 1 :]
        if fault == "later_again":
            self._later(request, body)
        answer = await self._arrive(request, body)
        if fault == "twice":
            answer = await self._arrive(request, body)
        await asyncio.sleep(down)
        if fault == "reset_in_body":
            raise httpx.WriteError("connection reset", request=request)
        if fault == "no_reply":
            await asyncio.sleep(rng.choice((0.0, READ_SECONDS)))
            raise httpx.ReadError("connection reset", request=request)
        return self._reply(request, answer, cut=fault == "reply_cut")

    async def _arrive(self, request: httpx.Request, body: bytes) -> Answer:
        """The server has the request. Raises httpx errors when it is down or dies of it."""
        world = self.device.world
        if world.server.is_down:
            raise httpx.ConnectError("connection refused", request=request)
        again = httpx.Request(request.method, request.url, headers=_headers(request), content=body)
        try:
            answer = await world.server.handle(again)
        except ServerCrashError:
            world.note("server", "crashes")
            world.checks.after_server_start()
            raise httpx.ReadError("connection reset", request=request) from None
        world.note("server", answer.status, _digest(answer))
        world.checks.after_answer(request, body, answer)
        if request.url.path.endswith("/pull") and answer.status == 200:
            self._note_page(answer)
        return answer

    def _note_page(self, answer: Answer) -> None:
        """Whether this page completes what the device asked for, and what it must then have."""
        page = json.loads(plain_body(answer))
        if not page["has_more"]:
            self.device.loaded = True
            counts = {kind: n for kind, n in page["checkpoint"]["counts"].items() if n}
            self.device.world.checks.whole[page["cursor"]] = counts

    def _later(self, request: httpx.Request, body: bytes) -> None:
        world, rng = self.device.world, self.device.rng
        delay = rng.choice((1.0, 10.0, 45.0))
        world.background(self._arrive_late(request, body, delay))

    async def _arrive_late(self, request: httpx.Request, body: bytes, delay: float) -> None:
        await asyncio.sleep(delay)
        try:
            await self._arrive(request, body)
        except httpx.HTTPError:
            return

    def _liar(self, fault: str | None) -> httpx.Response | None:
        rng = self.device.rng
        if fault == "portal":
            return _page(200)
        if fault == "wrong_json":
            body = rng.choice(({}, {"ok": True}, [], "x", {"results": [], "server_epoch": "e"}))
            kind = rng.choice(("application/json", "application/vnd.blindcount.sync+json"))
            return httpx.Response(
                200, headers={"content-type": kind}, content=json.dumps(body).encode()
            )
        if fault == "moved":
            return httpx.Response(301, headers={"location": "https://portal.example/"})
        if fault == "status":
            wait = rng.choice(({}, {}, {"retry-after": str(rng.choice((0, 5, 60)))}))
            return _page(rng.choice(STATUSES), **wait)
        if fault == "refused":
            return _refusal(rng.choice(REFUSALS))
        return None

    def _reply(self, request: httpx.Request, answer: Answer, *, cut: bool) -> httpx.Response:
        content = answer.body
        if cut and content:
            content = content[: self.device.rng.randrange(len(content))]
            if self.device.rng.random() < 0.5:
                raise httpx.RemoteProtocolError("incomplete body", request=request)
        headers = [(k, v) for k, v in answer.headers.multi_items() if k != "content-length"]
        return httpx.Response(answer.status, headers=headers, stream=httpx.ByteStream(content))


def _headers(request: httpx.Request) -> list[tuple[str, str]]:
    return [(k, v) for k, v in request.headers.multi_items() if k.lower() != "content-length"]


def _page(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={"content-type": "text/html", **headers}, content=_PAGE)


def _refusal(code: str) -> httpx.Response:
    problem = CATALOGUE[code]
    body = {"type": f"urn:blindcount:problem:{code}", "code": code, "title": problem.title}
    headers = {"content-type": "application/problem+json"}
    return httpx.Response(problem.status, headers=headers, content=json.dumps(body).encode())


def plain_body(answer: Answer) -> bytes:
    """The body as the program reads it."""
    if answer.headers.get("content-encoding") == "gzip":
        return gzip.decompress(answer.body)
    return answer.body


def _digest(answer: Answer) -> str:
    return hashlib.sha256(answer.body).hexdigest()[:16]


def _check_limits(path: str, body: bytes) -> None:
    """I14: nothing above the limits is ever sent."""
    if not path.endswith(("/push", "/rescue")):
        assert len(body) <= OPAQUE_MAX, f"{path}: {len(body)} bytes"
        return
    inflated = gzip.decompress(body)
    assert len(inflated) <= INFLATED_BYTES_MAX, f"{path}: {len(inflated)} bytes inflated"
    events: list[Any] = json.loads(inflated)["events"]
    assert len(events) <= EVENTS_MAX, f"{path}: {len(events)} events"
    assert len(body) <= BODY_BYTES_MAX or len(events) == 1, f"{path}: {len(body)} bytes"
