"""The only place of the floor that speaks HTTP. Knows our server from everything else that answers.

HTTPS only (http:// to this machine, or where somebody set BLINDCOUNT_ALLOW_HTTP=1); no redirects, no
proxies of the environment: a phone's network must not decide where counts go.
"""

from __future__ import annotations

import gzip
import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from app.contract.problems import CATALOGUE
from app.contract.wire import (
    CONTENT_TYPE,
    EPOCH_HEADER,
    ClockSample,
    EnrolReply,
    EnrolRequest,
    EventResult,
    Hello,
    PullReply,
    PushReply,
    QuarantineRequest,
    Reply,
    RescueReply,
    RescueRequest,
    SnapshotManifest,
)
from app.store.clock import DeviceClock
from app.sync.outcomes import Delivered, Failed, Outcome, Refused, Trouble

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
RETRY_AFTER_MAX_MS = 3600_000
REPLY_BYTES_MAX = 64 * 1024 * 1024
"""A page of 5,000 rows is about 1 MB; beyond this it is not our server."""
_PROBLEM = "application/problem+json"
_PIECE = 64 * 1024
_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that say how a body travelled; they say nothing true of it once it is read."""
_TRY_AGAIN = frozenset({408, 425, 429})
R = TypeVar("R", bound=Reply)


class UnsafeAddressError(ValueError):
    """The address would send counts and tokens unprotected. `words` is the i18n key."""

    words = "sync.unsafe_address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to, and as whom."""

    url: str
    token: str = ""


def checked_url(url: str, *, allow_http: bool) -> str:
    """The server's address without a trailing slash. Raises UnsafeAddressError, ValueError."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an address of a server: {url!r}")
    if parts.scheme == "http" and not allow_http and not _is_loopback(parts.hostname):
        raise UnsafeAddressError(f"{url!r} is not protected: it must begin with https://")
    return url.strip().rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def encode_body(message: BaseModel) -> bytes:
    """A request's bytes as they travel: gzip, the same for the same message."""
    return encode_measured(message)[0]


def encode_measured(message: BaseModel) -> tuple[bytes, int]:
    """The same bytes, and how many they are once inflated."""
    plain = message.model_dump_json().encode()
    return gzip.compress(plain, compresslevel=6, mtime=0), len(plain)


