"""Where a code may begin and end in a row of gray: between wide white gaps, then by trying.

A rough cost is enough here: each digit is compared alone, with few samples, and the best of
many alignments go on to `fit`.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from app.scanner.blurred.codes import LEFT, MODULES, QUIET, RIGHT, Floats, bits_of, draw, grid

# Enough for a first ranking, and twice as fast as what `fit` uses.
Singles = npt.NDArray[np.float32]

BLURS = (0.5, 0.9, 1.4)
"""Tried sigmas of the lens, modules."""

_SAMPLES = 2
_DIGIT = 7 * _SAMPLES
# Where the digits of each half begin in a row of samples.
_LEFT = (QUIET + 3) * _SAMPLES
_RIGHT = _LEFT + 6 * _DIGIT + 5 * _SAMPLES

# A glint or a dark edge beside the code counts for no more than this many spreads.
_FAR = 3.5

# A quiet zone is at least this share of the bars' width, and a code this share of it.
_GAP_SHARE = 0.035
_WIDTH_LEAST, _WIDTH_MOST = 0.4, 1.35
_WHITE_BELOW = 0.35
# Below this difference of gray there is no print.
_CONTRAST_LEAST = 8.0

# Candidates that go on from each row, and from each span and blur.
_PLACES = 2
_EACH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tries:
    """Begin and end are tried at `offsets` from a gap's edge, inwards, in modules (blur moves the
    edge outwards); `bows` bend the middle of the code, in shares of four times its width."""

    offsets: Floats
    bows: Floats
    blurs: tuple[float, ...]


_ROUGH = _Tries(offsets=np.array([-1.5, 0.0]), bows=np.array([-0.08, 0.0, 0.08]), blurs=(BLURS[1],))
_FINE = _Tries(offsets=np.arange(-2.5, 1.01, 0.5), bows=np.arange(-0.15, 0.151, 0.05), blurs=BLURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """A code's first module at `begin` (pixels of the row), `module` pixels each; `is_flipped`
    if the row must be turned round first. `cost` compares alignments of one row."""

    begin: float
    module: float
    bow: float
    skew: float
    blur: float
    is_flipped: bool
    cost: float

    def at(self, modules: Floats) -> Floats:
        """The pixels at which positions of the code lie."""
        return bent(modules, self.begin, self.module, self.bow, self.skew)


def bent(
    modules: Floats,
    begin: Floats | float,
    module: Floats | float,
    bow: Floats | float,
    skew: Floats | float,
) -> Floats:
    """Positions of a code in pixels: a straight scale, a bow (perspective, a bottle) and a skew."""
    share = modules / MODULES
    curve = share * (1.0 - share)
    moved = share + bow * curve + skew * curve * (1.0 - 2.0 * share)
    return np.asarray(begin + module * MODULES * moved)


def alignments(dark: Floats, width: float) -> list[Alignment]:
    """The most promising ones in a row of darkness, best first; `width` in pixels is about that
    of the bars."""
    rough: list[tuple[float, bool, tuple[int, int]]] = []
    for is_flipped in (False, True):
        row = dark[::-1] if is_flipped else dark
        spans = _spans(row, width)
        costs = _promise(row, spans) if spans else ()
        rough += [(float(c), is_flipped, span) for c, span in zip(costs, spans, strict=True)]
    found: list[Alignment] = []
    for _, is_flipped, span in sorted(rough)[:_PLACES]:
        row = dark[::-1] if is_flipped else dark
        found += _try(row, span, _FINE, is_flipped)
    return sorted(found, key=lambda a: a.cost)


def _spans(row: Floats, width: float) -> list[tuple[int, int]]:
    """From the end of one white gap to the begin of another, as wide as a code may be."""
    white = np.concatenate([[0], _between(row, width / 3) < _WHITE_BELOW, [0]])
    step = np.diff(white.astype(np.int8))
    begins, ends = np.flatnonzero(step > 0), np.flatnonzero(step < 0)
    wide = ends - begins >= _GAP_SHARE * width
    gaps = [(int(a), int(b)) for a, b in zip(begins[wide], ends[wide], strict=True)]
    gaps = [(-1, 0), *gaps, (len(row) - 1, len(row))]
    spans = {
        (left[1], right[0])
        for i, left in enumerate(gaps)
        for right in gaps[i + 1 : i + 4]
        if _WIDTH_LEAST * width <= right[0] - left[1] <= _WIDTH_MOST * width
    }
    return sorted(spans)


def _between(row: Floats, window: float) -> npt.NDArray[np.float32]:
    """Each sample between the brightest (0) and darkest (1) around it."""
    size = int(max(9.0, window)) | 1
    kernel, line = np.ones((1, size), np.uint8), row[None].astype(np.float32)
    dark = cv2.blur(cv2.dilate(line, kernel), (size, 1))
    bright = cv2.blur(cv2.erode(line, kernel), (size, 1))
    share = (line - bright) / np.maximum(dark - bright, _CONTRAST_LEAST)
    return np.asarray(share[0], np.float32)


@dataclass(frozen=True, slots=True)
class _Scales:
    """Alignments to try, one an entry: first pixel, pixels a module, bow."""

    begin: Floats
    module: Floats
    bow: Floats

    def seen(self, row: Floats) -> Singles:
        """The row at each alignment's samples: shape (alignments, samples)."""
        width = self.module * MODULES
        scale = np.stack([self.begin, width, width * self.bow], 1).astype(np.float32)
        at = scale @ _powers()
        line = row[None].astype(np.float32)
        nowhere = np.zeros_like(at)
        border = cv2.BORDER_REPLICATE
        found = cv2.remap(line, at, nowhere, cv2.INTER_LINEAR, borderMode=border)
        return np.asarray(found, np.float32)


