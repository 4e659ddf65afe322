"""One bin, all its counts, its book and what was decided: the cases there are. A pure function.

Late facts therefore need no special path: whoever learns something new asks again and compares the
answer with what is stored. Nothing here depends on the order in which things became known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from app.contract.count_fold import LineKey
from app.contract.vocabulary import CaseKind, Condition, Verdict
from server.domain.reconcile import BinBook, CountFacts, JudgedCell, Terms, reconcile
from server.domain.rounds import (
    ROUNDS_MAX,
    Episode,
    LineRound,
    SettledAs,
    Settlement,
    Standing,
    UsedRound,
    episodes,
)

MINUS = Decimal(-1)


class CaseLine(NamedTuple):
    """What one case is about, within a bin: at most one is open for each."""

    sku: str
    lot: str = ""
    condition: Condition = Condition.GOOD


def line_of(key: LineKey) -> CaseLine:
    """The line a cell belongs to: its serials share one case."""
    return CaseLine(key.sku, key.lot, key.condition)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettlement:
    """A settlement, the line it is about and the movements that it posted on that line."""

    line: CaseLine
    settlement: Settlement
    movement_ids: frozenset[str] = frozenset()
    first_dated: datetime | None = None
    """When the first of those movements is dated: before the count itself, where a transfer is dated
    by the earlier of two counts. A book that leaves them out must begin before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BinFacts:
    """Everything that decides the cases of one bin. Counts are closed ones, with normal keys."""

    bin: str
    counts: Sequence[CountFacts]
    book: BinBook
    terms: Terms
    settlements: Sequence[LineSettlement] = ()
    rounds_max: int = ROUNDS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOutcome:
    """The episodes of one line, and under which other line it is dealt with, if any."""

    line: CaseLine
    episodes: tuple[Episode, ...]
    kind: CaseKind
    verdict: Verdict
    shadowed_by: CaseLine | None = None
    """The other condition of the same stock, whose case moves the units: one case, not two."""

    @property
    def open_episode(self) -> Episode | None:
        """The episode somebody has to deal with here, or None."""
        if not self.episodes or self.shadowed_by is not None:
            return None
        last = self.episodes[-1]
        return None if last.standing is Standing.HIT else last


@dataclass(frozen=True, slots=True, kw_only=True)
class BinOutcome:
    """All cells of all counts, and all lines that ever missed the book."""

    judged: Mapping[str, tuple[JudgedCell, ...]]
    """By count id."""
    lines: tuple[LineOutcome, ...]

    def line(self, line: CaseLine) -> LineOutcome | None:
        """The outcome of one line, or None when it never missed."""
        return next((found for found in self.lines if found.line == line), None)


def judge_bin(facts: BinFacts) -> BinOutcome:
    """Judge every count of the bin against the book, then put the counts of each line together."""
    settled: dict[CaseLine, list[LineSettlement]] = defaultdict(list)
    for settlement in facts.settlements:
        settled[settlement.line].append(settlement)
    counts = sorted({c.count_id: c for c in facts.counts}.values(), key=lambda c: c.order)
    judged = {c.count_id: _judged(facts, c, settled) for c in counts}
    missed = {line_of(c.key) for cells in judged.values() for c in cells if not c.is_inside}
    lines = sorted(missed | set(settled))
    by_line = {count_id: _by_line(cells, lines) for count_id, cells in judged.items()}
    outcomes = [
        _line_outcome(facts, line, counts, by_line, settled.get(line, [])) for line in lines
    ]
    found = [outcome for outcome in outcomes if outcome is not None]
    return BinOutcome(judged=judged, lines=tuple(_with_shadows(found)))


def _judged(
    facts: BinFacts, count: CountFacts, settled: Mapping[CaseLine, list[LineSettlement]]
) -> tuple[JudgedCell, ...]:
    if not settled:
        return reconcile(count, facts.book, facts.terms)

    def without(key: LineKey) -> frozenset[str]:
        own = settled.get(line_of(key), [])
        return frozenset(m for s in own if _concerns(s, count) for m in s.movement_ids)

    return reconcile(count, facts.book, facts.terms, without=without)


def _concerns(settled: LineSettlement, count: CountFacts) -> bool:
    """Whether the posting answers this count: then it must not be compared with it."""
    settlement = settled.settlement
    if settlement.how is not SettledAs.POSTED:
        return False
    return count.count_id in settlement.count_ids or count.order <= settlement.last


