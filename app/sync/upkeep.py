"""What an open app looks after by itself: room on the disk, and once a day the soundness of its file.

A device on a shelf may run the app for weeks without a start, at which both are looked at too. Never
while somebody scans: a check holds the file for as long as it takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from app.store.clock import DeviceClock
from app.store.health import DAY_MS, is_room_low
from app.sync.timers import OnDisk

ROOM_EVERY_MS = 60_000
"""How often free space is asked for: one call of the system, and a count is some hundred bytes."""
QUIET_MS = 60_000
"""The file is checked when nothing was recorded for so long."""


class KeptStore(Protocol):
    """The part of the device's store that upkeep uses."""

    def free_bytes(self) -> int: ...
    def damage(self) -> str: ...
    def salvage_while_open(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """When what was last done, in ms of the boot clock."""

    recorded_ms: int
    checked_ms: int
    room_ms: int | None = None

    def room_due_in_ms(self, now_ms: int) -> int:
        """Until free space is asked for again; at once at the start."""
        return 0 if self.room_ms is None else max(0, self.room_ms + ROOM_EVERY_MS - now_ms)

    def check_due_in_ms(self, now_ms: int) -> int:
        """Until the file is checked: a day after the last time, and when nobody counts just now."""
        return max(0, self.checked_ms + DAY_MS - now_ms, self.recorded_ms + QUIET_MS - now_ms)


class Upkeep:
    """Carries it out, for the engine, whose timer it shares."""

    def __init__(self, store: KeptStore, clock: DeviceClock, on_disk: OnDisk) -> None:
        self._store = store
        self._clock = clock
        self._on_disk = on_disk
        now = clock.boot_ms()
        self._looked = Looked(recorded_ms=now, checked_ms=now)
        self.is_room_low = False

    def recorded(self) -> None:
        """Somebody counts: no check now."""
        self._looked = replace(self._looked, recorded_ms=self._clock.boot_ms())

    @property
    def due_in_ms(self) -> int:
        """Until there is something to look at."""
        now = self._clock.boot_ms()
        return min(self._looked.room_due_in_ms(now), self._looked.check_due_in_ms(now))

    async def run(self, publish: Callable[[], None]) -> None:
        """Look at what is due. Raises StoreError when the disk refuses even that."""
        now = self._clock.boot_ms()
        if not self._looked.room_due_in_ms(now):
            self._looked = replace(self._looked, room_ms=now)
            free = await self._on_disk(self._store.free_bytes)
            self.is_room_low = is_room_low(free, was_low=self.is_room_low)
        if not self._looked.check_due_in_ms(now):
            self._looked = replace(self._looked, checked_ms=now)
            if await self._on_disk(self._store.damage):
                # In one breath with the screens, which must not go on with a count of the old file.
                self._store.salvage_while_open()
        publish()
