"""Decides which reads may be believed: votes of rows, engines and attempts, place by place.

Every threshold is a number of agreeing rows. They were set so that no misread of the photos and
of drawn shelves passes, and hold for each source of photos apart (docs/scanning.md).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from app.scanner.engines.base import Points, Read
from app.scanner.events import Corner, EngineName, Scan, Symbology, box_corners
from app.scanner.gs1 import expand_upc_e, is_check_digit_right

# Rows that must agree before a text counts without a second engine. Code 128 checks itself
# (mod 103 over the whole text); the others have a check digit at best, and short ones none.
ROWS_NEEDED = {Symbology.CODE_128: 4.0, Symbology.GS1_128: 4.0}
ROWS_NEEDED_ELSE = 12.0
ROWS_CERTAIN = {Symbology.CODE_128: 8.0, Symbology.GS1_128: 8.0}
ROWS_CERTAIN_ELSE = 24.0

# A rival text at the same place must be this much weaker.
RIVAL_SHARE = 0.5

# At the end of all attempts: seen by two different attempts, this many rows in all.
LAST_ROWS = 5.0
LAST_ATTEMPTS = 2

# A whole-frame line of libzbar stands for several rows: only every third line was scanned.
WHOLE_FRAME_WEIGHT = 2.0

# zxing's quality is the height in pixels of the band that agreed; gated as measured: 6 wrong
# reads fell to 2 at 10 px. An upright crop is twice as tall.
ZXING_PIXELS_PER_ROW = 1.0

# Symbologies whose fragments pass their own checks: the read must span the bars it was found on.
SPAN_LEAST = 0.72
_FRAGILE = frozenset({Symbology.ITF, Symbology.CODE_39, Symbology.UPC_E})
ITF_LENGTH_LEAST = 6


@dataclass(slots=True)
class Claim:
    """One text, and everything that speaks for it."""

    text: str
    symbology: Symbology
    corners: Points
    engine: EngineName
    rows: float = 0.0
    best: float = 0.0
    is_proven: bool = False
    attempts: set[str] = field(default_factory=set)
    engines: dict[EngineName, None] = field(default_factory=dict)

    @property
    def is_hearsay(self) -> bool:
        """Only OpenCV's EAN reader says so, which invents numbers."""
        return not self.is_proven and set(self.engines) == {EngineName.OPENCV}

    @property
    def centre(self) -> tuple[float, float]:
        x, y = self.corners.mean(axis=0)
        return float(x), float(y)

    @property
    def reach(self) -> float:
        """Half the length of the box, pixels."""
        return float(max(np.ptp(self.corners, axis=0).max() / 2, 8.0))


