"""The server's clock and id source, read only at the rim and passed inward as arguments."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.contract.ids import RANDOM_BYTES, uuid7


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rim:
    """Time and randomness for one process; a test or a simulator passes its own."""

    now: Callable[[], datetime] = _utc_now
    random: Callable[[int], bytes] = secrets.token_bytes

    def new_id(self) -> str:
        """A fresh UUIDv7 of this rim's time and randomness."""
        return uuid7(int(self.now().timestamp() * 1000), self.random(RANDOM_BYTES))
