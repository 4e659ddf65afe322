"""Comparing what was just stored with the book, so that no bug in a rule ever costs an event.

Each call into the rules is in a savepoint of its own: when it fails it is undone by itself, noted, and
tried again with later pushes, while the events it was about stay stored and acknowledged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from server.services import reconciling
from server.storage.columns import to_us
from server.storage.tables_sync import CompareLaterRow

log = logging.getLogger("blindcount.comparing")
AGAIN_MAX = 5
"""Counts whose comparison failed before and that one push tries again, the least tried first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The transaction and the instant in which to compare."""

    session: Session
    site_id: str
    now: datetime
    new_id: Callable[[], str]


def compare(work: Comparison, count_ids: Sequence[str], held_ids: Sequence[str]) -> None:
    """Compare the counts that events came for, raise cases for what was held, and catch up."""
    _catch_up(work)
    if count_ids and _try(work, reconciling.counts_changed, count_ids) is not None:
        _compare_each(work, count_ids)
    if held_ids:
        _try(work, reconciling.events_held, held_ids)


def _catch_up(work: Comparison) -> None:
    waiting = work.session.exec(
        select(CompareLaterRow)
        .where(CompareLaterRow.site_id == work.site_id)
        .order_by(col(CompareLaterRow.tries), col(CompareLaterRow.count_id))
        .limit(AGAIN_MAX)
    ).all()
    for row in waiting:
        if _try(work, reconciling.counts_changed, [row.count_id]) is None:
            work.session.delete(row)
        else:
            row.tries += 1


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
