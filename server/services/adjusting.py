"""Posting what was approved: movements in the ledger dated at the count, parts per line, reversals.

Called by casework inside its transaction, after the case was locked and moved; the unique keys of
`adjustment` and of the ledger stand behind it should anything else ever call twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from app.contract.problems import RefusalError
from app.contract.vocabulary import Condition, ReasonCode
from server.domain.adjustment import (
    ADJUSTMENT_KIND,
    CASE_DOCUMENT,
    REVERSAL_KIND,
    TRANSFER_KIND,
    Posting,
    moved_instead,
    posting_movements,
    reversal_movements,
)
from server.domain.judging import CaseLine
from server.domain.ranges import ZERO
from server.domain.rounds import Standing
from server.domain.stock import OUTSIDE, Movement, visible_condition
from server.services import order_risks
from server.services.case_evidence import deciding_count
from server.services.desk import Desk
from server.storage import cases as case_rows
from server.storage import ledger
from server.storage.columns import from_u, from_us, to_u, to_us
from server.storage.rows import Row, insert_rows
from server.storage.settlements import settlements_of_bins
from server.storage.tables_casework import (
    AdjustmentPartRow,
    AdjustmentRow,
    CountRow,
    ExceptionCaseRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who approved what, and why."""

    by: str
    reason: ReasonCode
    note: str = ""
    second_by: str = ""


def certain_parts(case: ExceptionCaseRow) -> dict[str, Decimal]:
    """What is to be posted per serial. Raises `variance-ambiguous` when any of it is a range."""
    parts = case_rows.parts_of(case.parts)
    if any(not part.is_certain for part in parts.values()):
        raise RefusalError(
            "variance-ambiguous", low=from_u(case.variance_low_u), high=from_u(case.variance_high_u)
        )
    return {serial: part.low for serial, part in parts.items() if part.low != 0}


def dated_at(desk: Desk, case: ExceptionCaseRow) -> datetime:
    """The count's time: the end of the line in the first of the two counts that agree, or the last."""
    used = [r for r in desk.rounds(case.case_id) if r.is_used]
    if not used:
        return desk.now
    basis = used[-2] if case.standing == Standing.AGREED and len(used) > 1 else used[-1]
    count = desk.count(basis.count_id)
    lines = desk.lines(basis.count_id)
    own = [
        row.latest_us
        for row in lines
        if (row.sku, row.lot, row.condition) == (case.sku, case.lot, case.condition)
    ]
    ended = count.ended_latest_us if count else to_us(desk.now)
    return from_us(max(own, default=ended))


def post_variance(desk: Desk, case: ExceptionCaseRow, approval: Approval) -> str:
    """Post the case's variance against shrink and found; the adjustment's id.

    Units that the same count found in another condition are moved between the conditions instead:
    damaged stock that was good on the book is not shrink.
    """
    posting = _posting(desk, case, certain_parts(case), dated_at(desk, case))
    converted = _converted(desk, case, posting)
    rest = _less(posting.parts, converted)
    balances = ledger.book_of_bin(desk.session, desk.site_id, case.bin, posting.dated_at)
    movements: list[Movement] = []
    for source, target, amounts in _conversions(case, converted):
        short = replace(posting, line=source, parts=amounts)
        movements += moved_instead(
            posting_movements(short, balances), to_bin=case.bin, to_condition=target
        )
    movements += posting_movements(replace(posting, parts=rest), balances)
    kind = TRANSFER_KIND if converted and not rest else ADJUSTMENT_KIND
    return _keep(desk, case, movements, approval, kind=kind, posting=posting)


def post_transfer(
    desk: Desk,
    short: ExceptionCaseRow,
    over: ExceptionCaseRow | None,
    *,
    to_bin: str,
    approval: Approval,
    decided: ExceptionCaseRow,
) -> str:
    """Move what one bin lacks to the bin that has it, dated at the earlier of the two counts."""
    dated = dated_at(desk, short)
    if over is not None:
        dated = min(dated, dated_at(desk, over))
    posting = replace(_posting(desk, short, certain_parts(short), dated), case_id=decided.case_id)
    balances = ledger.book_of_bin(desk.session, desk.site_id, short.bin, dated)
    movements = moved_instead(posting_movements(posting, balances), to_bin=to_bin)
    others = {to_bin: over.case_id} if over is not None else {}
    return _keep(
        desk,
        decided,
        movements,
        approval,
        kind=TRANSFER_KIND,
        posting=posting,
        cases={short.bin: short.case_id} | others,
    )


