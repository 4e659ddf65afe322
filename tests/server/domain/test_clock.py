"""The stated interval holds the true time, whatever was done to the device's clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.domain.clock import ClockQuality, Moment, Sample, place

TRUE_BOOT = 1_790_000_000_000
"""Server time at which the device's boot clock read zero."""
HOUR = 3_600_000


def exchange(at_ms, up_ms, down_ms, *, skew_ms=0, drift_ppm=0, boot_id="b1", replied=True):
    """An exchange sent at server time `at_ms`, as honest clocks would see it."""

    def boot(server_ms):
        return int((server_ms - TRUE_BOOT) * (1 + drift_ppm / 1_000_000))

    arrived = at_ms + up_ms
    return Sample(
        boot_id=boot_id,
        t0_boot_ms=boot(at_ms),
        t0_wall_ms=at_ms + skew_ms,
        t1_ms=arrived,
        t2_ms=arrived + 3,
        t3_boot_ms=boot(arrived + 3 + down_ms) if replied else None,
    )


def moment(at_ms, *, skew_ms=0, drift_ppm=0, boot_id="b1"):
    return Moment(
        boot_id=boot_id,
        boot_ms=int((at_ms - TRUE_BOOT) * (1 + drift_ppm / 1_000_000)),
        wall_ms=at_ms + skew_ms,
    )


gaps = st.integers(0, 72 * HOUR)
ways = st.integers(0, 5_000)
skews = st.integers(-(10**11) * 3, 10**11 * 3)
drifts = st.integers(-200, 200)


@given(gaps, st.lists(st.tuples(gaps, ways, ways), min_size=1, max_size=4), skews, drifts, skews)
def test_with_an_exchange_in_the_boot_the_true_time_is_inside(at, exchanges, skew, drift, later):
    true_ms = TRUE_BOOT + at
    samples = [
        exchange(TRUE_BOOT + gap, up, down, skew_ms=later, drift_ppm=drift)
        for gap, up, down in exchanges
    ]
    received = max(true_ms, *(s.t1_ms for s in samples))

    placed = place(moment(true_ms, skew_ms=skew, drift_ppm=drift), samples, received)

    assert placed.earliest_ms <= true_ms <= placed.latest_ms


@given(st.integers(0, HOUR), st.integers(0, HOUR), st.integers(0, 300))
def test_a_near_exchange_makes_it_good(at, gap, way):
    samples = [exchange(TRUE_BOOT + gap, way, way)]

    placed = place(moment(TRUE_BOOT + at), samples, TRUE_BOOT + 2 * HOUR)

    assert placed.quality is ClockQuality.GOOD


def test_an_event_is_never_later_than_its_arrival():
    samples = [exchange(TRUE_BOOT, 20, 30)]

    placed = place(moment(TRUE_BOOT + HOUR), samples, TRUE_BOOT + HOUR + 1)

    assert placed.latest_ms == TRUE_BOOT + HOUR + 1


@given(skews)
def test_a_reboot_without_an_exchange_is_told_by_the_wall_clock_and_never_good(skew):
    true_ms = TRUE_BOOT + 3 * HOUR
    before = exchange(TRUE_BOOT, 20, 20, skew_ms=skew, boot_id="before")
    after = exchange(TRUE_BOOT + 9 * HOUR, 20, 20, skew_ms=skew, boot_id="after")

    both = place(moment(true_ms, skew_ms=skew), [before, after], TRUE_BOOT + 9 * HOUR)
    one = place(moment(true_ms, skew_ms=skew), [after], TRUE_BOOT + 9 * HOUR)

    assert both.earliest_ms <= true_ms <= both.latest_ms
    assert both.quality is ClockQuality.FAIR
    assert one.earliest_ms <= true_ms <= one.latest_ms
    assert one.quality is ClockQuality.POOR


@given(st.integers(2 * 60_000, 10**11))
def test_a_clock_that_was_set_in_between_is_flagged_and_still_inside(jump):
    true_ms = TRUE_BOOT + 3 * HOUR
    before = exchange(TRUE_BOOT, 20, 20, boot_id="before")
    after = exchange(TRUE_BOOT + 9 * HOUR, 20, 20, skew_ms=jump, boot_id="after")

    placed = place(moment(true_ms, skew_ms=jump), [before, after], TRUE_BOOT + 9 * HOUR)

    assert placed.quality is ClockQuality.POOR
    assert placed.earliest_ms <= true_ms <= placed.latest_ms


