"""The append-only log of what this device saw: numbered without gaps, chained by hash, found by count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from app.contract.codec import decode_event, encode_event, hash_event
from app.contract.count_fold import CountStatus, FoldedCount, fold_count
from app.contract.events import GENESIS_HASH, DeviceEvent, EventVoided, Payload
from app.contract.ids import RANDOM_BYTES, uuid7
from app.store.clock import DeviceClock

_BEGINS = "bin.opened"
_ENDS = ("bin.closed", "bin.left")
HELD = ("quarantined", "mismatch")
"""Results after which the event is safe on the server but not counted yet."""
SETTLED = "held_settled"
"""The setting with the numbers of held events that a person has settled, as JSON."""
IS_HELD = (
    f"(result IN {HELD} AND seq NOT IN (SELECT value FROM json_each("
    f"coalesce((SELECT value FROM setting WHERE name = '{SETTLED}'), '[]'))))"
)
"""SQL over a row of `delivery`: a supervisor still has to look at it."""


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
    db: Connection,
    drafts: Sequence[EventDraft],
    *,
    clock: DeviceClock,
    random: Callable[[int], bytes],
) -> list[DeviceEvent]:
    """Number, chain and insert the drafts in order. The caller's transaction makes them one step."""
    last = db.execute("SELECT seq, sha256 FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = last or (0, GENESIS_HASH)
    events = []
    for draft in drafts:
        seq += 1
        wall_ms = max(0, clock.wall_ms())
        event = DeviceEvent(
            id=uuid7(wall_ms, random(RANDOM_BYTES)),
            seq=seq,
            prev_hash=previous,
            wall_ms=wall_ms,
            boot_ms=clock.boot_ms(),
            boot_id=clock.boot_id(),
            tz_min=clock.tz_min(),
            user_id=draft.user_id,
            task_id=draft.task_id,
            count_id=draft.count_id,
            payload=draft.payload,
        )
        row = _row(event)
        previous = row["sha256"]
        db.execute(_INSERT, row)
        events.append(event)
    return events


_INSERT = """
    INSERT INTO event (seq, id, type, count_id, task_id, user_id, voids, wall_ms, raw, sha256)
    VALUES (:seq, :id, :type, :count_id, :task_id, :user_id, :voids, :wall_ms, :raw, :sha256)
"""


def _row(event: DeviceEvent) -> dict[str, Any]:
    raw = encode_event(event)
    payload = event.payload
    return {
        "seq": event.seq,
        "id": event.id,
        "type": payload.type,
        "count_id": event.count_id,
        "task_id": event.task_id,
        "user_id": event.user_id,
        "voids": payload.voids if isinstance(payload, EventVoided) else None,
        "wall_ms": event.wall_ms,
        "raw": raw,
        "sha256": hash_event(raw),
    }


def events_of_count(db: Connection, count_id: str) -> list[DeviceEvent]:
    """The count's events in the order in which they happened; [] for a count nobody began."""
    query = "SELECT raw FROM event WHERE count_id = ? ORDER BY seq"
    return [decode_event(raw) for (raw,) in db.execute(query, (count_id,)).fetchall()]


def unfinished_counts(db: Connection) -> list[CountSummary]:
    """Counts opened and neither closed nor left, oldest first: where to go on after a kill."""
    begun = db.execute(
        f"""
        SELECT count_id FROM event WHERE type = '{_BEGINS}' AND count_id NOT IN (
            SELECT count_id FROM event WHERE type IN {_ENDS} AND count_id IS NOT NULL
            AND id NOT IN (SELECT voids FROM event WHERE voids IS NOT NULL))
        GROUP BY count_id ORDER BY min(seq)
        """
    ).fetchall()
    # An undo can itself be undone, which the query does not follow; the fold does.
    summaries = _summaries(db, begun)
    return [s for s in summaries if s.fold.status is CountStatus.COUNTING]


def recent_counts(db: Connection, limit: int) -> list[CountSummary]:
    """The last counts begun on this device, newest first."""
    begun = db.execute(
        f"SELECT count_id FROM event WHERE type = '{_BEGINS}'"
        " GROUP BY count_id ORDER BY min(seq) DESC LIMIT ?",
        (limit,),
    ).fetchall()
    return _summaries(db, begun)


def _summaries(db: Connection, count_ids: Iterable[tuple[str | None]]) -> list[CountSummary]:
    return [_summary(db, count_id) for (count_id,) in count_ids if count_id is not None]


def _summary(db: Connection, count_id: str) -> CountSummary:
    events = events_of_count(db, count_id)
    confirmed, held = db.execute(
        f"SELECT count(*), coalesce(sum({IS_HELD}), 0) FROM delivery"
        " WHERE seq IN (SELECT seq FROM event WHERE count_id = ?)",
        (count_id,),
    ).fetchone()
    opening = next(e for e in events if e.payload.type == _BEGINS)
    return CountSummary(
        count_id=count_id,
        user_id=opening.user_id,
        task_id=opening.task_id,
        opened_wall_ms=opening.wall_ms,
        fold=fold_count(count_id, events),
        unsent=len(events) - confirmed,
        held=held,
    )
