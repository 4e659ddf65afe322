"""The end of a held event: used after all, or set aside for good. The device hears of it at a hello."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from app.contract.codec import MalformedEventError, decode_event
from app.contract.events import DeviceEvent
from server.domain.arrivals import Arrival
from server.services import reconciling
from server.services.desk import Desk
from server.storage import access
from server.storage.columns import to_us
from server.storage.rows import insert_new
from server.storage.tables_sync import DeviceEventRow, HeldEventRow, HeldReleaseRow

SUBJECT = "held/"
UNKNOWN_PERSON = "unknown-user"
USED, SET_ASIDE = "used", "set_aside"


def settle_held(desk: Desk, subject: str, by: str) -> str:
    """Settle the event that a case is about; what became of it, in words.

    It is used when all that was wrong is that nobody knew the person, and the person is known by now.
    Anything else stays kept and is never counted. Settling it again changes nothing.
    """
    session, site_id = desk.session, desk.site_id
    held_id = subject.removeprefix(SUBJECT)
    row = session.get(HeldEventRow, (site_id, held_id))
    if row is None or session.get(HeldReleaseRow, (site_id, held_id)) is not None:
        return "Closed."
    event = _usable(desk, row)
    is_used = event is not None and _use(desk, row, event)
    session.add(
        HeldReleaseRow(
            site_id=site_id,
            held_id=held_id,
            outcome=USED if is_used else SET_ASIDE,
            by=by,
            at_us=to_us(desk.now),
        )
    )
    session.flush()
    if is_used and row.count_id is not None:
        reconciling.counts_changed(session, site_id, [row.count_id], desk.now, desk.new_id)
    return "Closed: the entry is counted now." if is_used else "Closed: the entry is set aside."


def used_elsewhere(
    session: Session, site_id: str, arrivals: Sequence[Arrival], by: str, now: datetime
) -> None:
    """A rescue brought what was held under another install, and it is used: it waits for nobody now."""
    used = {a.sent.id: a.sha256 for a in arrivals if a.is_new and a.event is not None}
    rows = session.exec(
        select(HeldEventRow.held_id, HeldEventRow.event_id, HeldEventRow.sha256).where(
            HeldEventRow.site_id == site_id, col(HeldEventRow.event_id).in_(used)
        )
    ).all()
    fresh = [
        {"site_id": site_id, "held_id": held, "outcome": USED, "by": by, "at_us": to_us(now)}
        for held, event_id, sha256 in rows
        if used[event_id] == sha256
    ]
    insert_new(session, HeldReleaseRow, fresh)


def _usable(desk: Desk, row: HeldEventRow) -> DeviceEvent | None:
    if row.code != UNKNOWN_PERSON:
        return None
    try:
        event = decode_event(row.raw.decode("utf-8"))
    except (MalformedEventError, UnicodeDecodeError):
        return None
    named = {event.user_id} if event.user_id else set()
    return event if access.who_counts(desk.session, desk.site_id, named) else None


def _use(desk: Desk, row: HeldEventRow, event: DeviceEvent) -> bool:
    """False when its id or number was taken meanwhile: then it stays set aside."""
    fresh = {
        "site_id": desk.site_id,
        "event_id": event.id,
        "install_id": row.install_id,
        "seq": event.seq,
        "device_id": row.device_id,
        "type": event.payload.type,
        "count_id": event.count_id,
        "task_id": event.task_id,
        "user_id": event.user_id,
        "raw": row.raw.decode("utf-8"),
        "sha256": row.sha256,
        "push": row.push,
        "received_us": row.received_us,
    }
    return insert_new(desk.session, DeviceEventRow, [fresh]) == 1
