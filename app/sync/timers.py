"""Waiting and disk work, as the running engine does them; a simulator brings its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
OnDisk = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Carries out blocking disk work."""


class Timers(Protocol):
    """Waiting, for the running engine. A simulator calls `cycle` itself and needs none."""

    async def wait(self, wake: asyncio.Event, milliseconds: int) -> None:
        """Return when the time is over or `wake` is set."""
        ...


class AsyncTimers:
    """Real time."""

    async def wait(self, wake: asyncio.Event, milliseconds: int) -> None:
        """Return when the time is over or `wake` is set."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), milliseconds / 1000)


async def in_thread(work: Callable[[], T]) -> T:
    """Disk work off the screen's loop."""
    return await asyncio.to_thread(work)
