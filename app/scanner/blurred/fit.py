"""Fits a drawn number to a row of gray: digits, then place and bend, then blur and ink, again."""

from dataclasses import dataclass, replace

import numpy as np

from app.scanner.blurred.align import Alignment
from app.scanner.blurred.codes import MODULES, SAMPLES, Floats, draw_number, grid, shapes
from app.scanner.blurred.path import Number, best_numbers

ROUNDS = 4
_SETTLE = 2
_BLURS = (0.3, 1.8)
_INK_MOST = 0.45
_STEP = 0.15
_STIFF = np.diag([1.0, 1.0, 100.0, 100.0]) * 2e-4
_FLAT_BELOW = 0.02
_CONTRAST_LEAST = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A number and how well it fits.

    `misfit` is the share of the row's variance that the drawing does not explain; `lead` how many
    times worse the next number with a right check digit fits (1: as well).
    """

    digits: tuple[int, ...]
    misfit: float
    lead: float
    place: Alignment
    ink: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a fit goes on: a place, ink, and the share of variance unexplained so far."""

    place: Alignment
    ink: float
    misfit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    place: Alignment
    ink: float
    row: Floats


def begin(dark: Floats, start: Alignment) -> Start | None:
    """One round from an alignment of a row of darkness (pixels): enough to see if it leads on."""
    line = _line(dark, start)
    seen = _seen(line, start)
    spread = float(np.ptp(seen))
    if spread < _CONTRAST_LEAST:
        return None
    state = _State(place=start, ink=0.0, row=np.asarray((seen - seen.min()) / spread))
    number = best_numbers(state.row, shapes(start.blur, 0.0))[0]
    moved = _moved(line, state, number)
    if moved is None:
        return None
    drawn = _drawn(number, moved)
    misfit = float(((moved.row - drawn) ** 2).mean() / drawn.var())
    return Start(place=moved.place, ink=0.0, misfit=misfit)


def fit(dark: Floats, start: Start, rounds: int = ROUNDS) -> Fit | None:
    """The number near a start, or None if nothing settles."""
    line = _line(dark, start.place)
    seen = _seen(line, start.place)
    state = _State(place=start.place, ink=start.ink, row=(seen - seen.min()) / max(np.ptp(seen), 1))
    before: tuple[int, ...] = ()
    for done in range(rounds):
        number = best_numbers(state.row, shapes(state.place.blur, state.ink))[0]
        moved = _moved(line, state, number)
        if moved is None:
            return None
        state = _refocused(moved, number)
        if number.digits == before and done >= _SETTLE:
            break
        before = number.digits
    return _judged(state)


def _line(dark: Floats, place: Alignment) -> Floats:
    return dark[::-1] if place.is_flipped else dark


def _judged(state: _State) -> Fit:
    best, second = best_numbers(state.row, shapes(state.place.blur, state.ink), keep=2)
    variance = float(_drawn(best, state).var()) * len(state.row)
    return Fit(
        digits=best.digits,
        misfit=best.misfit / variance,
        lead=second.misfit / max(best.misfit, 1e-9),
        place=state.place,
        ink=state.ink,
    )


def _drawn(number: Number, state: _State) -> Floats:
    return draw_number(number.digits, state.place.blur, state.ink)


def _seen(line: Floats, place: Alignment) -> Floats:
    return np.asarray(np.interp(place.at(grid(SAMPLES)), np.arange(len(line)), line))


def _moved(line: Floats, state: _State, number: Number) -> _State | None:
    """Two Gauss-Newton steps of place and bend, the light fitted as a parabola along the row."""
    drawn = _drawn(number, state)
    slope = np.gradient(drawn, grid(SAMPLES))
    share = grid(SAMPLES) / MODULES
    curve = share * (1.0 - share)
    basis = np.stack([np.ones_like(share), share, curve, curve * (1.0 - 2.0 * share)], 1)
    steps = slope[:, None] * basis
    stiff = _STIFF * len(share)
    place = state.place
    for _ in range(_SETTLE):
        row = _lit(_seen(line, place), drawn)
        if row is None:
            return None
        change = np.linalg.solve(steps.T @ steps + stiff, steps.T @ (row - drawn))
        change = np.clip(change, -1.5, 1.5)
        place = replace(
            place,
            begin=place.begin - float(change[0]) * place.module,
            module=place.module * (1.0 - float(change[1]) / MODULES),
            bow=place.bow - float(change[2]) / MODULES,
            skew=place.skew - float(change[3]) / MODULES,
        )
    row = _lit(_seen(line, place), drawn)
    return None if row is None else replace(state, place=place, row=row)


def _lit(seen: Floats, drawn: Floats) -> Floats | None:
    """What was seen, as 0 paper and 1 ink: light and contrast may vary smoothly along the row."""
    along = grid(SAMPLES) / MODULES - 0.5
    powers = np.stack([np.ones_like(along), along, along * along], 1)
    terms = np.concatenate([powers, powers * drawn[:, None]], 1)
    weights = np.linalg.lstsq(terms, seen, rcond=None)[0]
    contrast = powers @ weights[3:]
    if contrast.min() <= _FLAT_BELOW * np.ptp(seen):
        return None
    return np.asarray(np.clip((seen - powers @ weights[:3]) / contrast, -1.0, 2.0))


def _refocused(state: _State, number: Number) -> _State:
    """The blur and ink, one step around the present ones, that fit this number best."""
    blur = state.place.blur
    tried: list[tuple[float, float, float]] = []
    for b in (blur - _STEP, blur, blur + _STEP):
        for i in (state.ink - _STEP, state.ink, state.ink + _STEP):
            if _BLURS[0] <= b <= _BLURS[1] and abs(i) <= _INK_MOST:
                misfit = ((state.row - draw_number(number.digits, b, i)) ** 2).sum()
                tried.append((float(misfit), round(b, 2), round(i, 2)))
    _, blur, ink = min(tried)
    return replace(state, place=replace(state.place, blur=blur), ink=ink)
