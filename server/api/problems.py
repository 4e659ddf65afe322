"""Refusals and failures as RFC 9457 problem documents. The one place that turns an error into HTTP."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.contract.problems import CATALOGUE, Problem, RefusalError

PROBLEM_TYPE = "application/problem+json"
log = logging.getLogger("blindcount.api")


def problem_response(problem: Problem, detail: str, **extra: Any) -> JSONResponse:
    """A problem document with its stable code, and whatever else helps a machine."""
    body = {
        "type": f"urn:blindcount:problem:{problem.code}",
        "code": problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        **extra,
    }
    return JSONResponse(body, status_code=problem.status, media_type=PROBLEM_TYPE)


def install_problem_handlers(app: FastAPI) -> None:
    """Every error that leaves the API is a problem document with a code of the catalogue."""

    @app.exception_handler(RefusalError)
    async def _refused(_request: Request, error: RefusalError) -> JSONResponse:
        params = {
            k: v if isinstance(v, str | int | float | bool) else str(v)
            for k, v in error.params.items()
        }
        return problem_response(error.problem, error.detail, params=params)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        rows = [
            {"where": ".".join(str(part) for part in row["loc"]), "reason": str(row["msg"])}
            for row in error.errors()[:50]
        ]
        problem = CATALOGUE["request-invalid"]
        first = rows[0] if rows else {"where": "request", "reason": "not readable"}
        return problem_response(problem, problem.detail.format(**first), errors=rows)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        body = {"type": "about:blank", "status": error.status_code, "title": str(error.detail)}
        return JSONResponse(
            body, status_code=error.status_code, media_type=PROBLEM_TYPE, headers=error.headers
        )
