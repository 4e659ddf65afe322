"""Lines of counts in the table, read and written in bulk: what was counted, and how it was judged.

A count has as many rows as lines, and each is looked at whenever the bin is judged again; going
through row objects one by one took four times as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlmodel import Session

from app.contract.count_fold import LineKey
from app.contract.vocabulary import Condition, Tracking
from server.domain.reconcile import CountedCell, JudgedCell, merged_cells
from server.storage.columns import to_u, to_us
from server.storage.tables_casework import CountLineRow

LINE = CountLineRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
_KEY = ("site_id", "count_id", "sku", "lot", "serial", "condition")
_CHUNK = 400


@dataclass(frozen=True, slots=True)
class CountLine:
    """One line of a count, as the columns of the table after the site."""

    count_id: str
    sku: str
    lot: str
    serial: str
    condition: str
    is_counted: bool
    quantity_u: int
    earliest_us: int
    latest_us: int
    expiry: str = ""
    book_low_u: int = 0
    book_high_u: int = 0
    verdict: str = ""
    is_inside: bool = True
    unit_cost_u: int = 0

    @property
    def identity(self) -> tuple[str, str, str, str, str]:
        """Its key in the table."""
        return self.count_id, self.sku, self.lot, self.serial, self.condition

    @property
    def key(self) -> LineKey:
        """The cell it is about."""
        return LineKey(
            sku=self.sku, lot=self.lot, serial=self.serial, condition=Condition(self.condition)
        )


_NAMES = tuple(CountLine.__dataclass_fields__)
_COLUMNS = [LINE.c[name] for name in _NAMES]
_VALUES = tuple(name for name in _NAMES if name not in _KEY)


def lines_of_counts(
    session: Session, site_id: str, count_ids: Sequence[str]
) -> dict[str, list[CountLine]]:
    """The lines of several counts, each in the order of their keys."""
    found: dict[str, list[CountLine]] = {count_id: [] for count_id in count_ids}
    for start in range(0, len(count_ids), _CHUNK):
        query = (
            select(*_COLUMNS)
            .where(
                LINE.c.site_id == site_id,
                LINE.c.count_id.in_(list(count_ids[start : start + _CHUNK])),
            )
            .order_by(LINE.c.count_id, LINE.c.sku, LINE.c.lot, LINE.c.serial, LINE.c.condition)
        )
        for row in session.connection().execute(query):
            found[row[0]].append(CountLine(*row))
    return found


def lines_of_count(session: Session, site_id: str, count_id: str) -> list[CountLine]:
    """Every line of a count, counted or judged missing."""
    return lines_of_counts(session, site_id, [count_id])[count_id]


def with_cells(
    before: Sequence[CountLine],
    count_id: str,
    *,
    cells: Iterable[CountedCell],
    expiries: Mapping[LineKey, str],
    tracking: Mapping[str, Tracking],
) -> list[CountLine]:
    """What was counted now; a verdict that a line has stays until it is judged again."""
    known = {line.key: line for line in before}
    wanted = {}
    for cell in merged_cells(cells, tracking):
        counted = CountLine(
            count_id=count_id,
            sku=cell.key.sku,
            lot=cell.key.lot,
            serial=cell.key.serial,
            condition=cell.key.condition.value,
            is_counted=True,
            quantity_u=to_u(cell.quantity),
            earliest_us=to_us(cell.seen.earliest),
            latest_us=to_us(cell.seen.latest),
            expiry=expiries.get(cell.key, ""),
        )
        stored = known.get(cell.key)
        wanted[cell.key] = counted if stored is None else _judged_like(counted, stored)
    uncounted = {key: line for key, line in known.items() if not line.is_counted}
    return [*(uncounted | wanted).values()]


def _judged_like(line: CountLine, before: CountLine) -> CountLine:
    return replace(
        line,
        book_low_u=before.book_low_u,
        book_high_u=before.book_high_u,
        verdict=before.verdict,
        is_inside=before.is_inside,
        unit_cost_u=before.unit_cost_u,
    )


def with_judgement(
    before: Sequence[CountLine],
    count_id: str,
    *,
    judged: Sequence[JudgedCell],
    unit_costs: Mapping[str, Decimal],
) -> list[CountLine]:
    """The verdicts beside the counted lines; cells nobody counted get a line of their own."""
    known = {line.key: line for line in before}
    wanted = {}
    for cell in judged:
        line = known.get(cell.key) or CountLine(
            count_id=count_id,
            sku=cell.key.sku,
            lot=cell.key.lot,
            serial=cell.key.serial,
            condition=cell.key.condition.value,
            is_counted=False,
            quantity_u=0,
            earliest_us=to_us(cell.seen.earliest),
            latest_us=to_us(cell.seen.latest),
        )
        wanted[cell.key] = replace(
            line,
            book_low_u=to_u(cell.book.low),
            book_high_u=to_u(cell.book.high),
            verdict=cell.verdict.value,
            is_inside=cell.is_inside,
            unit_cost_u=to_u(unit_costs.get(cell.key.sku, Decimal(0))),
        )
    unjudged = {k: x for k, x in known.items() if x.is_counted and k not in wanted}
    return [*unjudged.values(), *wanted.values()]


def write_lines(
    session: Session,
    site_id: str,
    changes: Iterable[tuple[Sequence[CountLine], Sequence[CountLine]]],
) -> None:
    """Bring the table from the lines of each count as stored to those wanted, touching what differs."""
    gone: list[CountLine] = []
    new: list[CountLine] = []
    changed: list[CountLine] = []
    for stored, wanted in changes:
        before = {line.identity: line for line in stored}
        after = {line.identity: line for line in wanted}
        gone += [line for key, line in before.items() if key not in after]
        new += [line for key, line in after.items() if key not in before]
        changed += [line for key, line in after.items() if before.get(key, line) != line]
    connection = session.connection()
    if gone:
        connection.execute(_DELETE, [_named(site_id, line, _KEY) for line in gone])
    if new:
        connection.execute(
            _INSERT, [{"site_id": site_id} | {n: getattr(x, n) for n in _NAMES} for x in new]
        )
    if changed:
        rows = [
            _named(site_id, line, _KEY) | {name: getattr(line, name) for name in _VALUES}
            for line in changed
        ]
        connection.execute(_UPDATE, rows)


_HERE = [LINE.c[name] == bindparam(f"b_{name}") for name in _KEY]
_DELETE = delete(LINE).where(*_HERE)
_INSERT = insert(LINE)
_UPDATE = update(LINE).where(*_HERE).values({name: bindparam(name) for name in _VALUES})


def _named(site_id: str, line: CountLine, names: Sequence[str]) -> dict[str, Any]:
    return {f"b_{n}": site_id if n == "site_id" else getattr(line, n) for n in names}