def test_a_reading_on_arrival_bounds_from_above_without_a_reply():
    true_ms = TRUE_BOOT + HOUR
    reading = exchange(TRUE_BOOT + 2 * HOUR, 100, 0, skew_ms=10 * HOUR, replied=False)

    placed = place(moment(true_ms, skew_ms=10 * HOUR), [reading], TRUE_BOOT + 2 * HOUR + 100)

    assert placed.quality is ClockQuality.POOR
    assert placed.earliest_ms <= true_ms <= placed.latest_ms <= true_ms + 1_000


@given(
    st.lists(
        st.builds(
            Sample,
            boot_id=st.sampled_from(["b1", "b2"]),
            t0_boot_ms=st.integers(0, 2**53),
            t0_wall_ms=st.integers(0, 2**53),
            t1_ms=st.integers(0, 2**53),
            t2_ms=st.integers(0, 2**53),
            t3_boot_ms=st.none() | st.integers(0, 2**53),
        ),
        max_size=5,
    ),
    st.integers(0, 2**53),
)
def test_any_samples_give_an_interval_that_ends_by_the_arrival(samples, received):
    placed = place(Moment(boot_id="b1", boot_ms=5, wall_ms=7), samples, received)

    assert placed.earliest_ms <= placed.latest_ms <= received


def seen(boot_id, at, wall, ways, replied):
    """A sample of a clock 90,000 s behind the server's, its ways taking up to as long as it drifts."""
    up, down = ways
    return Sample(
        boot_id=boot_id,
        t0_boot_ms=at,
        t0_wall_ms=wall,
        t1_ms=at + 90_000_000 + up,
        t2_ms=at + 90_000_000 + up,
        t3_boot_ms=at + up + down if replied else None,
    )


@given(
    samples=st.lists(
        st.builds(
            seen,
            st.sampled_from(["b1", "b1", "b2"]),
            st.integers(0, 40_000_000),
            st.integers(0, 50),
            st.tuples(st.integers(0, 9_000), st.integers(-2_000, 9_000)),
            st.booleans(),
        ),
        max_size=20,
    ),
    boot_ms=st.integers(0, 40_000_000),
    wall_ms=st.integers(0, 50),
)
def test_the_nearest_samples_say_what_all_of_them_say(samples, boot_ms, wall_ms):
    told = Moment(boot_id="b1", boot_ms=boot_ms, wall_ms=wall_ms)

    placed = place(told, samples, 99_000_000)

    assert (placed.earliest_ms, placed.latest_ms) == by_all_samples(told, samples, 99_000_000)


def by_all_samples(told, samples, received):
    """The rule as docs/protocol.md has it, over every sample."""

    def drift(gap):
        return -(-abs(gap) * 200 // 999_800)

    own = [s for s in samples if s.boot_id == told.boot_id]
    latest = [
        told.boot_ms + s.t1_ms - s.t0_boot_ms + drift(told.boot_ms - s.t0_boot_ms) for s in own
    ]
    replied = [s for s in own if s.t3_boot_ms is not None]
    if replied:
        earliest = [
            told.boot_ms + s.t2_ms - s.t3_boot_ms - drift(told.boot_ms - s.t3_boot_ms)
            for s in replied
        ]
        low, high = max(earliest), min(latest)
        if low > high:
            low, high = min(earliest), max(latest)
        high = min(high + 1, received)
        return min(low - 1, high), high
    ceiling = min([*latest, received])
    before = [s for s in samples if s.t0_wall_ms <= told.wall_ms]
    after = [s for s in samples if s.t0_wall_ms > told.wall_ms]
    nearest = [max(before, key=lambda s: s.t0_wall_ms)] if before else []
    nearest += [min(after, key=lambda s: s.t0_wall_ms)] if after else []
    if not nearest:
        return min(told.wall_ms, ceiling) - 300_000, ceiling
    highs = [s.t1_ms - s.t0_wall_ms for s in nearest]
    lows = [
        high - 30_000
        if s.t3_boot_ms is None
        else min(s.t2_ms - (s.t0_wall_ms + s.t3_boot_ms - s.t0_boot_ms), high)
        for s, high in zip(nearest, highs, strict=True)
    ]
    agreed = len(nearest) == 2 and max(highs) - min(lows) <= 2_000
    doubt = 30_000 if agreed else 300_000
    high = min(told.wall_ms + max(highs) + doubt, ceiling)
    return min(told.wall_ms + min(lows) - doubt, ceiling, high), high
