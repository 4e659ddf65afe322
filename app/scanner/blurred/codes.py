"""How an EAN-13 looks to a camera: its modules, blurred, with spread or thin ink.

A UPC-A is an EAN-13 that begins with 0. Positions are in modules from the first bar.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MODULES = 95
QUIET = 4
"""Modules of white that are compared before the first and after the last bar."""

_L = [
    "0001101",
    "0011001",
    "0010011",
    "0111101",
    "0100011",
    "0110001",
    "0101111",
    "0111011",
    "0110111",
    "0001011",
]
_R = ["".join("10"[int(bit)] for bit in code) for code in _L]
_G = [code[::-1] for code in _R]
LEFT, RIGHT = [*_L, *_G], _R
"""Digits of the left half, odd parity then even; digits of the right half."""

_PARITY = [
    "LLLLLL",
    "LLGLGG",
    "LLGGLG",
    "LLGGGL",
    "LGLLGG",
    "LGGLLG",
    "LGGGLL",
    "LGLGLG",
    "LGLGGL",
    "LGGLGL",
]
EVEN = np.array([[letter == "G" for letter in word] for word in _PARITY])
"""Which left digits have even parity, for each first digit: shape (10, 6)."""

WEIGHTS = (3, 1) * 6
"""Of the digits after the first one, for the check digit."""


def bits_of(digits: tuple[int, ...]) -> Floats:
    """The 95 modules of a number of 13 digits, 1 for a bar."""
    first, left, right = digits[0], digits[1:7], digits[7:]
    half = "".join((_G if even else _L)[d] for d, even in zip(left, EVEN[first], strict=True))
    return _bits("101" + half + "01010" + "".join(_R[d] for d in right) + "101")


def _bits(code: str) -> Floats:
    return np.array([bit == "1" for bit in code], np.float64)


def draw(bits: Floats, at: Floats, blur: float, ink: float) -> Floats:
    """Darkness (0 paper, 1 ink) of codes at positions `at`, in modules.

    `bits` is (codes, modules) or (modules,), all the same length, white around; `blur` is the
    sigma of the lens and `ink` how much wider each bar was printed, both in modules. It is one
    product of matrices, since light adds up: a thousand codes cost a millisecond.
    """
    white = np.zeros((*bits.shape[:-1], 1))
    rise = np.diff(np.concatenate([white, bits, white], axis=-1), axis=-1)
    begins, ends = _edges(bits.shape[-1], at, blur, ink)
    return np.asarray(np.maximum(rise, 0) @ begins - np.maximum(-rise, 0) @ ends)


def draw_number(digits: tuple[int, ...], blur: float, ink: float) -> Floats:
    """Darkness of a number of 13 digits at `grid(SAMPLES)`."""
    rise = np.diff(bits_of(digits), prepend=0.0, append=0.0)
    begins, ends = _grid_edges(blur, ink)
    return np.asarray(begins[rise > 0].sum(0) - ends[rise < 0].sum(0))


def _edges(modules: int, at: Floats, blur: float, ink: float) -> tuple[Floats, Floats]:
    """What each module's left edge adds if a bar begins there, and takes if one ends."""
    z = (at[None] - np.arange(modules + 1.0)[:, None]) / blur
    return _normal(z + ink / 2 / blur), _normal(z - ink / 2 / blur)


@lru_cache(maxsize=160)
def _grid_edges(blur: float, ink: float) -> tuple[Floats, Floats]:
    return _edges(MODULES, grid(SAMPLES), blur, ink)


def _normal(z: Floats) -> Floats:
    """The normal distribution function (Abramowitz and Stegun 7.1.26, error below 2e-7)."""
    x = np.abs(z) / np.sqrt(2.0)
    t = 1.0 / (1.0 + 0.3275911 * x)
    poly = ((((1.061405429 * t - 1.453152027) * t) + 1.421413741) * t - 0.284496736) * t
    erf = 1.0 - (poly + 0.254829592) * t * np.exp(-x * x)
    return np.asarray(0.5 * (1.0 + np.sign(z) * erf), np.float64)


@lru_cache(maxsize=8)
def grid(samples: int) -> Floats:
    """Where a code is sampled, quiet zones included: `samples` a module, in modules."""
    return (np.arange((MODULES + 2 * QUIET) * samples) + 0.5) / samples - QUIET


SAMPLES = 4
DIGIT = 7 * SAMPLES
HALF = DIGIT // 2
EDGE = (QUIET + 3) * SAMPLES
MIDDLE = 5 * SAMPLES


@dataclass(frozen=True, slots=True)
class Pieces:
    """Drawings of one piece: `drawn`, its last axis the samples, and `power`, their squares summed."""

    drawn: Floats
    power: Floats

    def misfit(self, part: Floats) -> Floats:
        """Squared distance of one part of a row to each drawing."""
        return np.asarray(part @ part + self.power - 2.0 * (self.drawn @ part))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """All pieces of all numbers at one blur and ink: from the middle of one digit to the next.

    Blur mixes neighbours, so a piece is drawn for each pair of digits: `left` (20, 20, DIGIT),
    `middle` (20, 10, DIGIT + MIDDLE), `right` (10, 10, DIGIT), and the ends with one digit each.
    """

    start: Pieces
    left: Pieces
    middle: Pieces
    right: Pieces
    end: Pieces


@lru_cache(maxsize=160)
def shapes(blur: float, ink: float) -> Shapes:
    """The pieces at a blur and ink (modules), both rounded by the caller."""

    def drawn(codes: list[str], before: int, count: int, at: float, *pairs: int) -> Pieces:
        where = (np.arange(count) + 0.5) / SAMPLES + at + before
        flat = draw(np.array([_bits(code) for code in codes]), where, blur, ink)
        every = flat.reshape(*pairs, count) if pairs else flat
        return Pieces(every, (every * every).sum(-1))

    lefts = [f"101{a}{b}010" for a in LEFT for b in LEFT]
    middles = [f"101{a}01010{b}101" for a in LEFT for b in RIGHT]
    rights = [f"010{a}{b}101" for a in RIGHT for b in RIGHT]
    return Shapes(
        start=drawn([f"101{a}01" for a in LEFT], 0, EDGE + HALF, -QUIET),
        left=drawn(lefts, 3, DIGIT, 3.5, 20, 20),
        middle=drawn(middles, 3, DIGIT + MIDDLE, 3.5, 20, 10),
        right=drawn(rights, 3, DIGIT, 3.5, 10, 10),
        end=drawn([f"10{a}101" for a in RIGHT], 2, HALF + EDGE, 3.5),
    )
