"""The server's review API as typed calls. The only httpx of the review; every failure is one of two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.contract.review import (
    AccuracyReport,
    BulkDecision,
    BulkResult,
    CaseDetail,
    CasePage,
    Decision,
    DecisionResult,
    Reversal,
    Reversed,
    SignedIn,
    SignInRequest,
    TaskRow,
)
from app.review.answers import (
    DeviceRow,
    EnrolCode,
    OutageError,
    OutageKind,
    PersonRow,
    RefusedError,
    Trouble,
)

TIMEOUT_SECONDS = 10.0
"""Longest wait for an answer. A supervisor looks at the screen meanwhile."""
IDLE_SECONDS = 2.0
"""How long a connection is kept for the next call: less than the 5 s after which the server closes
it, else a call that is just then on its way has no answer."""
BUSY = frozenset({408, 429, 502, 503, 504})
"""HTTP states that mean "not now": tried again, nothing was decided."""

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class ReviewApi:
    """One server, one signed-in person. Raises RefusedError and OutageError, nothing else."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            transport=transport,
            timeout=TIMEOUT_SECONDS,
            limits=httpx.Limits(keepalive_expiry=IDLE_SECONDS),
        )
        self._token = ""

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    # -- people

    async def sign_in(self, user_id: str, pin: str) -> SignedIn:
        """Start a session; later calls carry its token."""
        try:
            body = SignInRequest(user_id=user_id, pin=pin)
        except ValidationError as error:
            raise RefusedError(Trouble(code="pin-short", title="", detail="", params={})) from error
        signed = await self._call("POST", "/api/v1/sign-in", SignedIn, body=body)
        self._token = signed.token
        return signed

    async def sign_out(self) -> None:
        """End the session on the server; the token is forgotten whatever happens."""
        try:
            await self._ask("POST", "/api/v1/sign-out")
        finally:
            self._token = ""

    async def people(self) -> tuple[PersonRow, ...]:
        """Everybody who is active."""
        return await self._list("/api/v1/people", PersonRow)

    # -- cases

    async def cases(self, query: Mapping[str, str]) -> CasePage:
        """One page of the queue, most urgent first."""
        return await self._call("GET", "/api/v1/exceptions", CasePage, query=query)

    async def case(self, case_id: str) -> CaseDetail:
        """One case with all its evidence."""
        return await self._call("GET", f"/api/v1/exceptions/{case_id}", CaseDetail)

    async def decide(self, case_id: str, decision: Decision) -> DecisionResult:
        """Send a decision. Sent twice with the same id it is done once."""
        path = f"/api/v1/exceptions/{case_id}/decisions"
        return await self._call("POST", path, DecisionResult, body=decision)

    async def decide_many(self, bulk: BulkDecision) -> BulkResult:
        """One decision on several cases; each answers for itself."""
        return await self._call("POST", "/api/v1/exceptions/decisions", BulkResult, body=bulk)

    async def reverse(self, adjustment_id: str, reversal: Reversal) -> Reversed:
        """Take a posting back. Sent twice with the same id it is done once."""
        path = f"/api/v1/adjustments/{adjustment_id}/reversal"
        return await self._call("POST", path, Reversed, body=reversal)

    # -- the other pages

    async def tasks(self) -> tuple[TaskRow, ...]:
        """What is to be counted, and by whom."""
        return await self._list("/api/v1/tasks", TaskRow)

    async def accuracy(self) -> AccuracyReport:
        """How right the book was."""
        return await self._call("GET", "/api/v1/reports/accuracy", AccuracyReport)

    async def devices(self) -> tuple[DeviceRow, ...]:
        """Every enrolled device."""
        return await self._list("/api/v1/devices", DeviceRow)

    async def make_enrol_code(self) -> EnrolCode:
        """A one-time code for one more device."""
        return await self._call("POST", "/api/v1/enrol-codes", EnrolCode)

    # -- how a call goes

    async def _list(self, path: str, row: type[M]) -> tuple[M, ...]:
        found = await self._ask("GET", path)
        rows = found.get("items", found) if isinstance(found, dict) else found
        return _read(TypeAdapter(tuple[row, ...]), rows)  # type: ignore[valid-type]

    async def _call(
        self,
        method: str,
        path: str,
        answer: type[M],
        *,
        body: BaseModel | None = None,
        query: Mapping[str, str] | None = None,
    ) -> M:
        found = await self._ask(method, path, body=body, query=query)
        return _read(TypeAdapter(answer), found)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            response = await self._client.request(
                method,
                path,
                params=dict(query or {}),
                json=body.model_dump(mode="json") if body is not None else None,
                headers=headers,
            )
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise OutageError(OutageKind.UNREACHED) from error
        if response.is_success:
            return _json(response) if response.content else None
        raise _failure(response)


def _read(adapter: TypeAdapter[T], found: Any) -> T:
    try:
        return adapter.validate_python(found)
    except ValidationError as error:
        raise OutageError(OutageKind.NOT_OURS) from error


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise OutageError(OutageKind.NOT_OURS) from error


def _failure(response: httpx.Response) -> RefusedError | OutageError:
    """A problem document is a refusal, unless it says "not now"; anything else is no answer of ours."""
    try:
        problem = response.json()
        code, detail = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        kind = OutageKind.BUSY if response.status_code in BUSY else OutageKind.NOT_OURS
        return OutageError(kind)
    # A pause after wrong PINs is said to the person; being busy is waited out in silence.
    if response.status_code in BUSY and not code.startswith(("pin-", "slow-")):
        return OutageError(OutageKind.BUSY, _seconds(response))
    params = problem.get("params")
    return RefusedError(
        Trouble(
            code=code,
            title=str(problem.get("title", "")),
            detail=detail,
            params=params if isinstance(params, dict) else {},
        )
    )


def _seconds(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdigit() else 0.0
