"""Taking in what devices send: stored for good in one transaction, then compared with the book.

The reply is given after COMMIT. Whatever goes wrong with the comparison never costs the events: it is
undone by itself, noted, and tried again with later pushes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.contract.ids import is_uuid7
from app.contract.problems import RefusalError
from app.contract.wire import (
    EVENT_BYTES_MAX,
    EVENTS_MAX,
    INFLATED_BYTES_MAX,
    WIRE_VERSION,
    EventResult,
    PushReply,
    PushRequest,
    QuarantineRequest,
    RescueReply,
    RescueRequest,
    Result,
    SentEvent,
)
from server.clock import Rim
from server.domain.arrivals import FORKED, Arrival, Known, held_id, sort_arrivals, words_on
from server.domain.people import Device
from server.services.comparing import Comparison, compare, storable
from server.services.device_contact import keep_clocks, note_device
from server.services.epochs import server_epoch
from server.services.held_settling import used_elsewhere
from server.storage import access, count_events, events
from server.storage.columns import to_us
from server.storage.engine import Database
from server.storage.rows import insert_new, insert_rows
from server.storage.tables_sync import (
    DeviceEventRow,
    HeldEventRow,
    InstallRow,
    PushRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Push:
    """One push under way."""

    session: Session
    site_id: str
    device: Device
    install_id: str
    """Whose events they are: the device's own install, but for a rescue."""
    bytes_max: int = EVENT_BYTES_MAX
    now: datetime
    rim: Rim

    @property
    def now_ms(self) -> int:
        return to_us(self.now) // 1000


def push(
    database: Database, site_id: str, device: Device, request: PushRequest, *, rim: Rim
) -> PushReply:
    """Store what the device sent; the word on each event.

    Raises proto-unsupported, too-many-events, install-forked (another install's token),
    epoch-changed (the device has not heard of our restore).
    """
    if request.proto != WIRE_VERSION:
        raise RefusalError("proto-unsupported")
    if len(request.events) > EVENTS_MAX:
        raise RefusalError("too-many-events", limit=EVENTS_MAX)
    if request.install_id != device.install_id:
        raise RefusalError("install-forked")
    now = rim.now()
    with database.write() as session:
        epoch = server_epoch(session, site_id, rim)
        if request.server_epoch != epoch:
            raise RefusalError("epoch-changed")
        under_way = _Push(
            session=session,
            site_id=site_id,
            device=device,
            install_id=device.install_id,
            now=now,
            rim=rim,
        )
        install = events.lock_install(session, site_id, device.install_id, device.device_id)
        keep_clocks(session, site_id, install.install_id, request, now_ms=under_way.now_ms)
        arrivals = _take_in(under_way, install, request.events)
        note_device(session, site_id, install, request.app_version, now)
        _compare(under_way, arrivals)
        reply = PushReply(
            server_epoch=epoch,
            t1_ms=under_way.now_ms,
            t2_ms=to_us(rim.now()) // 1000,
            results=words_on(arrivals),
            high_seq=install.high_seq,
            audit_head=install.audit_head,
        )
        session.commit()
    return reply


def hold_opaque(
    database: Database,
    site_id: str,
    device: Device,
    request: QuarantineRequest,
    raw: bytes,
    *,
    rim: Rim,
) -> EventResult:
    """Keep bytes that made a whole batch unreadable, so that the device's queue goes on."""
    if request.install_id != device.install_id:
        raise RefusalError("install-forked")
    text = raw.decode("utf-8", "backslashreplace")
    sent = SentEvent(id=request.id, seq=request.seq, raw=text)
    arrival = Arrival(
        sent=sent,
        result=Result.QUARANTINED,
        sha256=hashlib.sha256(raw).hexdigest(),
        code="event-malformed",
        reason="Sent alone, because the batch it was in could not be read.",
        is_new=True,
    )
    with database.write() as session:
        under_way = _Push(
            session=session,
            site_id=site_id,
            device=device,
            install_id=device.install_id,
            now=rim.now(),
            rim=rim,
        )
        install = events.lock_install(session, site_id, device.install_id, device.device_id)
        usable = events.hashes_by_id(session, site_id, [request.id]).get(request.id)
        if usable == (arrival.sha256, device.install_id):
            # A push brought it before, and only the reply was lost: it is not a second event.
            return EventResult(id=request.id, r=Result.EXISTS)
        if not events.held_codes(session, site_id, [held_id(device.install_id, sent)]):
            _store(under_way, install, [arrival], opaque=raw)
            _compare(under_way, [arrival])
        session.commit()
    return EventResult(id=request.id, r=Result.QUARANTINED, code=arrival.code)


