"""What can become of one request. Values, because an outage is no accident here but the normal case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from app.contract.wire import ClockSample, Reply

R = TypeVar("R", bound=Reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(Generic[R]):
    """The server answered, and it was our server."""

    reply: R
    epoch: str
    round_trip_ms: int
    sample: ClockSample | None = None
    """What the exchange tells about the device's clocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Our server said no, with a code of the catalogue."""

    status: int
    code: str
    detail: str = ""
    retry_after_ms: int | None = None


class Trouble(StrEnum):
    """Why nobody we know answered."""

    OFFLINE = "offline"
    """No connection could be made: nothing was sent."""
    NO_ANSWER = "no_answer"
    """Timed out or cut off: the request may or may not have arrived."""
    PORTAL = "portal"
    """Somebody answered who is not our server: a hotel's or a guest network's sign-in page."""
    SERVER_ERROR = "server_error"
    """5xx: the server, or something before it, is not well."""
    TOO_BIG = "too_big"
    """Something between us and the server does not let so much through at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No word from our server."""

    trouble: Trouble
    reason: str = ""
    retry_after_ms: int | None = None


Outcome = Delivered[R] | Refused | Failed
