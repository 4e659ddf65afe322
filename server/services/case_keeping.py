"""Moving stored cases to what follows from the facts now: opening, recomputing, ending, reopening."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.contract.vocabulary import CaseKind, CaseState
from server.domain.cases import (
    LIVE,
    SYSTEM,
    Actor,
    CaseEvent,
    CaseStanding,
    facts_events,
    transition,
)
from server.domain.judging import BinOutcome, LineOutcome
from server.domain.rounds import Episode
from server.services.case_numbers import price, reconsider_siblings
from server.services.desk import Desk
from server.storage import cases as case_rows
from server.storage.case_rounds import CaseRound, rounds_of
from server.storage.columns import from_u, to_u, to_us
from server.storage.records import Bin
from server.storage.rows import new_row
from server.storage.tables_casework import CountRow, ExceptionCaseRow

Counts = Mapping[str, CountRow]


def keep_outcome(
    desk: Desk,
    place: Bin,
    outcome: BinOutcome,
    cases: Sequence[ExceptionCaseRow],
    counts: Counts,
) -> None:
    """Bring the bin's undecided cases in line with the outcome, ends first, then openings."""
    open_to_facts = [c for c in cases if not c.settled_as and (c.is_live or c.ended_by_facts)]
    rounds = {case.case_id: desk.rounds(case.case_id) for case in open_to_facts}
    matched = _match(outcome, open_to_facts, rounds)
    kept = {case.case_id for _, _, found in matched for case in found}
    for case in open_to_facts:
        if case.is_live and case.case_id not in kept and rounds[case.case_id]:
            _follow_facts(desk, case, None)
            desk.session.flush()  # its line is free for another
    touched: set[str] = set()
    for line, episode, found in matched:
        touched.add(line.line.sku)
        is_shadowed = line.shadowed_by is not None and episode is line.episodes[-1]
        if is_shadowed:
            _supersede(
                desk, found, f"dealt with as {line.shadowed_by and line.shadowed_by.condition}"
            )
            continue
        if found[1:]:
            _supersede(desk, found[1:], "late facts joined two cases")
            desk.session.flush()  # before the other one opens again
        if found:
            _recompute(desk, found[0], line, episode, counts)
        elif episode is line.open_episode:
            _open(desk, place, line, episode, counts)
    reconsider_siblings(desk, place.bin, touched)


Matched = list[tuple[LineOutcome, Episode, list[ExceptionCaseRow]]]


def _match(
    outcome: BinOutcome,
    cases: Sequence[ExceptionCaseRow],
    rounds: Mapping[str, Sequence[CaseRound]],
) -> Matched:
    """Each episode with the cases that share a count with it, the one to keep first.

    A case without counts (a negative book) becomes the open episode's.
    """
    matched: Matched = []
    taken: set[str] = set()
    for line in outcome.lines:
        mine = [c for c in cases if case_rows.line_of_case(c) == line.line]
        for episode in line.episodes:
            found = [
                case
                for case in mine
                if case.case_id not in taken
                and (
                    any(r.count_id in episode.count_ids for r in rounds.get(case.case_id, ()))
                    or (episode is line.open_episode and not rounds.get(case.case_id))
                )
            ]
            found.sort(key=lambda c: (not c.is_live, c.opened_us, c.case_id))
            taken |= {case.case_id for case in found}
            matched.append((line, episode, found))
    return matched


def apply_event(
    desk: Desk,
    case: ExceptionCaseRow,
    event: CaseEvent,
    actor: Actor = SYSTEM,
    *,
    why: str = "",
    through: str = "",
) -> None:
    """One transition of a stored case and its history entry; refuses what the table does not have."""
    standing = CaseStanding(case_id=case.case_id, state=CaseState(case.state), version=case.version)
    after, fact = transition(standing, event, actor, at=desk.now, why=why)
    case.state, case.version = after.state.value, after.version
    case.is_live = after.state in LIVE
    case.ended_us = 0 if case.is_live else to_us(desk.now)
    if case.is_live:
        desk.note_live(case)
    told = case_rows.history_row(
        desk.site_id,
        fact,
        number=after.version,
        history_id=desk.new_id(),
        through=through,
    )
    desk.session.add(case)
    desk.add_later(case, [told])


