"""Accuracy over a period, with the very rows it was computed from. Nothing is netted."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, func, select

from app.contract.problems import RefusalError
from app.contract.review import AccuracyFigure, AccuracyReport, ProposalKind
from app.contract.vocabulary import CaseState, Condition, quantity_text
from server.clock import Rim
from server.domain.accuracy import Accuracy, Figure, RecordResult, accuracy, by_group
from server.domain.impact import cents
from server.domain.proposals import acceptance
from server.domain.ranges import Range
from server.domain.rounds import SettledAs, Standing
from server.domain.spreadsheets import as_cell
from server.services.coverage import coverage_of, coverage_row, covered
from server.services.desk import Desk
from server.storage.columns import from_u, from_us, to_us
from server.storage.counts import counts_since
from server.storage.engine import Database
from server.storage.tables_casework import (
    CaseRoundRow,
    CountLineRow,
    CountRow,
    DecisionRow,
    ExceptionCaseRow,
)

RECORDS_MAX = 500_000
"""Most count lines one report reads: half a million is a year of a large site."""
_CHUNK = 400
LineId = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyFilter:
    """Which records a report is about; empty fields take all."""

    zone: str = ""
    abc_class: str = ""
    sku: str = ""
    person: str = ""


def accuracy_report(
    database: Database,
    site_id: str,
    since: datetime,
    until: datetime,
    wanted: AccuracyFilter,
    *,
    rim: Rim,
) -> AccuracyReport:
    """IRA by every basis, net and absolute variance, coverage; strict and within tolerance."""
    with database.read() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        results = records_counted(desk, since, until, wanted)
        cover = covered(coverage_of(desk, since, until, zone=wanted.zone, person=wanted.person))
        of_some = bool(wanted.sku or wanted.abc_class)
        followed = proposals_followed(session, site_id, since, until)
        return AccuracyReport(
            since=since,
            until=until,
            bins_counted=len({r.bin for r in results}) if of_some else cover.counted,
            bins_total=cover.total,
            bins_planned=cover.planned,
            bins_planned_counted=cover.planned_counted,
            currency=desk.currency,
            by_zone=_figures(by_group(results, lambda r: r.zone)),
            by_class=_figures(by_group(results, lambda r: r.abc_class)),
            by_sku=_figures(by_group(results, lambda r: r.sku)),
            by_person=_figures(by_group(results, lambda r: desk.name_of(r.person))),
            proposals=_figures(
                Figure(name=kind.value, hits=Decimal(taken), of=Decimal(shown))
                for kind, (shown, taken) in sorted(followed.items())
            ),
            **_totals(accuracy(results)),
        )


def bins_covered(
    database: Database,
    site_id: str,
    since: datetime,
    until: datetime,
    wanted: AccuracyFilter,
    *,
    rim: Rim,
) -> list[Mapping[str, str]]:
    """The bins that a report's coverage was computed from, as text; a bin that was rightly empty too."""
    with database.read() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        rows = coverage_of(desk, since, until, zone=wanted.zone, person=wanted.person)
        return [coverage_row(row) for row in rows]


def _totals(found: Accuracy) -> dict[str, Any]:
    return {
        "figures": _figures(found.figures),
        "variance_net_units": quantity_text(found.variance_net_units),
        "variance_absolute_units": quantity_text(found.variance_absolute_units),
        "variance_net_value": str(cents(found.variance_net_value)),
        "variance_absolute_value": str(cents(found.variance_absolute_value)),
    }


def _figures(found: Iterable[Figure]) -> tuple[AccuracyFigure, ...]:
    return tuple(_figure(figure) for figure in found)


def _figure(figure: Figure) -> AccuracyFigure:
    percent = figure.percent
    return AccuracyFigure(
        name=figure.name,
        hits=quantity_text(figure.hits),
        of=quantity_text(figure.of),
        percent=None if percent is None else str(percent),
    )


def records_counted(
    desk: Desk, since: datetime, until: datetime, wanted: AccuracyFilter
) -> list[RecordResult]:
    """The last valid count of each record in the period.

    Left out: counts that a rule or a person declared no proof, and lines that were neither on the
    book nor seen. A first count that its recount proved wrong is replaced by the recount.
    """
    counted = {row.count_id: row for row in counts_since(desk.session, desk.site_id, since, until)}
    void = _void_lines(desk.session, desk.site_id, counted)
    confirmed = _confirmed_lines(desk.session, desk.site_id, counted)
    last: dict[LineId, RecordResult] = {}
    for line in _lines(desk.session, desk.site_id, list(counted)):
        count = counted[line.count_id]
        key = (count.bin, line.sku, line.lot, line.serial, line.condition)
        is_nothing = line.quantity_u == line.book_low_u == line.book_high_u == 0
        if is_nothing or (line.count_id, *key[1:3], key[4]) in void:
            continue
        result = _result(desk, count, line, (line.count_id, *key[1:3], key[4]) in confirmed)
        known = last.get(key)
        if _fits(result, wanted) and (known is None or known.counted_at <= result.counted_at):
            last[key] = result
    return [last[key] for key in sorted(last)]


def _fits(result: RecordResult, wanted: AccuracyFilter) -> bool:
    return (
        wanted.zone in ("", result.zone)
        and wanted.abc_class in ("", result.abc_class)
        and wanted.sku in ("", result.sku)
        and wanted.person in ("", result.person)
    )


