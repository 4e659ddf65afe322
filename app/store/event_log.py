"""The append-only log of what this device saw: numbered without gaps, chained by hash, found by count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.contract.codec import decode_event, encode_event, hash_event
from app.contract.count_fold import CountStatus, FoldedCount, fold_count
from app.contract.events import GENESIS_HASH, DeviceEvent, EventVoided, Payload
from app.contract.ids import RANDOM_BYTES, uuid7
from app.store.clock import DeviceClock
from app.store.tables_ops import DeliveryRow, EventRow

_BEGINS = "bin.opened"
_ENDS = ("bin.closed", "bin.left")
HELD = ("quarantined", "mismatch")
"""Results after which the event is safe on the server but not counted yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """What a use-case wants recorded; the store adds id, number, previous hash and clocks."""

    payload: Payload
    user_id: str | None = None
    task_id: str | None = None
    count_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSummary:
    """One count as its events say it is, and how far the server has it."""

    count_id: str
    user_id: str | None
    task_id: str | None
    opened_wall_ms: int
    fold: FoldedCount
    unsent: int
    """Events of it that the server has not confirmed."""
    held: int
    """Events of it that the server stored but could not use; a supervisor looks at them."""


def append_events(
    session: Session,
    drafts: Sequence[EventDraft],
    *,
    clock: DeviceClock,
    random: Callable[[int], bytes],
) -> list[DeviceEvent]:
    """Number, chain and insert the drafts in order. The caller's transaction makes them one step."""
    last = session.exec(select(EventRow).order_by(col(EventRow.seq).desc()).limit(1)).first()
    seq, previous = (last.seq, last.sha256) if last else (0, GENESIS_HASH)
    events = []
    for draft in drafts:
        seq += 1
        wall_ms = clock.wall_ms()
        event = DeviceEvent(
            id=uuid7(max(0, wall_ms), random(RANDOM_BYTES)),
            seq=seq,
            prev_hash=previous,
            wall_ms=max(0, wall_ms),
            boot_ms=clock.boot_ms(),
            boot_id=clock.boot_id(),
            tz_min=clock.tz_min(),
            user_id=draft.user_id,
            task_id=draft.task_id,
            count_id=draft.count_id,
            payload=draft.payload,
        )
        row = _row(event)
        previous = row.sha256
        session.add(row)
        session.flush()
        events.append(event)
    return events


def _row(event: DeviceEvent) -> EventRow:
    raw = encode_event(event)
    payload = event.payload
    return EventRow(
        seq=event.seq,
        id=event.id,
        type=payload.type,
        count_id=event.count_id,
        task_id=event.task_id,
        user_id=event.user_id,
        voids=payload.voids if isinstance(payload, EventVoided) else None,
        wall_ms=event.wall_ms,
        raw=raw,
        sha256=hash_event(raw),
    )


def events_of_count(session: Session, count_id: str) -> list[DeviceEvent]:
    """The count's events in the order in which they happened; [] for a count nobody began."""
    rows = session.exec(
        select(EventRow.raw).where(EventRow.count_id == count_id).order_by(col(EventRow.seq))
    )
    return [decode_event(raw) for raw in rows]


def unfinished_counts(session: Session) -> list[CountSummary]:
    """Counts opened and neither closed nor left, oldest first: where to go on after a kill."""
    undone = select(EventRow.voids).where(col(EventRow.voids).is_not(None))
    finished = (
        select(col(EventRow.count_id))
        .where(col(EventRow.type).in_(_ENDS), col(EventRow.count_id).is_not(None))
        .where(col(EventRow.id).not_in(undone))
    )
    begun = (
        select(col(EventRow.count_id))
        .where(EventRow.type == _BEGINS, col(EventRow.count_id).not_in(finished))
        .group_by(col(EventRow.count_id))
        .order_by(func.min(EventRow.seq))
    )
    # An undo can itself be undone, which the query does not follow; the fold does.
    summaries = _summaries(session, session.exec(begun))
    return [s for s in summaries if s.fold.status is CountStatus.COUNTING]


def recent_counts(session: Session, limit: int) -> list[CountSummary]:
    """The last counts begun on this device, newest first."""
    begun = (
        select(col(EventRow.count_id))
        .where(EventRow.type == _BEGINS)
        .group_by(col(EventRow.count_id))
        .order_by(func.min(EventRow.seq).desc())
        .limit(limit)
    )
    return _summaries(session, session.exec(begun))


def _summaries(session: Session, count_ids: Iterable[str | None]) -> list[CountSummary]:
    named = [count_id for count_id in count_ids if count_id is not None]
    return [_summary(session, count_id) for count_id in named]


def _summary(session: Session, count_id: str) -> CountSummary:
    events = events_of_count(session, count_id)
    results = session.exec(
        select(DeliveryRow.result)
        .join(EventRow, col(EventRow.seq) == col(DeliveryRow.seq))
        .where(EventRow.count_id == count_id)
    ).all()
    opening = next(e for e in events if e.payload.type == _BEGINS)
    return CountSummary(
        count_id=count_id,
        user_id=opening.user_id,
        task_id=opening.task_id,
        opened_wall_ms=opening.wall_ms,
        fold=fold_count(count_id, events),
        unsent=len(events) - len(results),
        held=sum(1 for result in results if result in HELD),
    )