def rescue(
    database: Database, site_id: str, device: Device, request: RescueRequest, *, rim: Rim
) -> RescueReply:
    """Take in what another install recorded; the word on each event, as for a push.

    Where the other copy of that install used the same numbers, these events are a branch of it: two
    people counted on two copies, and both counts are facts.
    """
    if len(request.events) > EVENTS_MAX:
        raise RefusalError("too-many-events", limit=EVENTS_MAX)
    if not request.events:
        return RescueReply(results=())
    with database.write() as session:
        install_id = _install_of(session, site_id, request)
        under_way = _Push(
            session=session,
            site_id=site_id,
            device=device,
            install_id=install_id,
            # There is no other way for it: what is too large is kept too, or the rescue never ends.
            bytes_max=INFLATED_BYTES_MAX,
            now=rim.now(),
            rim=rim,
        )
        install = events.lock_install(session, site_id, install_id, device.device_id)
        arrivals = _take_in(under_way, install, request.events)
        used_elsewhere(session, site_id, arrivals, device.device_id, under_way.now)
        _compare(under_way, arrivals)
        session.commit()
    return RescueReply(results=words_on(arrivals))


def _install_of(session: Session, site_id: str, request: RescueRequest) -> str:
    named = request.install_id if is_uuid7(request.install_id) else "unnamed"
    sent = {s.seq: s.id for s in request.events}
    taken = events.ids_by_seq(session, site_id, named, list(sent))
    if named != "unnamed" and all(sent[seq] == event_id for seq, event_id in taken.items()):
        return named
    first = min(request.events, key=lambda s: s.seq)
    return f"{named}{events.BRANCH}{hashlib.sha256(first.id.encode()).hexdigest()[:12]}"


# -- sorting


def _take_in(push: _Push, install: InstallRow, sent: Sequence[SentEvent]) -> list[Arrival]:
    """Sort and store. Raises busy when another install is storing an event of that id just now."""
    if sent and min(s.seq for s in sent) > install.max_seq:
        # The ordinary push: nothing of it can have been here, so nothing is looked up but the event
        # before. Should an id be known all the same, the insert says so and all is looked up.
        savepoint = push.session.begin_nested()
        arrivals = _sort(push, sent, _known_before(push, sent))
        if _store(push, install, arrivals):
            savepoint.commit()
            return arrivals
        savepoint.rollback()
    arrivals = _sort(push, sent, _known(push, sent))
    if not _store(push, install, arrivals):
        raise RefusalError("busy", seconds=1)
    return arrivals


def _known_before(push: _Push, sent: Sequence[SentEvent]) -> Known:
    before = min(s.seq for s in sent) - 1
    return Known(
        hashes_at_seq=events.hashes_by_seq(push.session, push.site_id, push.install_id, [before]),
        people=access.who_counts(push.session, push.site_id, Known.named_in(sent)),
    )


def _known(push: _Push, sent: Sequence[SentEvent]) -> Known:
    session, site_id, install_id = push.session, push.site_id, push.install_id
    seqs = sorted({s.seq for s in sent} | {s.seq - 1 for s in sent})
    return Known(
        by_id=events.hashes_by_id(session, site_id, [s.id for s in sent]),
        id_at_seq=events.ids_by_seq(session, site_id, install_id, seqs),
        hashes_at_seq=events.hashes_by_seq(session, site_id, install_id, seqs),
        held=events.held_codes(session, site_id, [held_id(install_id, s) for s in sent]),
        people=access.who_counts(session, site_id, Known.named_in(sent)),
    )


def _sort(push: _Push, sent: Sequence[SentEvent], known: Known) -> list[Arrival]:
    return sort_arrivals(push.install_id, sent, known, bytes_max=push.bytes_max)


# -- storing


