"""Lines of counts in the table, read and written in bulk: what was counted, and how it was judged.

A count has as many rows as lines, and each is looked at whenever the bin is judged again; going
through row objects one by one took four times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, update
from sqlmodel import Session

from app.contract.count_fold import LineKey
from app.contract.vocabulary import Condition, Verdict
from server.domain.ranges import Span
from server.domain.reconcile import CountedCell, JudgedCell
from server.storage.columns import from_u, from_us, to_u, to_us
from server.storage.rows import by_keys, in_chunks, insert_tuples
from server.storage.tables_casework import CountLineRow

LINE = CountLineRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
_CONDITIONS = {condition.value: condition for condition in Condition}
_TEXTS = {word: word.value for word in (*Condition, *Verdict)}
_KEY = ("site_id", "count_id", "sku", "lot", "serial", "condition")


Cell = tuple[str, str, str, str]
"""SKU, lot, serial and condition: a LineKey as the table has it."""


class CountLine(NamedTuple):
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
    def cell(self) -> Cell:
        """Its key in the table, within its count."""
        return self[1:5]

    @property
    def key(self) -> LineKey:
        """The cell it is about."""
        return LineKey(
            sku=self.sku, lot=self.lot, serial=self.serial, condition=_CONDITIONS[self.condition]
        )


_NAMES = CountLine._fields
_COUNTED = CountLine._fields.index("book_low_u")
"""So many columns say what was counted; the others how it was judged."""
_BY_COUNT = (
    by_keys(CountLineRow, "count_id")
    .with_only_columns(*(LINE.c[name] for name in _NAMES))
    .order_by(LINE.c.count_id, LINE.c.sku, LINE.c.lot, LINE.c.serial, LINE.c.condition)
)
_VALUES = tuple(name for name in _NAMES if name not in _KEY)


def lines_of_counts(
    session: Session, site_id: str, count_ids: Sequence[str]
) -> dict[str, list[CountLine]]:
    """The lines of several counts, each in the order of their keys."""
    found: dict[str, list[CountLine]] = {count_id: [] for count_id in count_ids}
    for row in in_chunks(session, _BY_COUNT, site_id, count_ids):
        found[row.count_id].append(CountLine._make(row))
    return found


def lines_of_count(session: Session, site_id: str, count_id: str) -> list[CountLine]:
    """Every line of a count, counted or judged missing."""
    return lines_of_counts(session, site_id, [count_id])[count_id]


def cells_of(lines: Iterable[CountLine]) -> tuple[CountedCell, ...]:
    """What was counted, as the engine judges it."""
    return tuple(
        CountedCell(
            key=line.key,
            quantity=from_u(line.quantity_u),
            seen=Span(earliest=from_us(line.earliest_us), latest=from_us(line.latest_us)),
        )
        for line in lines
        if line.is_counted
    )


def with_cells(
    before: Sequence[CountLine],
    count_id: str,
    *,
    cells: Iterable[CountedCell],
    expiries: Mapping[LineKey, str],
) -> list[CountLine]:
    """What was counted now, each cell once; a verdict that a line has stays until it is judged again."""
    known = {line.cell: line for line in before}
    wanted = {}
    for seen in cells:
        cell = _cell(seen.key)
        counted = CountLine(
            count_id,
            *cell,
            is_counted=True,
            quantity_u=to_u(seen.quantity),
            earliest_us=to_us(seen.seen.earliest),
            latest_us=to_us(seen.seen.latest),
            expiry=expiries.get(seen.key, ""),
        )
        stored = known.get(cell)
        wanted[cell] = counted if stored is None else _judged_like(counted, stored)
    uncounted = {cell: line for cell, line in known.items() if not line.is_counted}
    return [*(uncounted | wanted).values()]


def _cell(key: LineKey) -> Cell:
    sku, lot, serial, condition = key
    return sku, lot, serial, _TEXTS[condition]


def _judged_like(line: CountLine, before: CountLine) -> CountLine:
    return CountLine._make(line[:_COUNTED] + before[_COUNTED:])


def with_judgement(
    before: Sequence[CountLine],
    count_id: str,
    *,
    judged: Sequence[JudgedCell],
    unit_cost: Callable[[str], Decimal],
) -> list[CountLine]:
    """The verdicts beside the counted lines; cells nobody counted get a line of their own."""
    known = {line.cell: line for line in before}
    wanted = {}
    for found in judged:
        cell = _cell(found.key)
        line = known.get(cell)
        counted = line[:_COUNTED] if line else (count_id, *cell, *_not_counted(found.seen))
        wanted[cell] = CountLine._make(
            (
                *counted,
                to_u(found.book.low),
                to_u(found.book.high),
                _TEXTS[found.verdict],
                found.is_inside,
                to_u(unit_cost(found.key.sku)),
            )
        )
    unjudged = {c: line for c, line in known.items() if line.is_counted and c not in wanted}
    return [*unjudged.values(), *wanted.values()]


def _not_counted(seen: Span) -> tuple[bool, int, int, int, str]:
    """Zero, because somebody closed the bin: the columns from `is_counted` to `expiry`."""
    return False, 0, to_us(seen.earliest), to_us(seen.latest), ""


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
        if not stored:
            new += wanted
            continue
        before = {line.cell: line for line in stored}
        after = {line.cell: line for line in wanted}
        gone += [line for key, line in before.items() if key not in after]
        new += [line for key, line in after.items() if key not in before]
        changed += [line for key, line in after.items() if before.get(key, line) != line]
    connection = session.connection()
    if gone:
        connection.execute(_DELETE, [_named(site_id, line, _KEY) for line in gone])
    insert_tuples(session, CountLineRow, ("site_id", *_NAMES), [(site_id, *line) for line in new])
    if changed:
        rows = [
            _named(site_id, line, _KEY) | {name: getattr(line, name) for name in _VALUES}
            for line in changed
        ]
        connection.execute(_UPDATE, rows)


_HERE = [LINE.c[name] == bindparam(f"b_{name}") for name in _KEY]
_DELETE = delete(LINE).where(*_HERE)
_UPDATE = update(LINE).where(*_HERE).values({name: bindparam(name) for name in _VALUES})


def _named(site_id: str, line: CountLine, names: Sequence[str]) -> dict[str, Any]:
    return {f"b_{n}": site_id if n == "site_id" else getattr(line, n) for n in names}
