"""What people decided about the cases of a bin, as the rules that judge its counts take it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from sqlmodel import Session, col, select

from app.contract.vocabulary import Condition
from server.domain.judging import CaseLine, LineSettlement
from server.domain.rounds import SettledAs, Settlement, Standing
from server.storage.case_rounds import CaseRound, rounds_by_case
from server.storage.cases import line_of_case
from server.storage.columns import from_u, from_us
from server.storage.tables_casework import AdjustmentPartRow, ExceptionCaseRow


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


def _deciding(case: ExceptionCaseRow, rounds: Sequence[CaseRound]) -> frozenset[str]:
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
