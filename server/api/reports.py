"""Accuracy and audit: figures with the rows they were computed from, and who changed what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from app.contract.review import AccuracyReport
from server.api.auth import ReviewerDep
from server.api.deps import ContextDep
from server.services import auditing, reporting
from server.services.coverage import COVERAGE_COLUMNS
from server.services.reporting import AccuracyFilter

router = APIRouter(prefix="/api/v1", tags=["reports"])
PERIOD = timedelta(days=90)
"""A period without a beginning: the longest cadence of a class A bin."""


def _filter(zone: str = "", abc_class: str = "", sku: str = "", person: str = "") -> AccuracyFilter:
    return AccuracyFilter(zone=zone, abc_class=abc_class, sku=sku, person=person)


FilterDep = Annotated[AccuracyFilter, Depends(_filter)]


@router.get("/reports/accuracy")
def accuracy(
    context: ContextDep,
    _person: ReviewerDep,
    wanted: FilterDep,
    since: datetime | None = None,
    until: datetime | None = None,
) -> AccuracyReport:
    """Inventory record accuracy by every basis, each basis in its name."""
    end = until or context.rim.now() + timedelta(microseconds=1)
    return reporting.accuracy_report(
        context.database, context.site_id, since or end - PERIOD, end, wanted, rim=context.rim
    )


@router.get("/reports/accuracy/rows", response_model=None)
def accuracy_rows(
    context: ContextDep,
    _person: ReviewerDep,
    wanted: FilterDep,
    since: datetime | None = None,
    until: datetime | None = None,
    format: Literal["json", "csv"] = "json",
) -> dict[str, Any] | Response:
    """The rows of that report: whoever has them can compute it again."""
    end = until or context.rim.now() + timedelta(microseconds=1)
    rows = reporting.accuracy_rows(
        context.database, context.site_id, since or end - PERIOD, end, wanted, rim=context.rim
    )
    return _table(rows, reporting.ROW_COLUMNS, format)


@router.get("/reports/accuracy/bins", response_model=None)
def accuracy_bins(
    context: ContextDep,
    _person: ReviewerDep,
    wanted: FilterDep,
    since: datetime | None = None,
    until: datetime | None = None,
    format: Literal["json", "csv"] = "json",
) -> dict[str, Any] | Response:
    """Every bin, whether it was planned and whether it was counted: what coverage is computed from."""
    end = until or context.rim.now() + timedelta(microseconds=1)
    rows = reporting.bins_covered(
        context.database, context.site_id, since or end - PERIOD, end, wanted, rim=context.rim
    )
    return _table(rows, COVERAGE_COLUMNS, format)


def _table(
    rows: Sequence[Mapping[str, str]], columns: tuple[str, ...], format: Literal["json", "csv"]
) -> dict[str, Any] | Response:
    if format == "csv":
        text = reporting.rows_csv(rows, columns)
        return Response(text, media_type="text/csv; charset=utf-8")
    return {"items": rows}


@router.get("/audit")
def audit(
    context: ContextDep,
    _person: ReviewerDep,
    record: str = "",
    record_id: str = "",
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """Every change of every record and case, newest first: who, when, from, to, why, through what."""
    return auditing.audit_page(
        context.database,
        context.site_id,
        record=record,
        record_id=record_id,
        cursor=cursor,
        limit=limit,
    )