def _by_line(
    cells: Sequence[JudgedCell], lines: Sequence[CaseLine]
) -> dict[CaseLine, list[JudgedCell]]:
    """Each line's cells; most lines of a bin never missed, and are not asked for."""
    grouped: dict[CaseLine, list[JudgedCell]] = {line: [] for line in lines}
    skus = {line.sku for line in lines}
    for cell in cells:
        if cell.key.sku in skus and (line := line_of(cell.key)) in grouped:
            grouped[line].append(cell)
    return grouped


def _line_outcome(
    facts: BinFacts,
    line: CaseLine,
    counts: Sequence[CountFacts],
    by_line: Mapping[str, Mapping[CaseLine, list[JudgedCell]]],
    settled: Sequence[LineSettlement],
) -> LineOutcome | None:
    covering = [c for c in counts if c.covers(LineKey(sku=line.sku))]
    rounds = [_round(c, by_line[c.count_id].get(line, [])) for c in covering]
    found = episodes(rounds, [s.settlement for s in settled], rounds_max=facts.rounds_max)
    if not found:
        return None
    deciding = found[-1].deciding
    cells = by_line[deciding.count_id].get(line, [])
    opened = next(c.opened.earliest for c in covering if c.count_id == deciding.count_id)
    return LineOutcome(
        line=line,
        episodes=found,
        kind=_kind(facts.book, line, found[-1], cells, opened),
        verdict=line_verdict(cells),
    )


def _round(count: CountFacts, cells: Sequence[JudgedCell]) -> LineRound:
    return LineRound(
        count_id=count.count_id,
        person=count.person,
        order=count.order,
        variances={c.key.serial: c.variance for c in cells if not c.variance.is_zero},
        is_inside=all(c.is_inside for c in cells),
    )


def line_verdict(cells: Sequence[JudgedCell]) -> Verdict:
    """The verdict over the serials of a line: doubt first, then the one word that fits all."""
    verdicts = {c.verdict for c in cells} - {Verdict.EXACT}
    if Verdict.AMBIGUOUS in verdicts:
        return Verdict.AMBIGUOUS
    if len(verdicts) == 1:
        return next(iter(verdicts))
    return Verdict.OUT_OF_TOLERANCE if verdicts else Verdict.EXACT


def _kind(
    book: BinBook,
    line: CaseLine,
    episode: Episode,
    cells: Sequence[JudgedCell],
    at: datetime,
) -> CaseKind:
    deciding = episode.deciding
    if episode.corrects:
        return CaseKind.LATE_CORRECTION
    if not deciding.is_certain:
        return CaseKind.TIME_AMBIGUOUS
    if any(cell.book.low < 0 for cell in cells):
        return CaseKind.NEGATIVE_BOOK
    if deciding.total.low > 0:
        if line.condition is Condition.DAMAGED:
            return CaseKind.DAMAGED_FOUND
        if all(cell.book.is_zero for cell in cells):
            key = LineKey(sku=line.sku, lot=line.lot, condition=line.condition)
            others = book.holds_other_lots(key, at)
            return CaseKind.WRONG_LOT if others else CaseKind.UNEXPECTED_ITEM
    return CaseKind.VARIANCE


def _with_shadows(outcomes: Sequence[LineOutcome]) -> list[LineOutcome]:
    """Units counted in another condition miss twice; the good side is left to the other's case."""
    by_line = {outcome.line: outcome for outcome in outcomes}
    answered = []
    for outcome in outcomes:
        partner = None
        if outcome.line.condition is Condition.GOOD:
            partner = next(
                (
                    other.line
                    for other in _other_conditions(by_line, outcome.line)
                    if _offset(outcome.episodes[-1], other.episodes[-1])
                ),
                None,
            )
        answered.append(replace(outcome, shadowed_by=partner))
    return answered


def _other_conditions(by_line: Mapping[CaseLine, LineOutcome], line: CaseLine) -> list[LineOutcome]:
    others = (
        CaseLine(sku=line.sku, lot=line.lot, condition=condition)
        for condition in (Condition.DAMAGED, Condition.HELD)
    )
    return [by_line[other] for other in others if other in by_line]


def _offset(good: Episode, other: Episode) -> bool:
    """Whether what is missing in one condition is, count by count, what is over in the other."""
    mine = {r.count_id: r for r in good.used}
    theirs = {r.count_id: r for r in other.used}
    if mine.keys() != theirs.keys() or Standing.HIT in (good.standing, other.standing):
        return False
    return all(_opposite(mine[c], theirs[c]) for c in mine)


def _opposite(one: UsedRound, other: UsedRound) -> bool:
    if not one.is_certain or not other.is_certain:
        return False
    return {s: r.times(MINUS) for s, r in one.residual.items()} == dict(other.residual)