def _supersede(desk: Desk, cases: Sequence[ExceptionCaseRow], why: str) -> None:
    for case in cases:
        if case.is_live:
            apply_event(desk, case, CaseEvent.SUPERSEDED, why=why, through="facts")
            case.next_action, case.next_words = "", ""
        case.ended_by_facts = False


def _follow_facts(desk: Desk, case: ExceptionCaseRow, episode: Episode | None) -> None:
    """Say to the case what the facts say; it may end, or open again."""
    used = len(episode.used) if episode else 0
    events = facts_events(
        CaseState(case.state),
        episode.standing if episode else None,
        used_rounds=used,
        is_awaited=used <= case.recount_after and bool(case.recount_task_id),
    )
    for event in events:
        apply_event(desk, case, event, why=_WORDS.get(event, ""), through="facts")
    if events:
        case.ended_by_facts = not case.is_live
    if not case.is_live:
        case.next_action, case.next_words = "", ""
    if CaseState(case.state) is not CaseState.APPROVED:
        case.approved_by = ""


_WORDS = {
    CaseEvent.COUNTS_AGREED: "two people found the same variance",
    CaseEvent.ROUNDS_EXHAUSTED: "the counts do not agree; a lead decides",
    CaseEvent.RECOUNT_HIT: "the recount met the book",
    CaseEvent.FACTS_EXPLAINED: "what was posted since accounts for it",
    CaseEvent.FACTS_CHANGED: "late facts changed what had been concluded",
    CaseEvent.RECOUNT_ARRIVED: "somebody else has counted",
}
"""What the history says where facts, not people, moved a case."""


def _open(
    desk: Desk, place: Bin, line: LineOutcome, episode: Episode, counts: Counts
) -> ExceptionCaseRow:
    case = new_row(
        ExceptionCaseRow,
        {
            "site_id": desk.site_id,
            "case_id": desk.new_id(),
            "bin": place.bin,
            "zone": place.zone,
            "sku": line.line.sku,
            "lot": line.line.lot,
            "condition": line.line.condition.value,
            "kind": line.kind.value,
            "state": CaseState.OPEN.value,
            "opened_us": to_us(desk.now),
            "due_us": to_us(desk.now),
            "corrects": episode.corrects[-1] if episode.corrects else "",
        },
    )
    desk.add_case(case)
    _recompute(desk, case, line, episode, counts)
    owner, lead = desk.owner(zone=place.zone, kind=case.kind, value=from_u(case.value_u))
    case.owner_id, case.lead_id = owner, lead
    return case


def _why_void(case: ExceptionCaseRow, before: str, episode: Episode) -> str:
    """Why a first approval does not hold any more; "" while it does."""
    if case.parts != before:
        return "the variance changed"
    return "who approved it has counted it" if case.approved_by in episode.people else ""


def _kind(case: ExceptionCaseRow, line: LineOutcome, episode: Episode) -> str:
    if episode is not line.episodes[-1]:
        return case.kind
    if line.kind is CaseKind.LATE_CORRECTION and not case.corrects:
        # Part of it was settled along with another condition's case: nothing was late.
        return CaseKind.VARIANCE.value
    return line.kind.value


def _recompute(
    desk: Desk,
    case: ExceptionCaseRow,
    line: LineOutcome,
    episode: Episode,
    counts: Counts,
) -> None:
    """Everything about the case that follows from its episode."""
    before = case.parts
    deciding = episode.deciding
    case.parts = case_rows.parts_text(deciding.residual)
    void = _why_void(case, before, episode)
    if CaseState(case.state) is CaseState.APPROVED and void:
        apply_event(desk, case, CaseEvent.FACTS_CHANGED, why=void, through="facts")
    case.kind = _kind(case, line, episode)
    if case.kind != CaseKind.NEGATIVE_BOOK:
        case.title = ""  # what was said of an uncounted book holds no more
    case.verdict = line.verdict.value if episode is line.episodes[-1] else case.verdict
    case.standing = episode.standing.value
    case.rounds = len(episode.used)
    case.variance_low_u = to_u(deciding.total.low)
    case.variance_high_u = to_u(deciding.total.high)
    first, last = (counts[episode.rounds[i].count_id] for i in (0, -1))
    case.first_order_us = first.opened_earliest_us
    case.last_order_us, case.last_order_id = last.opened_earliest_us, last.count_id
    desk.rounds_are(case.case_id, rounds_of(case.case_id, episode))
    _follow_facts(desk, case, episode)
    if case.is_live:
        price(desk, case)
