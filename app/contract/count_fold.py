"""What a count's events add up to. One rule, used on the device to show and on the server to judge.

Pure and total: any set of events of one count folds to one value, whatever order they arrived in.
It lives in the contract because a rule written on both sides drifts (the server imports only this).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from app.contract.events import (
    BinClosed,
    BinEmpty,
    BinLeft,
    BinOpened,
    ConditionMarked,
    DeviceEvent,
    Entered,
    EventVoided,
    ItemCounted,
    StockLine,
    UnknownNoted,
)
from app.contract.vocabulary import Condition, CountScope, Unit

ZERO = Decimal(0)


class CountStatus(StrEnum):
    """Where the count stands, derived from its events and never stored."""

    COUNTING = "counting"
    CLOSED = "closed"
    LEFT = "left"


class Oddity(StrEnum):
    """Something in the events that a screen should not have let happen. Kept, named, never fatal."""

    NO_OPENING = "no_opening"
    OPENED_TWICE = "opened_twice"
    AFTER_CLOSE = "after_close"
    SERIAL_REPEATED = "serial_repeated"
    MARKED_MORE_THAN_COUNTED = "marked_more_than_counted"
    EMPTY_WITH_LINES = "empty_with_lines"
    VOIDS_NOTHING = "voids_nothing"


class LineKey(NamedTuple):
    """Identity of a counted line: the same lot text on two SKUs is two lines.

    Named tuples here, where a push has thousands: made, hashed and sorted in half a dataclass's time.
    """

    sku: str
    lot: str = ""
    serial: str = ""
    condition: Condition = Condition.GOOD


class Entry(NamedTuple):
    """One entered quantity and the event it came from; `quantity` is in `unit`, not in base units."""

    event_id: str
    quantity: Decimal
    unit: Unit
    factor: Decimal
    is_total: bool

    @property
    def base_quantity(self) -> Decimal:
        """The entry in base units: quantity times the factor used then."""
        return self.quantity * self.factor


class CountedLine(NamedTuple):
    """One line's total in base units, and what it was made of. Zero is a counted zero."""

    key: LineKey
    quantity: Decimal
    entries: tuple[Entry, ...]
    first_event_id: str
    last_event_id: str
    expiry: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownLine:
    """A barcode nobody could name, and how many were seen."""

    raw: str
    symbology: str
    quantity: Decimal
    event_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedCount:
    """A count as its events say it is."""

    count_id: str
    bin: str | None
    scope: CountScope
    sku: str | None
    status: CountStatus
    is_empty_confirmed: bool
    lines: tuple[CountedLine, ...]
    """In the order in which lines were first touched."""
    unknown: tuple[UnknownLine, ...]
    opened_event_id: str | None
    ended_event_id: str | None
    oddities: tuple[tuple[str, Oddity], ...]
    """(event id, what was odd)."""

    def line(self, key: LineKey) -> CountedLine | None:
        """The line of that key, or None when it was not counted."""
        return next((line for line in self.lines if line.key == key), None)


@dataclass(slots=True)
class _Line:
    """One line while the events are gone through."""

    first: str
    last: str
    total: Decimal = ZERO
    entries: list[Entry] = field(default_factory=list)
    expiry: str | None = None


@dataclass(slots=True)
class _Tally:
    """The fold's working state; never leaves this module."""

    lines: dict[LineKey, _Line] = field(default_factory=dict)
    unknown: dict[tuple[str, str], tuple[Decimal, tuple[str, ...]]] = field(default_factory=dict)
    opened: tuple[str, BinOpened] | None = None
    ended: str | None = None
    status: CountStatus = CountStatus.COUNTING
    is_empty: bool = False
    oddities: list[tuple[str, Oddity]] = field(default_factory=list)

    def touch(self, key: LineKey, event_id: str) -> _Line:
        line = self.lines.get(key)
        if line is None:
            line = self.lines[key] = _Line(event_id, event_id)
        line.last = event_id
        return line


def fold_count(count_id: str, events: Iterable[DeviceEvent]) -> FoldedCount:
    """Fold the events of one count, sorted by their sequence; a doubled event counts once.

    Two copies of one device can both have gone on with a bin: then a number stands twice, and the id,
    which begins with its time, says which comes first, so that the order of arrival never does.
    """
    ordered = sorted({e.id: e for e in events}.values(), key=lambda e: (e.seq, e.id))
    tally = _Tally()
    for event in _effective(ordered, tally):
        _apply(tally, event)
    if tally.opened is None and ordered:
        tally.oddities.append((ordered[0].id, Oddity.NO_OPENING))
    opening = tally.opened[1] if tally.opened else None
    return FoldedCount(
        count_id=count_id,
        bin=opening.bin if opening else None,
        scope=opening.scope if opening else CountScope.WHOLE_BIN,
        sku=opening.sku if opening else None,
        status=tally.status,
        is_empty_confirmed=tally.is_empty,
        lines=tuple(_lines(tally)),
        unknown=tuple(
            UnknownLine(raw=raw, symbology=symbology, quantity=quantity, event_ids=ids)
            for (raw, symbology), (quantity, ids) in tally.unknown.items()
        ),
        opened_event_id=tally.opened[0] if tally.opened else None,
        ended_event_id=tally.ended,
        oddities=tuple(tally.oddities),
    )


