"""Adjustments and the journal of a period: what was posted, to the cent, with what it came from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from app.contract.problems import RefusalError
from app.contract.review import Action
from app.contract.vocabulary import ReasonCode, quantity_text
from server.clock import Rim
from server.domain.adjustment import (
    ADJUSTMENT_KIND,
    REVERSAL_KIND,
    JournalLine,
    JournalTotals,
    journal_line,
    journal_totals,
)
from server.domain.cases import Actor, check_decider
from server.domain.people import Person
from server.domain.stock import OUTSIDE
from server.services import adjusting
from server.services.adjusting import Approval
from server.services.counting_tasks import people_who_counted
from server.services.desk import Desk
from server.services.negative_books import negative_books
from server.services.reconciling import judge
from server.storage import cases as case_rows
from server.storage import ledger
from server.storage.columns import from_u, from_us, to_us
from server.storage.engine import Database
from server.storage.tables_casework import AdjustmentRow

PERIOD_MAX_ROWS = 100_000
"""Most adjustments one export reads; a site that posts more asks for shorter periods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The lines of a period by the count's date, with their totals."""

    since: datetime
    until: datetime
    currency: str
    lines: tuple[JournalLine, ...]
    totals: JournalTotals


def adjustments_between(
    session: Session, site_id: str, since: datetime, until: datetime
) -> Sequence[AdjustmentRow]:
    """Adjustments dated in a period (`since` included, `until` not), oldest first."""
    query = (
        select(AdjustmentRow)
        .where(
            col(AdjustmentRow.site_id) == site_id,
            col(AdjustmentRow.dated_us) >= to_us(since),
            col(AdjustmentRow.dated_us) < to_us(until),
        )
        .order_by(col(AdjustmentRow.dated_us), col(AdjustmentRow.adjustment_id))
        .limit(PERIOD_MAX_ROWS + 1)
    )
    rows = session.exec(query).all()
    if len(rows) > PERIOD_MAX_ROWS:
        raise RefusalError(
            "request-invalid", where="since", reason=f"more than {PERIOD_MAX_ROWS} adjustments"
        )
    return rows


def journal(
    database: Database, site_id: str, since: datetime, until: datetime, *, rim: Rim
) -> Journal:
    """Debit and credit of every posting and reversal of the period. Transfers are no expense."""
    with database.read() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        rows = adjustments_between(session, site_id, since, until)
        lines = tuple(_lines(desk, rows))
        return Journal(
            since=since,
            until=until,
            currency=desk.currency,
            lines=lines,
            totals=journal_totals(lines),
        )


def _lines(desk: Desk, rows: Sequence[AdjustmentRow]) -> Iterable[JournalLine]:
    parts = case_rows.parts_of_adjustments(
        desk.session, desk.site_id, [row.adjustment_id for row in rows]
    )
    for row in rows:
        if row.kind not in (ADJUSTMENT_KIND, REVERSAL_KIND):
            continue
        own = parts.get(row.adjustment_id, [])
        outside = _leaves_the_warehouse(desk, row)
        for part in own:
            if part.movement_id in outside:
                yield journal_line(case_rows.to_posted_part(row, part))


def _leaves_the_warehouse(desk: Desk, row: AdjustmentRow) -> set[str]:
    """Movements against shrink or found; those between conditions stay inventory."""
    moves = ledger.movements_of_document(desk.session, desk.site_id, f"case/{row.case_id}")
    return {m.movement_id for m in moves if m.from_bin in OUTSIDE or m.to_bin in OUTSIDE}


JOURNAL_COLUMNS = (
    "adjustment_id",
    "case_id",
    "count_date",
    "posted_at",
    "debit",
    "credit",
    "amount",
    "currency",
    "sku",
    "lot",
    "serial",
    "bin",
    "quantity",
    "unit_cost",
    "cost_date",
    "reason",
    "approved_by",
    "reverses",
)


