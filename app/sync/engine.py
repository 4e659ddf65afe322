"""When to sync, and carrying out what the plan says. Clock, network, timers and chance are passed in.

One cycle is: say hello when it is time, empty the outbox, fetch the news. Whatever goes wrong ends the
cycle and arms the next: there is always a next attempt, whether or not anybody touches the device.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from app.contract.wire import EnrolReply
from app.store.clock import DeviceClock
from app.store.device_store import DeviceStore
from app.store.errors import StoreError
from app.store.reference import Reference
from app.sync import plan as plans
from app.sync.courier import LAST_SUCCESS, Courier
from app.sync.outcomes import Delivered, Outcome, Trouble
from app.sync.plan import Need
from app.sync.status import SyncState, SyncStatus
from app.sync.timers import AsyncTimers, OnDisk, Timers, in_thread
from app.sync.transport import HttpTransport
from app.sync.upkeep import Upkeep

log = logging.getLogger("blindcount.sync")
Subscriber = Callable[[SyncStatus], None]
_STATE_OF_TROUBLE = {
    Trouble.PORTAL: SyncState.PORTAL,
    Trouble.OFFLINE: SyncState.OFFLINE,
    Trouble.NO_ANSWER: SyncState.OFFLINE,
    Trouble.SERVER_ERROR: SyncState.TROUBLE,
    Trouble.TOO_BIG: SyncState.TROUBLE,
}


class SyncEngine:
    """The one owner of everything that goes to and comes from the server."""

    def __init__(
        self,
        store: DeviceStore,
        reference: Reference,
        transport: HttpTransport,
        *,
        clock: DeviceClock,
        chance: Callable[[], float],
        timers: Timers | None = None,
        app_version: str = "0",
        on_disk: OnDisk = in_thread,
    ) -> None:
        self._store = store
        self._reference = reference
        self._clock = clock
        self._chance = chance
        self._timers = timers or AsyncTimers()
        self._courier = Courier(
            store,
            reference,
            transport,
            clock=clock,
            app_version=app_version,
            on_disk=on_disk,
            progressed=self._publish,
        )
        self._upkeep = Upkeep(store, clock, on_disk)
        self._is_busy = False
        self._store_trouble: str | None = None
        self._due_ms = clock.boot_ms()
        self._attempted_ms = clock.boot_ms() - plans.PATIENCE_MS
        self._subscribers: list[Subscriber] = []
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._single_flight = asyncio.Lock()
        self._status = self._picture()

    # -- running

    def start(self) -> None:
        """Sync by itself from now on. Call it in the running loop; a second call does nothing."""
        if self._task is None or self._task.done():
            self._loop = asyncio.get_running_loop()
            self._task = self._loop.create_task(self._run())

    async def stop(self) -> None:
        """End it. Nothing is lost by that, nor by not calling it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def poke(self, *, is_urgent: bool = False) -> None:
        """Something was recorded, or (urgent) a person or the network wants an attempt now.

        May be called from any thread.
        """
        now = self._clock.boot_ms()
        self._upkeep.recorded()
        delay = plans.after_poke(
            self._courier.plan,
            due_in_ms=max(0, self._due_ms - now),
            since_attempt_ms=now - self._attempted_ms,
            is_urgent=is_urgent,
        )
        self._due_ms = now + max(0, delay)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._note_poke)

    def _note_poke(self) -> None:
        self._wake.set()
        self._publish()

    @property
    def due_in_ms(self) -> int:
        """Until the next attempt. There always is one."""
        return max(0, self._due_ms - self._clock.boot_ms())

    async def _run(self) -> None:
        while True:
            await self.look_after()
            delay = self.due_in_ms
            if delay > 0:
                self._wake.clear()
                await self._timers.wait(self._wake, min(delay, self._upkeep.due_in_ms))
                continue
            await self.cycle()

    async def look_after(self) -> None:
        """Room on the disk and the soundness of the file, when it is time. Never raises."""
        if self._upkeep.due_in_ms > 0:
            return
        async with self._single_flight:
            try:
                await self._upkeep.run(self._publish)
            except (StoreError, OSError) as error:
                log.error("upkeep failed: %s", error)

    async def cycle(self) -> None:
        """One attempt at everything. Never raises; always arms the next."""
        async with self._single_flight:
            self._is_busy, self._attempted_ms = True, self._clock.boot_ms()
            self._publish()
            try:
                await self._courier.attempt()
                self._store_trouble = None
            except StoreError as error:
                log.error("the store refused: %s", error)
                self._store_trouble = error.words
                self._courier.plan = plans.after_no_progress(self._courier.plan)
            except Exception:
                # The loop must outlive any bug: a stuck queue is worse than a noisy log.
                log.exception("a sync attempt failed")
                self._courier.plan = plans.after_no_progress(self._courier.plan)
            finally:
                self._is_busy = False
                self._arm()
                self._publish()

    def _arm(self) -> None:
        try:
            unsent = self._store.outbox().unsent
        except StoreError:
            unsent = 1
        delay = plans.next_delay_ms(self._courier.plan, unsent=unsent, chance=self._chance())
        self._due_ms = self._clock.boot_ms() + delay

    async def enrol(self, url: str, token: str, device_name: str) -> Outcome[EnrolReply]:
        """Exchange a one-time code; Delivered when this device now belongs to the server.

        Raises UnsafeAddressError or ValueError for an address that will not do.
        """
        async with self._single_flight:
            outcome = await self._courier.enrol(url, token, device_name)
        if isinstance(outcome, Delivered):
            self.poke(is_urgent=True)
        return outcome

    # -- being seen

    @property
    def status(self) -> SyncStatus:
        """The picture as of now."""
        return self._picture()

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Be told of each change, in the engine's loop; the returned function ends it."""
        self._subscribers.append(callback)
        callback(self.status)
        return lambda: self._subscribers.remove(callback)

    def _publish(self) -> None:
        try:
            fresh = self._picture()
        except StoreError as error:
            self._store_trouble = error.words
            fresh = replace(self._status, state=SyncState.STORE_PROBLEM, detail=error.words)
        if fresh == self._status:
            return
        self._status = fresh
        for callback in list(self._subscribers):
            try:
                callback(fresh)
            except Exception:
                log.exception("a subscriber failed")

    def _picture(self) -> SyncStatus:
        outbox = self._store.outbox()
        last = self._store.setting(LAST_SUCCESS)
        return SyncStatus(
            state=self._state(outbox.unsent),
            unsent=outbox.unsent,
            oldest_wall_ms=outbox.oldest_wall_ms,
            held=outbox.held,
            last_success_wall_ms=None if last is None else int(last),
            next_attempt_ms=self.due_in_ms,
            is_ready=self._reference.is_ready,
            clock_ahead_ms=self._courier.clock_ahead_ms,
            is_room_low=self._upkeep.is_room_low,
            is_app_old=self._courier.is_app_old,
            salvaged=self._store.salvage.set_aside if self._store.salvage else "",
            detail=self._store_trouble or "",
        )

    def _state(self, unsent: int) -> SyncState:
        plan = self._courier.plan
        state = SyncState.WAITING if unsent else SyncState.UP_TO_DATE
        if self._is_busy and unsent:
            state = SyncState.SENDING
        if plan.trouble is not None:
            state = _STATE_OF_TROUBLE[plan.trouble]
        if plan.need is not Need.NOTHING:
            state = SyncState(plan.need.value)
        return state if self._store_trouble is None else SyncState.STORE_PROBLEM
