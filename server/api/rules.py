"""Tolerances, authority limits, owners: exported, imported and edited as rows, JSON or CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.contract.problems import RefusalError
from server.api.auth import ReviewerDep, SupervisorDep
from server.api.deps import ContextDep
from server.api.problems import problem_response
from server.domain.people import Person
from server.services import ruling
from server.services.reporting import rows_csv
from server.storage.rules import Policy

router = APIRouter(prefix="/api/v1/rules", tags=["rules"])
Format = Literal["json", "csv"]


class RowsBody(BaseModel):
    """Rows of text, as they are exported."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: Annotated[tuple[dict[str, str], ...], Field(max_length=ruling.ROWS_MAX)]


class PolicyBody(BaseModel):
    """The few numbers a site sets. `second_above` null: one approver always suffices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rounds_max: Annotated[int, Field(ge=2, le=10)] = 3
    second_above: Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)] | None = None


def _answer(rows: list[dict[str, str]], columns: Sequence[str], format: Format) -> Any:
    if format == "csv":
        return Response(rows_csv(rows, columns), media_type="text/csv; charset=utf-8")
    return {"items": rows}


async def _rows(request: Request, columns: Sequence[str]) -> Sequence[dict[str, str]]:
    """The body as rows, whether it is CSV or JSON."""
    body = await request.body()
    if request.headers.get("content-type", "").startswith("text/csv"):
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RefusalError("file-unreadable", reason="It is not UTF-8.") from error
        return [dict(row) for row in ruling.rows_of_csv(text, columns)]
    try:
        return RowsBody.model_validate_json(body).items
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise RefusalError("request-invalid", where=where, reason=first["msg"]) from error


def _set(write: Callable[[], int]) -> Any:
    """How many rows were written, or every bad cell at once."""
    try:
        return {"rows": write()}
    except ruling.BadRowsError as error:
        refusal = error.refusal
        response: JSONResponse = problem_response(
            refusal.problem, refusal.detail, errors=[asdict(bad) for bad in error.bad]
        )
        return response


@router.get("/tolerances", response_model=None)
def tolerances(context: ContextDep, _person: ReviewerDep, format: Format = "json") -> Any:
    """Every tolerance; looked up SKU, ABC class, bin, zone, site, the first match is the answer."""
    rows = ruling.tolerances(context.database, context.site_id)
    return _answer(rows, ruling.TOLERANCE_COLUMNS, format)


@router.put("/tolerances", response_model=None)
async def replace_tolerances(request: Request, context: ContextDep, person: SupervisorDep) -> Any:
    """Replace all tolerances (JSON `items` or CSV); open cases are judged again."""
    return await _write_tolerances(request, context, person, replace=True)


@router.post("/tolerances", response_model=None)
async def add_tolerances(request: Request, context: ContextDep, person: SupervisorDep) -> Any:
    """Add or change single tolerances; the others stay."""
    return await _write_tolerances(request, context, person, replace=False)


async def _write_tolerances(
    request: Request, context: ContextDep, person: Person, *, replace: bool
) -> Any:
    rows = await _rows(request, ruling.TOLERANCE_COLUMNS)
    return _set(
        lambda: ruling.set_tolerances(
            context.database, context.site_id, rows, person, replace=replace, rim=context.rim
        )
    )


@router.get("/authorities", response_model=None)
def authorities(context: ContextDep, _person: ReviewerDep, format: Format = "json") -> Any:
    """What each person may approve in one case, absolute."""
    rows = ruling.authorities(context.database, context.site_id)
    return _answer(rows, ruling.AUTHORITY_COLUMNS, format)


@router.post("/authorities", response_model=None)
async def set_authorities(request: Request, context: ContextDep, person: SupervisorDep) -> Any:
    """Set limits of people; nobody sets their own."""
    rows = await _rows(request, ruling.AUTHORITY_COLUMNS)
    return _set(
        lambda: ruling.set_authorities(
            context.database, context.site_id, rows, person, rim=context.rim
        )
    )


@router.get("/owners", response_model=None)
def owners(context: ContextDep, _person: ReviewerDep, format: Format = "json") -> Any:
    """Who owns new cases, by zone, kind and value."""
    rows = ruling.owners(context.database, context.site_id)
    return _answer(rows, ruling.OWNER_COLUMNS, format)


@router.put("/owners", response_model=None)
async def replace_owners(request: Request, context: ContextDep, person: SupervisorDep) -> Any:
    """Replace the owner rules."""
    rows = await _rows(request, ruling.OWNER_COLUMNS)
    return _set(
        lambda: ruling.set_owners(context.database, context.site_id, rows, person, rim=context.rim)
    )


@router.get("/policy")
def policy(context: ContextDep, _person: ReviewerDep) -> PolicyBody:
    """Rounds before a supervisor decides, and the money above which two people approve."""
    found = ruling.policy(context.database, context.site_id)
    return PolicyBody(rounds_max=found.rounds_max, second_above=found.second_above)


@router.put("/policy")
def set_policy(body: PolicyBody, context: ContextDep, person: SupervisorDep) -> PolicyBody:
    """Set them."""
    wanted = Policy(rounds_max=body.rounds_max, second_above=body.second_above)
    ruling.set_policy(context.database, context.site_id, wanted, person)
    return body
