"""One attempt at a time: hello, the outbox, the news. Carries out what app/sync/plan.py decides."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from app.contract.rescue import file_text, read_rescue
from app.contract.wire import (
    WIRE_VERSION,
    EnrolReply,
    EnrolRequest,
    EventResult,
    Hello,
    PushReply,
    Result,
)
from app.store.clock import DeviceClock
from app.store.device_store import DeviceStore
from app.store.enrolment import Enrolment
from app.store.errors import StoreError
from app.store.outbox import PendingEvent
from app.store.reference import Reference
from app.sync import plan as plans
from app.sync.outcomes import Delivered, Failed, Outcome, Refused
from app.sync.plan import Need, Plan, Step
from app.sync.pull import Puller
from app.sync.push import Batch, next_batch, opaque, send_rescue
from app.sync.timers import OnDisk
from app.sync.transport import HttpTransport, Target, checked_url
from app.sync.versions import is_older

log = logging.getLogger("blindcount.sync")
LAST_SUCCESS = "last_success_ms"
ROUNDS_MAX = 5000
"""Requests of one cycle: two and a half million events. More means that we go in circles."""
HELLOS_MAX = 3
"""Times one cycle asks who the server is: one that changes faster is not well."""


class Courier:
    """Everything that goes to and comes from the server, and what was learned on the way."""

    def __init__(
        self,
        store: DeviceStore,
        reference: Reference,
        transport: HttpTransport,
        *,
        clock: DeviceClock,
        app_version: str,
        on_disk: OnDisk,
        progressed: Callable[[], None],
    ) -> None:
        self._store = store
        self._reference = reference
        self._transport = transport
        self._clock = clock
        self._app_version = app_version
        self._on_disk = on_disk
        self._progressed = progressed
        self._puller = Puller(reference, transport, on_disk)
        self.plan = Plan()
        self.clock_ahead_ms: int | None = None
        """How far the device's wall clock is ahead of the server's."""
        self.is_app_old = False
        """The server would like a newer app; it takes what this one sends all the same."""
        self._said_hello_ms: int | None = None
        self._keeping: asyncio.Future[Any] | None = None
        """The last reply's word, on its way to the disk while the next batch is under way."""
        self._ready: Batch | None = None
        """Made ready during a push; used at once or never."""
        self._has_moved = False
        """The server that answers is another one than we said hello to."""

    # -- enrolling

    async def enrol(self, url: str, token: str, device_name: str) -> Outcome[Any]:
        """Exchange a one-time code; Delivered when this device now belongs to the server.

        Raises UnsafeAddressError or ValueError for an address that will not do.
        """
        url = checked_url(url, allow_http=self._transport.allow_http)
        there = await self._transport.hello(Target(url=url))
        if not isinstance(there, Delivered):
            return there
        before = await self._on_disk(self._store.enrolment)
        site = self._store.setting("site_id")
        if site is not None and site != there.reply.site_id:
            # What was counted at another site is nobody's business here; it is kept aside.
            await self._on_disk(self._store.begin_new_install)
            await self._on_disk(self._reference.start_afresh)
        outcome = await self._ask_to_enrol(url, token, device_name)
        if isinstance(outcome, Refused) and outcome.code == "install-forked":
            await self._begin_anew_as_a_copy()
            outcome = await self._ask_to_enrol(url, token, device_name)
        if isinstance(outcome, Delivered):
            reply = outcome.reply
            if before is None or before.pin_pepper != reply.pin_pepper:
                # The PIN verifiers held here were made for another key: nobody could sign in.
                await self._on_disk(self._fetch_afresh)
            self._store.save_enrolment(reply, server_url=url, device_name=device_name)
            self.plan = Plan()
            self._said_hello_ms = None
        return outcome

    async def _begin_anew_as_a_copy(self) -> None:
        """All events are offered again, confirmed ones too: the server knows each by its id.

        Its numbers say nothing of ours here: after it was restored they may be the other copy's.
        """
        await self._on_disk(partial(self._store.begin_new_install, is_confirmed_too=True))

    def _fetch_afresh(self) -> None:
        if self._reference.rebuild() is not None or self._reference.cursor() is not None:
            self._reference.begin_for_another_key()

    async def _ask_to_enrol(self, url: str, token: str, device_name: str) -> Outcome[EnrolReply]:
        request = EnrolRequest(
            token=token,
            install_id=self._store.install_id,
            device_name=device_name,
            app_version=self._app_version,
        )
        return await self._transport.enrol(Target(url=url), request)

    # -- one attempt

    async def attempt(self) -> None:
        known = await self._on_disk(self._store.enrolment)
        if known is None:
            self.plan = replace(self.plan, need=Need.ENROL)
            return
        target = Target(url=known.server_url, token=known.device_token)
        if self._is_hello_due() and not await self._say_hello(target, known):
            return
        left_behind = await self._send_all(target, known)
        if left_behind is None or not await self._fetch(target):
            return
        await self._send_rescues(target)
        if left_behind:
            self.plan = plans.after_no_progress(self.plan)
            return
        self.plan = plans.after_success(self.plan)
        await self._on_disk(self._note_success)

    def _is_hello_due(self) -> bool:
        if self._said_hello_ms is None or self.plan.need is not Need.NOTHING:
            return True
        return self._clock.boot_ms() - self._said_hello_ms >= plans.HELLO_AFTER_MS

    async def _say_hello(self, target: Target, known: Enrolment) -> bool:
        """Who is there, and how far do they hold us. True: go on."""
        outcome = await self._transport.hello(target)
        if not isinstance(outcome, Delivered):
            self._take_setback(outcome, sent=0)
            return False
        self._said_hello_ms = self._clock.boot_ms()
        self.is_app_old = is_older(self._app_version, outcome.reply.min_app)
        await self._exchanged(outcome)
        return await self._compare_with_server(outcome.reply, known)

    async def _compare_with_server(self, hello: Hello, known: Enrolment) -> bool:
        if not hello.proto_min <= WIRE_VERSION <= hello.proto_max:
            self.plan = replace(self.plan, need=Need.UPDATE)
            return False
        status = await self._on_disk(self._store.outbox)
        ours = await self._on_disk(partial(self._store.sha256_at, hello.high_seq))
        is_other = bool(ours and hello.high_sha256) and ours != hello.high_sha256
        if hello.high_seq > status.last_seq or is_other:
            # The server has more of us than we have, or something else under our number: one of two
            # copies of our data is at work elsewhere. What is here goes up as a rescue.
            self.plan = replace(self.plan, need=Need.ENROL_ANEW)
            await self._begin_anew_as_a_copy()
            return False
        confirmed = await self._on_disk(self._store.confirmed_up_to)
        if hello.server_epoch != known.server_epoch or hello.high_seq < confirmed:
            adopt = partial(self._store.adopt_epoch, hello.server_epoch, hello.high_seq)
            lost = await self._on_disk(adopt)
            log.warning("the server was restored: %s events go up again", lost)
        seen = partial(
            self._store.confirmed_again,
            epoch=hello.server_epoch,
            high_seq=hello.high_seq,
            server_ms=hello.t2_ms,
        )
        await self._on_disk(seen)
        if status.held or hello.held_settled:
            await self._on_disk(partial(self._store.held_settled, hello.held_settled))
        self.plan = plans.after_hello(self.plan, hello.limits)
        return True

    async def _send_all(self, target: Target, known: Enrolment) -> bool | None:
        """Send what is unsent, oldest first. None: cut short; True: the server left some unconfirmed."""
        try:
            return await self._send_batches(target, known)
        finally:
            await self._kept()

    async def _send_batches(self, target: Target, known: Enrolment) -> bool | None:
        after, left_behind, hellos = 0, False, 0
        self._ready = None
        for _ in range(ROUNDS_MAX):
            epoch = self._store.setting("server_epoch") or known.server_epoch
            batch = await self._ready_batch(epoch, after)
            if batch is None:
                break
            outcome = await self._push(target, batch)
            if isinstance(outcome, Delivered):
                unconfirmed = await self._delivered(target, batch, outcome)
                if unconfirmed is None:
                    return None
                left_behind = left_behind or unconfirmed
                after = batch.events[-1].seq if unconfirmed else after
                continue
            step = self._take_setback(outcome, sent=len(batch.events))
            if step is Step.SEND_ALONE and await self._send_alone(target, batch.events[0]):
                continue
            if step is Step.SAY_HELLO and hellos < HELLOS_MAX:
                hellos, after = hellos + 1, 0
                if await self._say_hello(target, known):
                    continue
            if step is not Step.GO_ON:
                return None
        return left_behind

    async def _ready_batch(self, epoch: str, after: int) -> Batch | None:
        """What was made ready during the last push, when it is still what comes next; else made now."""
        ready, self._ready = self._ready, None
        if ready is not None and ready.epoch == epoch and len(ready.events) <= self.plan.events:
            return ready
        await self._kept()
        made: Batch | None = await self._on_disk(
            partial(self._next_batch, epoch, after, self.plan.events)
        )
        return made

    async def _push(self, target: Target, batch: Batch) -> Outcome[PushReply]:
        """Send it, and read, encode and compress the next one while the server is at work.

        The next one begins after this one's last event: once this one is delivered, what comes next is
        just that, whether the server confirmed all of it or some is left behind.
        """
        size = plans.after_delivery(self.plan, sent=len(batch.events), round_trip_ms=0).events
        then = partial(self._next_batch, batch.epoch, batch.events[-1].seq, size)
        ahead = asyncio.ensure_future(self._on_disk(then))
        try:
            outcome = await self._transport.push(target, batch.body)
            await self._kept()
            if isinstance(outcome, Delivered):
                with contextlib.suppress(StoreError):  # whoever asks for it next hears of it
                    self._ready = await ahead
        finally:
            if not ahead.cancel() and not ahead.cancelled():
                ahead.exception()  # seen
        return outcome

    def _next_batch(self, epoch: str, after: int, size: int) -> Batch | None:
        return next_batch(
            self._store,
            self._clock,
            epoch=epoch,
            size=size,
            after=after,
            app_version=self._app_version,
            limits=self.plan.limits,
        )

    async def _delivered(
        self, target: Target, batch: Batch, outcome: Delivered[PushReply]
    ) -> bool | None:
        """Begin to keep the server's word. True: some of it is not confirmed; None: cannot go on.

        Nobody has to wait for the disk: what is sent again because the word was lost is known there.
        """
        reply = outcome.reply
        keep = partial(
            self._store.acknowledge,
            reply.results,
            epoch=reply.server_epoch,
            samples=batch.samples,
            exchange=outcome.sample,
        )
        self._keeping = asyncio.ensure_future(self._on_disk(keep))
        self.plan = plans.after_delivery(
            self.plan,
            sent=len(batch.events),
            round_trip_ms=outcome.round_trip_ms,
            backoff_ms=reply.backoff_ms,
        )
        self._learn_clock(outcome)
        words = {r.id: r for r in reply.results}
        for event in batch.events:
            word = words.get(event.id)
            if word is not None and word.r is Result.TOO_LARGE:
                if not await self._send_alone(target, event):
                    return None
                words[event.id] = EventResult(id=event.id, r=Result.QUARANTINED)
        if reply.backoff_ms:
            return None
        return any(_is_unconfirmed(words.get(event.id)) for event in batch.events)

    async def _kept(self) -> None:
        """The last reply's word is on the disk. Raises what the disk raises."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            await keeping
            self._progressed()

    async def _send_alone(self, target: Target, event: PendingEvent) -> bool:
        """Send what cannot be read as opaque bytes; True when the server keeps it."""
        outcome = await self._transport.quarantine(target, opaque(self._store, event))
        if not isinstance(outcome, Delivered):
            self._take_setback(outcome, sent=0)
            return False
        await self._on_disk(lambda: self._store.acknowledge([outcome.reply], epoch=outcome.epoch))
        return True

    async def _send_rescues(self, target: Target) -> None:
        """What an earlier install of this device could not send. Never in the way of the rest."""
        for path in await self._on_disk(self._store.rescue_files):
            try:
                file = read_rescue(file_text(await self._on_disk(path.read_bytes)))
            except (OSError, ValueError) as error:
                log.error("%s cannot be read: %s", path.name, error)
                continue
            setback = await send_rescue(self._transport, target, file, self.plan.limits)
            if setback is None:
                await self._on_disk(partial(self._store.rescue_done, path))
            else:
                log.warning("%s waits: %s", path.name, setback)

    async def _fetch(self, target: Target) -> bool:
        """Fetch the news; True when the device has what the server has."""
        self._has_moved = False
        setback = await self._puller.pull(
            target, self._same_server, rows=self.plan.limits.pull_rows
        )
        if setback is not None:
            self._take_setback(setback, sent=0)
        return setback is None and not self._has_moved

    async def _same_server(self, outcome: Delivered[Any]) -> bool:
        await self._exchanged(outcome)
        if outcome.epoch == self._store.setting("server_epoch"):
            return True
        self._said_hello_ms = None
        self._has_moved = True
        self.plan = plans.after_no_progress(self.plan)
        return False

    async def _exchanged(self, outcome: Delivered[Any]) -> None:
        """Learn what an exchange says about the clocks, and keep it."""
        self._learn_clock(outcome)
        sample = outcome.sample
        if sample is not None:
            await self._on_disk(lambda: self._store.keep_sample(sample))

    def _learn_clock(self, outcome: Delivered[Any]) -> None:
        if outcome.sample is not None:
            server_ms = outcome.sample.t1_ms - outcome.round_trip_ms // 2
            self.clock_ahead_ms = outcome.sample.t0_wall_ms - server_ms

    def _note_success(self) -> None:
        self._store.set_setting(LAST_SUCCESS, str(self._clock.wall_ms()))

    def _take_setback(self, outcome: Refused | Failed, *, sent: int) -> Step:
        """Let the plan say what it means."""
        if isinstance(outcome, Failed):
            self.plan, step = plans.after_failure(self.plan, outcome, sent=sent)
        else:
            self.plan, step = plans.after_refusal(self.plan, outcome, sent=sent)
        log.info("sync: %s, then %s", outcome, step)
        return step


def _is_unconfirmed(word: EventResult | None) -> bool:
    return word is None or word.r in (Result.DEFERRED, Result.TOO_LARGE)
