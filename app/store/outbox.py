"""What is still to be sent, and the server's word on what was. Derived from the log and `delivery`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection

from app.contract.wire import ACKNOWLEDGED, EventResult
from app.store.event_log import HELD, IS_HELD, SETTLED, unfinished_counts
from app.store.notes import set_setting, setting

RETAIN_MS = 30 * 24 * 3600 * 1000
"""Confirmed events stay this long: a server restored from a copy may ask for them again."""
CONFIRMED = "confirmed_mark"
"""The setting that keeps which hello began the wait: epoch, number, the server's time."""


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
           (SELECT count(*) FROM delivery WHERE {IS_HELD}),
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


def held_settled(db: Connection, event_ids: Sequence[str]) -> int:
    """A supervisor settled these: their badge goes. How many of this device's that makes."""
    known = db.execute(
        f"SELECT seq, id FROM event JOIN delivery USING (seq) WHERE result IN {HELD} ORDER BY seq"
    ).fetchall()
    wanted = set(event_ids)
    settled = [seq for seq, event_id in known if event_id in wanted]
    set_setting(db, SETTLED, json.dumps(settled) if settled else None)
    return len(settled)


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


def confirmed_again(db: Connection, *, epoch: str, high_seq: int, server_ms: int) -> int:
    """Take a hello's word; prune when one of the same epoch said as much RETAIN_MS before it."""
    fresh = f"{epoch} {high_seq} {server_ms}"
    known = (setting(db, CONFIRMED) or fresh).split(" ")
    if known[0] != epoch or high_seq < int(known[1]):
        known = fresh.split(" ")
    waited = server_ms - int(known[2]) >= RETAIN_MS
    pruned = _prune(db, epoch=epoch, high_seq=int(known[1])) if waited else 0
    set_setting(db, CONFIRMED, fresh if waited else " ".join(known))
    return pruned


def _prune(db: Connection, *, epoch: str, high_seq: int) -> int:
    """Delete events confirmed in this epoch, up to `high_seq`; how many.

    The newest event always stays (the trigger insists): its number and hash begin the next one. So do
    events the server could not use, and a bin still being counted with everything after it.
    """
    begun = [s.count_id for s in unfinished_counts(db)]
    (needed,) = db.execute(
        f"SELECT min(seq) FROM event WHERE count_id IN ({', '.join('?' * len(begun))})", begun
    ).fetchone()
    last = high_seq if needed is None else min(high_seq, needed - 1)
    old = (
        "SELECT seq FROM delivery WHERE epoch = ? AND seq <= ?"
        f" AND NOT {IS_HELD} AND seq < (SELECT max(seq) FROM event)"
    )
    seqs = db.execute(old, (epoch, last)).fetchall()
    # A foreign key ties the rows: the event's own trigger wants the delivery row still there.
    db.executemany("DELETE FROM event WHERE seq = ?", seqs)
    db.executemany("DELETE FROM delivery WHERE seq = ?", seqs)
    return len(seqs)
