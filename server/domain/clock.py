"""When did it really happen? Server time of a device's event, as an interval that surely holds it.

A device has a boot clock that only goes forward and a wall clock that people set. An exchange gives
the offset of the boot clock within bounds: the request was sent before the server got it (so the
offset is at most t1 - t0), the reply came after it was sent (at least t2 - t3). Any exchange of the
same boot dates all its events, also earlier ones. Without one, the wall clock is corrected by what
was seen of it in other boots, and the doubt is stated. Milliseconds throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the device said about when."""

    boot_id: str
    boot_ms: int
    wall_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The event happened between these, by the server's clock, both included."""

    earliest_ms: int
    latest_ms: int
    quality: ClockQuality


def place(moment: Moment, samples: Sequence[Sample], received_ms: int) -> Placed:
    """The interval that surely holds the event. Total: any samples give an answer."""
    same_boot = [s for s in samples if s.boot_id == moment.boot_id]
    if any(s.t3_boot_ms is not None for s in same_boot):
        return _by_boot_clock(moment, same_boot, received_ms)
    return _by_wall_clock(moment, samples, same_boot, received_ms)


def _by_boot_clock(moment: Moment, samples: Sequence[Sample], received_ms: int) -> Placed:
    earliest = [
        moment.boot_ms + (s.t2_ms - s.t3_boot_ms) - _drift(moment.boot_ms - s.t3_boot_ms)
        for s in samples
        if s.t3_boot_ms is not None
    ]
    latest = _latest(moment, samples)
    low, high = max(earliest), min(latest)
    if low > high:  # the server's own clock was set between samples: believe none more than another
        low, high = min(earliest), max(latest)
    return _placed(low - TICK_MS, high + TICK_MS, received_ms, best=ClockQuality.GOOD)


def _latest(moment: Moment, samples: Sequence[Sample]) -> list[int]:
    return [
        moment.boot_ms + (s.t1_ms - s.t0_boot_ms) + _drift(moment.boot_ms - s.t0_boot_ms)
        for s in samples
    ]


def _by_wall_clock(
    moment: Moment, samples: Sequence[Sample], same_boot: Sequence[Sample], received_ms: int
) -> Placed:
    # A reading on arrival bounds from above also without a reply: it was sent before it came.
    ceiling = min([*_latest(moment, same_boot), received_ms])
    before = [s for s in samples if s.t0_wall_ms <= moment.wall_ms]
    after = [s for s in samples if s.t0_wall_ms > moment.wall_ms]
    nearest = [max(before, key=_wall)] if before else []
    nearest += [min(after, key=_wall)] if after else []
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
    return -(-abs(gap_ms) * DRIFT_PPM // 1_000_000)


def _placed(low: int, high: int, received_ms: int, *, best: ClockQuality) -> Placed:
    high = min(high, received_ms)
    low = min(low, high)
    doubt = (high - low) // 2
    quality = ClockQuality.POOR
    if doubt < FAIR_MS:
        quality = ClockQuality.FAIR
    if doubt < GOOD_MS:
        quality = ClockQuality.GOOD
    order = list(ClockQuality)
    return Placed(
        earliest_ms=low,
        latest_ms=high,
        quality=max(quality, best, key=order.index),
    )
