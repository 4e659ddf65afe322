"""Exception cases in the tables: reading, matching, the queue, histories, what was settled."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session, col, func, or_, select

from app.contract.vocabulary import Condition, ReasonCode, quantity_text
from server.domain.adjustment import PostedPart
from server.domain.cases import HistoryFact
from server.domain.judging import CaseLine, LineSettlement
from server.domain.ranges import Range
from server.domain.rounds import Episode, SettledAs, Settlement, Standing
from server.storage.columns import from_u, from_us, to_us
from server.storage.tables_casework import (
    AdjustmentPartRow,
    AdjustmentRow,
    CaseHistoryRow,
    CaseRoundRow,
    DecisionRow,
    ExceptionCaseRow,
)


def parts_text(parts: Mapping[str, Range]) -> str:
    """Ranges per serial as JSON, in a fixed order."""
    return json.dumps(
        {s: [quantity_text(r.low), quantity_text(r.high)] for s, r in sorted(parts.items())}
    )


def parts_of(text: str) -> dict[str, Range]:
    """The other way round."""
    return {s: Range(Decimal(low), Decimal(high)) for s, (low, high) in json.loads(text).items()}


def amounts_text(parts: Mapping[str, Range]) -> str:
    """Certain quantities per serial as JSON: what was accepted as explained."""
    return json.dumps({s: quantity_text(r.low) for s, r in sorted(parts.items())})


def line_of_case(row: ExceptionCaseRow) -> CaseLine:
    """What a line case is about."""
    return CaseLine(sku=row.sku, lot=row.lot, condition=Condition(row.condition))


def find_case(
    session: Session, site_id: str, case_id: str, *, lock: bool = False
) -> ExceptionCaseRow | None:
    """The case, or None. `lock` keeps other decisions waiting until the commit (PostgreSQL)."""
    query = select(ExceptionCaseRow).where(
        col(ExceptionCaseRow.site_id) == site_id, col(ExceptionCaseRow.case_id) == case_id
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.exec(query).one_or_none()


def line_cases_of_bin(
    session: Session, site_id: str, bin_code: str, *, since: datetime
) -> list[ExceptionCaseRow]:
    """Cases about lines of stock in a bin that are open or had a count since then, oldest first."""
    query = (
        select(ExceptionCaseRow)
        .where(
            col(ExceptionCaseRow.site_id) == site_id,
            col(ExceptionCaseRow.bin) == bin_code,
            col(ExceptionCaseRow.subject) == "",
            or_(
                col(ExceptionCaseRow.is_live),
                col(ExceptionCaseRow.last_order_us) >= to_us(since),
            ),
        )
        .order_by(col(ExceptionCaseRow.opened_us), col(ExceptionCaseRow.case_id))
    )
    return list(session.exec(query))


def live_line_cases_of_bin(session: Session, site_id: str, bin_code: str) -> list[ExceptionCaseRow]:
    """Open line cases of a bin."""
    query = select(ExceptionCaseRow).where(
        col(ExceptionCaseRow.site_id) == site_id,
        col(ExceptionCaseRow.bin) == bin_code,
        col(ExceptionCaseRow.subject) == "",
        col(ExceptionCaseRow.is_live),
    )
    return list(session.exec(query))


def bins_with_open_lines(session: Session, site_id: str) -> dict[str, int]:
    """Bins that have open line cases with counts, and when the first of those counts began."""
    query = (
        select(ExceptionCaseRow.bin, func.min(ExceptionCaseRow.first_order_us))
        .where(
            col(ExceptionCaseRow.site_id) == site_id,
            col(ExceptionCaseRow.is_live),
            col(ExceptionCaseRow.subject) == "",
            col(ExceptionCaseRow.rounds) > 0,
        )
        .group_by(col(ExceptionCaseRow.bin))
    )
    return {place: int(first) for place, first in session.exec(query)}


def live_cases_of_sku(session: Session, site_id: str, sku: str) -> list[ExceptionCaseRow]:
    """Open line cases of a SKU in every bin."""
    query = (
        select(ExceptionCaseRow)
        .where(
            col(ExceptionCaseRow.site_id) == site_id,
            col(ExceptionCaseRow.sku) == sku,
            col(ExceptionCaseRow.is_live),
            col(ExceptionCaseRow.subject) == "",
        )
        .order_by(col(ExceptionCaseRow.case_id))
        .limit(200)
    )
    return list(session.exec(query))


def cases_of_subject(session: Session, site_id: str, subject: str) -> list[ExceptionCaseRow]:
    """Every case about one thing that is no line of stock, oldest first."""
    query = (
        select(ExceptionCaseRow)
        .where(col(ExceptionCaseRow.site_id) == site_id, col(ExceptionCaseRow.subject) == subject)
        .order_by(col(ExceptionCaseRow.opened_us), col(ExceptionCaseRow.case_id))
    )
    return list(session.exec(query))


# -- rounds and history --------------------------------------------------------------------------


def rounds_by_case(
    session: Session, site_id: str, case_ids: Iterable[str]
) -> dict[str, list[CaseRoundRow]]:
    """The counts of each case, in their order."""
    found: dict[str, list[CaseRoundRow]] = defaultdict(list)
    wanted = sorted(set(case_ids))
    for start in range(0, len(wanted), 400):
        query = (
            select(CaseRoundRow)
            .where(
                col(CaseRoundRow.site_id) == site_id,
                col(CaseRoundRow.case_id).in_(wanted[start : start + 400]),
            )
            .order_by(col(CaseRoundRow.position))
        )
        for row in session.exec(query):
            found[row.case_id].append(row)
    return found


def keep_rounds(
    session: Session,
    site_id: str,
    case_id: str,
    episode: Episode,
    known: Sequence[CaseRoundRow],
) -> None:
    """Write the counts of a case as they are now."""
    by_count = {row.count_id: row for row in known}
    for gone in by_count.keys() - episode.count_ids:
        session.delete(by_count[gone])
    for position, part in enumerate(episode.rounds):
        row = by_count.get(part.count_id)
        if row is None:
            row = CaseRoundRow(
                site_id=site_id, case_id=case_id, count_id=part.count_id, position=position
            )
            session.add(row)
        row.position, row.is_used, row.why_not = position, part.is_used, part.why_not


def add_history(
    session: Session, site_id: str, fact: HistoryFact, *, number: int, history_id: str, through: str
) -> None:
    """Append a transition to the case's history; `number` is the case's version after it."""
    session.add(
        CaseHistoryRow(
            site_id=site_id,
            history_id=history_id,
            case_id=fact.case_id,
            number=number,
            at_us=to_us(fact.at),
            who=fact.who,
            event=fact.event.value,
            from_state=fact.from_state.value,
            to_state=fact.to_state.value,
            why=fact.why,
            through=through,
        )
    )


def history_of_case(session: Session, site_id: str, case_id: str) -> Sequence[CaseHistoryRow]:
    """Everything that happened to a case, in order."""
    query = (
        select(CaseHistoryRow)
        .where(col(CaseHistoryRow.site_id) == site_id, col(CaseHistoryRow.case_id) == case_id)
        .order_by(col(CaseHistoryRow.number), col(CaseHistoryRow.history_id))
    )
    return session.exec(query).all()


# -- what was settled ------------------------------------------------------------------------------


def settlements_of(
    session: Session, site_id: str, bin_code: str, cases: Iterable[ExceptionCaseRow]
) -> list[LineSettlement]:
    """What the decided cases of a bin settle, line by line, a transfer's other line included."""
    decided = {case.case_id: case for case in cases if case.settled_as}
    if not decided:
        return []
    rounds = rounds_by_case(session, site_id, decided)
    parts = _parts_of_bin(session, site_id, bin_code, decided)
    found = []
    for case_id, case in decided.items():
        how = SettledAs(case.settled_as)
        own = parts.get(case_id, [])
        amounts: dict[str, Decimal] = {}
        if how is SettledAs.EXPLAINED:
            amounts = {s: Decimal(q) for s, q in json.loads(case.settled_parts).items()}
        for part in own:
            amounts[part.serial] = amounts.get(part.serial, Decimal(0)) + from_u(part.quantity_u)
        settlement = Settlement(
            case_id=case_id,
            how=how,
            count_ids=frozenset(r.count_id for r in rounds[case_id]),
            deciding=_deciding(case, rounds[case_id]),
            last=(from_us(case.last_order_us), case.last_order_id),
            amounts={s: q for s, q in amounts.items() if q != 0},
        )
        found.append(
            LineSettlement(
                line=line_of_case(case),
                settlement=settlement,
                movement_ids=frozenset(p.movement_id for p in own),
            )
        )
        found += _other_lines(case, settlement, parts.get(f"{case_id}*", []))
    return found


