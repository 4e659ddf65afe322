"""Which bin is counted next, and by whom. Pure: facts in, plan out, no clock of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.contract.problems import RefusalError
from app.contract.vocabulary import COUNTING_ROLES, AbcClass, Role

CADENCE: Mapping[str, timedelta] = {
    AbcClass.A: timedelta(days=90),
    AbcClass.B: timedelta(days=180),
    AbcClass.C: timedelta(days=365),
}
"""Longest time between counts by the best class in the bin (OpenBoxes' cycle-count-frequency view)."""

MINUTES_PER_BIN = 2.0
MINUTES_PER_RECORD = 0.5
"""Labour a count costs: finding and opening the bin, then each record in it. Sites measure their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BinToPlan:
    """What planning knows of a bin."""

    bin: str
    walk_order: int
    best_class: str
    records: int
    last_counted_at: datetime | None
    has_open_task: bool = False
    has_negative_book: bool = False
    became_empty: bool = False
    """The book reached zero since the last count: confirming it is nearly free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBin:
    """A bin that is to be counted and why; the reason never leaves the server."""

    bin: str
    why: str
    minutes: float


def plan_day(bins: Iterable[BinToPlan], *, now: datetime, minutes: float) -> tuple[PlannedBin, ...]:
    """The bins to count today within the labour given, in walking order.

    Negative books first, then bins that ran empty, then those most overdue by their class. A bin
    with an open task is never planned twice.
    """
    ranked = sorted(
        ((_rank(b, now), b) for b in bins if not b.has_open_task and _why(b, now)),
        key=lambda pair: (pair[0], pair[1].walk_order, pair[1].bin),
    )
    chosen: list[tuple[BinToPlan, PlannedBin]] = []
    left = minutes
    for _, place in ranked:
        cost = MINUTES_PER_BIN + MINUTES_PER_RECORD * place.records
        if cost <= left:
            left -= cost
            planned = PlannedBin(bin=place.bin, why=_why(place, now), minutes=cost)
            chosen.append((place, planned))
    chosen.sort(key=lambda pair: (pair[0].walk_order, pair[0].bin))
    return tuple(planned for _, planned in chosen)


def _overdue(place: BinToPlan, now: datetime) -> float:
    """How many of its own cadences ago the bin was last counted; never counted is most overdue."""
    if place.last_counted_at is None:
        return float("inf")
    cadence = CADENCE.get(place.best_class, CADENCE[AbcClass.C])
    return (now - place.last_counted_at) / cadence


def _why(place: BinToPlan, now: datetime) -> str:
    if place.has_negative_book:
        return "negative book"
    if place.became_empty:
        return "zero confirmation"
    if place.last_counted_at is None:
        return "never counted"
    return "due by class" if _overdue(place, now) >= 1 else ""


def _rank(place: BinToPlan, now: datetime) -> tuple[int, float]:
    band = 0 if place.has_negative_book else 1 if place.became_empty else 2
    return band, -_overdue(place, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who may be sent to recount."""

    user_id: str
    role: Role
    open_tasks: int = 0
    is_active: bool = True


def choose_recounter(
    people: Iterable[Candidate],
    *,
    bin: str,
    have_counted: Collection[str],
    approver: str,
    wanted: str | None = None,
) -> str:
    """Who recounts: the one asked for, or the least busy counter who has not counted the bin.

    The supervisor who asks is chosen last, for whoever counts can no longer approve. Raises
    RefusalError `recounter-counted` for a person who counted it, `unknown-user` for a stranger,
    `no-recounter` when nobody is left.
    """
    able = {p.user_id: p for p in people if p.is_active and p.role in COUNTING_ROLES}
    if wanted is not None:
        if wanted in have_counted:
            raise RefusalError("recounter-counted", bin=bin)
        if wanted not in able:
            raise RefusalError("unknown-user", user=wanted)
        return wanted
    free = [p for p in able.values() if p.user_id not in have_counted]
    if not free:
        raise RefusalError("no-recounter", bin=bin)
    best = min(
        free,
        key=lambda p: (
            p.user_id == approver,
            p.role is not Role.COUNTER,
            p.open_tasks,
            p.user_id,
        ),
    )
    return best.user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRule:
    """One row of the owner table. Empty fields match everything; `lead` is who overdue cases go to."""

    owner: str
    lead: str
    zone: str = ""
    kind: str = ""
    value_from: int = 0
    """Least absolute money of the case, in whole units of the site's currency."""


def owner_for(
    rules: Iterable[OwnerRule], *, zone: str, kind: str, value: float
) -> OwnerRule | None:
    """The rule that names the owner: kind before zone before value, then the highest value band."""
    matching = [
        r for r in rules if r.zone in ("", zone) and r.kind in ("", kind) and value >= r.value_from
    ]
    if not matching:
        return None
    return max(matching, key=lambda r: (r.kind != "", r.zone != "", r.value_from, r.owner))
