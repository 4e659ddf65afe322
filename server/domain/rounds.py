"""Which counts of one line belong together, and what they prove. Pure; the order given is irrelevant.

A line is (bin, SKU, lot, condition); the serials of a tracked SKU are judged one by one inside it.
Rounds compare variances, never quantities: stock may have moved between two right counts. The rule
is ShipHero's and RetailOps' (docs/reconciliation.md): two consecutive equal as-of variances by
different people confirm; a recount that meets the book closes the case as a count error; otherwise
a third person counts; then a supervisor decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from server.domain.ranges import NOTHING, ZERO, Range, exactly

ROUNDS_MAX = 3
"""Rounds after which a supervisor decides (ShipHero's third person). A site may set another."""


NOT_SAID = datetime.min.replace(tzinfo=UTC)
"""An instant before every decision."""


class Standing(StrEnum):
    """What the rounds of an episode say together."""

    FIRST = "first"
    """One count, nobody else has looked."""
    APART = "apart"
    """Different people found different variances, or none that is certain."""
    AGREED = "agreed"
    """The last two found the same certain variance."""
    EXHAUSTED = "exhausted"
    """As many people as the rules ask for have counted, and they do not agree."""
    HIT = "hit"
    """The last recount met the book."""


class SettledAs(StrEnum):
    """How an ended case of the same line bears on the counts it had."""

    POSTED = "posted"
    EXPLAINED = "explained"
    """A person accepted the variance as caused by a movement that is on its way."""
    DISMISSED = "dismissed"
    """Rejected or cancelled by a person: its counts prove nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What people decided about an earlier case of the line.

    `amounts` is what was posted (or accepted as explained) per serial, "" when none; corrections
    of one case are separate settlements over the same counts and add up.
    """

    case_id: str
    how: SettledAs
    count_ids: frozenset[str]
    deciding: frozenset[str]
    """Those of its counts that the decision rests on: the two that agreed, or the last. What the
    others found was known to whoever decided, and is not held against the posting again."""
    last: tuple[datetime, str]
    """Order of the last count the decision was about: later counts met the corrected book."""
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    decided_at: datetime = NOT_SAID
    """When people decided: the later decision about a count knew of the earlier one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRound:
    """One count of the line. `variances` per serial leave out what its own case posted."""

    count_id: str
    person: str | None
    order: tuple[datetime, str]
    variances: Mapping[str, Range]
    is_inside: bool
    """Every serial of it is within tolerance, whatever the order of movements was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedRound:
    """A round in its place: what is still to be settled by it, and whether it counts as proof."""

    count_id: str
    person: str | None
    residual: Mapping[str, Range]
    """Variance that no posting has settled yet; cells without any are left out."""
    is_used: bool
    why_not: str = ""

    @property
    def total(self) -> Range:
        """The residual over all serials. A swap of two serials totals zero and is no hit."""
        total = NOTHING
        for part in self.residual.values():
            total = total.plus(part)
        return total

    @property
    def is_certain(self) -> bool:
        return all(part.is_certain for part in self.residual.values())

    @property
    def is_hit(self) -> bool:
        return not self.residual


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """Counts of one line from the first that missed the book to what ended or ends it."""

    rounds: tuple[UsedRound, ...]
    standing: Standing
    corrects: tuple[str, ...] = ()
    """Cases whose posting late facts have overtaken, oldest first; empty for a first variance."""

    @property
    def used(self) -> tuple[UsedRound, ...]:
        return tuple(r for r in self.rounds if r.is_used)

    @property
    def count_ids(self) -> frozenset[str]:
        return frozenset(r.count_id for r in self.rounds)

    @property
    def people(self) -> frozenset[str]:
        """Everybody who counted it, proof or not: none of them may approve, none recounts."""
        return frozenset(r.person for r in self.rounds if r.person is not None)

    @property
    def deciding(self) -> UsedRound:
        """The round whose variance stands: the last one used."""
        return self.used[-1]

    @property
    def basis(self) -> UsedRound:
        """The round a posting is dated by: the first of the two that agree, else the deciding one."""
        return self.used[-2] if self.standing is Standing.AGREED else self.deciding


SAME_PERSON = "the same person had counted this bin before"
NOBODY = "nobody was signed in"


def episodes(
    rounds: Iterable[LineRound],
    settlements: Iterable[Settlement] = (),
    *,
    rounds_max: int = ROUNDS_MAX,
) -> tuple[Episode, ...]:
    """All episodes of one line, oldest first. The last one is open unless its standing is HIT.

    Counts before the first miss belong to no episode: nothing was wrong.
    """
    settled = sorted(settlements, key=lambda s: (s.last, s.case_id))
    dismissed = {c for s in settled if s.how is SettledAs.DISMISSED for c in s.count_ids}
    found: list[Episode] = []
    current: list[UsedRound] = []
    overtaken: set[str] = set()
    for line in sorted(rounds, key=lambda r: r.order):
        if line.count_id in dismissed or _is_overruled(line, settled):
            continue
        own = [s for s in settled if _bears_on(s, line)]
        residual = _residual(line, own)
        if not current and not residual:
            continue
        current.append(_placed(line, residual, current))
        overtaken |= {s.case_id for s in own if residual}
        if current[-1].is_hit and current[-1].is_used:
            found.append(_episode(current, overtaken, settled, rounds_max))
            current, overtaken = [], set()
    if current:
        found.append(_episode(current, overtaken, settled, rounds_max))
    return tuple(found)


def _is_overruled(line: LineRound, settled: list[Settlement]) -> bool:
    """A count that was before whoever decided last, and that the decision does not rest on."""
    own = [s for s in settled if line.count_id in s.count_ids]
    last = max(own, key=lambda s: (s.decided_at, s.case_id), default=None)
    return last is not None and line.count_id not in last.deciding


def _bears_on(settlement: Settlement, line: LineRound) -> bool:
    """Its own counts, and any other made no later than the last of them: a late one, mostly."""
    if settlement.how is SettledAs.DISMISSED:
        return False
    return line.count_id in settlement.count_ids or line.order <= settlement.last


def _residual(line: LineRound, settled: list[Settlement]) -> dict[str, Range]:
    """What is left to settle per serial, zero cells left out.

    Without settlements a variance within tolerance is nothing to settle. With them, what was
    posted must be the variance itself or, when late facts brought it within tolerance, nothing at
    all: the same total that had been posted if the facts had been there in time.
    """
    is_own = any(line.count_id in s.count_ids for s in settled)
    if line.is_inside and not is_own:
        return {}
    amounts: dict[str, Decimal] = {}
    for settlement in settled:
        for serial, amount in settlement.amounts.items():
            amounts[serial] = amounts.get(serial, ZERO) + amount
    explained_only = all(s.how is SettledAs.EXPLAINED for s in settled)
    if line.is_inside and (explained_only or not settled):
        return {}
    residual: dict[str, Range] = {}
    for serial in {*line.variances, *amounts}:
        raw = line.variances.get(serial, NOTHING)
        amount = amounts.get(serial, ZERO)
        target = NOTHING if line.is_inside and raw != exactly(amount) else raw
        left = target.shifted(-amount)
        if not left.is_zero:
            residual[serial] = left
    return residual


def _placed(line: LineRound, residual: dict[str, Range], before: list[UsedRound]) -> UsedRound:
    people = {r.person for r in before}
    why = ""
    if before and line.person is None:
        why = NOBODY
    elif before and line.person in people:
        why = SAME_PERSON
    return UsedRound(
        count_id=line.count_id,
        person=line.person,
        residual=residual,
        is_used=not why,
        why_not=why,
    )


def _episode(
    rounds: list[UsedRound], overtaken: set[str], settled: list[Settlement], rounds_max: int
) -> Episode:
    used = [r for r in rounds if r.is_used]
    return Episode(
        rounds=tuple(rounds),
        standing=_standing(used, rounds_max),
        corrects=tuple(s.case_id for s in settled if s.case_id in overtaken),
    )


def _standing(used: list[UsedRound], rounds_max: int) -> Standing:
    last = used[-1]
    if last.is_hit:
        return Standing.HIT
    if len(used) == 1:
        return Standing.FIRST
    if last.is_certain and last.residual == used[-2].residual:
        return Standing.AGREED
    return Standing.EXHAUSTED if len(used) >= rounds_max else Standing.APART