def post_arrival(desk: Desk, over: ExceptionCaseRow, from_bin: str, approval: Approval) -> str:
    """Move what this bin has too much of out of a bin nobody has counted."""
    dated = dated_at(desk, over)
    parts = {serial: -quantity for serial, quantity in certain_parts(over).items()}
    posting = _posting(desk, over, parts, dated)
    there = replace(posting, bin=from_bin)
    balances = ledger.book_of_bin(desk.session, desk.site_id, from_bin, dated)
    movements = moved_instead(posting_movements(there, balances), to_bin=over.bin)
    return _keep(
        desk,
        over,
        movements,
        approval,
        kind=TRANSFER_KIND,
        posting=posting,
        cases={over.bin: over.case_id},
    )


def reverse(desk: Desk, adjustment: AdjustmentRow, approval: Approval, identity: str) -> str:
    """Take an adjustment back by counter-entries of the same date, under the id given.

    Raises `transition-refused` when it is reversed already, or is a reversal itself.
    """
    siblings = case_rows.adjustments_of_case(desk.session, desk.site_id, adjustment.case_id)
    is_reversed = any(row.reverses == adjustment.adjustment_id for row in siblings)
    if adjustment.reverses or is_reversed:
        state = "reversed" if is_reversed else "a reversal"
        raise RefusalError("transition-refused", record="posting", state=state, event="be reversed")
    parts = case_rows.parts_of_adjustments(
        desk.session, desk.site_id, [adjustment.adjustment_id]
    ).get(adjustment.adjustment_id, [])
    wanted = {part.movement_id for part in parts}
    document = CASE_DOCUMENT + adjustment.case_id
    posted = [
        m
        for m in ledger.movements_of_document(desk.session, desk.site_id, document)
        if m.movement_id in wanted
    ]
    back = reversal_movements(posted, identity, desk.now)
    _add_row(desk, adjustment, identity, approval)
    renamed = {old.movement_id: new.movement_id for old, new in zip(posted, back, strict=True)}
    for part in parts:
        desk.session.add(
            AdjustmentPartRow(
                **part.model_dump(exclude={"adjustment_id", "movement_id", "quantity_u"}),
                adjustment_id=identity,
                movement_id=renamed[part.movement_id],
                quantity_u=-part.quantity_u,
            )
        )
    ledger.post(desk.session, desk.site_id, back, source=document)
    order_risks.follow(desk, {movement.sku for movement in back})
    return identity


def _add_row(desk: Desk, adjustment: AdjustmentRow, identity: str, approval: Approval) -> None:
    desk.session.add(
        AdjustmentRow(
            site_id=desk.site_id,
            adjustment_id=identity,
            case_id=adjustment.case_id,
            kind=REVERSAL_KIND,
            reason=approval.reason.value,
            note=approval.note,
            dated_us=adjustment.dated_us,
            posted_us=to_us(desk.now),
            approved_by=approval.by,
            unit_cost_u=adjustment.unit_cost_u,
            cost_us=adjustment.cost_us,
            reverses=adjustment.adjustment_id,
        )
    )
    desk.session.flush()


# -- pieces ----------------------------------------------------------------------------------------


def _posting(
    desk: Desk, case: ExceptionCaseRow, parts: Mapping[str, Decimal], dated: datetime
) -> Posting:
    place = desk.bin(case.bin)
    if place is None:
        raise RefusalError("unknown-bin", bin=case.bin)
    return Posting(
        adjustment_id=desk.new_id(),
        case_id=case.case_id,
        bin=case.bin,
        bin_kind=place.kind,
        line=case_rows.line_of_case(case),
        parts=parts,
        dated_at=dated,
        recorded_at=desk.now,
    )


def _converted(desk: Desk, case: ExceptionCaseRow, posting: Posting) -> dict[str, Decimal]:
    """Signed units of each serial that the same count has, the other way, in good condition."""
    count = deciding_count(desk, case)
    if case.condition == Condition.GOOD or count is None or case.corrects:
        return {}
    settled = _settled(desk, case, count, Condition.GOOD)
    converted: dict[str, Decimal] = {}
    for row in desk.lines(count.count_id):
        if (row.sku, row.lot, row.condition) != (case.sku, case.lot, Condition.GOOD):
            continue
        if row.book_low_u != row.book_high_u:
            continue
        missed = from_u(row.quantity_u) - from_u(row.book_low_u)
        other = missed - settled.get(row.serial, ZERO)
        wanted = posting.parts.get(row.serial, ZERO)
        if wanted * other < 0:
            size = min(abs(wanted), abs(other))
            converted[row.serial] = size if wanted > 0 else -size
    return converted


