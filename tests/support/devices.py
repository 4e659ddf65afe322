"""An enrolled device as the server sees it, and pushes from it, without the client's code."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.contract.codec import encode_event, hash_event
from app.contract.events import GENESIS_HASH, DeviceEvent, Payload
from app.contract.vocabulary import Role
from app.contract.wire import (
    ClockReading,
    ClockSample,
    EnrolRequest,
    PushReply,
    PushRequest,
    SentEvent,
)
from server.clock import Rim
from server.domain.people import Device
from server.services import access, enrolment, intake
from server.services.access import NewPerson
from server.services.epochs import ensure_epoch
from server.storage.engine import Database
from tests.support.events import an_event, an_id
from tests.support.server import SITE

BOOT = "boot-1"


def sent(event: DeviceEvent) -> SentEvent:
    """The event as it travels."""
    return SentEvent(id=event.id, seq=event.seq, raw=encode_event(event))


@dataclass
class SimpleDevice:
    """Makes chained events and pushes them; for tests that are about the server."""

    database: Database
    rim: Rim
    device: Device
    token: str
    last_seq: int = 0
    last_hash: str = GENESIS_HASH
    pending: list[SentEvent] = field(default_factory=list)

    def record(self, payload: Payload, count_id: str | None = None, **fields) -> SentEvent:
        """One more event of this device, not sent yet."""
        self.last_seq += 1
        event = an_event(
            payload,
            seq=self.last_seq,
            count_id=count_id or an_id(),
            prev_hash=self.last_hash,
            **fields,
        )
        self.last_hash = hash_event(encode_event(event))
        self.pending.append(sent(event))
        return self.pending[-1]

    def request(
        self, events: list[SentEvent] | None = None, samples: tuple[ClockSample, ...] = ()
    ) -> PushRequest:
        """A push of the events, or of all that were not taken by `push_all` yet."""
        return PushRequest(
            proto=1,
            server_epoch=ensure_epoch(self.database, SITE, self.rim),
            install_id=self.device.install_id,
            clock=ClockReading(wall_ms=1_790_000_000_000, boot_ms=1_000_000, boot_id=BOOT),
            samples=samples,
            events=tuple(self.pending if events is None else events),
        )

    def push(self, events: list[SentEvent] | None = None, **fields) -> PushReply:
        """Push straight into the service."""
        return intake.push(
            self.database, SITE, self.device, self.request(events, **fields), rim=self.rim
        )


def a_device(database: Database, rim: Rim, name: str = "scanner 1") -> SimpleDevice:
    """An enrolled device; "ana" and "ben" may count on it."""
    access.add_people(
        database,
        SITE,
        [
            NewPerson(user_id=user_id, name=user_id.title(), role=Role.COUNTER)
            for user_id in ("ana", "ben")
        ],
        rim=rim,
    )
    code = enrolment.make_enrol_code(database, SITE, rim=rim, minutes=10, actor="sue")
    reply = enrolment.enrol(
        database,
        SITE,
        EnrolRequest(token=code.code, install_id=an_id(), device_name=name, app_version="1"),
        rim=rim,
    )
    with database.read() as session:
        device = access.device_of_token(session, SITE, reply.device_token)
    return SimpleDevice(database=database, rim=rim, device=device, token=reply.device_token)
