"""Time that passes only when nothing is left to do: an asyncio loop and the clocks of devices."""

from __future__ import annotations

import asyncio
import gc
import selectors
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import anyio.to_thread
from httpx._transports import asgi

START_MS = 1_790_000_000_000
"""True time at the beginning of each history, milliseconds since 1970."""


class StuckError(AssertionError):
    """Everybody waits for something that nobody will ever do."""


class _Clock(selectors.BaseSelector):
    """Instead of waiting for sockets, moves the time on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise StuckError("nothing is left to do, and somebody still waits")
        self.seconds += max(0.0, timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> Any:
        raise NotImplementedError("a simulation opens no sockets")

    unregister = register  # type: ignore[assignment]

    def get_map(self) -> Any:
        return {}


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's own scheduling over virtual time: the same program, the same order, every time."""

    def __init__(self) -> None:
        self.clock = _Clock()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.seconds

    @property
    def now_ms(self) -> int:
        """True time, milliseconds since 1970."""
        return START_MS + int(self.clock.seconds * 1000)

    def _make_self_pipe(self) -> None:
        self._ssock = self._csock = None  # type: ignore[assignment]

    def _close_self_pipe(self) -> None:
        """There is none."""

    def _write_to_self(self) -> None:
        """There is one thread: nobody sleeps who had to be woken."""


async def _inline(function: Callable[..., Any], *args: Any, **_options: Any) -> Any:
    return function(*args)


@contextmanager
def without_threads() -> Iterator[None]:
    """Within it sync routes run where they are called: one thread, one order.

    What parallel requests do to each other is proved with real threads in tests/hostile.
    """
    run_sync, is_trio = anyio.to_thread.run_sync, asgi.is_running_trio
    anyio.to_thread.run_sync = _inline  # type: ignore[assignment]
    asgi.is_running_trio = lambda: False  # it looks for a module that is not there at each request
    try:
        yield
    finally:
        anyio.to_thread.run_sync, asgi.is_running_trio = run_sync, is_trio


@contextmanager
def without_collector() -> Iterator[None]:
    """Within it no garbage is collected: it costs time, and nothing may happen at its whim."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class SimClock:
    """A device's clocks: a crystal that drifts, a wall clock that people set, boots."""

    DRIFT_PPM = 180
    SKEWS_MS = (0, 0, 1_000, 120_000, 86_400_000, 10 * 365 * 86_400_000)

    def __init__(self, name: str, now_ms: Callable[[], int], rng: Random) -> None:
        self._name, self._now_ms, self._rng = name, now_ms, rng
        self._drift = rng.uniform(-self.DRIFT_PPM, self.DRIFT_PPM) / 1e6
        self._wall_offset = rng.choice(self.SKEWS_MS) * rng.choice((-1, 1))
        self._boot = 0
        self.reboot()

    def reboot(self) -> None:
        """A new boot: its clock begins again."""
        self._boot += 1
        self._boot_began = self._now_ms()
        self._boot_base = self._rng.randrange(3_000, 60_000)

    def jump(self, milliseconds: int) -> None:
        """Somebody, or the network, sets the wall clock."""
        self._wall_offset += milliseconds

    def like(self, other: SimClock) -> None:
        """The clock of a device cloned while it ran: same boot, same reading."""
        self._drift, self._wall_offset = other._drift, other._wall_offset

    def boot_ms(self) -> int:
        passed = self._now_ms() - self._boot_began
        return self._boot_base + int(passed * (1 + self._drift))

    def wall_ms(self) -> int:
        passed = self._now_ms() - START_MS
        return START_MS + self._wall_offset + int(passed * (1 + self._drift))

    def boot_id(self) -> str:
        return f"{self._name}-boot-{self._boot}"

    def tz_min(self) -> int:
        return 60
