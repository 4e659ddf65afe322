"""What people decided about the cases of a bin, as the rules that judge its counts take it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, and_, select
from sqlmodel import Session

from app.contract.vocabulary import Condition
from server.domain.judging import CaseLine, LineSettlement
from server.domain.rounds import SettledAs, Settlement, Standing
from server.storage.case_rounds import CaseRound, rounds_by_case
from server.storage.cases import line_of_case
from server.storage.columns import from_u, from_us
from server.storage.tables_casework import AdjustmentPartRow, AdjustmentRow, ExceptionCaseRow

Part = Row[Any]
_PART = AdjustmentPartRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
_ADJUSTMENT = AdjustmentRow.__table__  # type: ignore[attr-defined]
_DATED = select(_PART, _ADJUSTMENT.c.dated_us, _ADJUSTMENT.c.posted_us).join(
    _ADJUSTMENT,
    and_(
        _ADJUSTMENT.c.site_id == _PART.c.site_id,
        _ADJUSTMENT.c.adjustment_id == _PART.c.adjustment_id,
    ),
)
_CHUNK = 400


def settlements_of_bins(
    session: Session, site_id: str, cases: Mapping[str, Iterable[ExceptionCaseRow]]
) -> dict[str, list[LineSettlement]]:
    """What the decided cases of each bin settle, line by line, a transfer's other line included.

    A bin without any is left out.
    """
    decided = {
        place: {case.case_id: case for case in found if case.settled_as}
        for place, found in cases.items()
    }
    decided = {place: found for place, found in decided.items() if found}
    if not decided:
        return {}
    rounds = rounds_by_case(
        session, site_id, [case_id for found in decided.values() for case_id in found]
    )
    parts = _parts_of_bins(session, site_id, sorted(decided))
    return {
        place: _settlements(found, rounds, _by_case(parts.get(place, ()), found))
        for place, found in decided.items()
    }


def _settlements(
    decided: Mapping[str, ExceptionCaseRow],
    rounds: Mapping[str, Sequence[CaseRound]],
    parts: Mapping[str, Sequence[Part]],
) -> list[LineSettlement]:
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
            count_ids=frozenset(r.count_id for r in rounds.get(case_id, ())),
            deciding=_deciding(case, rounds.get(case_id, ())),
            last=(from_us(case.last_order_us), case.last_order_id),
            amounts={s: q for s, q in amounts.items() if q != 0},
            # A posted case may be closed later on: that is no decision about its counts.
            decided_at=from_us(min((p.posted_us for p in own), default=case.ended_us)),
        )
        found.append(
            LineSettlement(
                line=line_of_case(case),
                settlement=settlement,
                movement_ids=frozenset(p.movement_id for p in own),
                first_dated=_first_dated(own),
            )
        )
        found += _other_lines(case, settlement, parts.get(f"{case_id}*", []))
    return found


def _deciding(case: ExceptionCaseRow, rounds: Sequence[CaseRound]) -> frozenset[str]:
    used = [row.count_id for row in rounds if row.is_used]
    return frozenset(used[-2:] if case.standing == Standing.AGREED else used[-1:])


def _parts_of_bins(session: Session, site_id: str, bins: Sequence[str]) -> dict[str, list[Part]]:
    session.flush()
    found: dict[str, list[Part]] = defaultdict(list)
    for start in range(0, len(bins), _CHUNK):
        query = _DATED.where(
            _PART.c.site_id == site_id, _PART.c.bin.in_(bins[start : start + _CHUNK])
        )
        for part in session.connection().execute(query):
            found[part.bin].append(part)
    return found


def _by_case(
    parts: Iterable[Part], decided: Mapping[str, ExceptionCaseRow]
) -> dict[str, list[Part]]:
    """Parts by the case they settle; under "<case>*" those on another line that it moved along."""
    found: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        case = decided.get(part.case_id)
        if case is None:
            continue
        own = (part.sku, part.lot, part.condition) == (case.sku, case.lot, case.condition)
        found[part.case_id if own else f"{part.case_id}*"].append(part)
    return found


def _other_lines(
    case: ExceptionCaseRow, settlement: Settlement, parts: Sequence[Part]
) -> list[LineSettlement]:
    by_line: dict[CaseLine, list[Part]] = defaultdict(list)
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
                    decided_at=settlement.decided_at,
                ),
                movement_ids=frozenset(p.movement_id for p in own),
                first_dated=_first_dated(own),
            )
        )
    return found


def _first_dated(parts: Sequence[Part]) -> datetime | None:
    return min((from_us(part.dated_us) for part in parts), default=None)
