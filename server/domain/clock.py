"""When did it really happen? Server time of a device's event, as an interval that surely holds it.

A device has a boot clock that only goes forward and a wall clock that people set. An exchange gives
the offset of the boot clock within bounds: the request was sent before the server got it (so the
offset is at most t1 - t0), the reply came after it was sent (at least t2 - t3). Any exchange of the
same boot dates all its events, also earlier ones. Without one, the wall clock is corrected by what
was seen of it in other boots, and the doubt is stated. Milliseconds throughout.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

DRIFT_PPM = 200
"""A phone's crystal is within 20 to 50; this also holds for one that is broken."""
TICK_MS = 1
"""Clocks are read in whole milliseconds."""
WALL_DOUBT_AGREED_MS = 30_000
"""Doubt of a wall clock that was seen before and after the event and was not set in between."""
WALL_DOUBT_MS = 300_000
"""Doubt of a wall clock seen on one side only. Nobody vouches that it was not set in between."""
WALL_AGREES_MS = 2_000
GOOD_MS = 2_000
FAIR_MS = 60_000
ONE_WAY_MAX_MS = 30_000
"""A request that takes longer than the client's timeout never arrives."""


class ClockQuality(StrEnum):
    GOOD = "good"
    """Known within 2 s."""
    FAIR = "fair"
    """Known within a minute."""
    POOR = "poor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One exchange; with `t3_boot_ms` None, one reading on arrival: its reply was never reported."""

    boot_id: str
    t0_boot_ms: int
    t0_wall_ms: int
    t1_ms: int
    t2_ms: int
    t3_boot_ms: int | None = None


class Moment(NamedTuple):
    """What the device said about when."""

    boot_id: str
    boot_ms: int
    wall_ms: int


class Placed(NamedTuple):
    """The event happened between these, by the server's clock, both included."""

    earliest_ms: int
    latest_ms: int
    quality: ClockQuality


def place(moment: Moment, samples: Sequence[Sample], received_ms: int) -> Placed:
    """The interval that surely holds the event. Total: any samples give an answer."""
    return SeenClocks(samples).place(moment, received_ms)


class SeenClocks:
    """Everything known about one install's clocks, ready to date many events.

    A device that has been up for a month was seen thousands of times; each event needs the nearest.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        by_boot: dict[str, list[Sample]] = {}
        for sample in samples:
            by_boot.setdefault(sample.boot_id, []).append(sample)
        self._boots = {boot_id: _Boot(seen) for boot_id, seen in by_boot.items()}
        self._by_wall = sorted(samples, key=_wall)
        self._walls = [_wall(sample) for sample in self._by_wall]

    def place(self, moment: Moment, received_ms: int) -> Placed:
        """The interval that surely holds the event."""
        boot = self._boots.get(moment.boot_id)
        if boot is not None and boot.has_reply:
            return _by_boot_clock(moment, boot, received_ms)
        # A reading on arrival bounds from above also without a reply: it was sent before it came.
        ceiling = received_ms if boot is None else min(boot.latest(moment.boot_ms), received_ms)
        return self._by_wall_clock(moment, ceiling, received_ms)

    def _by_wall_clock(self, moment: Moment, ceiling: int, received_ms: int) -> Placed:
        nearest = self._nearest(moment.wall_ms)
        if not nearest:
            # Never heard of this clock before: the event is no later than its arrival, that is all.
            low = min(moment.wall_ms, ceiling) - WALL_DOUBT_MS
            return _placed(low, ceiling, received_ms, best=ClockQuality.POOR)
        bounds = [_wall_offset(s) for s in nearest]
        low, high = min(b[0] for b in bounds), max(b[1] for b in bounds)
        is_agreed = len(nearest) == 2 and high - low <= WALL_AGREES_MS
        doubt = WALL_DOUBT_AGREED_MS if is_agreed else WALL_DOUBT_MS
        earliest, latest = moment.wall_ms + low - doubt, moment.wall_ms + high + doubt
        best = ClockQuality.FAIR if is_agreed else ClockQuality.POOR
        return _placed(min(earliest, ceiling), min(latest, ceiling), received_ms, best=best)

    def _nearest(self, wall_ms: int) -> list[Sample]:
        """The last sample at or before that wall time and the first one after it."""
        after = bisect_right(self._walls, wall_ms)
        found = []
        if after:
            # Of several at one wall time the first, whichever side they are on.
            found.append(self._by_wall[bisect_left(self._walls, self._walls[after - 1])])
        if after < len(self._by_wall):
            found.append(self._by_wall[after])
        return found


class _Boot:
    """What was seen of one boot's clock. Without any sample there is none."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = samples
        replied = [(s.t3_boot_ms, s.t2_ms) for s in samples if s.t3_boot_ms is not None]
        self.has_reply = bool(replied)
        self._above = _Bound((s.t0_boot_ms, s.t1_ms - s.t0_boot_ms) for s in samples)
        self._below = _Bound((t3, t3 - t2) for t3, t2 in replied)

    def latest(self, boot_ms: int) -> int:
        """Server time at that reading of the boot clock, at most."""
        return boot_ms + self._above.least(boot_ms)

    def earliest(self, boot_ms: int) -> int:
        """Server time at that reading, at least. Only where a reply was seen."""
        return boot_ms - self._below.least(boot_ms)


