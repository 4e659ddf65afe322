"""How often one caller may try: a sliding minute in memory, per process."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

from app.contract.problems import RefusalError

WINDOW = timedelta(minutes=1)
CALLERS_MAX = 10_000
"""Beyond it the longest silent are forgotten: memory is bounded whoever knocks."""


class Throttle:
    """At most `limit` tries a minute for each caller."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._tries: dict[str, deque[datetime]] = {}

    def check(self, caller: str, now: datetime) -> None:
        """Book one try. Raises slow-down with the seconds to wait."""
        with self._lock:
            tries = self._tries.pop(caller, deque())
            self._tries[caller] = tries  # the newest caller is last: the first is longest silent
            while tries and now - tries[0] >= WINDOW:
                tries.popleft()
            if len(tries) >= self._limit:
                wait = int((tries[0] + WINDOW - now).total_seconds()) + 1
                raise RefusalError("slow-down", seconds=wait)
            tries.append(now)
            if len(self._tries) > CALLERS_MAX:
                self._tries.pop(next(iter(self._tries)))