class HttpTransport:
    """Requests of the sync protocol. Never raises for anything a network does."""

    def __init__(
        self,
        clock: DeviceClock,
        *,
        inner: httpx.AsyncBaseTransport | None = None,
        allow_http: bool = False,
    ) -> None:
        self._clock = clock
        self.allow_http = allow_http
        self._client = httpx.AsyncClient(
            transport=inner,
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
            headers={"Accept-Encoding": "gzip"},
        )

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def hello(self, target: Target) -> Outcome[Hello]:
        """Who is there, and what time do they have."""
        return await self._ask(target, "GET", "/sync/v1/hello", Hello)

    async def enrol(self, target: Target, request: EnrolRequest) -> Outcome[EnrolReply]:
        """Exchange the one-time code."""
        body = encode_body(request)
        return await self._ask(target, "POST", "/sync/v1/enrol", EnrolReply, body=body)

    async def push(self, target: Target, body: bytes) -> Outcome[PushReply]:
        """Send an encoded PushRequest."""
        return await self._ask(target, "POST", "/sync/v1/push", PushReply, body=body)

    async def quarantine(self, target: Target, request: QuarantineRequest) -> Outcome[EventResult]:
        """Send one event as opaque bytes."""
        body = encode_body(request)
        return await self._ask(target, "POST", "/sync/v1/quarantine", EventResult, body=body)

    async def rescue(self, target: Target, request: RescueRequest) -> Outcome[RescueReply]:
        """Send events of an install that cannot send them itself."""
        body = encode_body(request)
        return await self._ask(target, "POST", "/sync/v1/rescue", RescueReply, body=body)

    async def pull(self, target: Target, cursor: str | None, limit: int) -> Outcome[PullReply]:
        """The next page of reference data."""
        query = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        return await self._ask(target, "GET", "/sync/v1/pull", PullReply, query=query)

    async def snapshot(self, target: Target) -> Outcome[SnapshotManifest]:
        """What the prebuilt reference file consists of."""
        return await self._ask(target, "GET", "/sync/v1/snapshot", SnapshotManifest)

    async def snapshot_part(
        self, target: Target, name: str, index: int, offset: int, keep: Callable[[bytes], None]
    ) -> Refused | Failed | None:
        """Fetch a part from a byte on, giving each piece to `keep` as it comes; None: to its end."""
        headers = {
            "Authorization": f"Bearer {target.token}",
            "Range": f"bytes={offset}-",
            "Accept-Encoding": "identity",
        }
        try:
            url = checked_url(target.url, allow_http=self.allow_http)
            url += f"/sync/v1/snapshot/{name}/{index}"
            async with self._client.stream("GET", url, headers=headers) as response:
                if response.status_code != 206 or EPOCH_HEADER not in response.headers:
                    await response.aread()
                    outcome = understand(response, SnapshotManifest)
                    trouble = Failed(trouble=Trouble.PORTAL, reason="not a part")
                    return trouble if isinstance(outcome, Delivered) else outcome
                async for piece in response.aiter_bytes(_PIECE):
                    keep(piece)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Failed(trouble=Trouble.OFFLINE, reason=type(error).__name__)
        except httpx.HTTPError as error:
            return Failed(trouble=Trouble.NO_ANSWER, reason=type(error).__name__)
        return None

    async def _ask(
        self,
        target: Target,
        method: str,
        path: str,
        reply_type: type[R],
        *,
        body: bytes | None = None,
        query: dict[str, str] | None = None,
    ) -> Outcome[R]:
        headers = {}
        if target.token:
            headers["Authorization"] = f"Bearer {target.token}"
        if body is not None:
            headers |= {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        boot_id, t0_boot, t0_wall = self._read_clock()
        try:
            url = checked_url(target.url, allow_http=self.allow_http) + path
            async with self._client.stream(
                method, url, params=query, content=body, headers=headers
            ) as stream:
                response = await _whole(stream)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Failed(trouble=Trouble.OFFLINE, reason=type(error).__name__)
        except httpx.HTTPError as error:
            return Failed(trouble=Trouble.NO_ANSWER, reason=type(error).__name__)
        except (httpx.InvalidURL, ValueError) as error:
            return Failed(trouble=Trouble.OFFLINE, reason=str(error))
        if response is None:
            return Failed(trouble=Trouble.PORTAL, reason="an answer without end")
        same_boot, t3_boot, _ = self._read_clock()
        outcome = understand(response, reply_type)
        if not isinstance(outcome, Delivered):
            return outcome
        sample = _sample(outcome.reply, boot_id, t0_boot, t0_wall, t3_boot)
        return Delivered(
            reply=outcome.reply,
            epoch=outcome.epoch,
            round_trip_ms=t3_boot - t0_boot,
            sample=sample if same_boot == boot_id else None,
        )

    def _read_clock(self) -> tuple[str, int, int]:
        return self._clock.boot_id(), self._clock.boot_ms(), self._clock.wall_ms()


async def _whole(stream: httpx.Response) -> httpx.Response | None:
    """The answer with its body, inflated; None for one beyond all measure, of which no more is read."""
    pieces, size = [], 0
    async for piece in stream.aiter_bytes(_PIECE):
        size += len(piece)
        if size > REPLY_BYTES_MAX:
            return None
        pieces.append(piece)
    headers = [(k, v) for k, v in stream.headers.items() if k not in _OF_THE_WIRE]
    return httpx.Response(stream.status_code, headers=headers, content=b"".join(pieces))


def understand(response: httpx.Response, reply_type: type[R]) -> Outcome[R]:
    """What an HTTP answer means. Only an answer that proves to be our server's has consequences."""
    media = response.headers.get("content-type", "").split(";")[0].strip().lower()
    if 200 <= response.status_code < 300:
        return _understand_yes(response, media, reply_type)
    return _understand_no(response, media)


def _understand_yes(response: httpx.Response, media: str, reply_type: type[R]) -> Outcome[R]:
    epoch = response.headers.get(EPOCH_HEADER, "")
    if media != CONTENT_TYPE or not epoch:
        return Failed(trouble=Trouble.PORTAL, reason=f"{response.status_code} {media}")
    try:
        reply = reply_type.model_validate_json(response.content)
    except ValidationError:
        return Failed(trouble=Trouble.NO_ANSWER, reason="an answer that cannot be read")
    return Delivered(reply=reply, epoch=epoch, round_trip_ms=0)


def _understand_no(response: httpx.Response, media: str) -> Refused | Failed:
    status, wait = response.status_code, _retry_after_ms(response)
    code, detail = _problem(response) if media == _PROBLEM else ("", "")
    if code and status < 500:
        return Refused(status=status, code=code, detail=detail, retry_after_ms=wait)
    trouble = Trouble.PORTAL
    if status >= 500 or status in _TRY_AGAIN:
        trouble = Trouble.SERVER_ERROR
    elif status == 413:
        trouble = Trouble.TOO_BIG
    return Failed(trouble=trouble, reason=f"{status} {code or media}".strip(), retry_after_ms=wait)


def _problem(response: httpx.Response) -> tuple[str, str]:
    """(code, detail) of our problem document; empty for a problem that is not of our catalogue."""
    try:
        found = json.loads(response.content)
        code, detail = found.get("code"), found.get("detail")
    except (ValueError, AttributeError):
        return "", ""
    if not isinstance(code, str) or code not in CATALOGUE:
        return "", ""
    return code, str(detail)[:500]


def _retry_after_ms(response: httpx.Response) -> int | None:
    text = response.headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        return None
    return min(int(text) * 1000, RETRY_AFTER_MAX_MS)


def _sample(
    reply: Reply, boot_id: str, t0_boot: int, t0_wall: int, t3_boot: int
) -> ClockSample | None:
    t1, t2 = getattr(reply, "t1_ms", None), getattr(reply, "t2_ms", None)
    if not isinstance(t1, int) or not isinstance(t2, int):
        return None
    return ClockSample(
        boot_id=boot_id,
        t0_boot_ms=t0_boot,
        t0_wall_ms=t0_wall,
        t1_ms=t1,
        t2_ms=t2,
        t3_boot_ms=t3_boot,
    )
