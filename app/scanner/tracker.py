"""From frames to one scan: votes over time, one scan while a code stays in view, the aimed label.

Pure apart from looking at the pixels it is given; time comes in as seconds of a steady clock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import cv2
import numpy as np

from app.scanner.engines.base import Gray
from app.scanner.events import Scan

# A certain read is accepted at once; uncertain ones must agree in two frames.
VOTES_NEEDED = 2.0
VOTE_WINDOW_SECONDS = 1.5

# A code may be scanned again after it left the view: this long, for this many frames, and the
# patch of picture where it was must look different (a blurred frame is not an empty one).
GONE_AFTER_SECONDS = 0.4
GONE_AFTER_FRAMES = 2
PATCH_STILL_THERE = 0.6

# The aimed label must be this much nearer to the centre than the next one, unless it lies on it.
AIM_CLEARLY_NEARER = 0.6

# Of labels about as near, one twice as large as the next was come close to.
AIM_CLEARLY_LARGER = 2.0


class SightingKind(StrEnum):
    """What a frame led to."""

    NOTHING = "nothing"
    """No code in this frame."""
    MORE_FRAMES = "more_frames"
    """A code was seen that needs one more frame to be believed."""
    STILL_IN_VIEW = "still_in_view"
    """Only codes that were scanned already and have not left the view."""
    ACCEPTED = "accepted"
    WHICH_ONE = "which_one"
    """Several labels, none of them clearly aimed at: ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one frame led to; `scans` holds the accepted one, or those to choose from."""

    kind: SightingKind
    scans: tuple[Scan, ...] = ()


@dataclass(slots=True)
class _Track:
    """One text over time."""

    scan: Scan
    votes: list[tuple[float, float]] = field(default_factory=list)
    seen_at: float = 0.0
    misses: int = 0
    is_emitted: bool = False
    has_view_changed: bool = False
    patch: Gray | None = None


class Tracker:
    """Give it every frame's scans in order. One per camera session."""

    def __init__(self, known: Callable[[str], bool] | None = None) -> None:
        self._known = known or (lambda _text: False)
        self._tracks: dict[str, _Track] = {}

    def see(self, scans: Sequence[Scan], at: float, frame: Gray) -> Sighting:
        """One frame's scans; `at` in seconds, `frame` the picture the corners refer to."""
        self._forget(scans, at, frame)
        for scan in scans:
            self._vote(scan, at, frame)
        if not scans:
            return Sighting(kind=SightingKind.NOTHING)
        fresh = [s for s in scans if not self._tracks[s.text].is_emitted]
        if not fresh:
            return Sighting(kind=SightingKind.STILL_IN_VIEW)
        ready = [s for s in fresh if self._weight(s.text, at) >= VOTES_NEEDED]
        if not ready:
            return Sighting(kind=SightingKind.MORE_FRAMES)
        aimed = aimed_at(scans, frame.shape, self._known)
        if aimed is None:
            return Sighting(kind=SightingKind.WHICH_ONE, scans=tuple(fresh))
        if aimed not in ready:
            kind = SightingKind.MORE_FRAMES if aimed in fresh else SightingKind.STILL_IN_VIEW
            return Sighting(kind=kind)
        return self._emit(aimed)

    def choose(self, text: str) -> Sighting:
        """The person tapped one of several labels; it is accepted if it was seen."""
        track = self._tracks.get(text)
        return Sighting(kind=SightingKind.NOTHING) if track is None else self._emit(track.scan)

    def forget(self) -> None:
        """The person asks to scan what is in view again (a tap on the picture)."""
        self._tracks.clear()

    def _emit(self, scan: Scan) -> Sighting:
        self._tracks[scan.text].is_emitted = True
        return Sighting(kind=SightingKind.ACCEPTED, scans=(scan,))

    def _vote(self, scan: Scan, at: float, frame: Gray) -> None:
        track = self._tracks.setdefault(scan.text, _Track(scan=scan))
        track.scan, track.seen_at, track.misses = scan, at, 0
        track.has_view_changed = False
        track.patch = _patch(frame, scan)
        is_trusted = scan.is_certain or self._known(scan.text)
        track.votes.append((at, VOTES_NEEDED if is_trusted else 1.0))

    def _weight(self, text: str, at: float) -> float:
        """Votes of the last moments, less those for another text at the same place.

        Two texts of one label (a misread beside the right one) must be told apart by more frames.
        """
        track = self._tracks[text]
        track.votes = [v for v in track.votes if at - v[0] <= VOTE_WINDOW_SECONDS]
        rivals = [
            sum(w for t, w in other.votes if at - t <= VOTE_WINDOW_SECONDS)
            for name, other in self._tracks.items()
            if name != text and _is_same_place(other.scan, track.scan)
        ]
        return sum(w for _, w in track.votes) - max(rivals, default=0.0)

    def _forget(self, scans: Sequence[Scan], at: float, frame: Gray) -> None:
        here = {s.text for s in scans}
        for text, track in list(self._tracks.items()):
            if text in here:
                continue
            track.misses += 1
            if not track.has_view_changed:
                track.has_view_changed = not _looks_alike(track.patch, _patch(frame, track.scan))
            is_long = at - track.seen_at >= GONE_AFTER_SECONDS
            is_gone = is_long and track.misses >= GONE_AFTER_FRAMES and track.has_view_changed
            is_stale = not track.is_emitted and at - track.seen_at > VOTE_WINDOW_SECONDS
            if is_gone or is_stale:
                del self._tracks[text]


