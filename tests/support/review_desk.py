"""A review server for tests of the client: the API's shape over cases in memory, with faults on order.

What the real server decides is the real server's tests' business; here only what a client must cope
with matters: pages, refusals, a lost answer, a repeated decision, an ended session.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from app.contract.problems import RefusalError
from app.contract.review import (
    AccuracyFigure,
    AccuracyReport,
    Action,
    BulkDecision,
    BulkResult,
    CaseDetail,
    CasePage,
    CaseRow,
    Decision,
    DecisionResult,
    Reversal,
    Reversed,
    SignedIn,
    SignInRequest,
    TaskRow,
)
from app.contract.vocabulary import CaseState, Role, TaskState
from app.review.state import ENDED
from tests.support.review_cases import NOW, ago, make_case, make_posting, make_row

PIN = "4711"
AFTER = {
    Action.RECOUNT: CaseState.RECOUNT_REQUESTED,
    Action.APPROVE: CaseState.POSTED,
    Action.TRANSFER: CaseState.TRANSFERRED,
    Action.EXPLAIN: CaseState.EXPLAINED,
    Action.REJECT: CaseState.REJECTED,
    Action.ESCALATE: CaseState.ESCALATED,
    Action.REASSIGN: CaseState.ASSIGNED,
    Action.CLOSE: CaseState.CLOSED,
}


class ReviewDesk:
    """The cases and what was decided. `app` is the ASGI application."""

    def __init__(self, cases: int = 30) -> None:
        self.rows: dict[str, CaseRow] = {r.case_id: r for r in map(make_row, range(cases))}
        self.decided: dict[tuple[str, str], DecisionResult] = {}
        self.heard: list[Decision] = []
        self.tokens = {"token-1"}
        self.reversals: dict[str, Reversal] = {}
        """Adjustment -> what took it back."""
        self.refuse: RefusalError | None = None
        """What the next decision is refused with."""
        self.forbidden: set[str] = set()
        """Cases that are refused when several are decided together."""
        self.app = _app(self)

    def listed(self, *, ended: bool = False) -> list[CaseRow]:
        """Cases that somebody has to do something about, most urgent first; or the others."""
        rows = [r for r in self.rows.values() if (r.state in ENDED) is ended]
        return sorted(rows, key=lambda row: (-row.priority, row.case_id))

    def page(self, query: dict[str, str]) -> CasePage:
        """One page, filtered as asked."""
        rows = self.listed()
        total, value = len(rows), sum(abs(float(r.value.low)) for r in rows)
        if query.get("ended") == "true":
            rows = self.listed(ended=True)
        rows = [r for r in rows if r.bin.startswith(query.get("find", "").upper())]
        for name, of in (("owner", "owner_id"), ("kind", "kind"), ("zone", "zone")):
            wanted = query.get(name)
            rows = [r for r in rows if not wanted or str(getattr(r, of)) == wanted]
        if query.get("overdue") == "true":
            rows = [r for r in rows if r.due_at < NOW]
        at = int(query.get("cursor", "0"))
        limit = int(query.get("limit", "50"))
        more = str(at + limit) if at + limit < len(rows) else None
        return CasePage(
            items=tuple(rows[at : at + limit]),
            next_cursor=more,
            total_open=total,
            value_open=f"{value:.2f}",
            currency="EUR",
        )

    def case(self, case_id: str) -> CaseDetail:
        """One case. Raises not-found."""
        if case_id not in self.rows:
            raise RefusalError("not-found", what="case", id=case_id)
        row = self.rows[case_id]
        if row.state is not CaseState.POSTED:
            return make_case(row)
        adjustment_id = f"adjustment-{case_id}"
        is_reversed = adjustment_id in self.reversals
        posted = make_posting(row, adjustment_id, is_reversed=is_reversed)
        return make_case(row, actions=(), adjustment=posted)

    def reverse(self, adjustment_id: str, reversal: Reversal) -> Reversed:
        """Take it back once, however often it is said."""
        known = self.reversals.setdefault(adjustment_id, reversal)
        if known.reversal_id != reversal.reversal_id:
            raise RefusalError(
                "transition-refused", record="posting", state="reversed", event="be reversed"
            )
        return Reversed(adjustment_id=str(known.reversal_id), reverses=adjustment_id)

    def decide(self, case_id: str, decision: Decision) -> DecisionResult:
        """Do it once, however often it is said."""
        self.heard.append(decision)
        known = self.decided.get((decision.decision_id, case_id))
        if known is not None:
            return known.model_copy(update={"repeated": True})
        if self.refuse is not None:
            refusal, self.refuse = self.refuse, None
            raise refusal
        row = self.case(case_id)
        if decision.version is not None and decision.version != row.version:
            raise RefusalError("version-stale", seen=decision.version, now=row.version)
        state = AFTER[decision.action]
        ended_at = NOW if state in ENDED else None
        changed = {"state": state, "version": row.version + 1, "ended_at": ended_at}
        if decision.action is Action.RECOUNT:
            changed["next_words"] = "Ben Okafor recounts"
        self.rows[case_id] = self.rows[case_id].model_copy(update=changed)
        case = self.case(case_id)
        if decision.action is Action.RECOUNT:
            case = case.model_copy(update={"recounter_id": "ben", "recounter_name": "Ben Okafor"})
        result = DecisionResult(
            decision_id=decision.decision_id, case_id=case_id, done=True, case=case
        )
        self.decided[(decision.decision_id, case_id)] = result
        return result

    def try_to_decide(self, case_id: str, decision: Decision) -> DecisionResult:
        """As one of many: a refusal is an answer and stops no other."""
        try:
            if case_id in self.forbidden:
                raise RefusalError("approver-counted")
            return self.decide(case_id, decision)
        except RefusalError as refusal:
            return DecisionResult(
                decision_id=decision.decision_id,
                case_id=case_id,
                done=False,
                problem=refusal.code,
                message=refusal.detail,
                case=self.case(case_id),
            )


def accuracy_report() -> AccuracyReport:
    """Figures with their bases, one of them without anything counted."""

    def figure(name: str, hits: str, of: str, percent: str | None) -> AccuracyFigure:
        return AccuracyFigure(name=name, hits=hits, of=of, percent=percent)

    return AccuracyReport(
        since=NOW - timedelta(days=7),
        until=NOW,
        figures=(
            figure("ira_by_record_strict", "114", "120", "95.00"),
            figure("ira_by_record_within_tolerance", "117", "120", "97.50"),
            figure("ira_by_unit", "5481", "5512", "99.44"),
            figure("ira_by_value", "84211.50", "84790.00", "99.32"),
            figure("accuracy_by_bin_strict", "35", "40", "87.50"),
            figure("accuracy_by_sku_strict", "113", "118", "95.76"),
        ),
        variance_net_units="-9",
        variance_absolute_units="31",
        variance_net_value="-178.50",
        variance_absolute_value="578.50",
        currency="EUR",
        bins_counted=31,
        bins_total=40,
        by_zone=(
            figure("A", "44", "45", "97.78"),
            figure("B", "40", "45", "88.89"),
            figure("C", "0", "0", None),
        ),
        proposals=(
            figure("slipped_digit", "1", "3", "33.33"),
            figure("unposted_movement", "6", "7", "85.71"),
        ),
    )


def _tasks() -> list[TaskRow]:
    return [
        TaskRow(
            task_id=f"task-{number}",
            bin=f"A-01-{number + 1:02}",
            zone="A",
            state=(TaskState.PLANNED, TaskState.ASSIGNED, TaskState.COUNTING)[number % 3],
            assigned_to=(None, "ana", "ben")[number % 3],
            round_index=number % 2,
            case_id=f"case-00{number}" if number % 2 else None,
            created_at=ago(30 * number),
        )
        for number in range(9)
    ]


def _app(desk: ReviewDesk) -> FastAPI:
    app = FastAPI()

    @app.exception_handler(RefusalError)
    async def refused(_request: Request, error: RefusalError) -> JSONResponse:
        problem = error.problem
        body = {"code": problem.code, "title": problem.title, "detail": error.detail}
        return JSONResponse(body, problem.status, media_type="application/problem+json")

    def check(request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in desk.tokens:
            raise RefusalError("token-unknown")

    @app.post("/api/v1/sign-in")
    def sign_in(body: SignInRequest) -> SignedIn:
        if body.pin != PIN:
            raise RefusalError("pin-wrong", user=body.user_id, left=4)
        desk.tokens.add("token-1")
        return SignedIn(
            token="token-1",
            user_id=body.user_id,
            name={"olga": "Olga Rey"}.get(body.user_id, body.user_id),
            role=Role.SUPERVISOR,
            site_id="main",
            site_name="Main warehouse",
            currency="EUR",
            expires_at=NOW + timedelta(hours=8),
        )

    @app.get("/api/v1/exceptions")
    def cases(request: Request) -> CasePage:
        check(request)
        return desk.page(dict(request.query_params))

    @app.get("/api/v1/exceptions/{case_id}")
    def case(case_id: str, request: Request) -> CaseDetail:
        check(request)
        return desk.case(case_id)

    @app.post("/api/v1/exceptions/decisions")
    def bulk(body: BulkDecision, request: Request) -> BulkResult:
        check(request)
        return BulkResult(
            results=tuple(desk.try_to_decide(c, body.decision) for c in body.case_ids)
        )

    @app.post("/api/v1/exceptions/{case_id}/decisions")
    def decide(case_id: str, body: Decision, request: Request) -> DecisionResult:
        check(request)
        return desk.decide(case_id, body)

    @app.post("/api/v1/adjustments/{adjustment_id}/reversal", status_code=201)
    def reverse(adjustment_id: str, body: Reversal, request: Request) -> Reversed:
        check(request)
        return desk.reverse(adjustment_id, body)

    _other_pages(app, check)
    return app


def _other_pages(app: FastAPI, check: Callable[[Request], None]) -> None:
    @app.post("/api/v1/sign-out", status_code=204)
    def sign_out() -> None:
        return None

    @app.get("/api/v1/people")
    def people() -> list[dict[str, Any]]:
        names = {"ana": "Ana Costa", "ben": "Ben Okafor", "cleo": "Cleo Brandt"}
        counters = [{"user_id": u, "name": n, "role": "counter"} for u, n in names.items()]
        return [*counters, {"user_id": "olga", "name": "Olga Rey", "role": "supervisor"}]

    @app.get("/api/v1/tasks")
    def tasks(request: Request) -> list[TaskRow]:
        check(request)
        return _tasks()

    @app.get("/api/v1/reports/accuracy")
    def accuracy(request: Request) -> AccuracyReport:
        check(request)
        return accuracy_report()

    @app.get("/api/v1/devices")
    def devices(request: Request) -> list[dict[str, Any]]:
        check(request)
        return [
            {
                "device_id": f"d{number}",
                "name": f"Handheld {number}",
                "state": "revoked" if number == 3 else "active",
                "app_version": "0.1.0",
                "enrolled_at": ago(9000).isoformat(),
                "seen_at": ago(4 * number).isoformat(),
                "held_up_to": 410 * number,
                "missing_since": ago(90).isoformat() if number == 2 else None,
            }
            for number in (1, 2, 3)
        ]

    @app.post("/api/v1/enrol-codes", status_code=201)
    def enrol_code(request: Request) -> dict[str, Any]:
        check(request)
        return {"code": "K7QXM2WPRD", "expires_at": (NOW + timedelta(minutes=10)).isoformat()}


class Cable(httpx.AsyncBaseTransport):
    """The network to the desk. `cut` before: nothing arrives; `lose`: it arrives, the answer does not."""

    def __init__(self, desk: ReviewDesk) -> None:
        self._inner = httpx.ASGITransport(app=desk.app)
        self.is_cut = False
        self.lose_answers = 0
        self.portal = False
        self.in_flight = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.in_flight += 1
        try:
            return await self._carry(request)
        finally:
            self.in_flight -= 1

    async def _carry(self, request: httpx.Request) -> httpx.Response:
        if self.is_cut:
            raise httpx.ConnectError("the cable is cut", request=request)
        if self.portal:
            return httpx.Response(200, text="<html>Sign in to the Wi-Fi</html>", request=request)
        response = await self._inner.handle_async_request(request)
        if self.lose_answers:
            self.lose_answers -= 1
            raise httpx.ReadTimeout("the answer was lost", request=request)
        return response
