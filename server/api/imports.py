"""Imports over the API: a file as the request's body, one answer with everything that is wrong in it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from pydantic import StringConstraints

from app.contract.problems import CATALOGUE, RefusalError
from app.contract.vocabulary import Role
from server.api.auth import one_of
from server.api.deps import ContextDep
from server.api.problems import problem_answers, problem_response
from server.domain.people import Person
from server.host.mapping import NO_MAPPING, ImportMapping, parse_mapping
from server.services.importing.report import ImportKind, ImportReport
from server.services.importing.service import (
    ImportRequest,
    find_import,
    import_file,
    recent_imports,
)

router = APIRouter(
    prefix="/api/v1/imports",
    tags=["imports"],
    responses=problem_answers(401, 403, 404, 413, 422),
)

BODY_BYTES_MAX = 64 * 1024**2
"""Some 600,000 movements. A larger file goes through `blindcount import`, which has no such limit."""
_SUFFIXES = {
    "text/csv": ".csv",
    "application/json": ".json",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A file whose first line names the columns, or JSON rows.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["rows"],
                    "properties": {
                        "rows": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "additionalProperties": {
                                    "type": ["string", "number", "boolean", "null"]
                                },
                            },
                        }
                    },
                }
            },
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _BINARY,
        },
    }
}

ImporterDep = Annotated[
    Person,
    Depends(one_of(Role.INTEGRATOR, Role.SUPERVISOR, Role.LEAD, what="import records")),
]


@router.post(
    "/{kind}",
    openapi_extra=_BODY,
    response_model=ImportReport,
)
async def import_rows(
    kind: ImportKind,
    request: Request,
    context: ContextDep,
    person: ImporterDep,
    *,
    dry_run: Annotated[bool, Query(description="check everything, keep nothing")] = False,
    update: Annotated[bool, Query(description="let known bins and SKUs change")] = False,
    name: Annotated[
        str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]*$"), Query()
    ] = "",
    mapping: Annotated[
        str | None, Query(max_length=8192, description="a mapping file's content as JSON")
    ] = None,
) -> Response:
    """Import rows: all of them, or none when one is wrong. The same rows twice change nothing."""
    suffix = _suffix(request)
    chosen = _mapping(mapping)
    with tempfile.TemporaryDirectory(prefix="blindcount-import-") as folder:
        path = Path(folder) / f"body{suffix}"
        await _spool(request, path)
        wanted = ImportRequest(
            kind=kind,
            path=path,
            name=name or path.name,
            actor=person.user_id,
            mapping=chosen,
            is_dry_run=dry_run,
            is_update=update,
        )
        report = await run_in_threadpool(
            import_file, context.database, context.site_id, wanted, context.rim
        )
    if report.errors_total and not dry_run:
        problem = CATALOGUE["import-refused"]
        detail = problem.detail.format(
            bad=len({error.line for error in report.errors}), rows=report.rows
        )
        return problem_response(problem, detail, report=report.model_dump(mode="json"))
    return JSONResponse(report.model_dump(mode="json"))


@router.get("")
def imports(
    context: ContextDep,
    _person: ImporterDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[ImportReport]:
    """The last imports that were kept, newest first."""
    with context.database.read() as session:
        return recent_imports(session, context.site_id, limit)


@router.get("/{import_id}")
def one_import(
    context: ContextDep,
    _person: ImporterDep,
    import_id: Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")],
) -> ImportReport:
    """What an import reported."""
    with context.database.read() as session:
        return find_import(session, context.site_id, import_id)


def _suffix(request: Request) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _SUFFIXES:
        listed = ", ".join(_SUFFIXES)
        raise RefusalError(
            "request-invalid",
            where="Content-Type",
            reason=f"{kind or 'none'} is not one of {listed}",
        )
    return _SUFFIXES[kind]


def _mapping(text: str | None) -> ImportMapping:
    if text is None:
        return NO_MAPPING
    try:
        return parse_mapping(json.loads(text), "mapping")
    except (json.JSONDecodeError, RecursionError) as error:
        raise RefusalError("request-invalid", where="mapping", reason=str(error)) from error


async def _spool(request: Request, path: Path) -> None:
    """The body into a file, counted while it streams: memory does not grow with it."""
    size = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > BODY_BYTES_MAX:
                raise RefusalError("body-too-large", limit=BODY_BYTES_MAX)
            file.write(chunk)