def aimed_at(
    scans: Sequence[Scan], shape: tuple[int, ...], known: Callable[[str], bool]
) -> Scan | None:
    """The label a person aims at: the only one, the only kind the site knows, the one under the
    middle of the picture, the one clearly nearest to it, or of those about as near the one clearly
    largest. None: ask."""
    rivals = [s for s in scans if known(s.text)] or list(scans)
    if len(rivals) < 2:
        return rivals[0] if rivals else None
    middle = (shape[1] / 2.0, shape[0] / 2.0)
    under = [s for s in rivals if _distance(s, middle) <= 0]
    if len(under) == 1:
        return under[0]
    ranked = sorted(rivals, key=lambda s: _distance(s, middle))
    first, second = _distance(ranked[0], middle), _distance(ranked[1], middle)
    if not under and first < second * AIM_CLEARLY_NEARER:
        return ranked[0]
    near = [s for s in ranked if _distance(s, middle) * AIM_CLEARLY_NEARER <= first]
    return _largest(near)


def _largest(scans: Sequence[Scan]) -> Scan | None:
    """The label that fills the picture most, if clearly: the camera was brought up to it."""
    ranked = sorted(scans, key=_length, reverse=True)
    is_clear = len(ranked) > 1 and _length(ranked[0]) >= AIM_CLEARLY_LARGER * _length(ranked[1])
    return ranked[0] if is_clear else None


def _length(scan: Scan) -> float:
    """Pixels across a symbol, corner to corner."""
    return float(np.linalg.norm(np.ptp(np.array(scan.corners), axis=0)))


def _distance(scan: Scan, point: tuple[float, float]) -> float:
    """Pixels from a point to a symbol's outline; 0 inside it."""
    outline = cv2.convexHull(np.array(scan.corners, np.float32))
    return max(0.0, -float(cv2.pointPolygonTest(outline, point, True)))


def _is_same_place(one: Scan, other: Scan) -> bool:
    """Whether each symbol's centre lies on the other or close to it."""
    reach = max(float(np.ptp(np.array(one.corners), axis=0).max()), 24.0) * 0.25
    return _distance(one, other.centre) <= reach and _distance(other, one.centre) <= reach


def _patch(frame: Gray, scan: Scan) -> Gray | None:
    """What the picture shows around a symbol, small enough to ignore a shaking hand."""
    points = np.array(scan.corners)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    grow = max(right - left, bottom - top) * 0.5
    x0, y0 = max(0, int(left - grow)), max(0, int(top - grow))
    x1, y1 = min(frame.shape[1], int(right + grow)), min(frame.shape[0], int(bottom + grow))
    if x1 - x0 < 8 or y1 - y0 < 8:
        return None
    small = cv2.resize(frame[y0:y1, x0:x1], (12, 12), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _looks_alike(before: Gray | None, now: Gray | None) -> bool:
    if before is None or now is None:
        return before is now
    a, b = before.astype(np.float32), now.astype(np.float32)
    a, b = a - a.mean(), b - b.mean()
    power = float(np.sqrt((a * a).sum() * (b * b).sum()))
    if power < 12 * 12 * 4:
        return bool(np.abs(before.astype(np.int16) - now).mean() < 12)
    return float((a * b).sum()) / power > PATCH_STILL_THERE
