"""The best numbers for a row of gray: a shortest path over digits, parity and check digit.

Only costs go forward. The way is found backwards from them, and so is the second best number: it
shares its last digits with the best one and leaves it at some digit, so one look at each digit of
the best way finds it. Keeping two ways and where each came from took five times as long.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.scanner.blurred.codes import DIGIT, EDGE, EVEN, HALF, MIDDLE, WEIGHTS, Floats, Shapes

_NEVER = 1e12
_DIGITS = np.arange(10)
_FIRST, _NEXT = _DIGITS[None, :, None], _DIGITS[:, None, None]
_OFFSET = EVEN.astype(int) * 10
"""Of each first digit and place in the left half: where the digits of its parity begin."""

# Every cost array is indexed by digit, first digit and the sum so far (mod 10); every step by
# digit, first digit and the digit after.
_LEFT_AT = [_OFFSET[:, i][None] + _DIGITS[:, None] for i in range(6)]
_SUM_BEFORE = {w: (_DIGITS[None, None] - w * _NEXT) % 10 for w in (1, 3)}


@dataclass(frozen=True, slots=True)
class Number:
    """A number and how badly it fits: the sum of squares over the samples."""

    misfit: float
    digits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """The rest of a number from one digit on: its place among the twelve after the first, the sum
    up to it, and the cost of what is behind it."""

    place: int
    first: int
    digits: tuple[int, ...]
    total: int
    rest: float


@dataclass(frozen=True, slots=True)
class _Table:
    """Per place: the least cost of every state (digit, first digit, sum), and of every step on."""

    costs: list[Floats]
    steps: list[Floats]
    end: Floats


def best_numbers(row: Floats, shapes: Shapes, keep: int = 1) -> list[Number]:
    """The `keep` (1 or 2) numbers with right check digits that fit `row` best, best first.

    `row`: darkness, 0 paper and 1 ink, at `grid(SAMPLES)`.
    """
    table = _table(row, shapes)
    last = table.costs[-1][:, :, 0] + table.end[:, None]
    digit, first = divmod(int(last.argmin()), 10)
    way = _Way(len(WEIGHTS) - 1, first, (digit,), 0, float(table.end[digit]))
    best = _whole(way, table)
    if keep == 1:
        return [best]
    last[digit, first] = 2 * _NEVER
    digit, first = divmod(int(last.argmin()), 10)
    other = _Way(way.place, first, (digit,), 0, float(table.end[digit]))
    branches = [(float(last[digit, first]), other), *_branches(best, way, table)]
    return [best, _whole(min(branches, key=lambda b: b[0])[1], table)]


def _table(row: Floats, shapes: Shapes) -> _Table:
    at = EDGE + HALF
    cost = np.full((10, 10, 10), _NEVER)
    digit, first = _DIGITS[:, None], _DIGITS[None]
    total = (first + WEIGHTS[0] * digit) % 10
    cost[digit, first, total] = shapes.start.misfit(row[:at])[_LEFT_AT[0]]
    steps, end = _steps(row, shapes)
    costs = [cost]
    for step, weight in zip(steps, WEIGHTS[1:], strict=True):
        least = (costs[-1][:, :, None] + step[:, :, :, None]).min(0)
        costs.append(least[_FIRST, _NEXT, _SUM_BEFORE[weight]])
    return _Table(costs, steps, end)


def _steps(row: Floats, shapes: Shapes) -> tuple[list[Floats], Floats]:
    """Misfit of each piece between two digits, and of the end after the last digit."""
    at, steps = EDGE + HALF, []
    for here, after in pairwise(_LEFT_AT):
        piece = shapes.left.misfit(row[at : at + DIGIT])
        steps.append(piece[here[:, :, None], after.T[None]])
        at += DIGIT
    steps.append(shapes.middle.misfit(row[at : at + DIGIT + MIDDLE])[_LEFT_AT[5]])
    at += DIGIT + MIDDLE
    for _ in range(5):
        # The parity of the left half says nothing here: the same for every first digit.
        steps.append(shapes.right.misfit(row[at : at + DIGIT])[:, None])
        at += DIGIT
    return steps, shapes.end.misfit(row[at:])


def _before(way: _Way, table: _Table) -> tuple[int, Floats, Floats]:
    """The sum before a way's digit; and by the digit before it, the cost of the step and of all
    the number."""
    digit = way.digits[0]
    total = (way.total - WEIGHTS[way.place] * digit) % 10
    step = table.steps[way.place - 1]
    cost = step[:, way.first if step.shape[1] > 1 else 0, digit]
    return total, cost, table.costs[way.place - 1][:, way.first, total] + cost + way.rest


def _longer(way: _Way, digit: int, total: int, step: Floats) -> _Way:
    digits = (digit, *way.digits)
    return _Way(way.place - 1, way.first, digits, total, way.rest + float(step[digit]))


def _whole(way: _Way, table: _Table) -> Number:
    """The best number that ends like this."""
    while way.place:
        total, step, every = _before(way, table)
        way = _longer(way, int(every.argmin()), total, step)
    start = float(table.costs[0][way.digits[0], way.first, way.total])
    return Number(start + way.rest, (way.first, *way.digits))


def _branches(best: Number, way: _Way, table: _Table) -> list[tuple[float, _Way]]:
    """The cheapest number for each digit at which one can leave the best number, going back."""
    found: list[tuple[float, _Way]] = []
    while way.place:
        total, step, every = _before(way, table)
        on = best.digits[way.place]
        every[on] = 2 * _NEVER
        digit = int(every.argmin())
        found.append((float(every[digit]), _longer(way, digit, total, step)))
        way = _longer(way, on, total, step)
    return found