def _deciding(case: ExceptionCaseRow, rounds: Sequence[CaseRoundRow]) -> frozenset[str]:
    used = [row.count_id for row in rounds if row.is_used]
    return frozenset(used[-2:] if case.standing == Standing.AGREED else used[-1:])


def _parts_of_bin(
    session: Session, site_id: str, bin_code: str, decided: Mapping[str, ExceptionCaseRow]
) -> dict[str, list[AdjustmentPartRow]]:
    """Parts by the case they settle; under "<case>*" those on another line that it moved along."""
    query = select(AdjustmentPartRow).where(
        col(AdjustmentPartRow.site_id) == site_id, col(AdjustmentPartRow.bin) == bin_code
    )
    found: dict[str, list[AdjustmentPartRow]] = defaultdict(list)
    for part in session.exec(query):
        case = decided.get(part.case_id)
        if case is None:
            continue
        own = (part.sku, part.lot, part.condition) == (case.sku, case.lot, case.condition)
        found[part.case_id if own else f"{part.case_id}*"].append(part)
    return found


def _other_lines(
    case: ExceptionCaseRow, settlement: Settlement, parts: Sequence[AdjustmentPartRow]
) -> list[LineSettlement]:
    by_line: dict[CaseLine, list[AdjustmentPartRow]] = defaultdict(list)
    for part in parts:
        line = CaseLine(sku=part.sku, lot=part.lot, condition=Condition(part.condition))
        by_line[line].append(part)
    found = []
    for line, own in by_line.items():
        amounts: dict[str, Decimal] = {}
        for part in own:
            amounts[part.serial] = amounts.get(part.serial, Decimal(0)) + from_u(part.quantity_u)
        found.append(
            LineSettlement(
                line=line,
                settlement=Settlement(
                    case_id=case.case_id,
                    how=SettledAs.POSTED,
                    count_ids=settlement.count_ids,
                    deciding=settlement.deciding,
                    last=settlement.last,
                    amounts={s: q for s, q in amounts.items() if q != 0},
                ),
                movement_ids=frozenset(p.movement_id for p in own),
            )
        )
    return found


