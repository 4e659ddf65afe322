"""Lines of counts in the table, read and written in bulk: what was counted, and how it was judged.

A count has as many rows as lines, and each is looked at whenever the bin is judged again; going
through row objects one by one took four times as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
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
    def key(self) -> LineKey:
        """The cell it is about."""
        return LineKey(
            sku=self.sku, lot=self.lot, serial=self.serial, condition=Condition(self.condition)
        )


_COLUMNS = [LINE.c[name] for name in CountLine.__dataclass_fields__]
_VALUES = tuple(name for name in CountLine.__dataclass_fields__ if name not in _KEY)


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


def keep_cells(
    session: Session,
    site_id: str,
    count_id: str,
    *,
    cells: Iterable[CountedCell],
    expiries: Mapping[LineKey, str],
    tracking: Mapping[str, Tracking],
) -> None:
    """Write what was counted; a verdict that a line has stays until it is judged again."""
    known = {line.key: line for line in lines_of_count(session, site_id, count_id)}
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
        before = known.get(cell.key)
        wanted[cell.key] = counted if before is None else _judged_like(counted, before)
    uncounted = {key: line for key, line in known.items() if not line.is_counted}
    _write(session, site_id, known, uncounted | wanted)


def _judged_like(line: CountLine, before: CountLine) -> CountLine:
    return replace(
        line,
        book_low_u=before.book_low_u,
        book_high_u=before.book_high_u,
        verdict=before.verdict,
        is_inside=before.is_inside,
        unit_cost_u=before.unit_cost_u,
    )


def keep_judgement(
    session: Session,
    site_id: str,
    count_id: str,
    *,
    lines: Sequence[CountLine],
    judged: Sequence[JudgedCell],
    unit_costs: Mapping[str, Decimal],
) -> list[CountLine]:
    """Write the verdicts beside the counted lines; cells nobody counted get a line of their own."""
    known = {line.key: line for line in lines}
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
    _write(session, site_id, known, unjudged | wanted)
    return [*unjudged.values(), *wanted.values()]


def _write(
    session: Session,
    site_id: str,
    before: Mapping[LineKey, CountLine],
    after: Mapping[LineKey, CountLine],
) -> None:
    """Bring the table from one set of lines to the other, touching only what differs."""
    connection = session.connection()
    gone = [before[key] for key in before.keys() - after.keys()]
    new = [after[key] for key in after.keys() - before.keys()]
    changed = [after[k] for k in after.keys() & before.keys() if after[k] != before[k]]
    here = [LINE.c[name] == bindparam(f"b_{name}") for name in _KEY]
    if gone:
        connection.execute(delete(LINE).where(*here), [_named(site_id, x, _KEY) for x in gone])
    if new:
        connection.execute(insert(LINE), [asdict(line) | {"site_id": site_id} for line in new])
    if changed:
        rows = [
            _named(site_id, line, _KEY) | {name: getattr(line, name) for name in _VALUES}
            for line in changed
        ]
        connection.execute(
            update(LINE).where(*here).values({name: bindparam(name) for name in _VALUES}), rows
        )


def _named(site_id: str, line: CountLine, names: Sequence[str]) -> dict[str, Any]:
    return {f"b_{n}": site_id if n == "site_id" else getattr(line, n) for n in names}
