"""Comparing counts with the book, inside the transaction that brought the news.

Cases follow from facts: whoever learns something (a push, an import, a posting) asks for the bins it
touches to be judged again, and what is stored is moved to what follows now. Asking twice is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from sqlmodel import Session

from app.contract.count_fold import CountStatus, FoldedCount
from app.contract.vocabulary import Tracking
from server.domain.judging import BinFacts, BinOutcome, LineSettlement, judge_bin
from server.domain.proposals import NEAR
from server.domain.reconcile import BinBook, CountFacts, merged_cells
from server.domain.stock import Movement, StockKey
from server.services import counting_tasks, odd_facts, serial_sightings
from server.services.case_keeping import keep_outcome
from server.services.desk import Desk, NewId
from server.services.folding import fold_stored
from server.services.lookahead import LookAhead
from server.services.negative_books import negative_books
from server.storage import bin_books, count_lines, counts
from server.storage import cases as case_rows
from server.storage.case_rounds import rounds_by_case
from server.storage.columns import from_us
from server.storage.count_events import Received, events_of_counts
from server.storage.counts import FoldedFacts
from server.storage.records import Bin
from server.storage.settlements import settlements_of_bins
from server.storage.tables_casework import CountRow, ExceptionCaseRow

LOOK_BACK = timedelta(days=45)
"""Counts of the bin this much older are judged along: an episode lasts days, not months."""
BINS_AT_ONCE = 100
"""Bins of an import or of changed rules that are judged together: what they need is held meanwhile."""


def counts_changed(
    session: Session,
    site_id: str,
    count_ids: Iterable[str],
    now: datetime,
    new_id: NewId,
    *,
    fresh: Mapping[str, Sequence[Received]] | None = None,
) -> None:
    """Fold the counts anew and let everything follow from them. The caller commits.

    `fresh`: events of them that the caller has just stored.
    """
    desk = Desk(session, site_id, now, new_id)
    wanted = sorted(set(count_ids))
    stored = events_of_counts(session, site_id, wanted, fresh)
    told = [found for count_id in wanted if (found := fold_stored(count_id, stored[count_id]))]
    were_closed = _keep(desk, told)
    touched: dict[str, datetime] = {}
    for folded, facts in told:
        counting_tasks.follow_count(desk, facts)
        place = desk.bin(facts.bin)
        if place is None:
            odd_facts.unknown_bin(desk, facts)
            continue
        if folded.status is CountStatus.CLOSED:
            odd_facts.facts_of_count(desk, folded, facts, place)
        if folded.status is CountStatus.CLOSED or facts.count_id in were_closed:
            since = facts.opened.earliest
            touched[facts.bin] = min(since, touched.get(facts.bin, since))
    judge_bins(desk, touched)


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
    session.flush()
    named = list(bins_and_skus)
    touched: dict[str, datetime] = {}
    spans = counts.counted_between(session, site_id, {bin_code for bin_code, _ in named})
    for place, span in spans.items():
        first_changed = (since or {}).get(place)
        if first_changed is None or span.latest >= first_changed:
            touched[place] = max(first_changed or span.earliest, span.earliest)
    judge_in_groups(session, site_id, touched, now, new_id)
    desk = Desk(session, site_id, now, new_id)
    serial_sightings.follow_skus(desk, {sku for _, sku in named})
    negative_books(desk, named)


def judge_in_groups(
    session: Session, site_id: str, since: Mapping[str, datetime], now: datetime, new_id: NewId
) -> None:
    """Judge any number of bins, each from its instant on, holding what only some of them need at once."""
    bins = sorted(since)
    for start in range(0, len(bins), BINS_AT_ONCE):
        desk = Desk(session, site_id, now, new_id)
        judge_bins(desk, {place: since[place] for place in bins[start : start + BINS_AT_ONCE]})


def events_held(
    session: Session, site_id: str, held_ids: Iterable[str], now: datetime, new_id: NewId
) -> None:
    """Open a case for each event that is safe here but cannot be used. The caller commits."""
    odd_facts.held_events(Desk(session, site_id, now, new_id), held_ids)


def _keep(desk: Desk, told: Sequence[tuple[FoldedCount, FoldedFacts]]) -> set[str]:
    """Keep the counts as they fold now; which of them had been closed before."""
    folded = [facts for _, facts in told]
    known = counts.find_counts(desk.session, desk.site_id, [facts.count_id for facts in folded])
    were_closed = {i for i, row in known.items() if row.status == CountStatus.CLOSED}
    counts.keep_counts(desk.session, desk.site_id, folded, known)
    desk.lines_are_new(facts.count_id for facts in folded if facts.count_id not in known)
    desk.load_lines(known)
    desk.load_bins(facts.bin for facts in folded)
    desk.load_skus(cell.key.sku for facts in folded for cell in facts.cells)
    desk.load_tasks(facts.task_id for facts in folded)
    for facts in folded:
        tracking = desk.tracking({cell.key.sku for cell in facts.cells})
        cells = merged_cells(facts.cells, tracking)
        lines = count_lines.with_cells(
            desk.lines(facts.count_id), facts.count_id, cells=cells, expiries=facts.expiries
        )
        desk.lines_are(facts.count_id, lines)
        desk.cells_are(facts.count_id, cells)
    return were_closed


def judge(desk: Desk, bin_code: str, *, since: datetime) -> None:
    """Judge one bin, as `judge_bins`."""
    judge_bins(desk, {bin_code: since})


def judge_bins(desk: Desk, since: Mapping[str, datetime]) -> None:
    """Judge each bin's counts from its instant on, and those they hang together with; keep what follows.

    Everything the bins need is asked for once for all of them, and written once. Bins that are not
    known are passed over. Lines of counts that wait to be written are written too.
    """
    desk.load_bins(since)
    bins = [place for code in sorted(since) if (place := desk.bin(code)) is not None]
    if bins:
        work = _gather(desk, bins, since)
        for bin_work in work:
            _judge(desk, bin_work)
        desk.ahead = _look_ahead(desk, work)
        for bin_work in work:
            keep_outcome(
                desk,
                bin_work.place,
                bin_work.outcome,
                bin_work.cases,
                {row.count_id: row for row in bin_work.rows},
            )
        desk.ahead = None
    desk.write_later()
    if bins:
        serial_sightings.follow(desk, _suspects(work), _serial_skus(desk, work))
        counting_tasks.settle_tasks(desk, [row for bin_work in work for row in bin_work.rows])


@dataclass(slots=True, kw_only=True)
class _BinWork:
    """One bin under judgement."""

    place: Bin
    cases: Sequence[ExceptionCaseRow]
    rows: Sequence[CountRow]
    facts: list[CountFacts]
    settlements: Sequence[LineSettlement]
    opening: Mapping[StockKey, Decimal]
    movements: Sequence[Movement]
    outcome: BinOutcome = field(default_factory=lambda: BinOutcome(judged={}, lines=()))


def _gather(desk: Desk, bins: Sequence[Bin], since: Mapping[str, datetime]) -> list[_BinWork]:
    """What is stored about the bins: cases, counts, and the book over the time of the counts."""
    session, site_id = desk.session, desk.site_id
    starts, cases = _windows(desk, {place.bin: since[place.bin] for place in bins})
    rows = counts.closed_counts_of_bins(session, site_id, starts)
    desk.counts_are(row for found in rows.values() for row in found)
    desk.load_lines(row.count_id for found in rows.values() for row in found)
    facts = {
        place.bin: [
            counts.to_facts(row, desk.cells(row.count_id), place.kind) for row in rows[place.bin]
        ]
        for place in bins
    }
    settlements = settlements_of_bins(session, site_id, cases)
    spans = {
        code: _span(found, settlements.get(code, ())) for code, found in facts.items() if found
    }
    openings = bin_books.books_of_bins(
        session, site_id, {code: begin - counts.JUST_BEFORE for code, (begin, _) in spans.items()}
    )
    movements = bin_books.movements_of_bins(session, site_id, spans)
    work = [
        _BinWork(
            place=place,
            cases=cases[place.bin],
            rows=rows[place.bin],
            facts=facts[place.bin],
            settlements=settlements.get(place.bin, ()),
            opening=openings.get(place.bin, {}),
            movements=movements.get(place.bin, ()),
        )
        for place in bins
    ]
    desk.load_skus({sku for bin_work in work for sku in _skus(bin_work)})
    return work


def _span(
    facts: Sequence[CountFacts], settlements: Sequence[LineSettlement]
) -> tuple[datetime, datetime]:
    """From the first opening, or the first posting if that is dated before it, to the last instant at
    which anything was counted."""
    posted = [s.first_dated for s in settlements if s.first_dated is not None]
    begin = min([*(count.opened.earliest for count in facts), *posted])
    end = max(
        [count.whole.latest for count in facts]
        + [cell.seen.latest for count in facts for cell in count.cells]
    )
    return begin, end


def _skus(work: _BinWork) -> set[str]:
    counted = {cell.key.sku for count in work.facts for cell in count.cells}
    return counted | {key.sku for key in work.opening} | {m.sku for m in work.movements}


def _suspects(work: Sequence[_BinWork]) -> set[tuple[str, str]]:
    """Serials that somebody saw where the book did not have them."""
    return {
        (cell.key.sku, cell.key.serial)
        for bin_work in work
        for cells in bin_work.outcome.judged.values()
        for cell in cells
        if cell.key.serial and cell.counted > 0 and cell.book.low <= 0
    }


def _serial_skus(desk: Desk, work: Sequence[_BinWork]) -> set[str]:
    skus = {sku for bin_work in work for sku in _skus(bin_work)}
    return {sku for sku, how in desk.tracking(skus).items() if how is Tracking.SERIAL}


def _windows(
    desk: Desk, since: Mapping[str, datetime]
) -> tuple[dict[str, datetime], dict[str, list[ExceptionCaseRow]]]:
    """From when the counts of each bin are judged together, and the cases they may be part of."""
    starts = {place: first - LOOK_BACK for place, first in since.items()}
    cases: dict[str, list[ExceptionCaseRow]] = {}
    moved = starts
    while moved:
        cases |= case_rows.line_cases_of_bins(desk.session, desk.site_id, moved)
        earlier = {place: _earliest(start, cases[place]) for place, start in moved.items()}
        moved = {place: start for place, start in earlier.items() if start < moved[place]}
        starts |= moved
    return starts, cases


def _earliest(start: datetime, cases: Iterable[ExceptionCaseRow]) -> datetime:
    return min([start, *(from_us(case.first_order_us) for case in cases if case.first_order_us)])


def _judge(desk: Desk, work: _BinWork) -> None:
    """The verdicts on one bin's counts, and what they say together."""
    code = work.place.bin
    work.outcome = judge_bin(
        BinFacts(
            bin=code,
            counts=work.facts,
            book=BinBook(
                bin=code,
                bin_kind=work.place.kind,
                opening=work.opening,
                movements=work.movements,
                tracking=desk.tracking(_skus(work)),
            ),
            terms=desk.terms(code),
            settlements=work.settlements,
            rounds_max=desk.policy.rounds_max,
        )
    )
    for row in work.rows:
        judged = work.outcome.judged[row.count_id]
        lines = count_lines.with_judgement(
            desk.lines(row.count_id),
            row.count_id,
            judged=judged,
            unit_cost=desk.unit_cost,
        )
        desk.lines_are(row.count_id, lines)


def _look_ahead(desk: Desk, work: Sequence[_BinWork]) -> LookAhead:
    """What keeping the outcomes will ask about their cases and SKUs."""
    ahead = LookAhead()
    known = [case.case_id for bin_work in work for case in bin_work.cases]
    rounds = rounds_by_case(desk.session, desk.site_id, known)
    ahead.rounds = {case_id: rounds.get(case_id, []) for case_id in known}
    skus: set[str] = set()
    spans: dict[str, tuple[datetime, datetime]] = {}
    for bin_work in work:
        skus |= {line.line.sku for line in bin_work.outcome.lines}
        ended = {row.count_id: from_us(row.ended_latest_us) for row in bin_work.rows}
        open_episodes = [line.open_episode for line in bin_work.outcome.lines]
        decided = [ended[episode.deciding.count_id] for episode in open_episodes if episode]
        if decided:
            spans[bin_work.place.bin] = (min(decided) - NEAR, max(decided))
    if skus:
        desk.owner(zone="", kind="", value=Decimal(0))  # asked before any case waits to be written
        desk.load_factors(skus)
        ahead.load(desk.session, desk.site_id, skus, spans)
        desk.load_bins(ahead.places())
    return ahead