@lru_cache(maxsize=1)
def _powers() -> Singles:
    """What `bent` multiplies first pixel, width and bow with at each sample: shape (3, samples)."""
    share = grid(_SAMPLES) / MODULES
    return np.stack([np.ones_like(share), share, share * (1.0 - share)]).astype(np.float32)


def _scales(span: tuple[int, int], tries: _Tries) -> _Scales:
    shift = tries.offsets * (span[1] - span[0]) / MODULES
    meshed = np.meshgrid(span[0] + shift, span[1] - shift, tries.bows, indexing="ij")
    begin, end, bow = (np.asarray(m).ravel() for m in meshed)
    return _Scales(begin, (end - begin) / MODULES, bow)


def _promise(row: Floats, spans: list[tuple[int, int]]) -> Floats:
    """The cost of the best of a few alignments near each span."""
    every = [_scales(span, _ROUGH) for span in spans]
    at = _Scales(
        begin=np.concatenate([scales.begin for scales in every]),
        module=np.concatenate([scales.module for scales in every]),
        bow=np.concatenate([scales.bow for scales in every]),
    )
    cost = _looks(_ROUGH.blurs).cost(at.seen(row))[0]
    return np.asarray(cost.reshape(len(spans), -1).min(1))


def _try(row: Floats, span: tuple[int, int], tries: _Tries, is_flipped: bool) -> list[Alignment]:
    """The best alignments near one span, some for each blur, best first."""
    at = _scales(span, tries)
    found: list[Alignment] = []
    middle = at.begin + at.module * MODULES * at.bow / 4
    for blur, cost in zip(tries.blurs, _looks(tries.blurs).cost(at.seen(row)), strict=True):
        for i in _apart(cost, middle, (span[1] - span[0]) / MODULES):
            found.append(
                Alignment(
                    begin=float(at.begin[i]),
                    module=float(at.module[i]),
                    bow=float(at.bow[i]),
                    skew=0.0,
                    blur=blur,
                    is_flipped=is_flipped,
                    cost=float(cost[i]),
                )
            )
    return sorted(found, key=lambda a: a.cost)


