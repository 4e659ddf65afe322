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

BLURS = (0.5, 0.9, 1.4)
"""Tried sigmas of the lens, modules."""

_SAMPLES = 2
_DIGIT = 7 * _SAMPLES
_ENDS = (QUIET + 3) * _SAMPLES

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
        for span in _spans(row, width):
            best = _try(row, span, _ROUGH, is_flipped)[0]
            rough.append((best.cost, is_flipped, span))
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


def _try(row: Floats, span: tuple[int, int], tries: _Tries, is_flipped: bool) -> list[Alignment]:
    """The best alignments near one span, some for each blur, best first."""
    module = (span[1] - span[0]) / MODULES
    shift = tries.offsets * module
    meshed = np.meshgrid(span[0] + shift, span[1] - shift, tries.bows, indexing="ij")
    begin, end, bow = (np.asarray(m).ravel() for m in meshed)
    size = (end - begin) / MODULES
    at = bent(grid(_SAMPLES)[None], begin[:, None], size[:, None], bow[:, None], 0.0)
    seen = np.interp(at.ravel(), np.arange(len(row)), row).reshape(at.shape)
    found: list[Alignment] = []
    for blur in tries.blurs:
        cost = _rough(blur).cost(seen)
        for i in _apart(cost, begin + size * MODULES * bow / 4, module):
            found.append(
                Alignment(
                    begin=float(begin[i]),
                    module=float(size[i]),
                    bow=float(bow[i]),
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
class _Rough:
    """Digits and guards at one blur, each as it looks between average neighbours."""

    left: Floats
    right: Floats
    begin: Floats
    middle: Floats
    end: Floats
    mean: float
    spread: float

    def cost(self, seen: Floats) -> Floats:
        """Mean misfit of rows (count, samples) of any brightness, relative to their spread."""
        inside = seen[:, QUIET * _SAMPLES : -QUIET * _SAMPLES]
        mean, spread = inside.mean(1, keepdims=True), inside.std(1, keepdims=True) + 1e-6
        row = np.clip((seen - mean) / spread * self.spread + self.mean, -1.0, 2.0)
        half = 6 * _DIGIT
        middle = _ENDS + half
        right = middle + len(self.middle)
        total = _nearest(row[:, _ENDS:middle], self.left)
        total += _nearest(row[:, right : right + half], self.right)
        total += ((row[:, :_ENDS] - self.begin) ** 2).sum(1)
        total += ((row[:, middle:right] - self.middle) ** 2).sum(1)
        total += ((row[:, -_ENDS:] - self.end) ** 2).sum(1)
        return np.asarray(total / (self.spread**2 * row.shape[1]))


def _nearest(part: Floats, drawn: Floats) -> Floats:
    """Misfit of six digits to whichever digit is nearest each."""
    digits = part.reshape(len(part), 6, _DIGIT)
    misfit = (digits**2).sum(-1)[..., None] + (drawn**2).sum(-1) - 2.0 * (digits @ drawn.T)
    return np.asarray(misfit.min(-1).sum(-1))


@lru_cache(maxsize=8)
def _rough(blur: float) -> _Rough:
    def drawn(codes: list[str], before: int, count: int, at: float = 0.0) -> Floats:
        where = (np.arange(count) + 0.5) / _SAMPLES + at + before
        bits = np.array([[bit == "1" for bit in code] for code in codes], np.float64)
        return draw(bits, where, blur, 0.0)

    begin = drawn(["101001"], 0, _ENDS, -QUIET)[0]
    # Numbers of every first digit: how dark a code is on average, and how much that varies.
    whole = draw(
        np.array([bits_of(tuple((7 * i + 3 * j) % 10 for j in range(13))) for i in range(10)]),
        grid(_SAMPLES)[QUIET * _SAMPLES : -QUIET * _SAMPLES],
        blur,
        0.0,
    )
    return _Rough(
        left=drawn([f"00101{code}01010" for code in LEFT], 5, _DIGIT),
        right=drawn([f"01010{code}10100" for code in RIGHT], 5, _DIGIT),
        begin=begin,
        middle=drawn(["10100101010100"], 5, 5 * _SAMPLES)[0],
        end=begin[::-1],
        mean=float(whole.mean()),
        spread=float(whole.std(1).mean()),
    )