def _store(
    push: _Push, install: InstallRow, arrivals: Sequence[Arrival], *, opaque: bytes | None = None
) -> bool:
    """Insert what is new; False when some of it was there after all: then all is to be undone."""
    fresh = [a for a in arrivals if a.is_new]
    if not fresh:
        return True
    install.pushes += 1
    usable = [_event_row(push, a, install.pushes) for a in fresh if a.event is not None]
    held = [_held_row(push, a, install.pushes, opaque) for a in fresh if a.event is None]
    if insert_new(push.session, DeviceEventRow, usable) != len(usable):
        return False
    if insert_new(push.session, HeldEventRow, held) != len(held):
        return False
    _link(push, install, fresh)
    _follow_sequence(push, install, fresh)
    if any(a.code == FORKED for a in fresh):
        install.is_forked = True
    push.session.add(install)
    push.session.flush()
    return True


def _event_row(push: _Push, arrival: Arrival, number: int) -> dict[str, Any]:
    event = arrival.event
    assert event is not None, "only usable events get here"
    return {
        "site_id": push.site_id,
        "event_id": event.id,
        "install_id": push.install_id,
        "seq": event.seq,
        "device_id": push.device.device_id,
        "type": event.payload.type,
        "count_id": event.count_id,
        "task_id": event.task_id,
        "user_id": event.user_id,
        "raw": arrival.sent.raw,
        "sha256": arrival.sha256,
        "push": number,
        "received_us": to_us(push.now),
    }


def _held_row(push: _Push, arrival: Arrival, number: int, opaque: bytes | None) -> dict[str, Any]:
    raw = arrival.sent.raw.encode("utf-8", "surrogatepass") if opaque is None else opaque
    return {
        "site_id": push.site_id,
        "held_id": held_id(push.install_id, arrival.sent),
        "install_id": push.install_id,
        "event_id": storable(arrival.sent.id),
        "seq": arrival.sent.seq,
        "device_id": push.device.device_id,
        "raw": raw,
        "sha256": arrival.sha256,
        "code": arrival.code,
        "reason": storable(arrival.reason),
        "count_id": arrival.held_count_id,
        "user_id": None,
        "push": number,
        "received_us": to_us(push.now),
    }


def _link(push: _Push, install: InstallRow, fresh: Sequence[Arrival]) -> None:
    """One more link of the install's chain of pushes."""
    install.audit_head = chain_head(
        install.audit_head, install.pushes, to_us(push.now), [a.sha256 for a in fresh]
    )
    link = {
        "install_id": install.install_id,
        "number": install.pushes,
        "received_us": to_us(push.now),
        "head": install.audit_head,
    }
    insert_rows(push.session, push.site_id, PushRow, [link])


def chain_head(previous: str, number: int, received_us: int, hashes: Sequence[str]) -> str:
    """The head after one more push: covers what it stored, when, and everything before it."""
    text = "\x1f".join((previous, str(number), str(received_us), *sorted(hashes)))
    return hashlib.sha256(text.encode()).hexdigest()


def _follow_sequence(push: _Push, install: InstallRow, fresh: Sequence[Arrival]) -> None:
    """Move the contiguous mark on; a hole is noted, never a reason to wait."""
    seqs = sorted(a.sent.seq for a in fresh)
    follows = list(range(install.high_seq + 1, install.high_seq + 1 + len(seqs)))
    if install.max_seq > install.high_seq or seqs != follows:
        site_id, install_id = push.site_id, install.install_id
        seqs = events.seqs_above(push.session, site_id, install_id, install.high_seq)
    high = install.high_seq
    for seq in seqs:
        if seq != high + 1:
            break
        high = seq
    install.high_seq = high
    install.max_seq = max(install.max_seq, *(a.sent.seq for a in fresh))
    if install.max_seq <= install.high_seq:
        install.gap_since_us = None
    elif install.gap_since_us is None:
        install.gap_since_us = to_us(push.now)


def _compare(push: _Push, arrivals: Sequence[Arrival]) -> None:
    new = [a for a in arrivals if a.is_new]
    fresh: dict[str, list[count_events.Received]] = {}
    at_us, install_id, device_id = to_us(push.now), push.install_id, push.device.device_id
    for event in (a.event for a in new if a.event is not None):
        if event.count_id is not None:
            received = count_events.Received(install_id, device_id, event, at_us)
            fresh.setdefault(event.count_id, []).append(received)
    work = Comparison(
        session=push.session,
        site_id=push.site_id,
        now=push.now,
        new_id=push.rim.new_id,
        fresh=fresh,
    )
    compare(
        work,
        sorted(fresh),
        [held_id(push.install_id, a.sent) for a in new if a.event is None],
        [a.event.id for a in new if a.event and a.event.payload.type == "task.skipped"],
    )