class Jury:
    """Collects the reads of one picture and gives the texts that may be believed."""

    def __init__(self, known: Callable[[str], bool] | None) -> None:
        self._known = known
        self._claims: dict[str, Claim] = {}

    def hear(self, read: Read, attempt: str, corners: Points, weight: float = 1.0) -> None:
        """One read from one attempt; `corners` is the place in the picture."""
        if not _is_plausible(read):
            return
        claim = self._claims.setdefault(
            _key(read), Claim(read.text, read.symbology, corners, read.engine)
        )
        counts = read.is_proven or read.engine is not EngineName.OPENCV
        is_better = counts and read.quality > claim.best
        if is_better or claim.engine is EngineName.OPENCV:
            claim.text, claim.symbology, claim.corners = read.text, read.symbology, corners
            claim.engine, claim.best = read.engine, read.quality
        claim.attempts.add(attempt)
        claim.engines[read.engine] = None
        claim.is_proven |= read.is_proven
        if counts:
            claim.rows += read.quality * weight

    @property
    def has_doubts(self) -> bool:
        """Whether something was read that is not believed yet."""
        return bool(self._claims)

    def believed(self, *, is_last: bool = False) -> list[Claim]:
        """The texts that hold. `is_last`: no further attempt will be made."""
        return [c for c in self._claims.values() if self._holds(c, is_last)]

    def is_certain(self, claim: Claim) -> bool:
        """Whether one picture is proof enough, or the next frame should agree."""
        if claim.symbology.is_matrix or self._is_known(claim):
            return True
        if len(claim.engines) > 1:
            return True
        return claim.rows >= ROWS_CERTAIN.get(claim.symbology, ROWS_CERTAIN_ELSE)

    def _is_known(self, claim: Claim) -> bool:
        return self._known is not None and self._known(claim.text)

    def _holds(self, claim: Claim, is_last: bool) -> bool:
        if claim.symbology.is_matrix:
            return True
        if claim.is_hearsay:
            return False
        if self._is_rivalled(claim):
            return False
        if self._is_known(claim) or len(claim.engines) > 1:
            return True
        if claim.rows >= ROWS_NEEDED.get(claim.symbology, ROWS_NEEDED_ELSE):
            return True
        return is_last and claim.rows >= LAST_ROWS and len(claim.attempts) >= LAST_ATTEMPTS

    def _is_rivalled(self, claim: Claim) -> bool:
        """Whether another text at the same place is nearly as strong."""
        for rival in self._claims.values():
            if rival is claim or rival.symbology.is_matrix:
                continue
            if self._strength(rival) <= self._strength(claim) * RIVAL_SHARE:
                continue
            apart = np.hypot(*np.subtract(rival.centre, claim.centre))
            if apart < 0.6 * max(rival.reach, claim.reach):
                return True
        return False

    def _strength(self, claim: Claim) -> float:
        """Rows, doubled by a second engine, outweighing all if the site knows the text."""
        if claim.is_hearsay:
            return 0.0
        boost = 2.0 if len(claim.engines) > 1 else 1.0
        return claim.rows * boost * (100.0 if self._is_known(claim) else 1.0)


def scan_of(claim: Claim, jury: Jury, scale: float) -> Scan:
    """A believed claim as a scan, its corners in the pixels of the picture as given."""
    return Scan(
        text=claim.text,
        symbology=claim.symbology,
        corners=_four(claim.corners / scale),
        engine=claim.engine,
        quality=claim.rows,
        witnesses=tuple(claim.engines),
        is_certain=jury.is_certain(claim),
    )


def is_whole(read: Read, width: float) -> bool:
    """Whether a read of an upright strip spans the bars (`width`, in the strip's pixels).

    libzbar notes where each line's symbol ended, and lines alternate in direction: the points
    of a whole symbol lie at both ends. Fragments of ITF, Code 39 and UPC-E pass every check.
    """
    if read.symbology not in _FRAGILE or len(read.points) < 2:
        return True
    return float(np.ptp(read.points[:, 0])) >= SPAN_LEAST * width


def is_long_enough(read: Read, width: float) -> bool:
    """As `is_whole`, for an engine that gives the corners of what it read."""
    if read.symbology not in _FRAGILE or len(read.points) != 4:
        return True
    return float(np.hypot(*(read.points[1] - read.points[0]))) >= SPAN_LEAST * width


def _key(read: Read) -> str:
    """Twins are one claim: a UPC-A is an EAN-13 that begins with 0, a UPC-E is a short UPC-A."""
    if not read.symbology.is_retail:
        return read.text
    text = read.text
    if read.symbology is Symbology.UPC_E and len(text) == 8:
        text = expand_upc_e(text) or text
    return text.zfill(14)


def _is_plausible(read: Read) -> bool:
    """Check digits and shapes that no honest read fails."""
    if not read.text:
        return False
    if read.symbology is Symbology.UPC_E:
        return expand_upc_e(read.text) is not None or is_check_digit_right(read.text)
    if read.symbology.is_retail:
        return is_check_digit_right(read.text)
    if read.symbology is Symbology.ITF:
        return len(read.text) >= ITF_LENGTH_LEAST and len(read.text) % 2 == 0
    return True


def _four(points: Points) -> tuple[Corner, Corner, Corner, Corner]:
    pairs = [(float(x), float(y)) for x, y in points]
    if len(pairs) == 4:
        a, b, c, d = pairs
        return a, b, c, d
    return box_corners(pairs or [(0.0, 0.0)])
