"""Gathering what a case's price and proposals are worked out from. Reads; decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from app.contract.vocabulary import CaseKind, Condition
from server.domain.barcode_guesses import KnownCode, barcode_guesses, codes_of_the_same_item
from server.domain.impact import BrokenPromise, CaseImpact, PromisedLine, case_impact, order_impact
from server.domain.proposals import NEAR, Guess, OpenDocument, Puzzle, Sibling, proposals
from server.domain.ranges import ZERO
from server.domain.rounds import Standing
from server.domain.stock import Movement
from server.services.desk import Desk
from server.storage import cases as case_rows
from server.storage import casework_stock, records
from server.storage.columns import from_u, from_us
from server.storage.count_lines import CountLine
from server.storage.records import DocumentLine
from server.storage.tables_casework import CountRow, ExceptionCaseRow


def deciding_count(desk: Desk, case: ExceptionCaseRow) -> CountRow | None:
    """The last count that is used as proof; None for a case without counts."""
    used = [r for r in desk.rounds(case.case_id) if r.is_used]
    return desk.count(used[-1].count_id) if used else None


def puzzle_of(desk: Desk, case: ExceptionCaseRow) -> Puzzle | None:
    """What proposals are made from; None where the variance is not certain or nobody counted."""
    count = deciding_count(desk, case)
    parts = case_rows.parts_of(case.parts)
    if count is None or not parts or any(not part.is_certain for part in parts.values()):
        return None
    variance = sum((part.low for part in parts.values()), ZERO)
    lines = desk.lines(count.count_id)
    line = _line(case)
    own = [row for row in lines if _line(row) == line]
    counted = sum((from_u(row.quantity_u) for row in own), ZERO)
    at = from_us(count.ended_latest_us)
    movements = desk.movements(case.bin, case.sku, at - NEAR, at)
    return Puzzle(
        bin=case.bin,
        sku=case.sku,
        variance=variance,
        counted=counted,
        book=counted - variance,
        counted_at=at,
        condition=Condition(case.condition),
        has_agreed=case.standing == Standing.AGREED,
        factors=desk.factors(case.sku),
        movements=[m for m in movements if (m.lot or "") == (case.lot or m.lot or "")],
        documents=list(_documents(desk, case, movements)),
        siblings=[*_elsewhere(desk, case), *_same_bin(case, lines)],
    )


def guesses_of(desk: Desk, case: ExceptionCaseRow) -> tuple[Guess, ...]:
    """What may have happened, best first; nothing about a case that has ended."""
    if not case.is_live:
        return ()
    if case.kind == CaseKind.UNKNOWN_BARCODE:
        return _barcode_guesses(desk, case)
    puzzle = None if case.subject else puzzle_of(desk, case)
    return proposals(puzzle) if puzzle else ()


def _barcode_guesses(desk: Desk, case: ExceptionCaseRow) -> tuple[Guess, ...]:
    told = json.loads(case.evidence)
    raw, quantity = str(told["raw"]), Decimal(told["quantity"])
    known = records.codes_among(desk.session, desk.site_id, codes_of_the_same_item(raw))
    count = deciding_count(desk, case)
    lines = desk.lines(count.count_id) if count is not None else ()
    return barcode_guesses(
        raw,
        quantity,
        alike=[KnownCode(barcode=k.barcode, sku=k.sku, unit=k.unit) for k in known],
        variances={
            row.sku: from_u(row.quantity_u) - from_u(row.book_low_u)
            for row in lines
            if row.condition == Condition.GOOD and row.book_low_u == row.book_high_u
        },
    )


def _line(row: CountLine | ExceptionCaseRow) -> tuple[str, str, str]:
    """What a case is about: the serials of a SKU share one."""
    return row.sku, row.lot, row.condition


def _documents(
    desk: Desk, case: ExceptionCaseRow, movements: Sequence[Movement]
) -> Iterator[OpenDocument]:
    if case.condition != Condition.GOOD:
        return
    here = {m.document for m in movements}
    for line in desk.documents(case.sku):
        kind, effect, is_told = _untold(line)
        if effect != 0:
            yield OpenDocument(
                name=line.document,
                kind=kind,
                effect=effect,
                at=None,
                names_bin=line.document in here,
                is_told=is_told,
            )


def _untold(line: DocumentLine) -> tuple[str, Decimal, bool]:
    """(kind, effect on the bin, whether its state says so) of what a document has not posted."""
    progress = line.progress
    match line.document.partition("/")[0]:
        case "order":
            is_told = line.state in casework_stock.HANDLED
            return "pick", progress.picked - line.quantity, is_told
        case "purchase_order":
            return "receipt", line.quantity - progress.received, True
        case _:
            return "return", line.quantity - progress.returned, True


def _elsewhere(desk: Desk, case: ExceptionCaseRow) -> Iterator[Sibling]:
    others = desk.live_cases(case.sku)
    desk.load_bins({case.bin, *(other.bin for other in others)})
    here = desk.bin(case.bin)
    for other in others:
        there = desk.bin(other.bin)
        if other.bin == case.bin or other.lot != case.lot or here is None or there is None:
            continue
        if other.variance_low_u != other.variance_high_u or not _may_offset(case, other):
            continue
        yield Sibling(
            case_id=other.case_id,
            bin=other.bin,
            sku=other.sku,
            variance=from_u(other.variance_low_u),
            distance=abs(here.walk_order - there.walk_order),
            condition=Condition(other.condition),
        )


def _may_offset(one: ExceptionCaseRow, other: ExceptionCaseRow) -> bool:
    """Serial by serial: one that is missing here and another one found there are no transfer."""
    mine, theirs = case_rows.parts_of(one.parts), case_rows.parts_of(other.parts)
    return mine.keys() == theirs.keys()


def _same_bin(case: ExceptionCaseRow, lines: Sequence[CountLine]) -> Iterator[Sibling]:
    """Other lines of the deciding count that missed, whether or not they have a case."""
    own = _line(case)
    totals: dict[tuple[str, str, str], int] = {}
    for row in lines:
        delta_u = row.quantity_u - row.book_low_u
        if delta_u and row.book_low_u == row.book_high_u and _line(row) != own:
            totals[_line(row)] = totals.get(_line(row), 0) + delta_u
    for (sku, lot, condition), variance_u in totals.items():
        if variance_u != 0 and (lot == case.lot or sku != case.sku):
            yield Sibling(
                case_id="",
                bin=case.bin,
                sku=sku,
                variance=from_u(variance_u),
                distance=0,
                condition=Condition(condition),
            )


def promised_lines(desk: Desk, sku: str) -> list[PromisedLine]:
    """What open orders still wait for of a SKU."""
    return [
        PromisedLine(
            number=line.document.partition("/")[2],
            promised_at=line.promised_at,
            quantity=line.quantity - line.progress.picked,
            price=line.price,
        )
        for line in desk.open_orders(sku)
        if line.quantity > line.progress.picked
    ]


def impact_of(desk: Desk, case: ExceptionCaseRow) -> CaseImpact:
    """What the case costs, by the cost and the promises of now."""
    sku = desk.sku(case.sku)
    unit_cost, price = (sku.unit_cost, sku.price) if sku else (ZERO, ZERO)
    cost_at = sku.cost_set_at if sku else desk.now
    if case.kind == CaseKind.ORDER_AT_RISK:
        return order_impact(promise_of(case), unit_cost=unit_cost, price=price, cost_at=cost_at)
    parts = case_rows.parts_of(case.parts)
    is_short = any(part.low < 0 for part in parts.values()) and case.condition == Condition.GOOD
    promises = promised_lines(desk, case.sku) if is_short else []
    on_hand = ZERO
    if promises:
        on_hand = casework_stock.on_hand_of_sku(desk.session, desk.site_id, case.sku)
    return case_impact(
        parts,
        unit_cost=unit_cost,
        price=price,
        cost_at=cost_at,
        on_hand_elsewhere=on_hand,
        book_here=ZERO,
        promises=promises,
    )


def promise_of(case: ExceptionCaseRow) -> BrokenPromise:
    """What the order of an order's case lacks."""
    told = json.loads(case.evidence)
    promised = told["promised_at"]
    return BrokenPromise(
        number=told["order"],
        promised_at=datetime.fromisoformat(promised) if promised else None,
        quantity=Decimal(told["quantity"]),
        short=Decimal(told["short"]),
        value=Decimal(told["value"]),
    )
