"""What is still to be sent, and the server's word on what was. Derived from the log and `delivery`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from app.contract.wire import ACKNOWLEDGED, EventResult
from app.store.event_log import HELD
from app.store.tables_ops import DeliveryRow, EventRow

RETAIN_MS = 30 * 24 * 3600 * 1000
"""Confirmed events stay this long: a server restored from a copy may ask for them again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxStatus:
    """How much of what was counted has not been confirmed by the server."""

    unsent: int
    oldest_wall_ms: int | None
    """Device time of the oldest unsent event; None when everything is confirmed."""
    held: int
    """Confirmed, but the server could not use them: a supervisor has a case for each."""
    last_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingEvent:
    """An event to send: its own bytes, and the id and number by which it is confirmed."""

    seq: int
    id: str
    raw: str


def outbox_status(session: Session) -> OutboxStatus:
    """Counted from the tables each time: a kept figure would one day be wrong."""
    total, last = session.exec(
        select(func.count(), func.coalesce(func.max(EventRow.seq), 0)).select_from(EventRow)
    ).one()
    confirmed = session.exec(select(func.count()).select_from(DeliveryRow)).one()
    held = session.exec(
        select(func.count()).select_from(DeliveryRow).where(col(DeliveryRow.result).in_(HELD))
    ).one()
    unsent = total - confirmed
    oldest = session.exec(_unsent(EventRow.wall_ms).limit(1)).first() if unsent else None
    return OutboxStatus(unsent=unsent, oldest_wall_ms=oldest, held=held, last_seq=last)


def _unsent(*columns: object):  # type: ignore[no-untyped-def]  # sqlmodel's select has 20 overloads
    confirmed = select(DeliveryRow.seq).where(DeliveryRow.seq == EventRow.seq)
    return select(*columns).where(~confirmed.exists()).order_by(col(EventRow.seq))  # type: ignore[call-overload]


def pending_events(session: Session, limit: int, *, after: int = 0) -> list[PendingEvent]:
    """The oldest unsent events with a number above `after`, at most `limit` of them."""
    rows = session.exec(
        _unsent(EventRow.seq, EventRow.id, EventRow.raw).where(EventRow.seq > after).limit(limit)
    )
    return [PendingEvent(seq=seq, id=event_id, raw=raw) for seq, event_id, raw in rows]


def acknowledge(session: Session, results: Sequence[EventResult], *, epoch: str, at_ms: int) -> int:
    """Keep the server's word on each event it listed as held; how many were newly confirmed.

    Ids that are not ours, and results that confirm nothing, change nothing.
    """
    settled = {r.id: r for r in results if r.r in ACKNOWLEDGED}
    if not settled:
        return 0
    rows = session.exec(
        select(EventRow.seq, EventRow.id).where(col(EventRow.id).in_(list(settled)))
    ).all()
    known = set(
        session.exec(
            select(DeliveryRow.seq).where(col(DeliveryRow.seq).in_([seq for seq, _ in rows]))
        )
    )
    for seq, event_id in rows:
        if seq in known:
            continue
        word = settled[event_id]
        session.add(
            DeliveryRow(seq=seq, result=word.r.value, code=word.code, epoch=epoch, at_ms=at_ms)
        )
    return len(rows) - len(known)


def sha256_at(session: Session, seq: int) -> str:
    """SHA-256 of the event of that number; "" when it is not here (any more)."""
    row = session.get(EventRow, seq)
    return row.sha256 if row else ""


def confirmed_up_to(session: Session) -> int:
    """The number up to which the server confirmed everything, without a hole; 0 for nothing."""
    first_unsent = session.exec(_unsent(EventRow.seq).limit(1)).first()
    if first_unsent is not None:
        return int(first_unsent) - 1
    return session.exec(select(func.coalesce(func.max(EventRow.seq), 0))).one()


def forget_deliveries_above(session: Session, high_seq: int) -> int:
    """The server lost what it had confirmed after `high_seq`: those events are unsent again."""
    gone = session.exec(delete(DeliveryRow).where(col(DeliveryRow.seq) > high_seq))
    return int(gone.rowcount)


def prune(session: Session, *, epoch: str, high_seq: int, before_ms: int) -> int:
    """Delete events confirmed in this epoch, up to `high_seq`, and older than `before_ms`.

    The newest event always stays (the trigger insists): its number and hash begin the next one.
    """
    newest = session.exec(select(func.coalesce(func.max(EventRow.seq), 0))).one()
    seqs = list(
        session.exec(
            select(DeliveryRow.seq).where(
                DeliveryRow.epoch == epoch,
                DeliveryRow.seq <= min(high_seq, newest - 1),
                DeliveryRow.at_ms < before_ms,
                col(DeliveryRow.result).not_in(HELD),
            )
        )
    )
    for seq in seqs:
        # A foreign key ties the rows: the event's own trigger wants the delivery row still there.
        session.exec(delete(EventRow).where(col(EventRow.seq) == seq))
        session.exec(delete(DeliveryRow).where(col(DeliveryRow.seq) == seq))
    return len(seqs)
