"""The device's clocks, read only here. Everything else in the client gets a DeviceClock passed in.

Two clocks, because one of them lies: the wall clock is set by people and networks; the boot clock
counts suspend too and only ever goes forward, until the next boot.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

_KERNEL_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class DeviceClock(Protocol):
    """What the store and the sync engine ask of time. Milliseconds throughout."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 as the device believes them."""
        ...

    def boot_ms(self) -> int:
        """Milliseconds since `boot_id` began, suspend included. Never goes back within it."""
        ...

    def boot_id(self) -> str:
        """Names the stretch of time over which `boot_ms` can be compared."""
        ...

    def tz_min(self) -> int:
        """Minutes the device's zone is ahead of UTC, for showing times as people saw them."""
        ...


class SystemClock:
    """The clocks of the machine this runs on."""

    def __init__(self) -> None:
        # Android may forbid reading the kernel's boot id. A fresh one for each process is always
        # right, only less exact: each start of the app then needs a clock sample of its own.
        self._boot_id = _kernel_boot_id() or f"process-{secrets.token_hex(8)}"

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def boot_ms(self) -> int:
        """CLOCK_BOOTTIME where there is one (Linux, Android), else the monotonic clock."""
        clock = getattr(time, "CLOCK_BOOTTIME", None)
        ns = time.monotonic_ns() if clock is None else time.clock_gettime_ns(clock)
        return ns // 1_000_000

    def boot_id(self) -> str:
        """The kernel's id of this boot, or one of this process."""
        return self._boot_id

    def tz_min(self) -> int:
        """The zone's present offset, clamped to the 14 hours that exist."""
        offset = datetime.now(UTC).astimezone().utcoffset()
        minutes = 0 if offset is None else int(offset.total_seconds() // 60)
        return max(-840, min(840, minutes))


def _kernel_boot_id() -> str | None:
    try:
        text = _KERNEL_BOOT_ID.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    # Without a suspend-counting clock the kernel's boot is too long a stretch to compare over.
    return text[:64] or None if hasattr(time, "CLOCK_BOOTTIME") else None
