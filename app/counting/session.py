"""What a count in progress is: pure rules over its events. No store, no clock, no words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from app.contract.count_fold import CountedLine, FoldedCount, LineKey, fold_count
from app.contract.events import (
    BinEmpty,
    BinOpened,
    ConditionMarked,
    DeviceEvent,
    EventVoided,
    ItemCounted,
    UnknownNoted,
)
from app.contract.vocabulary import Condition, Unit, quantity_text
from app.counting.state import LineView, OpenCount, Pack, TaskView

UNDO_MAX = 10
"""How far back undo reaches. Further back a person edits the line, which says what they mean."""

DIGITS_MAX = 7
"""Digits the keypad takes; a longer number is a barcode typed into a quantity."""

LARGE_WITHOUT_PACK = Decimal(500)
LARGE_PACKS = 10
"""More than ten of the largest pack of an item, or 500 loose pieces, is asked about once."""


def open_count(events: Sequence[DeviceEvent]) -> OpenCount | None:
    """The count these events are; None when they do not begin with an opened bin."""
    opening = next((e for e in events if isinstance(e.payload, BinOpened)), None)
    if opening is None or opening.count_id is None:
        return None
    fold = fold_count(opening.count_id, events)
    return OpenCount(
        count_id=opening.count_id,
        bin=fold.bin or "",
        task_id=opening.task_id,
        user_id=opening.user_id or "",
        events=tuple(events),
        fold=fold,
        current=last_line(events, fold),
    )


def with_events(count: OpenCount, fresh: Iterable[DeviceEvent]) -> OpenCount:
    """The count after more events; the line last touched becomes the current one."""
    events = (*count.events, *fresh)
    fold = fold_count(count.count_id, events)
    current = last_line(events, fold)
    return replace(count, events=events, fold=fold, current=current)


def last_line(events: Sequence[DeviceEvent], fold: FoldedCount) -> LineKey | None:
    """The line that was touched last and still stands."""
    voided = _voided(events)
    for event in reversed(events):
        key = line_of(event)
        if key is not None and event.id not in voided and fold.line(key) is not None:
            return key
    return fold.lines[-1].key if fold.lines else None


def line_of(event: DeviceEvent) -> LineKey | None:
    """The line an event is about, or None."""
    payload = event.payload
    if isinstance(payload, ItemCounted):
        line, condition = payload.line, payload.condition
    elif isinstance(payload, ConditionMarked):
        line, condition = payload.line, payload.from_condition
    else:
        return None
    return LineKey(sku=line.sku, lot=line.lot, serial=line.serial, condition=condition)


def _voided(events: Iterable[DeviceEvent]) -> set[str]:
    return {e.payload.voids for e in events if isinstance(e.payload, EventVoided)}


def to_undo(count: OpenCount) -> DeviceEvent | None:
    """The entry an undo takes back: the latest that stands, among the last ten made."""
    made = [
        e
        for e in count.events
        if isinstance(e.payload, ItemCounted | ConditionMarked | UnknownNoted | BinEmpty)
    ]
    voided = _voided(count.events)
    return next((e for e in reversed(made[-UNDO_MAX:]) if e.id not in voided), None)


def entries_of(count: OpenCount, key: LineKey) -> list[str]:
    """Ids of the standing events that made a line: voiding them all makes it *not counted*.

    Not the same as a line set to zero, which says that somebody looked and found none.
    """
    voided = _voided(count.events)
    return [e.id for e in count.events if e.id not in voided and _touches(e, key)]


def _touches(event: DeviceEvent, key: LineKey) -> bool:
    payload = event.payload
    if isinstance(payload, ConditionMarked):
        line = payload.line
        same = (line.sku, line.lot, line.serial) == (key.sku, key.lot, key.serial)
        return same and key.condition in (payload.from_condition, payload.to_condition)
    return line_of(event) == key


def has_serial(fold: FoldedCount, sku: str, serial: str) -> bool:
    """Whether this serial number is in the count already, in whatever condition."""
    return any(
        line.key.sku == sku and line.key.serial == serial and line.quantity > 0
        for line in fold.lines
    )


def is_untouched(fold: FoldedCount) -> bool:
    """Nothing was counted or noted: to close it now would say "empty" without anybody saying so."""
    return not fold.lines and not fold.unknown and not fold.is_empty_confirmed


def quantity_of(fold: FoldedCount, key: LineKey) -> Decimal:
    """Base units counted of a line; 0 for a line that is not there."""
    line = fold.line(key)
    return line.quantity if line else Decimal(0)


def is_large(quantity: Decimal, packs: Iterable[Pack]) -> bool:
    """Whether a typed quantity (base units) deserves one question. Never based on the book."""
    largest = max((pack.factor for pack in packs), default=Decimal(1))
    limit = LARGE_PACKS * largest if largest > 1 else LARGE_WITHOUT_PACK
    return quantity > max(limit, Decimal(100))


def line_views(
    fold: FoldedCount, titles: Mapping[str, str], current: LineKey | None
) -> tuple[LineView, ...]:
    """The count's lines as rows, in the order in which they were first touched."""
    return tuple(
        LineView(
            key=line.key,
            title=titles.get(line.key.sku, line.key.sku),
            quantity=quantity_text(line.quantity),
            packs=packs_text(line),
            expiry="" if line.expiry is None else line.expiry,
            is_current=line.key == current,
        )
        for line in fold.lines
    )


def packs_text(line: CountedLine) -> str:
    """How the packs of a line add up: "2 x 12", "2 x 12 + 4"; "" when only pieces were counted.

    Only since the last total, because a total replaces what was before it.
    """
    since = 0
    for at, entry in enumerate(line.entries):
        if entry.is_total:
            since = at
    by_factor: dict[Decimal, Decimal] = {}
    for entry in line.entries[since:]:
        by_factor[entry.factor] = by_factor.get(entry.factor, Decimal(0)) + entry.quantity
    if set(by_factor) <= {Decimal(1)} or sum(f * q for f, q in by_factor.items()) != line.quantity:
        return ""
    parts = sorted(((f, q) for f, q in by_factor.items() if q), reverse=True)
    return " + ".join(
        quantity_text(q) if f == 1 else f"{quantity_text(q)} \u00d7 {quantity_text(f)}"
        for f, q in parts
    )


def units_of(fold: FoldedCount) -> Decimal:
    """All base units counted, over all lines."""
    return sum((line.quantity for line in fold.lines), Decimal(0))


def damaged_of(fold: FoldedCount) -> Decimal:
    """Base units marked damaged."""
    return sum(
        (line.quantity for line in fold.lines if line.key.condition is Condition.DAMAGED),
        Decimal(0),
    )


def packs_of(units: Iterable[tuple[Unit, Decimal]]) -> tuple[Pack, ...]:
    """The units an item can be entered in: single pieces first, then its packs by size."""
    found = {Pack(unit=unit, factor=factor) for unit, factor in units if factor > 1}
    return (Pack(), *sorted(found, key=lambda pack: pack.factor))


def next_task(tasks: Sequence[TaskView], *, after: int | None) -> TaskView | None:
    """The next bin on the walk: the first one behind `after`, else the first of all."""
    free = [task for task in tasks if not task.open_by or task.is_open_by_me]
    ahead = [task for task in free if after is not None and task.walk_order > after]
    return next(iter(ahead or free), None)