class _Bound:
    """The least of several offsets, each of which loosens by drift with the distance from its reading.

    An offset that another one undercuts even where it was read undercuts nothing anywhere, and is
    left out; of the rest the nearest on either side is the least, exactly, rounding included.
    """

    def __init__(self, points: Iterable[tuple[int, int]]) -> None:
        rising = _without_undercut(sorted(points))
        kept = _without_undercut(rising[::-1])[::-1]
        self._at = [at for at, _ in kept]
        self._offsets = [offset for _, offset in kept]

    def least(self, boot_ms: int) -> int:
        after = bisect_right(self._at, boot_ms)
        if after == len(self._at):
            return self._loosened(after - 1, boot_ms)
        if after == 0:
            return self._loosened(0, boot_ms)
        return min(self._loosened(after - 1, boot_ms), self._loosened(after, boot_ms))

    def _loosened(self, place: int, boot_ms: int) -> int:
        return self._offsets[place] + _drift(boot_ms - self._at[place])


def _without_undercut(points: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Points, in order, less those that the one kept before them undercuts."""
    kept: list[tuple[int, int]] = []
    for at, offset in points:
        if not kept or kept[-1][1] + _drift(at - kept[-1][0]) > offset:
            kept.append((at, offset))
    return kept


def _by_boot_clock(moment: Moment, boot: _Boot, received_ms: int) -> Placed:
    low, high = boot.earliest(moment.boot_ms), boot.latest(moment.boot_ms)
    if low > high:  # the server's own clock was set between samples: believe none more than another
        replied = [(s.t3_boot_ms, s.t2_ms) for s in boot.samples if s.t3_boot_ms is not None]
        low = min(moment.boot_ms + (t2 - t3) - _drift(moment.boot_ms - t3) for t3, t2 in replied)
        high = max(
            moment.boot_ms + (s.t1_ms - s.t0_boot_ms) + _drift(moment.boot_ms - s.t0_boot_ms)
            for s in boot.samples
        )
    return _placed(low - TICK_MS, high + TICK_MS, received_ms, best=ClockQuality.GOOD)


def _wall(sample: Sample) -> int:
    return sample.t0_wall_ms


def _wall_offset(sample: Sample) -> tuple[int, int]:
    """Lowest and highest server time minus wall time at the sample."""
    high = sample.t1_ms - sample.t0_wall_ms
    if sample.t3_boot_ms is None:
        return high - ONE_WAY_MAX_MS, high
    wall_at_reply = sample.t0_wall_ms + (sample.t3_boot_ms - sample.t0_boot_ms)
    return min(sample.t2_ms - wall_at_reply, high), high


def _drift(gap_ms: int) -> int:
    # The gap is the device's: a slow clock shows fewer milliseconds than there were.
    return -(-abs(gap_ms) * DRIFT_PPM // (1_000_000 - DRIFT_PPM))


def _placed(low: int, high: int, received_ms: int, *, best: ClockQuality) -> Placed:
    high = min(high, received_ms)
    low = min(low, high)
    doubt = (high - low) // 2
    if best is ClockQuality.POOR or doubt >= FAIR_MS:
        return Placed(low, high, ClockQuality.POOR)
    if best is ClockQuality.FAIR or doubt >= GOOD_MS:
        return Placed(low, high, ClockQuality.FAIR)
    return Placed(low, high, ClockQuality.GOOD)
