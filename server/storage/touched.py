"""Questions about many bins at once, each answered by one statement over a temporary table of them.

Asked a bin at a time, an import that touches 20,000 bins would spend longer asking than importing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from server.domain.stock import OUTSIDE

BelowZero = tuple[str, str, str, str, str, int]
"""(bin, sku, lot, serial, state, millionths)."""

_LONG_AGO = -(1 << 62)
_BINS_AT_ONCE = 1000
"""Bins whose entries are summed together: what the database sorts does not grow with the ledger."""
# CROSS JOIN keeps SQLite to this order: from the few bins into the index of the many movements.
_BELOW_ZERO = text(
    """
    SELECT bin, sku, lot, serial, state, sum(q) FROM (
        SELECT l.bin, l.sku, l.lot, l.serial, l.state, l.quantity_u AS q
        FROM touched_bin t CROSS JOIN checkpoint_line l
        WHERE l.site_id = :site_id AND l.bin = t.bin AND l.at_us = t.base_us
        UNION ALL
        SELECT m.to_bin, m.sku, m.lot, m.serial, m.to_state, m.quantity_u
        FROM touched_bin t CROSS JOIN movement m
        WHERE m.site_id = :site_id AND m.to_bin = t.bin AND m.occurred_us > t.base_us
        UNION ALL
        SELECT m.from_bin, m.sku, m.lot, m.serial, m.from_state, -m.quantity_u
        FROM touched_bin t CROSS JOIN movement m
        WHERE m.site_id = :site_id AND m.from_bin = t.bin AND m.occurred_us > t.base_us
    ) AS entries
    GROUP BY bin, sku, lot, serial, state HAVING sum(q) < 0
    """
)
_DUE = text(
    """
    SELECT bin FROM (
        SELECT t.bin, count(*) AS legs FROM touched_bin t CROSS JOIN movement m
        WHERE m.site_id = :site_id AND m.to_bin = t.bin AND m.occurred_us > t.base_us
        GROUP BY t.bin
        UNION ALL
        SELECT t.bin, count(*) FROM touched_bin t CROSS JOIN movement m
        WHERE m.site_id = :site_id AND m.from_bin = t.bin AND m.occurred_us > t.base_us
        GROUP BY t.bin
    ) AS tails
    GROUP BY bin HAVING sum(legs) >= :legs ORDER BY bin
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BelowZeroBook:
    """Keys below zero: how many, the first of them, and every bin that has one."""

    total: int
    listed: tuple[BelowZero, ...]
    bins: frozenset[str]


def below_zero(session: Session, site_id: str, bins: Collection[str], limit: int) -> BelowZeroBook:
    """Keys of the bins that are below zero once all that is recorded has occurred; `limit` are listed."""
    total = 0
    listed: list[BelowZero] = []
    where: set[str] = set()
    for row in _rows_below_zero(session, site_id, bins):
        total += 1
        where.add(row[0])
        if len(listed) < limit:
            listed.append(row)
    return BelowZeroBook(total=total, listed=tuple(sorted(listed)), bins=frozenset(where))


def due_for_checkpoints(
    session: Session, site_id: str, bins: Collection[str], legs: int
) -> list[str]:
    """Those of the bins with at least so many entries since their last checkpoint."""
    _touch(session, site_id, bins)
    found = session.connection().execute(_DUE, {"site_id": site_id, "legs": legs})
    return [row[0] for row in found]


def _rows_below_zero(session: Session, site_id: str, bins: Collection[str]) -> Iterator[BelowZero]:
    codes = sorted(set(bins))
    for start in range(0, len(codes), _BINS_AT_ONCE):
        _touch(session, site_id, codes[start : start + _BINS_AT_ONCE])
        found = session.connection().execute(_BELOW_ZERO, {"site_id": site_id}).all()
        for place, sku, lot, serial, state, held in found:
            yield place, sku, lot, serial, state, int(held)


def _touch(session: Session, site_id: str, bins: Collection[str]) -> None:
    """Fill the table: each bin and the instant of its last checkpoint."""
    connection = session.connection()
    collation = "" if connection.dialect.name == "sqlite" else ' COLLATE "C"'
    connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE IF NOT EXISTS touched_bin "
        f"(bin VARCHAR{collation} PRIMARY KEY, base_us BIGINT NOT NULL)"
    )
    connection.exec_driver_sql("DELETE FROM touched_bin")
    rows = [{"bin": it, "base": _LONG_AGO} for it in sorted(set(bins)) if it not in OUTSIDE]
    if rows:
        connection.execute(text("INSERT INTO touched_bin VALUES (:bin, :base)"), rows)
    connection.execute(
        text(
            "UPDATE touched_bin SET base_us = coalesce((SELECT max(c.at_us) FROM checkpoint c "
            "WHERE c.site_id = :site_id AND c.bin = touched_bin.bin), base_us)"
        ),
        {"site_id": site_id},
    )