def journal_csv(found: Journal) -> str:
    """The journal as CSV, one line per posting; the amounts add up to the totals to the cent."""
    out = io.StringIO()
    writer = csv.DictWriter(out, JOURNAL_COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for line in found.lines:
        writer.writerow(journal_row(line, found.currency))
    return out.getvalue()


def journal_row(line: JournalLine, currency: str) -> dict[str, str]:
    """One line of the journal as text."""
    part = line.part
    return {
        "adjustment_id": part.adjustment_id,
        "case_id": part.case_id,
        "count_date": part.dated_at.isoformat(),
        "posted_at": part.posted_at.isoformat(),
        "debit": line.debit,
        "credit": line.credit,
        "amount": str(line.amount),
        "currency": currency,
        "sku": part.sku,
        "lot": part.lot,
        "serial": part.serial,
        "bin": part.bin,
        "quantity": quantity_text(part.quantity),
        "unit_cost": quantity_text(part.unit_cost),
        "cost_date": part.cost_at.date().isoformat(),
        "reason": part.reason.value,
        "approved_by": part.approved_by,
        "reverses": part.reverses,
    }


def reverse_adjustment(
    database: Database,
    site_id: str,
    adjustment_id: str,
    person: Person,
    *,
    reason: ReasonCode,
    note: str,
    rim: Rim,
    identity: str | None = None,
) -> str:
    """Take a posting back by a linked counter-entry; the reversal's id.

    The counts still say what they said: the variance opens again as a correction, for somebody to
    decide. It is an approval of as much money. `identity` sent again is answered and not done again.
    Raises not-found, role-forbidden, approver-counted, approver-limit, transition-refused.
    """
    with database.write() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        row = session.get(AdjustmentRow, (site_id, adjustment_id))
        if row is None:
            raise RefusalError("not-found", what="adjustment", id=adjustment_id)
        case = case_rows.find_case(session, site_id, row.case_id, lock=True)
        if case is None:
            raise RefusalError("not-found", what="case", id=row.case_id)
        known = session.get(AdjustmentRow, (site_id, identity)) if identity else None
        if known is not None and known.reverses == adjustment_id:
            return known.adjustment_id
        parts = case_rows.parts_of_adjustments(session, site_id, [adjustment_id])[adjustment_id]
        cases = {case.case_id, *(part.case_id for part in parts if part.case_id)}
        _check_reversal(desk, row, person, cases)
        approval = Approval(by=person.user_id, reason=reason, note=note)
        made = adjusting.reverse(desk, row, approval, identity or rim.new_id())
        session.flush()
        for place in sorted({part.bin for part in parts}):
            judge(desk, place, since=from_us(case.first_order_us or row.dated_us))
        negative_books(desk, {(part.bin, part.sku) for part in parts})
        session.commit()
        return made


def _check_reversal(desk: Desk, row: AdjustmentRow, person: Person, cases: set[str]) -> None:
    """A reversal is an approval too: not by who counted, and not of more money than the limit."""
    check_decider(Actor(user_id=person.user_id, role=person.role), Action.APPROVE)
    if person.user_id in people_who_counted(desk.session, desk.site_id, sorted(cases)):
        raise RefusalError("approver-counted")
    value = journal_totals(_lines(desk, [row])).absolute
    if value > person.approve_limit:
        raise RefusalError(
            "approver-limit", value=value, currency=desk.currency, limit=person.approve_limit
        )


def journal_json(found: Journal) -> dict[str, Any]:
    """The journal as JSON: lines as in the CSV, and the totals beside them."""
    totals = found.totals
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "currency": found.currency,
        "items": [journal_row(line, found.currency) for line in found.lines],
        "totals": {
            "lines": totals.lines,
            "net": str(totals.net),
            "absolute": str(totals.absolute),
            "shrink": str(totals.shrink),
            "overage": str(totals.overage),
        },
    }


def adjustment_list(
    database: Database, site_id: str, since: datetime, until: datetime, *, rim: Rim
) -> dict[str, Any]:
    """Adjustments of a period with their parts, oldest first."""
    with database.read() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        rows = adjustments_between(session, site_id, since, until)
        parts = case_rows.parts_of_adjustments(session, site_id, [r.adjustment_id for r in rows])
        undone = {row.reverses for row in rows if row.reverses}
        return {
            "items": [
                {
                    "adjustment_id": row.adjustment_id,
                    "case_id": row.case_id,
                    "kind": row.kind,
                    "state": "reversed" if row.adjustment_id in undone else "posted",
                    "reason": row.reason,
                    "note": row.note,
                    "dated_at": from_us(row.dated_us).isoformat(),
                    "posted_at": from_us(row.posted_us).isoformat(),
                    "approved_by": desk.name_of(row.approved_by),
                    "second_by": desk.name_of(row.second_by) if row.second_by else None,
                    "reverses": row.reverses or None,
                    "parts": [
                        {
                            "movement_id": part.movement_id,
                            "bin": part.bin,
                            "sku": part.sku,
                            "lot": part.lot,
                            "serial": part.serial,
                            "condition": part.condition,
                            "quantity": quantity_text(from_u(part.quantity_u)),
                        }
                        for part in parts.get(row.adjustment_id, [])
                    ],
                }
                for row in rows
            ]
        }