def _settled(
    desk: Desk, case: ExceptionCaseRow, count: CountRow, condition: Condition
) -> dict[str, Decimal]:
    """What earlier decisions have settled of the count, per serial, on the same stock in a condition."""
    line = case_rows.line_of_case(case)._replace(condition=condition)
    order = from_us(count.opened_earliest_us), count.count_id
    cases = case_rows.line_cases_of_bins(desk.session, desk.site_id, {case.bin: order[0]})
    settled: dict[str, Decimal] = {}
    for each in settlements_of_bins(desk.session, desk.site_id, cases).get(case.bin, ()):
        told = each.settlement
        if each.line == line and (count.count_id in told.count_ids or order <= told.last):
            for serial, amount in told.amounts.items():
                settled[serial] = settled.get(serial, ZERO) + amount
    return settled


def _conversions(
    case: ExceptionCaseRow, converted: Mapping[str, Decimal]
) -> Iterable[tuple[CaseLine, Condition, dict[str, Decimal]]]:
    """(short side, condition it becomes, negative amounts) for both directions."""
    own = case_rows.line_of_case(case)
    good = CaseLine(sku=own.sku, lot=own.lot)
    gained = {serial: -q for serial, q in converted.items() if q > 0}
    lost = {serial: q for serial, q in converted.items() if q < 0}
    if gained:
        yield good, own.condition, gained
    if lost:
        yield own, Condition.GOOD, lost


def _less(parts: Mapping[str, Decimal], taken: Mapping[str, Decimal]) -> dict[str, Decimal]:
    rest = {serial: q - taken.get(serial, ZERO) for serial, q in parts.items()}
    return {serial: q for serial, q in rest.items() if q != 0}


def _keep(
    desk: Desk,
    case: ExceptionCaseRow,
    movements: Sequence[Movement],
    approval: Approval,
    *,
    kind: str,
    posting: Posting,
    cases: Mapping[str, str] | None = None,
) -> str:
    sku = desk.sku(case.sku)
    numbered = [
        _with_id(movement, f"adj-{posting.adjustment_id}-{index}")
        for index, movement in enumerate(movements)
    ]
    row = {
        "adjustment_id": posting.adjustment_id,
        "case_id": case.case_id,
        "kind": kind,
        "reason": approval.reason.value,
        "note": approval.note,
        "dated_us": to_us(posting.dated_at),
        "posted_us": to_us(desk.now),
        "approved_by": approval.by,
        "second_by": approval.second_by,
        "unit_cost_u": to_u(sku.unit_cost if sku else ZERO),
        "cost_us": to_us(sku.cost_set_at if sku else desk.now),
        "reverses": "",
    }
    of_case = {case.bin: case.case_id} if cases is None else dict(cases)
    parts = [
        part
        for movement in numbered
        for part in _parts(desk, movement, posting.adjustment_id, of_case)
    ]
    desk.session.flush()
    insert_rows(desk.session, desk.site_id, AdjustmentRow, [row])
    insert_rows(desk.session, desk.site_id, AdjustmentPartRow, parts)
    ledger.post(desk.session, desk.site_id, numbered, source=CASE_DOCUMENT + case.case_id)
    order_risks.after_posting(desk, case, numbered)
    return posting.adjustment_id


def _with_id(movement: Movement, movement_id: str) -> Movement:
    return replace(movement, movement_id=movement_id)


def _parts(
    desk: Desk, movement: Movement, adjustment_id: str, cases: Mapping[str, str]
) -> Iterable[Row]:
    """The movement's effect on each line of each bin that it touches."""
    for place, state, sign in (
        (movement.from_bin, movement.from_state, -1),
        (movement.to_bin, movement.to_state, 1),
    ):
        here = None if place in OUTSIDE else desk.bin(place)
        condition = visible_condition(state, here.kind) if here else None
        if condition is None:
            continue
        yield {
            "adjustment_id": adjustment_id,
            "movement_id": movement.movement_id,
            "bin": place,
            "condition": condition.value,
            "sku": movement.sku,
            "lot": movement.lot,
            "serial": movement.serial,
            "quantity_u": sign * to_u(movement.quantity),
            "case_id": cases.get(place, ""),
        }