# -- adjustments and decisions ---------------------------------------------------------------------


def adjustments_of_case(session: Session, site_id: str, case_id: str) -> Sequence[AdjustmentRow]:
    """What was posted for a case and what reversed it, in order of posting."""
    query = (
        select(AdjustmentRow)
        .where(col(AdjustmentRow.site_id) == site_id, col(AdjustmentRow.case_id) == case_id)
        .order_by(col(AdjustmentRow.posted_us), col(AdjustmentRow.adjustment_id))
    )
    return session.exec(query).all()


def parts_of_adjustments(
    session: Session, site_id: str, adjustment_ids: Iterable[str]
) -> dict[str, list[AdjustmentPartRow]]:
    """The parts of each adjustment."""
    found: dict[str, list[AdjustmentPartRow]] = defaultdict(list)
    wanted = sorted(set(adjustment_ids))
    for start in range(0, len(wanted), 400):
        query = (
            select(AdjustmentPartRow)
            .where(
                col(AdjustmentPartRow.site_id) == site_id,
                col(AdjustmentPartRow.adjustment_id).in_(wanted[start : start + 400]),
            )
            .order_by(col(AdjustmentPartRow.movement_id), col(AdjustmentPartRow.bin))
        )
        for row in session.exec(query):
            found[row.adjustment_id].append(row)
    return found


def find_decision(
    session: Session, site_id: str, decision_id: str, case_id: str
) -> DecisionRow | None:
    """The same decision as it was made before, or None."""
    return session.get(DecisionRow, (site_id, decision_id, case_id))


def to_posted_part(adjustment: AdjustmentRow, part: AdjustmentPartRow) -> PostedPart:
    """A part as the journal sees it."""
    return PostedPart(
        adjustment_id=adjustment.adjustment_id,
        case_id=adjustment.case_id,
        movement_id=part.movement_id,
        bin=part.bin,
        sku=part.sku,
        lot=part.lot,
        serial=part.serial,
        quantity=from_u(part.quantity_u),
        unit_cost=from_u(adjustment.unit_cost_u),
        cost_at=from_us(adjustment.cost_us),
        dated_at=from_us(adjustment.dated_us),
        posted_at=from_us(adjustment.posted_us),
        reason=ReasonCode(adjustment.reason),
        approved_by=adjustment.approved_by,
        reverses=adjustment.reverses,
    )


def linked_cases(session: Session, site_id: str, case: ExceptionCaseRow) -> list[str]:
    """Cases that this one corrects or that correct it, and the other half of its transfer."""
    query = select(ExceptionCaseRow.case_id).where(
        col(ExceptionCaseRow.site_id) == site_id,
        col(ExceptionCaseRow.bin) == case.bin,
        col(ExceptionCaseRow.sku) == case.sku,
        col(ExceptionCaseRow.corrects) == case.case_id,
    )
    linked = set(session.exec(query)) | {case.corrects}
    own = select(AdjustmentPartRow.adjustment_id).where(
        col(AdjustmentPartRow.site_id) == site_id, col(AdjustmentPartRow.case_id) == case.case_id
    )
    others = select(AdjustmentPartRow.case_id).where(
        col(AdjustmentPartRow.site_id) == site_id,
        col(AdjustmentPartRow.adjustment_id).in_(own),
    )
    return sorted((linked | set(session.exec(others))) - {"", case.case_id})