def _apart(cost: Floats, middle: Floats, module: float) -> list[int]:
    """The cheapest, and the cheapest that is not nearly the same."""
    order = np.argsort(cost)[:40]
    chosen = [int(order[0])]
    for i in order[1:]:
        if len(chosen) == _EACH:
            break
        if all(abs(middle[i] - middle[j]) > module for j in chosen):
            chosen.append(int(i))
    return chosen


@dataclass(frozen=True, slots=True)
class _Looks:
    """Digits and guards at some blurs, each as it looks between average neighbours, on the scale of
    a row of mean 0 and spread 1.

    Shapes: `left` (blurs, 20, digit's samples), `right` (blurs, 10, the same), `guards` (blurs,
    samples of a whole row), 0 where digits are.
    """

    left: Singles
    right: Singles
    guards: Singles

    def cost(self, seen: Singles) -> Singles:
        """Mean misfit of rows (count, samples) of any brightness, relative to their spread: of
        shape (blurs, count)."""
        inside = seen[:, QUIET * _SAMPLES : -QUIET * _SAMPLES]
        mean, spread = inside.mean(1, keepdims=True), inside.std(1, keepdims=True) + 1e-6
        row = np.clip((seen - mean) / spread, -_FAR, _FAR)
        # Of the misfit |row - drawn|^2, |row|^2 is the same for all that is drawn.
        total = np.einsum("ij,ij->i", row, row) + _power(self.guards)[:, None]
        total -= 2.0 * (self.guards @ row.T)
        total += _nearest(row[:, _LEFT : _LEFT + 6 * _DIGIT], self.left)
        total += _nearest(row[:, _RIGHT : _RIGHT + 6 * _DIGIT], self.right)
        return np.asarray(total / row.shape[1])


def _power(drawn: Singles) -> Singles:
    return np.asarray(np.einsum("...j,...j->...", drawn, drawn))


def _nearest(part: Singles, drawn: Singles) -> Singles:
    """For each of six digits the one that is nearest: shape (blurs, rows). The samples of rows come
    last: numpy takes the least of ten long rows many times faster than of many short ones."""
    digits = part.reshape(-1, _DIGIT).T
    misfit = _power(drawn)[..., None] - 2.0 * (drawn @ digits)
    return np.asarray(misfit.min(1).reshape(len(drawn), -1, 6).sum(2))


@lru_cache(maxsize=8)
def _looks(blurs: tuple[float, ...]) -> _Looks:
    each = [_look(blur) for blur in blurs]
    left, right, guards = (np.stack(parts).astype(np.float32) for parts in zip(*each, strict=True))
    return _Looks(left, right, guards)


def _look(blur: float) -> tuple[Floats, Floats, Floats]:
    # Numbers of every first digit: how dark a code is on average, and how much that varies.
    numbers = [bits_of(tuple((7 * i + 3 * j) % 10 for j in range(13))) for i in range(10)]
    inside = grid(_SAMPLES)[QUIET * _SAMPLES : -QUIET * _SAMPLES]
    whole = draw(np.array(numbers), inside, blur, 0.0)
    mean, spread = whole.mean(), whole.std(1).mean()

    def drawn(codes: list[str], before: int, count: int, at: float = 0.0) -> Floats:
        where = (np.arange(count) + 0.5) / _SAMPLES + at + before
        bits = np.array([[bit == "1" for bit in code] for code in codes], np.float64)
        return np.asarray((draw(bits, where, blur, 0.0) - mean) / spread)

    begin = drawn(["101001"], 0, _LEFT, -QUIET)[0]
    digits = np.zeros(6 * _DIGIT)
    middle = drawn(["10100101010100"], 5, _RIGHT - _LEFT - 6 * _DIGIT)[0]
    return (
        drawn([f"00101{code}01010" for code in LEFT], 5, _DIGIT),
        drawn([f"01010{code}10100" for code in RIGHT], 5, _DIGIT),
        np.concatenate([begin, digits, middle, digits, begin[::-1]]),
    )
