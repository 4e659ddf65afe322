"""Exception cases in the tables: reading, matching, the queue, histories, what was settled."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, or_, select

from app.contract.vocabulary import Condition, ReasonCode, quantity_text
from server.domain.adjustment import PostedPart
from server.domain.cases import HistoryFact
from server.domain.judging import CaseLine
from server.domain.ranges import Range
from server.storage.among import among
from server.storage.columns import from_u, from_us, to_us
from server.storage.tables_casework import (
    AdjustmentPartRow,
    AdjustmentRow,
    CaseHistoryRow,
    DecisionRow,
    ExceptionCaseRow,
)

LIVE_MAX = 200
"""Open cases of one SKU that are looked through for the other half of a variance."""
_CHUNK = 400


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
    values = {"site_id": site_id, "case_id": case_id}
    return session.exec(_LOCKED if lock else _CASE, params=values).one_or_none()


_CASE = select(ExceptionCaseRow).where(
    col(ExceptionCaseRow.site_id) == bindparam("site_id"),
    col(ExceptionCaseRow.case_id) == bindparam("case_id"),
)
_LOCKED = _CASE.with_for_update().execution_options(populate_existing=True)


def lock_cases(
    session: Session, site_id: str, case_ids: Iterable[str]
) -> dict[str, ExceptionCaseRow]:
    """Those of the cases that there are, locked in one order, so that two never wait for each other."""
    wanted = sorted(set(case_ids))
    query = (
        select(ExceptionCaseRow)
        .where(col(ExceptionCaseRow.site_id) == site_id, col(ExceptionCaseRow.case_id).in_(wanted))
        .order_by(col(ExceptionCaseRow.case_id))
        .with_for_update()
    )
    return {row.case_id: row for row in session.exec(query)}


def line_cases_of_bins(
    session: Session, site_id: str, since: Mapping[str, datetime]
) -> dict[str, list[ExceptionCaseRow]]:
    """Of each bin the cases about its lines that are open or had a count since then, oldest first."""
    found: dict[str, list[ExceptionCaseRow]] = {place: [] for place in since}
    bins = sorted(since)
    for start in range(0, len(bins), _CHUNK):
        chunk = bins[start : start + _CHUNK]
        first = min(to_us(since[place]) for place in chunk)
        values = {"site_id": site_id, "bins": chunk, "since_us": first}
        for row in session.exec(_OF_BINS, params=values):
            if row.is_live or row.last_order_us >= to_us(since[row.bin]):
                found[row.bin].append(row)
    return found


_OF_BINS = (
    select(ExceptionCaseRow)
    .where(
        col(ExceptionCaseRow.site_id) == bindparam("site_id"),
        among(col(ExceptionCaseRow.bin), "bins"),
        col(ExceptionCaseRow.subject) == "",
        or_(
            col(ExceptionCaseRow.is_live),
            col(ExceptionCaseRow.last_order_us) >= bindparam("since_us"),
        ),
    )
    .order_by(col(ExceptionCaseRow.opened_us), col(ExceptionCaseRow.case_id))
)


def live_line_cases_of_bins(
    session: Session, site_id: str, bins: Iterable[str]
) -> dict[str, list[ExceptionCaseRow]]:
    """Open line cases of each bin; one without any is left out."""
    wanted = sorted(set(bins))
    found: dict[str, list[ExceptionCaseRow]] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = select(ExceptionCaseRow).where(
            col(ExceptionCaseRow.site_id) == site_id,
            col(ExceptionCaseRow.bin).in_(wanted[start : start + _CHUNK]),
            col(ExceptionCaseRow.subject) == "",
            col(ExceptionCaseRow.is_live),
        )
        for row in session.exec(query):
            found.setdefault(row.bin, []).append(row)
    return found


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
    """Open line cases of a SKU in every bin, at most LIVE_MAX of them."""
    values = {"site_id": site_id, "skus": [sku]}
    return list(session.exec(_LIVE.limit(LIVE_MAX), params=values))


_HOW_MANY = (
    select(ExceptionCaseRow.sku, func.count())
    .where(
        col(ExceptionCaseRow.site_id) == bindparam("site_id"),
        among(col(ExceptionCaseRow.sku), "skus"),
        col(ExceptionCaseRow.is_live),
        col(ExceptionCaseRow.subject) == "",
    )
    .group_by(col(ExceptionCaseRow.sku))
)


def live_cases_of_skus(
    session: Session, site_id: str, skus: Iterable[str]
) -> dict[str, list[ExceptionCaseRow]]:
    """The same for many SKUs; one without any is left out."""
    wanted = sorted(set(skus))
    found: dict[str, list[ExceptionCaseRow]] = {}
    for start in range(0, len(wanted), _CHUNK):
        values = {"site_id": site_id, "skus": wanted[start : start + _CHUNK]}
        numbers = dict(session.exec(_HOW_MANY, params=values).all())
        few = [sku for sku, number in numbers.items() if number <= LIVE_MAX]
        if few:
            for row in session.exec(_LIVE, params={"site_id": site_id, "skus": few}):
                found.setdefault(row.sku, []).append(row)
        for sku in numbers.keys() - set(few):
            found[sku] = live_cases_of_sku(session, site_id, sku)
    return found


_LIVE = (
    select(ExceptionCaseRow)
    .where(
        col(ExceptionCaseRow.site_id) == bindparam("site_id"),
        among(col(ExceptionCaseRow.sku), "skus"),
        col(ExceptionCaseRow.is_live),
        col(ExceptionCaseRow.subject) == "",
    )
    .order_by(col(ExceptionCaseRow.case_id))
)


def cases_of_subject(session: Session, site_id: str, subject: str) -> list[ExceptionCaseRow]:
    """Every case about one thing that is no line of stock, oldest first."""
    query = (
        select(ExceptionCaseRow)
        .where(col(ExceptionCaseRow.site_id) == site_id, col(ExceptionCaseRow.subject) == subject)
        .order_by(col(ExceptionCaseRow.opened_us), col(ExceptionCaseRow.case_id))
    )
    return list(session.exec(query))


# -- history --------------------------------------------------------------------------------


def history_row(
    site_id: str, fact: HistoryFact, *, number: int, history_id: str, through: str
) -> CaseHistoryRow:
    """A transition as an entry of the case's history; `number` is the case's version after it."""
    return CaseHistoryRow(
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


def history_of_case(session: Session, site_id: str, case_id: str) -> Sequence[CaseHistoryRow]:
    """Everything that happened to a case, in order."""
    query = (
        select(CaseHistoryRow)
        .where(col(CaseHistoryRow.site_id) == site_id, col(CaseHistoryRow.case_id) == case_id)
        .order_by(col(CaseHistoryRow.number), col(CaseHistoryRow.history_id))
    )
    return session.exec(query).all()


# -- adjustments and decisions ---------------------------------------------------------------------


def adjustments_of_case(session: Session, site_id: str, case_id: str) -> Sequence[AdjustmentRow]:
    """What was posted for a case and what reversed it, in order of posting."""
    return session.exec(_ADJUSTMENTS, params={"site_id": site_id, "case_id": case_id}).all()


_ADJUSTMENTS = (
    select(AdjustmentRow)
    .where(
        col(AdjustmentRow.site_id) == bindparam("site_id"),
        col(AdjustmentRow.case_id) == bindparam("case_id"),
    )
    .order_by(col(AdjustmentRow.posted_us), col(AdjustmentRow.adjustment_id))
)


def parts_of_adjustments(
    session: Session, site_id: str, adjustment_ids: Iterable[str]
) -> dict[str, list[AdjustmentPartRow]]:
    """The parts of each adjustment."""
    found: dict[str, list[AdjustmentPartRow]] = defaultdict(list)
    wanted = sorted(set(adjustment_ids))
    for start in range(0, len(wanted), _CHUNK):
        query = (
            select(AdjustmentPartRow)
            .where(
                col(AdjustmentPartRow.site_id) == site_id,
                col(AdjustmentPartRow.adjustment_id).in_(wanted[start : start + _CHUNK]),
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
