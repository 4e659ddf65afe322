"""Working out a bin's checkpoints: its whole book, kept every so many entries.

A checkpoint is derived and may be dropped at any time; `post` drops those that a back-dated movement
makes untrue. Entries of one instant are never split by one. A bin that holds many keys is kept less
often: at least as many entries lie between two checkpoints as the second has lines, so that checkpoints
never take more rows than the entries they are made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import delete, text
from sqlmodel import Session

from server.storage.columns import from_us
from server.storage.engine import Database
from server.storage.ledger import CHECKPOINT, CHECKPOINT_LINE, lock_for_checkpoints
from server.storage.touched import due_for_checkpoints

LEGS = 32
"""Entries between two checkpoints, where the bin holds no more keys than that: at most so many are
summed to read it as of any instant. With 128 a read took twice as long, working them out a fifth less."""

DUE = 128
"""Entries since its last checkpoint from which a bin is worked on again: doing it at each thirty-second
entry would cost a posting more than it saves the readers."""

_BINS_PER_COMMIT = 200
"""A writer waits no longer than this many bins take: some tenths of a second."""
_LINES_AT_ONCE = 5000
"""Lines held in memory: a bin's whole history can have a hundred times as many."""

_LAST = text("SELECT max(at_us) FROM checkpoint WHERE site_id = :site_id AND bin = :bin")
_LINES = text(
    "SELECT sku, lot, serial, state, quantity_u FROM checkpoint_line "
    "WHERE site_id = :site_id AND bin = :bin AND at_us = :at_us"
)
_ENTRIES = text(
    """
    SELECT occurred_us, sku, lot, serial, to_state AS state, quantity_u FROM movement
    WHERE site_id = :site_id AND to_bin = :bin AND occurred_us > :since
    UNION ALL
    SELECT occurred_us, sku, lot, serial, from_state, -quantity_u FROM movement
    WHERE site_id = :site_id AND from_bin = :bin AND occurred_us > :since
    ORDER BY 1
    """
)
# A line without its head is untrue too.
_BINS = text(
    "SELECT bin FROM checkpoint WHERE site_id = :site_id "
    "UNION SELECT bin FROM checkpoint_line WHERE site_id = :site_id ORDER BY 1"
)
_HEADS = text("SELECT at_us FROM checkpoint WHERE site_id = :site_id AND bin = :bin")
_ALL_LINES = text(
    "SELECT at_us, sku, lot, serial, state, quantity_u FROM checkpoint_line "
    "WHERE site_id = :site_id AND bin = :bin"
)
_LONG_AGO = -(1 << 62)

_Key = tuple[str, str, str, str]


def refresh_checkpoints(database: Database, site_id: str, bins: Collection[str]) -> int:
    """Work out the checkpoints that the bins are due, in transactions of its own; how many were made.

    Called after movements were posted in bulk, and by `blindcount verify --repair`. Leaving it out
    makes reading slower, never wrong.
    """
    made = 0
    with database.read() as session:
        waiting = due_for_checkpoints(session, site_id, bins, DUE)
    for start in range(0, len(waiting), _BINS_PER_COMMIT):
        with database.write() as session:
            lock_for_checkpoints(session)
            for place in waiting[start : start + _BINS_PER_COMMIT]:
                made += _extend(session, site_id, place)
            session.commit()
    return made


def _extend(session: Session, site_id: str, place: str) -> int:
    connection = session.connection()
    bound = {"site_id": site_id, "bin": place}
    last: int | None = connection.execute(_LAST, bound).scalar_one()
    since = _LONG_AGO if last is None else last
    balances: dict[_Key, int] = defaultdict(int)
    if last is not None:
        for sku, lot, serial, state, quantity in connection.execute(
            _LINES, {**bound, "at_us": last}
        ):
            balances[(sku, lot, serial, state)] = quantity
    entries = connection.execute(_ENTRIES, {**bound, "since": since})
    made = 0
    heads: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for at_us, legs, held in checkpoints_of(balances, (tuple(row) for row in entries)):
        made += 1
        heads.append({**bound, "at_us": at_us, "legs": legs})
        lines += [_line(bound, at_us, key, quantity) for key, quantity in held.items()]
        if len(heads) + len(lines) >= _LINES_AT_ONCE:
            _write(session, heads, lines)
    _write(session, heads, lines)
    return made


def _line(bound: dict[str, Any], at_us: int, key: _Key, quantity_u: int) -> dict[str, Any]:
    sku, lot, serial, state = key
    return {
        **bound,
        "at_us": at_us,
        "sku": sku,
        "lot": lot,
        "serial": serial,
        "state": state,
        "quantity_u": quantity_u,
    }


def _write(session: Session, heads: list[dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    """Insert and empty both lists."""
    for table, rows in ((CHECKPOINT, heads), (CHECKPOINT_LINE, lines)):
        if rows:
            session.connection().execute(table.insert(), rows)
            rows.clear()


def checkpoints_of(
    balances: dict[_Key, int], entries: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[int, int, dict[_Key, int]]]:
    """(instant, entries since the one before, balances that are not zero), every LEGS entries or more.

    `entries` are (occurred_us, sku, lot, serial, state, quantity_u), sorted by time.
    """
    legs = 0
    for at_us, same_instant in groupby(entries, key=itemgetter(0)):
        for _, sku, lot, serial, state, quantity in same_instant:
            key = (sku, lot, serial, state)
            balances[key] += quantity
            if balances[key] == 0:
                del balances[key]
            legs += 1
        if legs >= max(LEGS, len(balances)):
            yield at_us, legs, dict(balances)
            legs = 0


def drop_all_checkpoints(session: Session, site_id: str) -> None:
    """Forget every checkpoint of the site: reading is slower until they are worked out again."""
    lock_for_checkpoints(session)
    for table in (CHECKPOINT_LINE, CHECKPOINT):
        session.connection().execute(delete(table).where(table.c.site_id == site_id))


def untrue_checkpoints(session: Session, site_id: str) -> list[str]:
    """Checkpoints that are not the sum of all movements up to them, in words; empty when all are true.

    One bin at a time: a large ledger has millions of lines.
    """
    problems: list[str] = []
    for place in session.connection().execute(_BINS, {"site_id": site_id}).scalars().all():
        problems += _untrue_of_bin(session, {"site_id": site_id, "bin": place})
    return problems


def _untrue_of_bin(session: Session, bound: dict[str, Any]) -> Iterator[str]:
    connection = session.connection()
    kept: dict[int, dict[_Key, int]] = {
        at_us: {} for at_us in connection.execute(_HEADS, bound).scalars()
    }
    for at_us, sku, lot, serial, state, held in connection.execute(_ALL_LINES, bound):
        kept.setdefault(at_us, {})[(sku, lot, serial, state)] = held
    entries = [tuple(row) for row in connection.execute(_ENTRIES, {**bound, "since": _LONG_AGO})]
    balances: dict[_Key, int] = defaultdict(int)
    done = 0
    for at_us in sorted(kept):
        while done < len(entries) and entries[done][0] <= at_us:
            _, sku, lot, serial, state, quantity = entries[done]
            balances[(sku, lot, serial, state)] += quantity
            done += 1
        if {key: held for key, held in balances.items() if held} != kept[at_us]:
            when = from_us(at_us).isoformat()
            yield f"{bound['bin']} at {when} is not what movements add up to"
