"""The books and movements of many bins in one question each: what a push or an import has to judge.

`ledger.book_of_bin` and `ledger.movements_of_bin` answer the same for one bin.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, bindparam, text
from sqlmodel import Session

from app.contract.vocabulary import PhysicalState
from server.domain.stock import Movement, StockKey
from server.storage.columns import from_u, to_us
from server.storage.ledger import MOVEMENT, NEVER, to_movement

_CHUNK = 100
"""Bins asked for at once: with two instants each well under any limit of bound values."""
_STATES = {state.value: state for state in PhysicalState}

# In a CROSS JOIN SQLite keeps the order of the tables: the few bins first, then the index.
_BOOKS = """
    WITH wanted(bin, at_us) AS (VALUES {wanted}),
    base AS (
        SELECT bin, at_us, coalesce((
            SELECT max(checkpoint.at_us) FROM checkpoint
            WHERE checkpoint.site_id = :site_id AND checkpoint.bin = wanted.bin
              AND checkpoint.at_us <= wanted.at_us
        ), :never) AS from_us FROM wanted
    )
    SELECT bin, sku, lot, serial, state, sum(quantity_u) AS quantity_u FROM (
        SELECT base.bin, l.sku, l.lot, l.serial, l.state, l.quantity_u
        FROM base CROSS JOIN checkpoint_line AS l
        WHERE l.site_id = :site_id AND l.bin = base.bin AND l.at_us = base.from_us
        UNION ALL
        SELECT base.bin, m.sku, m.lot, m.serial, m.to_state, m.quantity_u
        FROM base CROSS JOIN movement AS m
        WHERE m.site_id = :site_id AND m.to_bin = base.bin
          AND m.occurred_us > base.from_us AND m.occurred_us <= base.at_us
        UNION ALL
        SELECT base.bin, m.sku, m.lot, m.serial, m.from_state, -m.quantity_u
        FROM base CROSS JOIN movement AS m
        WHERE m.site_id = :site_id AND m.from_bin = base.bin
          AND m.occurred_us > base.from_us AND m.occurred_us <= base.at_us
    ) AS entries
    GROUP BY bin, sku, lot, serial, state HAVING sum(quantity_u) <> 0
"""

_LEGS = """
    WITH wanted(bin, since_us, until_us) AS (VALUES {wanted})
    SELECT wanted.bin AS at_bin, {columns} FROM wanted CROSS JOIN movement AS m
    WHERE m.site_id = :site_id AND m.to_bin = wanted.bin
      AND m.occurred_us >= wanted.since_us AND m.occurred_us <= wanted.until_us {skus}
    UNION ALL
    SELECT wanted.bin AS at_bin, {columns} FROM wanted CROSS JOIN movement AS m
    WHERE m.site_id = :site_id AND m.from_bin = wanted.bin AND m.to_bin <> wanted.bin
      AND m.occurred_us >= wanted.since_us AND m.occurred_us <= wanted.until_us {skus}
"""


def books_of_bins(
    session: Session, site_id: str, at: Mapping[str, datetime]
) -> dict[str, dict[StockKey, Decimal]]:
    """The book of each bin at its own instant: every key with something on book."""
    books: dict[str, dict[StockKey, Decimal]] = {place: {} for place in at}
    for chunk in _chunks(sorted(at)):
        values = _wanted([(place, to_us(at[place])) for place in chunk])
        values |= {"site_id": site_id, "never": NEVER}
        found = session.connection().execute(_books(len(chunk)), values).fetchall()
        for place, sku, lot, serial, state, quantity in found:
            key = StockKey(bin=place, sku=sku, lot=lot, serial=serial, state=_STATES[state])
            books[place][key] = from_u(int(quantity))
    return books


def movements_of_bins(
    session: Session,
    site_id: str,
    spans: Mapping[str, tuple[datetime, datetime]],
    *,
    skus: Collection[str] | None = None,
) -> dict[str, list[Movement]]:
    """What entered or left each bin in its own stretch of time, both ends included, by time.

    `skus`: only those, in whichever bin.
    """
    moves: dict[str, list[Movement]] = {place: [] for place in spans}
    for chunk in _chunks(sorted(spans)):
        values = _wanted([(p, *(to_us(at) for at in spans[p])) for p in chunk])
        values["site_id"] = site_id
        if skus is not None:
            values["skus"] = sorted(skus)
        query = _legs(len(chunk), only_some=skus is not None)
        for row in session.connection().execute(query, values).mappings():
            moves[row["at_bin"]].append(to_movement(row))
    for found in moves.values():
        found.sort(key=lambda move: (move.occurred_at, move.movement_id))
    return moves


# The same as m.sku, which is never NULL. A condition on the movement alone makes SQLite read the whole
# ledger first, for a Bloom filter of its bins: 70 ms with a million movements.
_ONLY = "AND coalesce(m.sku, wanted.bin) IN :skus"
_COLUMNS = ", ".join(f"m.{column.name}" for column in MOVEMENT.columns)


@lru_cache(maxsize=_CHUNK)
def _books(bins: int) -> TextClause:
    """The question for so many bins: putting it together takes longer than the answer."""
    return text(_BOOKS.format(wanted=_marks(bins, instants=1)))


@lru_cache(maxsize=2 * _CHUNK)
def _legs(bins: int, *, only_some: bool) -> TextClause:
    only = _ONLY if only_some else ""
    query = text(_LEGS.format(wanted=_marks(bins, instants=2), columns=_COLUMNS, skus=only))
    return query.bindparams(bindparam("skus", expanding=True)) if only_some else query


def _marks(rows: int, *, instants: int) -> str:
    """The rows of a VALUES list, for `_wanted`. The first row says what is a number."""
    kinds = ["text", *["bigint"] * instants]
    return ", ".join(
        f"({', '.join(f'CAST(:w{row}_{place} AS {kind})' for place, kind in enumerate(kinds))})"
        for row in range(rows)
    )


def _wanted(rows: Sequence[tuple[str, *tuple[int, ...]]]) -> dict[str, Any]:
    """What is bound in a VALUES list."""
    return {
        f"w{row}_{place}": value
        for row, values in enumerate(rows)
        for place, value in enumerate(values)
    }


def _chunks(bins: Sequence[str]) -> Iterator[Sequence[str]]:
    return (bins[start : start + _CHUNK] for start in range(0, len(bins), _CHUNK))
