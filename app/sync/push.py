"""Draining the outbox: one batch at a time, oldest first, nothing blocking what is behind it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.contract.rescue import RescueFile
from app.contract.wire import (
    ACKNOWLEDGED,
    WIRE_VERSION,
    ClockReading,
    Limits,
    PushRequest,
    QuarantineRequest,
    RescueRequest,
    SentEvent,
)
from app.store.clock import DeviceClock
from app.store.device_store import DeviceStore
from app.store.outbox import PendingEvent
from app.sync.limits import PROTOCOL_LIMITS
from app.sync.outcomes import Delivered, Failed, Refused, Trouble
from app.sync.transport import HttpTransport, Target, encode_measured

E = TypeVar("E", PendingEvent, SentEvent)

ENVELOPE_BYTES = 16 * 1024
"""What a push is beside its events: 16 samples and the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A push ready to go, within every limit."""

    body: bytes
    events: tuple[PendingEvent, ...]
    samples: tuple[int, ...]
    """Numbers of the clock samples in it."""
    epoch: str
    """Of the server it was made for."""


def next_batch(
    store: DeviceStore,
    clock: DeviceClock,
    *,
    epoch: str,
    size: int,
    after: int,
    app_version: str,
    limits: Limits = PROTOCOL_LIMITS,
) -> Batch | None:
    """The next events numbered above `after`, at most `size`; None when there are none.

    A batch whose bytes would pass the server's limits is made smaller; a single event that does is
    in a batch of its own all the same, for `opaque`.
    """
    events = _fitting(store.pending(size, after=after), limits.inflated_bytes)
    if not events:
        return None
    samples = store.unsent_samples()
    while True:
        request = PushRequest(
            proto=WIRE_VERSION,
            server_epoch=epoch,
            install_id=store.install_id,
            app_version=app_version,
            clock=ClockReading(
                wall_ms=clock.wall_ms(), boot_ms=clock.boot_ms(), boot_id=clock.boot_id()
            ),
            samples=tuple(sample for _, sample in samples),
            events=tuple(SentEvent(id=e.id, seq=e.seq, raw=e.raw) for e in events),
        )
        body, inflated = encode_measured(request)
        is_within = len(body) <= limits.body_bytes and inflated <= limits.inflated_bytes
        if is_within or len(events) == 1:
            numbers = tuple(number for number, _ in samples)
            return Batch(body=body, events=tuple(events), samples=numbers, epoch=epoch)
        events = events[: len(events) // 2]


def _fitting(events: Sequence[E], inflated_bytes: int) -> list[E]:
    """As many as stay below the server's inflated limit, at least one."""
    left = inflated_bytes - ENVELOPE_BYTES
    fitting: list[E] = []
    for event in events:
        # As a JSON string each byte may become six.
        left -= len(event.raw.encode()) * 2 + 128
        if left < 0 and fitting:
            break
        fitting.append(event)
    return fitting


def opaque(store: DeviceStore, event: PendingEvent) -> QuarantineRequest:
    """The event as bytes that nobody has to understand to keep them."""
    return QuarantineRequest(
        install_id=store.install_id,
        id=event.id,
        seq=event.seq,
        blob_base64=base64.b64encode(event.raw.encode("utf-8", "surrogatepass")).decode(),
    )


RESCUE_EVENTS = 200
"""Events of a rescue sent at once, at most."""
_TOO_MUCH = frozenset({"body-too-large", "too-many-events"})


async def send_rescue(
    transport: HttpTransport, target: Target, file: RescueFile, limits: Limits
) -> Refused | Failed | None:
    """Send everything readable of a rescue file, in parts that keep to the server's limits and are
    halved when it takes even less; None when the server has all of it."""
    left, size = list(file.events), min(RESCUE_EVENTS, limits.events)
    while left:
        request = _rescue_part(file.install_id, left[:size], limits)
        part = request.events
        outcome = await transport.rescue(target, request)
        if isinstance(outcome, Refused) and outcome.code in _TOO_MUCH and len(part) > 1:
            size = len(part) // 2
            continue
        if not isinstance(outcome, Delivered):
            return outcome
        held = {r.id for r in outcome.reply.results if r.r in ACKNOWLEDGED}
        if any(event.id not in held for event in part):
            return Failed(trouble=Trouble.SERVER_ERROR, reason="part of a rescue was not kept")
        left = left[len(part) :]
    return None


def _rescue_part(install_id: str, events: Sequence[SentEvent], limits: Limits) -> RescueRequest:
    """The first of them that go into one request, at least one."""
    fitting = _fitting(events, limits.inflated_bytes)
    while True:
        request = RescueRequest(install_id=install_id, events=tuple(fitting))
        body, inflated = encode_measured(request)
        is_within = len(body) <= limits.body_bytes and inflated <= limits.inflated_bytes
        if is_within or len(fitting) == 1:
            return request
        fitting = fitting[: len(fitting) // 2]
