"""A misspelt query parameter is refused, not ignored: a program that asks for `?zon=A` must not take all
zones for one. The sync protocol is not held to this: an older server may meet a newer device there.
"""

from __future__ import annotations

from fastapi import Request

from app.contract.problems import RefusalError


def only_known_queries(request: Request) -> None:
    """A dependency of routes. Raises request-invalid for a parameter that /openapi.json does not list."""
    if not request.query_params:
        return
    operation = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    known = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
    for name in request.query_params:
        if name not in known:
            there_are = ", ".join(known) or "none"
            raise RefusalError(
                "request-invalid",
                where=name[:64],
                reason=f"this address has no such parameter; it has: {there_are}",
            )
