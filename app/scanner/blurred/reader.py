"""The door: rows of a straightened place in, a number out if it fits far better than all others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.scanner.blurred.align import Alignment, alignments
from app.scanner.blurred.codes import Floats
from app.scanner.blurred.fit import Fit, Start, begin, fit

LEAD_NEEDED = 1.3
"""How many times worse the next number must fit. Of 412 photos: no place without this very number
had more than 1.2, and right numbers 1.35 and more, half of them 1.8."""
MISFIT_MOST = 0.15

# Measured on the same photos: right numbers stay below these in 49 of 50 cases.
_COST_MOST = 0.45
_START_MISFIT_MOST = 0.32
_TRIED = 2

# A row of which no alignment is better than this is no such code, nor is half of it.
_HOPELESS_COST = 0.65

_AGREE_ROUNDS = 2

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetailNumber:
    """An EAN-13 (UPC-A with a leading 0) of 13 digits, and its lead over the next number."""

    text: str
    lead: float


def read_number(rows: Rows, width: float) -> RetailNumber | None:
    """The number in rows of gray levels whose bars are upright, about `width` pixels wide.

    All rows are tried as one, then each half alone (a reflection spoils one of them). A number
    counts if it leads, and if both halves of what was tried say so, or one other part of the rows.
    """
    half = len(rows) // 2
    parts = (rows, rows[:half], rows[half:])
    for part in parts:
        places = alignments(_dark(part), width)
        if not places or places[0].cost > _HOPELESS_COST:
            return None
        found = _best(_dark(part), places)
        if found is not None and _is_confirmed(found, part, parts):
            return RetailNumber(text="".join(map(str, found.digits)), lead=found.lead)
    return None


def _dark(rows: Rows) -> Floats:
    return np.asarray(255.0 - rows.mean(0, dtype=np.float64))


def _best(dark: Floats, places: Sequence[Alignment]) -> Fit | None:
    """The number of the most promising places, if it leads."""
    tried = [begin(dark, place) for place in places[:_TRIED] if place.cost <= _COST_MOST]
    starts = [s for s in tried if s is not None and s.misfit <= _START_MISFIT_MOST]
    if not starts:
        return None
    found = fit(dark, min(starts, key=lambda s: s.misfit))
    if found is None or found.lead < LEAD_NEEDED or found.misfit > MISFIT_MOST:
        return None
    return found


def _is_confirmed(found: Fit, part: Rows, parts: Sequence[Rows]) -> bool:
    half = len(part) // 2
    others = [other for other in parts if other is not part]
    return any(_agrees(found, other) for other in others) or (
        _agrees(found, part[:half]) and _agrees(found, part[half:])
    )


def _agrees(found: Fit, rows: Rows) -> bool:
    start = Start(place=found.place, ink=found.ink, misfit=found.misfit)
    again = fit(_dark(rows), start, rounds=_AGREE_ROUNDS)
    return again is not None and again.digits == found.digits