def _effective(ordered: list[DeviceEvent], tally: _Tally) -> Iterator[DeviceEvent]:
    """The events that were not undone. An undo can itself be undone; the latest word wins."""
    known = {e.id for e in ordered}
    voided: set[str] = set()
    for event in reversed(ordered):
        payload = event.payload
        if isinstance(payload, EventVoided) and event.id not in voided:
            if payload.voids in known:
                voided.add(payload.voids)
            else:
                tally.oddities.append((event.id, Oddity.VOIDS_NOTHING))
    return (e for e in ordered if e.id not in voided and not isinstance(e.payload, EventVoided))


def _apply(tally: _Tally, event: DeviceEvent) -> None:
    payload = event.payload
    if tally.ended is not None:
        tally.oddities.append((event.id, Oddity.AFTER_CLOSE))
        return
    match payload:
        case BinOpened():
            if tally.opened is None:
                tally.opened = (event.id, payload)
            else:
                tally.oddities.append((event.id, Oddity.OPENED_TWICE))
        case ItemCounted():
            _count_item(tally, event.id, payload)
        case ConditionMarked():
            _mark_condition(tally, event.id, payload)
        case UnknownNoted():
            _note_unknown(tally, event.id, payload)
        case BinEmpty():
            tally.is_empty = True
        case BinClosed() | BinLeft():
            tally.ended = event.id
            closed = isinstance(payload, BinClosed)
            tally.status = CountStatus.CLOSED if closed else CountStatus.LEFT
            if tally.is_empty and any(line.total > 0 for line in tally.lines.values()):
                tally.oddities.append((event.id, Oddity.EMPTY_WITH_LINES))
        case _:
            pass  # sessions, notes and clocks say nothing about quantities


def _key(line: StockLine, condition: Condition) -> LineKey:
    return LineKey(sku=line.sku, lot=line.lot, serial=line.serial, condition=condition)


def _entry(event_id: str, entered: Entered, *, is_total: bool) -> Entry:
    return Entry(
        event_id=event_id,
        quantity=Decimal(entered.quantity),
        unit=entered.unit,
        factor=Decimal(entered.factor),
        is_total=is_total,
    )


def _count_item(tally: _Tally, event_id: str, payload: ItemCounted) -> None:
    key = _key(payload.line, payload.condition)
    line = tally.touch(key, event_id)
    entry = _entry(event_id, payload.entered, is_total=payload.mode == "set")
    quantity = entry.base_quantity
    if key.serial and _serial_total(tally, key) + quantity > 1 and not entry.is_total:
        # A serial number is one unit, however often its label is scanned, in whatever condition.
        tally.oddities.append((event_id, Oddity.SERIAL_REPEATED))
        return
    line.entries.append(entry)
    line.total = quantity if entry.is_total else line.total + quantity
    if payload.expiry is not None:
        line.expiry = payload.expiry


def _serial_total(tally: _Tally, key: LineKey) -> Decimal:
    unit = (key.sku, key.serial)
    same = (line.total for k, line in tally.lines.items() if (k.sku, k.serial) == unit)
    return sum(same, ZERO)


def _mark_condition(tally: _Tally, event_id: str, payload: ConditionMarked) -> None:
    entry = _entry(event_id, payload.entered, is_total=False)
    source = tally.touch(_key(payload.line, payload.from_condition), event_id)
    target = tally.touch(_key(payload.line, payload.to_condition), event_id)
    if entry.base_quantity > source.total:
        tally.oddities.append((event_id, Oddity.MARKED_MORE_THAN_COUNTED))
    # The marked units were seen: they count in the new condition even if the old line held fewer.
    source.total = max(ZERO, source.total - entry.base_quantity)
    target.total += entry.base_quantity
    target.entries.append(entry)


def _note_unknown(tally: _Tally, event_id: str, payload: UnknownNoted) -> None:
    key = (payload.scan.raw, payload.scan.symbology)
    quantity, ids = tally.unknown.get(key, (ZERO, ()))
    tally.unknown[key] = (quantity + Decimal(payload.quantity), (*ids, event_id))


def _lines(tally: _Tally) -> Iterator[CountedLine]:
    for key, line in tally.lines.items():
        yield CountedLine(
            key=key,
            quantity=line.total,
            entries=tuple(line.entries),
            first_event_id=line.first,
            last_event_id=line.last,
            expiry=line.expiry,
        )
