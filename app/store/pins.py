"""Checking a PIN offline, with a lock-out that a kill, a restart or a moved clock does not undo."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from app.contract.wire import RefUser
from app.store.clock import DeviceClock
from app.store.tables_ops import PinAttemptRow

PAUSE_AFTER = 5
PAUSE_MS = 60_000
LOCK_AFTER = 10
"""Five wrong, a minute's pause before each further try; ten wrong, locked until the server gives
the person a new PIN. NIST SP 800-63B allows 100 tries; a warehouse's PIN has six digits."""


class PinVerdict(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    PAUSED = "paused"
    LOCKED = "locked"
    """Until a supervisor sets a new PIN and the device hears of it."""
    NOT_ENROLLED = "not_enrolled"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinOutcome:
    """What became of one try."""

    verdict: PinVerdict
    tries_left: int = LOCK_AFTER
    """Before the lock. Shown with WRONG."""
    wait_seconds: int = 0
    """Shown with PAUSED."""


def count_attempt(session: Session, user: RefUser, clock: DeviceClock) -> PinOutcome | None:
    """Book one try before the PIN is looked at. None: go on and look; else the refusal."""
    row = session.get(PinAttemptRow, user.user_id)
    if row is None or row.verifier != user.pin_verifier:
        row = _fresh(user)
    if row.failures >= LOCK_AFTER:
        return PinOutcome(verdict=PinVerdict.LOCKED, tries_left=0)
    wait = _wait_ms(row, clock)
    if wait > 0:
        return PinOutcome(
            verdict=PinVerdict.PAUSED,
            tries_left=LOCK_AFTER - row.failures,
            wait_seconds=-(-wait // 1000),
        )
    row.failures += 1
    row.wall_ms, row.boot_ms, row.boot_id = clock.wall_ms(), clock.boot_ms(), clock.boot_id()
    session.merge(row)
    return None


def settle_attempt(session: Session, user: RefUser, *, is_right: bool) -> PinOutcome:
    """After the look: a right PIN clears the count, a wrong one leaves it as it was booked."""
    row = session.get(PinAttemptRow, user.user_id)
    if is_right:
        if row:
            session.delete(row)
        return PinOutcome(verdict=PinVerdict.RIGHT)
    failures = row.failures if row else 1
    if failures >= LOCK_AFTER:
        return PinOutcome(verdict=PinVerdict.LOCKED, tries_left=0)
    return PinOutcome(verdict=PinVerdict.WRONG, tries_left=LOCK_AFTER - failures)


def _fresh(user: RefUser) -> PinAttemptRow:
    return PinAttemptRow(
        user_id=user.user_id,
        failures=0,
        wall_ms=0,
        boot_ms=0,
        boot_id="",
        verifier=user.pin_verifier,
    )


def _wait_ms(row: PinAttemptRow, clock: DeviceClock) -> int:
    if row.failures < PAUSE_AFTER:
        return 0
    if row.boot_id == clock.boot_id():
        passed = clock.boot_ms() - row.boot_ms
    else:
        # Another boot: only the wall clock is left. Set back, it must not lengthen the pause for
        # ever; set forward, the lock after ten still stands.
        passed = clock.wall_ms() - row.wall_ms
        if passed < 0:
            passed = 0
            row.wall_ms = clock.wall_ms()
    return max(0, PAUSE_MS - passed)
