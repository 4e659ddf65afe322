"""What goes wrong in one history, and how often: drawn anew for each (swarm testing).

Half of the kinds are switched off in any one history, so that no fault hides behind another; the
rest get a rate of their own between one in a hundred and one in three.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from random import Random

REQUEST_FAULTS = (
    "away",  # no connection
    "lost",  # the request never arrives
    "no_reply",  # it arrives, the reply does not
    "twice",  # it arrives twice at once
    "later_again",  # it arrives, and once more minutes later
    "only_later",  # it arrives when the device has given up long since
    "reply_cut",  # the reply ends anywhere
    "request_cut",  # the request ends anywhere
    "reset_in_body",  # connection reset while the request goes up: some of it arrives
    "gzip_damaged",  # a bit of the compressed body is wrong
    "portal",  # a sign-in page answers 200
    "wrong_json",  # somebody answers 200 with other JSON
    "moved",  # 301
    "status",  # any status of the table, from something in between
    "slow",  # seconds, not milliseconds, each way
)
LATER_FAULTS = (
    "refused",  # a server of ours, older, newer or mistaken, says no without a reason
)
"""As REQUEST_FAULTS, from dice of their own: histories without them stay what they were."""
REFUSALS = (
    *("token-unknown", "token-missing", "device-revoked", "install-forked", "epoch-changed"),
    *("proto-unsupported", "cursor-gone", "not-found", "snapshot-none", "request-invalid"),
    *("body-too-large", "too-many-events", "busy", "storage-full", "internal", "role-forbidden"),
)
STATUSES = (
    *(400, 401, 403, 404, 408, 409, 410, 413, 422, 425, 426, 429),
    *(500, 502, 503, 504, 507),
)
COMMIT_FAULTS = ("crash_before", "crash_after", "server_full", "server_locked", "server_io")
DEVICE_FAULTS = ("kill", "device_full", "device_io")
EVENTS = (
    "restart_app",
    "reboot",
    "suspend",
    "night",
    "set_clock",
    "clog",
    "server_restart",
    "backup",
    "restore",
    "silent_restore",
    "image",
    "image_restored",
    "clone",
    "revoke",
    "change_reference",
    "forget_tombstones",
    "lose_reference",
    "lose_vault",
)
LATER_EVENTS = ("change_tasks",)
"""As EVENTS, from dice of their own."""
PAGE_ROWS_BRIEF = 5
"""A first load of three pages has a first, a middle and a last one."""
_LOW, _HIGH = math.log(0.01), math.log(0.33)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """The rates of one history."""

    devices: int
    bursts: int
    """Counts made on each device, about."""
    seconds: float
    """How long it lasts before everything heals."""
    page_rows: int
    """Rows a pull asks for: small, so that a page ends in the midst of things."""
    has_snapshots: bool
    """A first load begins with a prebuilt file."""
    poison: float
    """Share of events that the server cannot use."""
    request: dict[str, float] = field(default_factory=dict)
    commit: dict[str, float] = field(default_factory=dict)
    device: dict[str, float] = field(default_factory=dict)
    events: dict[str, float] = field(default_factory=dict)
    """Occurrences a minute."""
    later_events: dict[str, float] = field(default_factory=dict)


def draw_weather(rng: Random, later: Random, latest: Random) -> Weather:
    """Rates from a seed's dice; `later`: those of the faults that were added later, `latest`: those
    of the events that were."""
    devices = rng.choices((1, 2, 3, 4, 5, 6, 7, 8), (44, 30, 14, 4, 3, 2, 2, 1))[0]
    is_fair = rng.random() < 0.03
    quiet = 1.0 if is_fair else rng.choice((0.5, 0.7, 0.85))

    def rates(
        kinds: tuple[str, ...], *, scale: float = 1.0, dice: Random = rng
    ) -> dict[str, float]:
        drawn = {kind: (dice.random(), dice.uniform(_LOW, _HIGH)) for kind in kinds}
        return {kind: math.exp(r) * scale for kind, (on, r) in drawn.items() if on > quiet}

    return Weather(
        devices=devices,
        bursts=rng.choice((1, 2, 2, 3, 4)) if devices < 4 else rng.choice((1, 2)),
        seconds=rng.choice((20.0, 40.0, 90.0)),
        page_rows=rng.choice((2, 3, 7, 5000)),
        has_snapshots=rng.random() < 0.3,
        poison=rng.choice((0.0, 0.0, 0.02, 0.05)),
        request=rates(REQUEST_FAULTS) | rates(LATER_FAULTS, dice=later),
        commit=rates(COMMIT_FAULTS, scale=0.6),
        device=rates(DEVICE_FAULTS, scale=0.25),
        events=rates(EVENTS, scale=12.0 / devices**0.5),
        later_events=rates(LATER_EVENTS, scale=12.0 / devices**0.5, dice=latest),
    )


def made_brief(weather: Weather) -> Weather:
    """The same faults, at the same rates, over twenty seconds of one or two devices.

    Costs less than half; for every fault that does not need a long past it proves as much.
    """
    return replace(
        weather,
        devices=min(2, weather.devices),
        bursts=1,
        seconds=20.0,
        page_rows=max(PAGE_ROWS_BRIEF, weather.page_rows),
    )
