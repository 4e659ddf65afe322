"""Refusals and failures as RFC 9457 problem documents. The one place that turns an error into HTTP."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from app.contract.problems import CATALOGUE, Problem, RefusalError

PROBLEM_TYPE = "application/problem+json"
BUSY_SECONDS = 2
REF_BYTES = 4
"""Of the reference that ties a person's report to the line of the log."""
log = logging.getLogger("blindcount.api")
NO_ROUTE = {
    404: ("address-unknown", "is no address of this server."),
    405: ("method-unknown", "is not among the methods of this address."),
}
"""What the framework refuses before any of our routes: its stable code, and the end of a sentence.

Not in the catalogue on purpose: a device takes only catalogue codes for the word of its own server.
"""


_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "code": {"type": "string", "description": "stable, for machines"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a router's `responses`: that these statuses are problem documents, so that OpenAPI is true."""
    return {
        status: {
            "description": "A problem document (RFC 9457)",
            "content": {PROBLEM_TYPE: {"schema": _PROBLEM_SCHEMA}},
        }
        for status in statuses
    }


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
        response = problem_response(error.problem, error.detail, params=params)
        if "seconds" in params:
            response.headers["Retry-After"] = str(params["seconds"])
        return response

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
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        status = error.status_code
        body = {"type": "about:blank", "status": status, "title": str(error.detail)}
        if status in NO_ROUTE:
            code, detail = NO_ROUTE[status]
            where = f"{request.method} {request.url.path}"
            body |= {"code": code, "detail": f"{where} {detail} /docs lists every address."}
        return JSONResponse(
            body, status_code=status, media_type=PROBLEM_TYPE, headers=error.headers
        )

    @app.exception_handler(OperationalError)
    async def _database(request: Request, error: OperationalError) -> JSONResponse:
        words = str(error.orig)
        if "disk is full" in words or "No space left" in words:
            problem = CATALOGUE["storage-full"]
            return problem_response(problem, problem.detail)
        if "locked" in words or "busy" in words:
            problem = CATALOGUE["busy"]
            response = problem_response(problem, problem.detail.format(seconds=BUSY_SECONDS))
            response.headers["Retry-After"] = str(BUSY_SECONDS)
            return response
        return _internal(request, error)

    @app.exception_handler(Exception)
    async def _crashed(request: Request, error: Exception) -> JSONResponse:
        return _internal(request, error)


def _internal(request: Request, error: Exception) -> JSONResponse:
    problem = CATALOGUE["internal"]
    ref = _random(request)(REF_BYTES).hex()
    log.error("%s %s failed [%s]", request.method, request.url.path, ref, exc_info=error)
    return problem_response(problem, problem.detail.format(ref=ref), ref=ref)


def _random(request: Request) -> Callable[[int], bytes]:
    """The process's source of randomness; the system's own while the process is only being made."""
    context = getattr(request.app.state, "context", None)
    return secrets.token_bytes if context is None else context.rim.random
