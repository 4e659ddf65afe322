"""A second, deliberately naive reconciliation: no indexes, no shared code, every possibility tried.

Slow and plain on purpose: it is what the engine is compared with. It imports values, never rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, combinations

from app.contract.vocabulary import BinKind, Condition, CountScope, PhysicalState
from server.domain.reconcile import CountFacts
from server.domain.stock import Movement, StockKey

GOOD = {PhysicalState.AVAILABLE, PhysicalState.RESERVED}


def looks_like(state: PhysicalState, kind: BinKind) -> Condition | None:
    if state in GOOD:
        return Condition.GOOD
    if state is PhysicalState.DAMAGED:
        return Condition.DAMAGED
    if state is PhysicalState.QUARANTINED:
        return Condition.HELD
    if state is PhysicalState.RETURNED:
        return Condition.GOOD if kind is BinKind.RETURNS else Condition.HELD
    return None


Cell = tuple[str, str, str, Condition]
"""SKU, lot, serial, condition: all of them tracked by serial in this oracle's tests, or none."""


def delta(movement: Movement, bin: str, cell: Cell, kind: BinKind) -> Decimal:
    sku, lot, serial, condition = cell
    if (movement.sku, movement.lot, movement.serial) != (sku, lot, serial):
        return Decimal(0)
    total = Decimal(0)
    if movement.to_bin == bin and looks_like(movement.to_state, kind) is condition:
        total += movement.quantity
    if movement.from_bin == bin and looks_like(movement.from_state, kind) is condition:
        total -= movement.quantity
    return total


def variances(
    count: CountFacts,
    opening: dict[StockKey, Decimal],
    movements: list[Movement],
) -> dict[Cell, tuple[Decimal, Decimal]]:
    """Cell -> (lowest, highest) variance, by trying every subset of what moved while counting."""
    cells: set[Cell] = {(c.key.sku, c.key.lot, c.key.serial, c.key.condition) for c in count.cells}
    for key in opening:
        condition = looks_like(key.state, count.bin_kind)
        if key.bin == count.bin and condition:
            cells.add((key.sku, key.lot, key.serial, condition))
    for m in movements:
        for place, state in ((m.from_bin, m.from_state), (m.to_bin, m.to_state)):
            condition = looks_like(state, count.bin_kind)
            if place == count.bin and condition:
                cells.add((m.sku, m.lot, m.serial, condition))
    result = {}
    for cell in cells:
        if count.scope is CountScope.SINGLE_SKU and cell[0] != count.sku:
            continue
        counted, start, end = Decimal(0), count.opened.earliest, count.ended.latest
        was_counted = False
        for c in count.cells:
            if (c.key.sku, c.key.lot, c.key.serial, c.key.condition) == cell:
                counted, start, end = c.quantity, c.seen.earliest, c.seen.latest
                was_counted = True
        base = sum(
            (
                q
                for k, q in opening.items()
                if k.bin == count.bin
                and (k.sku, k.lot, k.serial) == cell[:3]
                and looks_like(k.state, count.bin_kind) is cell[3]
            ),
            Decimal(0),
        )
        deltas = [(m.occurred_at, delta(m, count.bin, cell, count.bin_kind)) for m in movements]
        base += sum((d for when, d in deltas if when <= start), Decimal(0))
        window = [d for when, d in deltas if start < when <= end and d != 0]
        books = [
            base + sum(some, Decimal(0))
            for some in chain.from_iterable(combinations(window, n) for n in range(len(window) + 1))
        ]
        if was_counted or any(b != 0 for b in books):
            result[cell] = (counted - max(books), counted - min(books))
    return result


@dataclass
class NaiveCase:
    counts: list[str]
    used: list[str]
    state: str


def follow(
    rounds: list[tuple[str, str, tuple[Decimal, Decimal]]], limit: int = 3
) -> list[NaiveCase]:
    """The recount rules told as a story, for a line without tolerance and without postings.

    `rounds` in time order: (count, person, variance range).
    """
    cases: list[NaiveCase] = []
    case: NaiveCase | None = None
    people: list[str] = []
    seen: list[tuple[Decimal, Decimal]] = []
    for name, person, (low, high) in rounds:
        if case is None:
            if low == high == 0:
                continue
            case, people, seen = NaiveCase([name], [name], "first"), [person], [(low, high)]
            cases.append(case)
            continue
        case.counts.append(name)
        if person in people:
            continue
        people.append(person)
        case.used.append(name)
        seen.append((low, high))
        if low == high == 0:
            case.state = "hit"
            case = None
        elif low == high and seen[-2] == (low, high):
            case.state = "agreed"
        elif len(seen) >= limit:
            case.state = "exhausted"
        else:
            case.state = "apart"
    return cases
