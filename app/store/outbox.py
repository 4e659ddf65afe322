"""What is still to be sent, and the server's word on what was. Derived from the log and `delivery`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection

from app.contract.wire import ACKNOWLEDGED, EventResult
from app.store.event_log import HELD

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


_UNSENT = "FROM event WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.seq = event.seq)"
_STATUS = f"""
    SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM delivery),
           (SELECT count(*) FROM delivery WHERE result IN {HELD}),
           (SELECT coalesce(max(seq), 0) FROM event)
"""


def outbox_status(db: Connection) -> OutboxStatus:
    """Counted from the tables each time: a kept figure would one day be wrong."""
    total, confirmed, held, last = db.execute(_STATUS).fetchone()
    oldest = None
    if total > confirmed:
        (oldest,) = db.execute(f"SELECT wall_ms {_UNSENT} ORDER BY seq LIMIT 1").fetchone()
    return OutboxStatus(unsent=total - confirmed, oldest_wall_ms=oldest, held=held, last_seq=last)


def pending_events(db: Connection, limit: int, *, after: int = 0) -> list[PendingEvent]:
    """The oldest unsent events with a number above `after`, at most `limit` of them."""
    rows = db.execute(
        f"SELECT seq, id, raw {_UNSENT} AND seq > ? ORDER BY seq LIMIT ?", (after, limit)
    ).fetchall()
    return [PendingEvent(seq=seq, id=event_id, raw=raw) for seq, event_id, raw in rows]


def acknowledge(db: Connection, results: Sequence[EventResult], *, epoch: str, at_ms: int) -> int:
    """Keep the server's word on each event it listed as held; how many were newly confirmed.

    Ids that are not ours, and results that confirm nothing, change nothing. The first word stays.
    """
    (before,) = db.execute("SELECT count(*) FROM delivery").fetchone()
    words = [(r.r.value, r.code, epoch, at_ms, r.id) for r in results if r.r in ACKNOWLEDGED]
    db.executemany(
        "INSERT INTO delivery (seq, result, code, epoch, at_ms)"
        " SELECT seq, ?, ?, ?, ? FROM event WHERE id = ? ON CONFLICT DO NOTHING",
        words,
    )
    (after,) = db.execute("SELECT count(*) FROM delivery").fetchone()
    return int(after - before)


def sha256_at(db: Connection, seq: int) -> str:
    """SHA-256 of the event of that number; "" when it is not here (any more)."""
    row = db.execute("SELECT sha256 FROM event WHERE seq = ?", (seq,)).fetchone()
    return row[0] if row else ""


def confirmed_up_to(db: Connection) -> int:
    """The number up to which the server confirmed everything, without a hole; 0 for nothing."""
    first_unsent = db.execute(f"SELECT seq {_UNSENT} ORDER BY seq LIMIT 1").fetchone()
    if first_unsent is not None:
        return int(first_unsent[0]) - 1
    (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    return int(last)


def forget_deliveries_above(db: Connection, high_seq: int) -> int:
    """The server lost what it had confirmed after `high_seq`: those events are unsent again."""
    return db.execute("DELETE FROM delivery WHERE seq > ?", (high_seq,)).rowcount


def prune(db: Connection, *, epoch: str, high_seq: int, before_ms: int) -> int:
    """Delete events confirmed in this epoch, up to `high_seq`, and older than `before_ms`.

    The newest event always stays (the trigger insists): its number and hash begin the next one.
    """
    old = (
        "SELECT seq FROM delivery WHERE epoch = ? AND seq <= ? AND at_ms < ?"
        f" AND result NOT IN {HELD} AND seq < (SELECT max(seq) FROM event)"
    )
    seqs = db.execute(old, (epoch, high_seq, before_ms)).fetchall()
    # A foreign key ties the rows: the event's own trigger wants the delivery row still there.
    db.executemany("DELETE FROM event WHERE seq = ?", seqs)
    db.executemany("DELETE FROM delivery WHERE seq = ?", seqs)
    return len(seqs)
