"""The real server application behind a network that loses, doubles, delays and lies, by order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from fastapi import FastAPI


@dataclass
class LossyTransport(httpx.AsyncBaseTransport):
    """Passes requests to the application as the next fault says; without one, faithfully.

    faults: "away" (no connection), "lost" (the request never arrives), "no_reply" (it arrives, the
    reply is lost), "twice" (it arrives twice), "cut" (the reply's body is cut), "portal" (somebody
    else answers 200), or a number: that status from something in between.
    """

    app: FastAPI
    faults: deque[str | int] = field(default_factory=deque)
    default: str | int | None = None
    """What happens when no fault is queued."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """(method, path) of everything that was tried."""
    page_sizes: list[str] = field(default_factory=list)
    """The rows that each pull asked for."""
    took_ms: Callable[[], None] | None = None
    """Called around each request: lets the test's clocks move."""

    def __post_init__(self) -> None:
        self._server = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((request.method, request.url.path))
        if "limit" in request.url.params:
            self.page_sizes.append(request.url.params["limit"])
        fault = self.faults.popleft() if self.faults else self.default
        body = await request.aread()
        if self.took_ms:
            self.took_ms()
        if fault == "away":
            raise httpx.ConnectError("no route", request=request)
        if fault == "lost":
            raise httpx.ReadTimeout("timed out", request=request)
        if fault == "portal":
            page = "<html>Please sign in to the guest network</html>"
            return httpx.Response(200, headers={"content-type": "text/html"}, text=page)
        if isinstance(fault, int):
            return httpx.Response(fault, headers={"content-type": "text/html"}, text="<html>")
        response = await self._pass_on(request, body)
        if fault == "twice":
            response = await self._pass_on(request, body)
        if self.took_ms:
            self.took_ms()
        if fault == "no_reply":
            raise httpx.ReadError("connection reset", request=request)
        if fault == "cut":
            return self._cut(response)
        return response

    async def _pass_on(self, request: httpx.Request, body: bytes) -> httpx.Response:
        again = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        response = await self._server.handle_async_request(again)
        content = b"".join([chunk async for chunk in response.stream])
        return httpx.Response(
            response.status_code, headers=response.headers, stream=httpx.ByteStream(content)
        )

    def _cut(self, response: httpx.Response) -> httpx.Response:
        content = b"".join(response.stream)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=httpx.ByteStream(content[: len(content) // 2]),
        )
