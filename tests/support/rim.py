"""The server's clock and randomness for tests: time stands still until moved."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from server.clock import Rim
from tests.support.server import NOW


class ServerTime:
    """A clock that stands still until moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


def a_rim(time: ServerTime | None = None, seed: int = 1) -> Rim:
    """A repeatable rim."""
    clock = time or ServerTime()
    return Rim(now=clock.now, random=random.Random(seed).randbytes)
