"""One serial in two places: seen where the book does not have it, while it is somewhere else.

Judged as of each sighting's own time, like everything else that was counted: a unit that was moved
afterwards was rightly seen. What is told here follows from counts and movements alone, so a case ends
by itself when a late movement explains it, and the order of arrival does not matter.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, or_, select

from app.contract.count_fold import CountStatus
from app.contract.vocabulary import CaseKind, CaseState, CountScope
from server.domain.cases import SYSTEM, CaseEvent
from server.domain.proposals import NEAR
from server.domain.stock import GONE_FROM_BIN, OUTSIDE
from server.services.case_keeping import apply_event
from server.services.desk import Desk
from server.services.odd_facts import OddFact, open_fact
from server.storage import cases as case_rows
from server.storage.columns import to_us
from server.storage.tables_casework import CountLineRow, CountRow, ExceptionCaseRow
from server.storage.tables_ledger import MovementRow

Unit = tuple[str, str]
"""(SKU, serial)."""
_CHUNK = 300
_NEAR_US = NEAR.total_seconds() * 1_000_000
_SUBJECT = "serial/"
_GONE = frozenset(state.value for state in GONE_FROM_BIN)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Sighting:
    """Somebody counted the serial in a bin; sorts by when the count began."""

    opened_us: int
    count_id: str
    bin: str
    serial: str
    earliest_us: int
    latest_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Bins that speak against a sighting: by the book of that time, and by an earlier count."""

    booked: tuple[str, ...]
    counted: tuple[str, ...]


_Legs = Mapping[str, Sequence[tuple[int, int]]]
"""Bin -> (instant, signed change) of one serial, by time."""


def contradictions(
    sightings: Iterable[Sighting], legs: _Legs
) -> dict[str, tuple[Sighting, Contradiction]]:
    """Bin -> what speaks against the sighting there, for one serial. Pure; any order will do."""
    found: dict[str, tuple[Sighting, Contradiction]] = {}
    unbooked: list[Sighting] = []
    for seen in sorted(sightings):
        if _was_there(legs.get(seen.bin, ()), seen):
            continue
        others = sorted(b for b in legs if b != seen.bin and _held(legs[b], seen.latest_us) > 0)
        before = [s.bin for s in unbooked if seen.opened_us - s.opened_us <= _NEAR_US]
        unbooked.append(seen)
        if others or before:
            told = Contradiction(booked=tuple(others), counted=tuple(before))
            found[seen.bin] = seen, told
    return found


def _held(legs: Sequence[tuple[int, int]], at_us: int) -> int:
    return sum(change for when, change in legs if when <= at_us)


def _was_there(legs: Sequence[tuple[int, int]], seen: Sighting) -> bool:
    """Whether the book had it at any instant at which it may have been looked at."""
    moments = [seen.earliest_us, *(at for at, _ in legs if seen.earliest_us < at <= seen.latest_us)]
    return any(_held(legs, at) > 0 for at in moments)


# -- keeping the cases ---------------------------------------------------------------------------


def follow_skus(desk: Desk, skus: Iterable[str]) -> None:
    """Stock of the SKUs moved: what was said of their serials may not hold any more."""
    follow(desk, (), skus)