def _lines(session: Session, site_id: str, count_ids: Sequence[str]) -> Iterable[CountLineRow]:
    read = 0
    for start in range(0, len(count_ids), _CHUNK):
        query = select(CountLineRow).where(
            col(CountLineRow.site_id) == site_id,
            col(CountLineRow.count_id).in_(count_ids[start : start + _CHUNK]),
            col(CountLineRow.verdict) != "",
        )
        for line in session.exec(query):
            read += 1
            if read > RECORDS_MAX:
                raise RefusalError(
                    "request-invalid", where="since", reason=f"more than {RECORDS_MAX} count lines"
                )
            yield line


VoidKey = tuple[str, str, str, str]
"""(count, SKU, lot, condition)."""


def _rounds_of(
    session: Session, site_id: str, counted: dict[str, CountRow]
) -> Iterable[tuple[CaseRoundRow, ExceptionCaseRow]]:
    ids = list(counted)
    for start in range(0, len(ids), _CHUNK):
        query = (
            select(CaseRoundRow, ExceptionCaseRow)
            .join(
                ExceptionCaseRow,
                (col(ExceptionCaseRow.site_id) == col(CaseRoundRow.site_id))
                & (col(ExceptionCaseRow.case_id) == col(CaseRoundRow.case_id)),
            )
            .where(
                col(CaseRoundRow.site_id) == site_id,
                col(CaseRoundRow.count_id).in_(ids[start : start + _CHUNK]),
                col(ExceptionCaseRow.subject) == "",
            )
        )
        yield from session.exec(query)


def _void_lines(session: Session, site_id: str, counted: dict[str, CountRow]) -> set[VoidKey]:
    return {
        (part.count_id, case.sku, case.lot, case.condition)
        for part, case in _rounds_of(session, site_id, counted)
        if not part.is_used or case.settled_as == SettledAs.DISMISSED
    }


def _confirmed_lines(session: Session, site_id: str, counted: dict[str, CountRow]) -> set[VoidKey]:
    sure = {CaseState.POSTED, CaseState.TRANSFERRED, CaseState.COUNT_ERROR, CaseState.CLOSED}
    return {
        (part.count_id, case.sku, case.lot, case.condition)
        for part, case in _rounds_of(session, site_id, counted)
        if case.standing == Standing.AGREED or CaseState(case.state) in sure
    }


def _result(desk: Desk, count: CountRow, line: CountLineRow, is_confirmed: bool) -> RecordResult:
    book = Range(from_u(line.book_low_u), from_u(line.book_high_u))
    counted = from_u(line.quantity_u)
    place, sku = desk.bin(count.bin), desk.sku(line.sku)
    return RecordResult(
        bin=count.bin,
        zone=place.zone if place else "",
        sku=line.sku,
        lot=line.lot,
        serial=line.serial,
        condition=Condition(line.condition),
        abc_class=sku.abc_class.value if sku else "",
        person=count.counted_by,
        counted_at=from_us(line.latest_us),
        book=book,
        counted=counted,
        variance=book.taken_from(counted),
        is_inside=line.is_inside,
        unit_cost=from_u(line.unit_cost_u),
        is_confirmed=is_confirmed or line.is_inside,
    )


ROW_COLUMNS = (
    "bin",
    "zone",
    "sku",
    "lot",
    "serial",
    "condition",
    "abc_class",
    "counted_by",
    "counted_at",
    "book_low",
    "book_high",
    "counted",
    "variance_low",
    "variance_high",
    "unit_cost",
    "exact",
    "within_tolerance",
    "confirmed",
)


def accuracy_rows(
    database: Database,
    site_id: str,
    since: datetime,
    until: datetime,
    wanted: AccuracyFilter,
    *,
    rim: Rim,
) -> list[dict[str, str]]:
    """The rows a report was computed from, as text: whoever has them can compute it again."""
    with database.read() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        return [_row(result) for result in records_counted(desk, since, until, wanted)]


def _row(result: RecordResult) -> dict[str, str]:
    return {
        "bin": result.bin,
        "zone": result.zone,
        "sku": result.sku,
        "lot": result.lot,
        "serial": result.serial,
        "condition": result.condition.value,
        "abc_class": result.abc_class,
        "counted_by": result.person,
        "counted_at": result.counted_at.isoformat(),
        "book_low": quantity_text(result.book.low),
        "book_high": quantity_text(result.book.high),
        "counted": quantity_text(result.counted),
        "variance_low": quantity_text(result.variance.low),
        "variance_high": quantity_text(result.variance.high),
        "unit_cost": quantity_text(result.unit_cost),
        "exact": "1" if result.is_exact else "0",
        "within_tolerance": "1" if result.is_inside else "0",
        "confirmed": "1" if result.is_confirmed else "0",
    }


def rows_csv(rows: Iterable[Mapping[str, str]], columns: Sequence[str]) -> str:
    """Rows as CSV with a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: as_cell(text) for name, text in row.items()} for row in rows)
    return out.getvalue()


def proposals_followed(
    session: Session, site_id: str, since: datetime, until: datetime
) -> dict[ProposalKind, tuple[int, int]]:
    """Per kind of proposal: how often it was on top at a decision, and how often it was followed."""
    query = select(DecisionRow.top_proposal, DecisionRow.proposal, func.count()).where(
        col(DecisionRow.site_id) == site_id,
        col(DecisionRow.at_us) >= to_us(since),
        col(DecisionRow.at_us) < to_us(until),
        col(DecisionRow.done),
        col(DecisionRow.top_proposal) != "",
    )
    rows = session.exec(query.group_by(col(DecisionRow.top_proposal), col(DecisionRow.proposal)))
    told: list[tuple[ProposalKind, bool]] = []
    for top, followed, number in rows:
        told += [(ProposalKind(top), top == followed)] * int(number)
    return acceptance(told)
