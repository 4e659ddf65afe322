"""The best numbers for a row of gray: a shortest path over digits, parity and check digit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.scanner.blurred.codes import (
    DIGIT,
    EDGE,
    EVEN,
    HALF,
    MIDDLE,
    WEIGHTS,
    Floats,
    Shapes,
)

_NEVER = 1e12
_DIGITS = np.arange(10)
_OFFSET = EVEN.astype(int) * 10


@dataclass(frozen=True, slots=True)
class Number:
    """A number and how badly it fits: the sum of squares over the samples."""

    misfit: float
    digits: tuple[int, ...]


def best_numbers(row: Floats, shapes: Shapes, keep: int = 1) -> list[Number]:
    """The `keep` (1 or 2) numbers with right check digits that fit `row` best, best first.

    `row`: darkness, 0 paper and 1 ink, at `grid(SAMPLES)`.
    """
    start, steps, end = _costs(row, shapes)
    cost = np.full((10, 10, 10, keep), _NEVER)  # first digit, digit, sum so far, rank
    for first in _DIGITS:
        chosen = start[_OFFSET[first, 0] + _DIGITS]
        cost[first, _DIGITS, (first + WEIGHTS[0] * _DIGITS) % 10, 0] = chosen
    back = []
    for step, weight in zip(steps, WEIGHTS[1:], strict=True):
        cost, came = _extend(cost, step, weight)
        back.append(came)
    total = cost[:, :, 0, :] + end[None, :, None]
    order = np.argsort(total, axis=None)[:keep]
    return [_trace(np.unravel_index(i, total.shape), back, float(total.flat[i])) for i in order]


def _costs(row: Floats, shapes: Shapes) -> tuple[Floats, list[Floats], Floats]:
    """Misfit of each piece; for the steps by first digit, digit and next digit."""
    at = EDGE + HALF
    start = _misfit(row[:at], shapes.start)
    pieces: list[Floats] = []
    for kind, width in [(shapes.left, DIGIT)] * 5 + [(shapes.middle, DIGIT + MIDDLE)]:
        pieces.append(_misfit(row[at : at + width], kind))
        at += width
    steps = [
        np.stack([piece[o : o + 10, p : p + 10] for o, p in _OFFSET[:, i : i + 2]])
        for i, piece in enumerate(pieces[:5])
    ]
    steps.append(np.stack([pieces[5][o : o + 10] for o in _OFFSET[:, 5]]))
    for _ in range(5):
        piece = _misfit(row[at : at + DIGIT], shapes.right)
        steps.append(np.broadcast_to(piece, (10, 10, 10)))
        at += DIGIT
    return start, steps, _misfit(row[at:], shapes.end)


def _misfit(part: Floats, drawn: Floats) -> Floats:
    """Squared distance of one part of the row to each drawing; the last axis are samples."""
    return np.asarray(part @ part + (drawn * drawn).sum(-1) - 2.0 * (drawn @ part))


def _extend(cost: Floats, step: Floats, weight: int) -> tuple[Floats, npt.NDArray[np.intp]]:
    """One digit further. Returns the costs, and for each where it came from (digit, rank)."""
    keep = cost.shape[-1]
    before = cost.transpose(0, 2, 1, 3)[:, None]  # first, -, sum, digit, rank
    total = before + step.transpose(0, 2, 1)[:, :, None, :, None]
    total = total.reshape(10, 10, 10, 10 * keep)
    best, came = [], []
    for _ in range(keep):
        where = total.argmin(-1)[..., None]
        best.append(np.take_along_axis(total, where, -1)[..., 0])
        came.append(where[..., 0])
        np.put_along_axis(total, where, 2 * _NEVER, -1)
    digit = _DIGITS[:, None]
    old_sum = (_DIGITS[None] - weight * digit) % 10
    return (
        np.stack(best, -1)[:, digit, old_sum],
        np.stack(came, -1)[:, digit, old_sum],
    )


def _trace(last: tuple[np.intp, ...], back: list[npt.NDArray[np.intp]], misfit: float) -> Number:
    first, digit, rank = (int(i) for i in last)
    digits, total = [digit], 0
    for came, weight in zip(reversed(back), reversed(WEIGHTS[1:]), strict=True):
        source = int(came[first, digit, total, rank])
        total = (total - weight * digit) % 10
        digit, rank = divmod(source, came.shape[-1])
        digits.append(digit)
    return Number(misfit, (first, *reversed(digits)))
