"""Adjustments and the journal of a period: what was posted, to the cent, with what it came from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, select

from app.contract.problems import RefusalError
from app.contract.vocabulary import quantity_text
from server.clock import Rim
from server.domain.adjustment import (
    ADJUSTMENT_KIND,
    REVERSAL_KIND,
    JournalLine,
    JournalTotals,
    journal_line,
    journal_totals,
)
from server.domain.spreadsheets import as_cell
from server.domain.stock import OUTSIDE
from server.services.desk import Desk
from server.storage import cases as case_rows
from server.storage import ledger
from server.storage.columns import from_u, from_us, to_us
from server.storage.engine import Database
from server.storage.tables_casework import AdjustmentRow

PERIOD_MAX_ROWS = 100_000
"""Most adjustments one export reads; a site that posts more asks for shorter periods."""


class Basis(StrEnum):
    """Which of its dates puts an adjustment into a period."""

    COUNT = "count"
    """The count's: the book of the stock is right from then on."""
    POSTING = "posting"
    """When it was posted: a period that was exported never changes afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The lines of a period, with their totals."""

    since: datetime
    until: datetime
    basis: Basis
    currency: str
    lines: tuple[JournalLine, ...]
    totals: JournalTotals


def adjustments_between(
    session: Session, site_id: str, since: datetime, until: datetime, basis: Basis = Basis.COUNT
) -> Sequence[AdjustmentRow]:
    """Adjustments of a period (`since` included, `until` not) by one of their dates, oldest first."""
    dated = col(AdjustmentRow.dated_us if basis is Basis.COUNT else AdjustmentRow.posted_us)
    query = (
        select(AdjustmentRow)
        .where(
            col(AdjustmentRow.site_id) == site_id,
            dated >= to_us(since),
            dated < to_us(until),
        )
        .order_by(dated, col(AdjustmentRow.adjustment_id))
        .limit(PERIOD_MAX_ROWS + 1)
    )
    rows = session.exec(query).all()
    if len(rows) > PERIOD_MAX_ROWS:
        raise RefusalError(
            "request-invalid", where="since", reason=f"more than {PERIOD_MAX_ROWS} adjustments"
        )
    return rows


def journal(
    database: Database,
    site_id: str,
    since: datetime,
    until: datetime,
    *,
    rim: Rim,
    basis: Basis = Basis.COUNT,
) -> Journal:
    """Debit and credit of every posting and reversal of the period. Transfers are no expense."""
    with database.read() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        rows = adjustments_between(session, site_id, since, until, basis)
        lines = tuple(lines_of(desk, rows))
        return Journal(
            since=since,
            until=until,
            basis=basis,
            currency=desk.currency,
            lines=lines,
            totals=journal_totals(lines),
        )


def lines_of(desk: Desk, rows: Sequence[AdjustmentRow]) -> Iterable[JournalLine]:
    """What each of these postings did to inventory value; transfers and conversions do nothing."""
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
        row = journal_row(line, found.currency)
        writer.writerow({name: as_cell(text) for name, text in row.items()})
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


def journal_json(found: Journal) -> dict[str, Any]:
    """The journal as JSON: lines as in the CSV, and the totals beside them."""
    totals = found.totals
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "basis": found.basis.value,
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
    database: Database,
    site_id: str,
    since: datetime,
    until: datetime,
    *,
    rim: Rim,
    basis: Basis = Basis.COUNT,
) -> dict[str, Any]:
    """Adjustments of a period with their parts, oldest first."""
    with database.read() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        rows = adjustments_between(session, site_id, since, until, basis)
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
