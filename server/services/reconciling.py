"""Comparing counts with the book, inside the transaction that brought the news.

Cases follow from facts: whoever learns something (a push, an import, a posting) asks for the bins it
touches to be judged again, and what is stored is moved to what follows now. Asking twice is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlmodel import Session

from app.contract.count_fold import CountStatus
from server.domain.judging import BinFacts, BinOutcome, judge_bin
from server.domain.reconcile import BinBook
from server.domain.stock import Movement, StockKey
from server.services import counting_tasks, odd_facts
from server.services.case_keeping import keep_outcome
from server.services.desk import Desk, NewId
from server.services.folding import fold_stored
from server.storage import cases as case_rows
from server.storage import count_lines, counts, ledger
from server.storage.columns import from_us
from server.storage.count_lines import CountLine
from server.storage.events import events_of_count
from server.storage.records import Bin
from server.storage.tables_casework import CountRow, ExceptionCaseRow

LOOK_BACK = timedelta(days=45)
"""Counts of the bin this much older are judged along: an episode lasts days, not months."""


def counts_changed(
    session: Session, site_id: str, count_ids: Iterable[str], now: datetime, new_id: NewId
) -> None:
    """Fold the counts anew and let everything follow from them. The caller commits."""
    desk = Desk(session, site_id, now, new_id)
    touched: dict[str, datetime] = {}
    for count_id in sorted(set(count_ids)):
        opened = _count_changed(desk, count_id)
        if opened is not None:
            place, since = opened
            touched[place] = min(since, touched.get(place, since))
    session.flush()
    for place, since in sorted(touched.items()):
        judge(desk, place, since=since)


def movements_changed(
    session: Session,
    site_id: str,
    bins_and_skus: Iterable[tuple[str, str]],
    now: datetime,
    new_id: NewId,
    *,
    since: Mapping[str, datetime] | None = None,
) -> None:
    """Judge the bins again whose book changed, at or after the instant that `since` names per bin.

    Bins whose last count was over by then have nothing to learn. The caller commits.
    """
    desk = Desk(session, site_id, now, new_id)
    session.flush()
    for place in sorted({bin_code for bin_code, _ in bins_and_skus}):
        span = counts.counted_between(session, site_id, place)
        first_changed = (since or {}).get(place)
        if span is None or (first_changed is not None and span.latest < first_changed):
            continue
        judge(desk, place, since=max(first_changed or span.earliest, span.earliest))
    odd_facts.negative_books(desk, bins_and_skus)


def events_held(
    session: Session, site_id: str, held_ids: Iterable[str], now: datetime, new_id: NewId
) -> None:
    """Open a case for each event that is safe here but cannot be used. The caller commits."""
    odd_facts.held_events(Desk(session, site_id, now, new_id), held_ids)


def _count_changed(desk: Desk, count_id: str) -> tuple[str, datetime] | None:
    """Keep one count as it folds now; its bin and opening when a judgement may follow."""
    before = desk.session.get(CountRow, (desk.site_id, count_id))
    was_closed = before is not None and before.status == CountStatus.CLOSED
    told = fold_stored(count_id, events_of_count(desk.session, desk.site_id, count_id))
    if told is None:
        return None
    folded, facts = told
    place = desk.bin(facts.bin)
    tracking = desk.tracking({cell.key.sku for cell in facts.cells})
    counts.keep_count(desk.session, desk.site_id, facts, tracking)
    desk.lines_are(count_id, None)
    counting_tasks.follow_count(desk, facts)
    if place is None:
        odd_facts.unknown_bin(desk, facts)
        return None
    if folded.status is CountStatus.CLOSED:
        odd_facts.facts_of_count(desk, folded, facts, place)
        return facts.bin, facts.opened.earliest
    return (facts.bin, facts.opened.earliest) if was_closed else None


def judge(desk: Desk, bin_code: str, *, since: datetime) -> BinOutcome | None:
    """Judge the bin's counts from `since` on, and those they hang together with; keep what follows.

    None when the bin is not known.
    """
    place = desk.bin(bin_code)
    if place is None:
        return None
    start, cases = _window(desk, bin_code, since)
    rows = counts.closed_counts_of_bin(desk.session, desk.site_id, bin_code, since=start)
    lines = count_lines.lines_of_counts(desk.session, desk.site_id, [row.count_id for row in rows])
    stored = [_Stored(row, lines[row.count_id]) for row in rows]
    outcome = judge_bin(_facts(desk, place, stored, cases))
    for count in stored:
        judged = outcome.judged[count.row.count_id]
        costs = {cell.key.sku: desk.unit_cost(cell.key.sku) for cell in judged}
        kept = count_lines.keep_judgement(
            desk.session,
            desk.site_id,
            count.row.count_id,
            lines=count.lines,
            judged=judged,
            unit_costs=costs,
        )
        desk.lines_are(count.row.count_id, kept)
    desk.session.flush()
    keep_outcome(desk, place, outcome, cases, {c.row.count_id: c.row for c in stored})
    counting_tasks.settle_tasks(desk, [count.row for count in stored])
    return outcome


@dataclass(frozen=True, slots=True)
class _Stored:
    row: CountRow
    lines: Sequence[CountLine]


def _window(desk: Desk, bin_code: str, since: datetime) -> tuple[datetime, list[ExceptionCaseRow]]:
    """From when counts are judged together, and the cases they may be part of."""
    start = since - LOOK_BACK
    while True:
        cases = case_rows.line_cases_of_bin(desk.session, desk.site_id, bin_code, since=start)
        first = [from_us(case.first_order_us) for case in cases if case.first_order_us]
        earliest = min([start, *first])
        if earliest == start:
            return start, cases
        start = earliest


def _facts(
    desk: Desk, place: Bin, stored: Sequence[_Stored], cases: Sequence[ExceptionCaseRow]
) -> BinFacts:
    facts = [counts.to_facts(count.row, count.lines, place.kind) for count in stored]
    skus = {cell.key.sku for count in facts for cell in count.cells}
    opening: dict[StockKey, Decimal] = {}
    movements: list[Movement] = []
    if facts:
        begin = min(count.opened.earliest for count in facts)
        end = max(
            [count.whole.latest for count in facts]
            + [cell.seen.latest for count in facts for cell in count.cells]
        )
        opening = ledger.book_of_bin(
            desk.session, desk.site_id, place.bin, begin - counts.JUST_BEFORE
        )
        movements = ledger.movements_of_bin(desk.session, desk.site_id, place.bin, begin, end)
        skus |= {key.sku for key in opening} | {m.sku for m in movements}
    return BinFacts(
        bin=place.bin,
        counts=facts,
        book=BinBook(
            bin=place.bin,
            bin_kind=place.kind,
            opening=opening,
            movements=movements,
            tracking=desk.tracking(skus),
        ),
        terms=desk.terms(place.bin),
        settlements=case_rows.settlements_of(desk.session, desk.site_id, place.bin, cases),
        rounds_max=desk.policy.rounds_max,
    )
