"""Comparing what was just stored with the book, so that no bug in a rule ever costs an event.

Each call into the rules is in a savepoint of its own: when it fails it is undone by itself, noted, and
tried again with later pushes, while the events it was about stay stored and acknowledged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from server.services import odd_facts, reconciling, skipping
from server.services.desk import Desk
from server.storage.access import device_names
from server.storage.casework_lock import lock_for_casework
from server.storage.columns import from_us, to_us
from server.storage.count_events import Received
from server.storage.tables_sync import CompareLaterRow, InstallRow

log = logging.getLogger("blindcount.comparing")
GAP_AFTER = timedelta(hours=24)
"""A device that is in a dead zone sends late; after a day somebody looks for it."""
AGAIN_MAX = 5
"""Counts whose comparison failed before and that one push tries again, the least tried first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The transaction and the instant in which to compare."""

    session: Session
    site_id: str
    now: datetime
    new_id: Callable[[], str]
    fresh: Mapping[str, Sequence[Received]] = field(default_factory=dict)
    """By count, the events that this transaction has stored: they need not be read back."""


def compare(
    work: Comparison,
    count_ids: Sequence[str],
    held_ids: Sequence[str],
    skip_ids: Sequence[str] = (),
) -> None:
    """Compare the counts that events came for, raise cases for what was held, and catch up.

    `skip_ids` are events that say a task was skipped.
    """
    lock_for_casework(work.session, work.site_id)
    _catch_up(work)
    report_gaps(work)
    rule = partial(reconciling.counts_changed, fresh=work.fresh)
    if count_ids and _try(work, rule, count_ids) is not None:
        _compare_each(work, count_ids)
    if held_ids:
        _try(work, reconciling.events_held, held_ids)
    if skip_ids:
        _try(work, skipping.tasks_skipped, skip_ids)


def _catch_up(work: Comparison) -> None:
    waiting = work.session.connection().execute(_WAITING, {"site_id": work.site_id})
    for count_id in waiting.scalars().all():
        row = work.session.get_one(CompareLaterRow, (work.site_id, count_id))
        if _try(work, reconciling.counts_changed, [count_id]) is None:
            work.session.delete(row)
        else:
            row.tries += 1


def report_gaps(work: Comparison) -> None:
    """A hole in a device's sequence for more than a day: something it recorded has not arrived."""
    values = {"site_id": work.site_id, "before_us": to_us(work.now - GAP_AFTER)}
    work.session.flush()
    overdue = work.session.connection().execute(_OVERDUE, values)
    for install_id in overdue.scalars().all():
        _try(work, _open_gap, [install_id])


# What every push asks, and mostly for nothing: made once, and without the ORM.
_WAITING = (
    select(CompareLaterRow.count_id)
    .where(col(CompareLaterRow.site_id) == bindparam("site_id"))
    .order_by(col(CompareLaterRow.tries), col(CompareLaterRow.count_id))
    .limit(AGAIN_MAX)
)
_OVERDUE = select(InstallRow.install_id).where(
    col(InstallRow.site_id) == bindparam("site_id"),
    col(InstallRow.gap_since_us) < bindparam("before_us"),
)


def _open_gap(
    session: Session, site_id: str, ids: Sequence[str], now: datetime, new_id: Callable[[], str]
) -> None:
    row = session.get(InstallRow, (site_id, ids[0]))
    if row is None or row.gap_since_us is None:
        return
    names = device_names(session, site_id, [row.device_id])
    odd_facts.device_gap(
        Desk(session, site_id, now, new_id),
        row.install_id,
        names.get(row.device_id, ""),
        first_missing=row.high_seq + 1,
        since=from_us(row.gap_since_us),
    )


def _compare_each(work: Comparison, count_ids: Sequence[str]) -> None:
    """One of them failed: compare the others, and note the one for later."""
    for count_id in count_ids:
        failed = _try(work, reconciling.counts_changed, [count_id])
        if failed is not None:
            work.session.merge(
                CompareLaterRow(
                    site_id=work.site_id,
                    count_id=count_id,
                    since_us=to_us(work.now),
                    error=storable(failed)[:500],
                )
            )


def _try(work: Comparison, rule: Callable[..., Any], ids: Sequence[str]) -> str | None:
    """Call a rule in a savepoint of its own; its error, or None when it went well."""
    try:
        with work.session.begin_nested():
            rule(work.session, work.site_id, list(ids), work.now, work.new_id)
            work.session.flush()
    except Exception as error:
        log.exception("%s failed for %s", getattr(rule, "__name__", rule), ids)
        return f"{type(error).__name__}: {error}"
    return None


def storable(text: str) -> str:
    """PostgreSQL keeps no NUL in a text, and neither database a lone surrogate."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\0")