def follow(desk: Desk, suspects: Iterable[Unit], skus: Iterable[str]) -> None:
    """Open, change or end the cases of the serials given and of those that the SKUs' cases name.

    A serial that was found where it was not expected may turn out to be elsewhere as well.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for sku, serial in suspects:
        wanted[sku].add(serial)
    named = sorted(set(skus))
    for case in _cases(desk.session, desk.site_id, named):
        wanted[case.sku].add(json.loads(case.evidence)["serial"])
    for sku, serial in _found_unexpectedly(desk.session, desk.site_id, named):
        wanted[sku].add(serial)
    for sku, serials in sorted(wanted.items()):
        _follow(desk, sku, sorted(serials))


def _cases(session: Session, site_id: str, skus: Sequence[str]) -> list[ExceptionCaseRow]:
    """Cases of serials in two places that are open or that facts ended."""
    found: list[ExceptionCaseRow] = []
    for start in range(0, len(skus), _CHUNK):
        query = select(ExceptionCaseRow).where(
            col(ExceptionCaseRow.site_id) == site_id,
            col(ExceptionCaseRow.sku).in_(skus[start : start + _CHUNK]),
            col(ExceptionCaseRow.kind) == CaseKind.DUPLICATE_SERIAL.value,
            or_(col(ExceptionCaseRow.is_live), col(ExceptionCaseRow.ended_by_facts)),
        )
        found += [case for case in session.exec(query) if case.subject.startswith(_SUBJECT)]
    return found


def _found_unexpectedly(session: Session, site_id: str, skus: Sequence[str]) -> Iterable[Unit]:
    """Serials that open cases have too many of."""
    for start in range(0, len(skus), _CHUNK):
        query = select(ExceptionCaseRow.sku, ExceptionCaseRow.parts).where(
            col(ExceptionCaseRow.site_id) == site_id,
            col(ExceptionCaseRow.sku).in_(skus[start : start + _CHUNK]),
            col(ExceptionCaseRow.is_live),
            col(ExceptionCaseRow.subject) == "",
            col(ExceptionCaseRow.parts).not_like('{"":%'),
        )
        for sku, parts in session.exec(query):
            yield from ((sku, s) for s, part in case_rows.parts_of(parts).items() if part.high > 0)


def _follow(desk: Desk, sku: str, serials: Sequence[str]) -> None:
    seen, legs = _sightings(desk, sku, serials), _legs(desk, sku, serials)
    known = {(c.bin, json.loads(c.evidence)["serial"]): c for c in _cases_of(desk, sku)}
    for serial in serials:
        told = contradictions(seen.get(serial, ()), legs.get(serial, {}))
        for place, (sighting, against) in sorted(told.items()):
            _say(desk, known.get((place, serial)), sku, sighting, against)
        for (place, named), case in known.items():
            if named == serial and place not in told and case.is_live:
                why = "the book has it where it was seen, or it was not seen again"
                apply_event(desk, case, CaseEvent.FACTS_EXPLAINED, SYSTEM, why=why, through="facts")
                case.ended_by_facts = True
                case.next_action, case.next_words = "", ""


def _cases_of(desk: Desk, sku: str) -> list[ExceptionCaseRow]:
    return sorted(_cases(desk.session, desk.site_id, [sku]), key=lambda case: case.is_live)


def _say(
    desk: Desk,
    case: ExceptionCaseRow | None,
    sku: str,
    seen: Sighting,
    against: Contradiction,
) -> None:
    place = desk.bin(seen.bin)
    if place is None:
        return
    words = [f"on the book in {', '.join(against.booked)}"] if against.booked else []
    words += [f"counted in {', '.join(against.counted)}"] if against.counted else []
    bins = [*against.booked, *against.counted]
    fact = OddFact(
        kind=CaseKind.DUPLICATE_SERIAL,
        subject=f"{_SUBJECT}{sku}/{seen.serial}",
        title=f"Serial {seen.serial} of {sku} seen in {seen.bin}, {' and '.join(words)}",
        next_words=f"Look in {bins[0]} for serial {seen.serial}",
        bin=place.bin,
        zone=place.zone,
        sku=sku,
        count_id=seen.count_id,
        evidence={"serial": seen.serial, "bins": bins},
    )
    if case is not None and not case.is_live and case.state == CaseState.EXPLAINED:
        why = "it is in two places again"
        apply_event(desk, case, CaseEvent.FACTS_CHANGED, SYSTEM, why=why, through="facts")
        case.ended_by_facts, case.next_action = False, fact.next_action.value
    case = open_fact(desk, fact) or case
    if case is not None and case.is_live:
        case.title, case.next_words = fact.title, fact.next_words
        case.evidence = json.dumps(dict(fact.evidence), sort_keys=True)
        desk.session.add(case)


# -- reading -------------------------------------------------------------------------------------


def _sightings(desk: Desk, sku: str, serials: Sequence[str]) -> dict[str, list[Sighting]]:
    """The last word of each bin: a sighting that a later count did not repeat is left out."""
    last: dict[tuple[str, str], Sighting] = {}
    for start in range(0, len(serials), _CHUNK):
        query = (
            select(CountLineRow, CountRow)
            .join(
                CountRow,
                (col(CountRow.site_id) == col(CountLineRow.site_id))
                & (col(CountRow.count_id) == col(CountLineRow.count_id)),
            )
            .where(
                col(CountLineRow.site_id) == desk.site_id,
                col(CountLineRow.sku) == sku,
                col(CountLineRow.serial).in_(serials[start : start + _CHUNK]),
                col(CountLineRow.quantity_u) > 0,
                col(CountRow.status) == CountStatus.CLOSED.value,
            )
        )
        for line, count in desk.session.exec(query):
            seen = Sighting(
                opened_us=count.opened_earliest_us,
                count_id=count.count_id,
                bin=count.bin,
                serial=line.serial,
                earliest_us=line.earliest_us,
                latest_us=line.latest_us,
            )
            key = (seen.serial, seen.bin)
            last[key] = max(seen, last.get(key, seen))
    counted = _last_counts(desk, sku, sorted({seen.bin for seen in last.values()}))
    found: dict[str, list[Sighting]] = defaultdict(list)
    for seen in last.values():
        if counted[seen.bin] <= (seen.opened_us, seen.count_id):
            found[seen.serial].append(seen)
    return found


def _last_counts(desk: Desk, sku: str, bins: Sequence[str]) -> dict[str, tuple[int, str]]:
    """(when it began, id) of the last count of each bin that says anything about the SKU."""
    last: dict[str, tuple[int, str]] = {}
    for start in range(0, len(bins), _CHUNK):
        query = select(CountRow.bin, CountRow.opened_earliest_us, CountRow.count_id).where(
            col(CountRow.site_id) == desk.site_id,
            col(CountRow.bin).in_(bins[start : start + _CHUNK]),
            col(CountRow.status) == CountStatus.CLOSED.value,
            or_(col(CountRow.scope) == CountScope.WHOLE_BIN.value, col(CountRow.sku) == sku),
        )
        for place, opened_us, count_id in desk.session.exec(query):
            last[place] = max((opened_us, count_id), last.get(place, (opened_us, count_id)))
    return last


def _legs(
    desk: Desk, sku: str, serials: Sequence[str]
) -> dict[str, dict[str, list[tuple[int, int]]]]:
    """Serial -> bin -> (instant, signed change) of what stands in bins."""
    found: dict[str, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for start in range(0, len(serials), _CHUNK):
        query = select(MovementRow).where(
            col(MovementRow.site_id) == desk.site_id,
            col(MovementRow.sku) == sku,
            col(MovementRow.serial).in_(serials[start : start + _CHUNK]),
            col(MovementRow.occurred_us) <= to_us(desk.now),
        )
        for move in desk.session.exec(query):
            for place, state, change in (
                (move.to_bin, move.to_state, move.quantity_u),
                (move.from_bin, move.from_state, -move.quantity_u),
            ):
                if place not in OUTSIDE and state not in _GONE:
                    found[move.serial][place].append((move.occurred_us, change))
    return found
