"""Casework over HTTP as screens and integrators use it: queue, case, decisions, tasks, journal, figures."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from decimal import Decimal
from urllib.parse import quote

import httpx
import pytest

from app.contract.review import (
    AccuracyReport,
    AdjustmentView,
    CaseDetail,
    CasePage,
    DecisionResult,
    TaskRow,
)
from app.contract.vocabulary import Role
from server.main import create_app
from server.services import access
from server.services.access import NewPerson
from server.services.reporting import rows_csv
from server.services.ruling import AUTHORITY_COLUMNS, TOLERANCE_COLUMNS
from tests.support.events import an_id
from tests.support.floor import Floor, clock
from tests.support.server import SITE

PINS = {"ana": "1111", "sue": "2222", "lea": "3333", "fin": "4444"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def floor(sqlite_database) -> Floor:
    made = Floor(sqlite_database)
    access.add_people(
        made.database,
        SITE,
        [
            NewPerson(user_id="ana", name="Ana", role=Role.COUNTER, pin=PINS["ana"]),
            NewPerson(
                user_id="sue",
                name="Sue",
                role=Role.SUPERVISOR,
                pin=PINS["sue"],
                approve_limit=Decimal(500),
            ),
            NewPerson(
                user_id="lea",
                name="Lea",
                role=Role.LEAD,
                pin=PINS["lea"],
                approve_limit=Decimal(100_000),
            ),
            NewPerson(user_id="fin", name="Fin", role=Role.FINANCE, pin=PINS["fin"]),
        ],
        rim=made.rim,
    )
    made.sku("S1")
    return made


@pytest.fixture
async def client(floor: Floor) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(database=floor.database, rim=floor.rim)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as made:
        yield made


async def signed_in(client: httpx.AsyncClient, who: str) -> dict[str, str]:
    answer = await client.post("/api/v1/sign-in", json={"user_id": who, "pin": PINS[who]})
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['token']}"}


def two_short_bins(floor: Floor) -> None:
    for code, quantity in (("A-01", "4"), ("A-02", "9")):
        floor.stock(code)
        floor.count("ana", code, {"S1": quantity}, at=clock("10:00"))


@pytest.mark.anyio
async def test_the_queue_comes_in_pages_with_most_money_first(floor: Floor, client):
    two_short_bins(floor)
    sue = await signed_in(client, "sue")

    first = CasePage.model_validate(
        (await client.get("/api/v1/exceptions?limit=1", headers=sue)).json()
    )
    second = CasePage.model_validate(
        (
            await client.get(f"/api/v1/exceptions?limit=1&cursor={first.next_cursor}", headers=sue)
        ).json()
    )

    assert (first.total_open, first.value_open) == (2, "14.00")
    assert [r.bin for r in (*first.items, *second.items)] == ["A-01", "A-02"]
    assert second.next_cursor is None
    assert first.items[0].value.low == "-12.00"


@pytest.mark.anyio
async def test_a_case_shows_its_evidence_and_a_decision_is_answered_with_it(floor: Floor, client):
    two_short_bins(floor)
    case = floor.case(bin="A-01")
    sue = await signed_in(client, "sue")

    detail = CaseDetail.model_validate(
        (await client.get(f"/api/v1/exceptions/{case.case_id}", headers=sue)).json()
    )
    answer = await client.post(
        f"/api/v1/exceptions/{case.case_id}/decisions",
        headers=sue,
        json={"decision_id": an_id(), "action": "recount", "version": detail.version},
    )

    assert [r.counted for r in detail.round_views] == ["4"]
    assert detail.round_views[0].entered == "4 each"
    assert [m.delta for m in detail.movements] == []
    assert detail.book_now == "10"
    assert {a.action: a.enabled for a in detail.actions}["approve"] is False
    assert DecisionResult.model_validate(answer.json()).done


@pytest.mark.anyio
async def test_a_refusal_is_a_problem_that_names_the_rule(floor: Floor, client):
    two_short_bins(floor)
    case = floor.case(bin="A-01")
    url = f"/api/v1/exceptions/{case.case_id}/decisions"
    body = {"decision_id": an_id(), "action": "approve", "reason": "unknown_cause"}

    answers = {
        who: await client.post(url, headers=await signed_in(client, who), json=body)
        for who in ("sue", "fin")
    }

    assert answers["sue"].status_code == 409
    assert answers["sue"].json()["code"] == "not-agreed"
    assert answers["fin"].json()["code"] == "role-forbidden"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/exceptions",
        "/api/v1/tasks",
        "/api/v1/counts/x",
        "/api/v1/adjustments",
        "/api/v1/journal",
        "/api/v1/reports/accuracy",
        "/api/v1/reports/accuracy/rows",
        "/api/v1/audit",
    ],
)
async def test_nobody_without_a_role_for_it_sees_the_book(floor: Floor, client, path: str):
    answer = await client.get(path)

    assert answer.status_code == 401
    with_counter = await client.post("/api/v1/sign-in", json={"user_id": "ana", "pin": PINS["ana"]})
    if with_counter.status_code == 200:
        token = {"authorization": f"Bearer {with_counter.json()['token']}"}
        assert (await client.get(path, headers=token)).status_code == 403
    else:
        assert with_counter.json()["code"] == "role-forbidden"


@pytest.mark.anyio
async def test_bulk_answers_for_each_case_and_one_refusal_stops_no_other(floor: Floor, client):
    two_short_bins(floor)
    first, second = floor.cases()
    lea = await signed_in(client, "lea")
    await client.post(
        f"/api/v1/exceptions/{first.case_id}/decisions",
        headers=lea,
        json={"decision_id": an_id(), "action": "reject"},
    )

    answer = await client.post(
        "/api/v1/exceptions/decisions",
        headers=lea,
        json={
            "case_ids": [first.case_id, second.case_id],
            "decision": {
                "decision_id": an_id(),
                "action": "approve",
                "reason": "theft_suspected",
            },
        },
    )

    assert [(r["done"], r["problem"]) for r in answer.json()["results"]] == [
        (False, "transition-refused"),
        (True, None),
    ]


@pytest.mark.anyio
async def test_the_same_bulk_decision_sent_again_posts_nothing_again(floor: Floor, client):
    two_short_bins(floor)
    lea = await signed_in(client, "lea")
    body = {
        "case_ids": [case.case_id for case in floor.cases()],
        "decision": {"decision_id": an_id(), "action": "approve", "reason": "theft_suspected"},
    }

    first, again = [
        (await client.post("/api/v1/exceptions/decisions", headers=lea, json=body)).json()
        for _ in range(2)
    ]

    assert [(r["done"], r["repeated"]) for r in first["results"]] == [(True, False)] * 2
    assert [(r["done"], r["repeated"]) for r in again["results"]] == [(True, True)] * 2
    assert floor.book("A-01") == {("S1", "available"): Decimal(4)}
    assert floor.book("A-02") == {("S1", "available"): Decimal(9)}


async def page(client: httpx.AsyncClient, query: str, who: dict[str, str]) -> CasePage:
    answer = await client.get(f"/api/v1/exceptions?{query}", headers=who)
    return CasePage.model_validate(answer.json())


@pytest.mark.anyio
async def test_ended_cases_come_with_the_last_one_first_and_are_found_by_bin_sku_or_id(
    floor: Floor, client
):
    two_short_bins(floor)
    lea = await signed_in(client, "lea")
    of_bin = {}
    for bin in ("A-02", "A-01"):
        case = floor.case(bin=bin)
        of_bin[bin] = case.case_id
        floor.approve(case, "lea")
        floor.time.advance(minutes=5)

    first = await page(client, "ended=true&limit=1", lea)
    second = await page(client, f"ended=true&limit=1&cursor={first.next_cursor}", lea)

    assert [row.bin for row in (*first.items, *second.items)] == ["A-01", "A-02"]
    assert second.next_cursor is None
    ends = [row.ended_at for row in (*first.items, *second.items)]
    assert ends[0] > ends[1]
    for text, bins in (
        ("a-02", ["A-02"]),
        ("s1", ["A-01", "A-02"]),
        (of_bin["A-01"].upper(), ["A-01"]),
        ("a%", []),
    ):
        found = await page(client, f"ended=true&find={quote(text)}", lea)
        assert [row.bin for row in found.items] == bins, text
    assert (await page(client, "", lea)).items == ()


@pytest.mark.anyio
async def test_a_posted_case_says_whether_it_can_be_taken_back_and_why_not(floor: Floor, client):
    two_short_bins(floor)
    case = floor.case(bin="A-01")
    floor.approve(case, "lea")
    url = f"/api/v1/exceptions/{case.case_id}"

    async def offer(who: str) -> AdjustmentView:
        answer = await client.get(url, headers=await signed_in(client, who))
        detail = CaseDetail.model_validate(answer.json())
        assert detail.adjustment is not None
        return detail.adjustment

    for_lead, for_finance = await offer("lea"), await offer("fin")
    assert (for_lead.state, for_lead.can_reverse, for_lead.why_not_reverse) == ("posted", True, "")
    assert not for_finance.can_reverse
    assert "finance" in for_finance.why_not_reverse
    await client.post(
        f"/api/v1/adjustments/{for_lead.adjustment_id}/reversal",
        headers=await signed_in(client, "lea"),
        json={"reason": "data_entry"},
    )
    after = await offer("lea")
    assert (after.state, after.can_reverse) == ("reversed", False)
    assert after.why_not_reverse == "It has been taken back."


@pytest.mark.anyio
async def test_journal_rows_add_up_to_the_totals_to_the_cent_in_json_and_csv(floor: Floor, client):
    floor.sku("S2", cost="0.335")
    two_short_bins(floor)
    floor.stock("A-03", "S2", "10")
    floor.count("ana", "A-03", {"S2": "13"}, at=clock("10:30"))
    for case in floor.cases():
        floor.approve(case, "lea")
    lea = await signed_in(client, "lea")

    told = (await client.get("/api/v1/journal", headers=lea)).json()
    text = (await client.get("/api/v1/journal?format=csv", headers=lea)).text

    lines = list(csv.DictReader(io.StringIO(text)))
    assert told["items"] == lines
    net = sum(
        Decimal(row["amount"]) * (1 if row["debit"] == "inventory_asset" else -1) for row in lines
    )
    absolute = sum(Decimal(row["amount"]) for row in lines)
    assert (str(net), str(absolute)) == (told["totals"]["net"], told["totals"]["absolute"])
    assert sorted(row["amount"] for row in lines) == ["1.01", "12.00", "2.00"]


@pytest.mark.anyio
async def test_accuracy_is_computed_again_from_its_exported_rows(floor: Floor, client):
    two_short_bins(floor)
    floor.stock("A-03")
    floor.count("ana", "A-03", {"S1": "10"}, at=clock("10:30"))
    lea = await signed_in(client, "lea")

    report = AccuracyReport.model_validate(
        (await client.get("/api/v1/reports/accuracy", headers=lea)).json()
    )
    text = (await client.get("/api/v1/reports/accuracy/rows?format=csv", headers=lea)).text

    rows = list(csv.DictReader(io.StringIO(text)))
    figures = {f.name: f for f in report.figures}
    exact = sum(row["exact"] == "1" for row in rows)
    error = sum(abs(Decimal(row["variance_low"])) for row in rows)
    book = sum(Decimal(row["book_high"]) for row in rows)
    assert (exact, len(rows)) == (1, 3)
    assert figures["ira_by_record_strict"].percent == "33.33"
    assert (figures["ira_by_unit"].hits, figures["ira_by_unit"].of) == (
        str(book - error),
        str(book),
    )
    assert (report.variance_net_units, report.variance_absolute_units) == ("-7", "7")
    assert (report.bins_counted, report.bins_total) == (3, 3)


@pytest.mark.anyio
async def test_proposals_that_were_followed_are_counted_and_reported(floor: Floor, client):
    """Two cases had a transfer on top; one was followed, the other rejected."""
    for short, over, sku in (("A-01", "A-02", "S1"), ("B-01", "B-02", "S2")):
        if sku != "S1":
            floor.sku(sku)
        for place, counted in ((short, "4"), (over, "16")):
            floor.stock(place, sku)
            floor.count("ana", place, {sku: counted}, at=clock("10:00"))
    lea = await signed_in(client, "lea")
    for place, body in (
        ("A-01", {"action": "transfer", "other_bin": "A-02", "proposal": "offsetting_transfer"}),
        ("B-01", {"action": "reject"}),
    ):
        case = floor.case(bin=place)
        answer = await client.post(
            f"/api/v1/exceptions/{case.case_id}/decisions",
            headers=lea,
            json={"decision_id": an_id(), **body},
        )
        assert answer.status_code == 200, answer.text

    told = (await client.get("/api/v1/reports/accuracy", headers=lea)).json()["proposals"]

    assert [(f["name"], f["hits"], f["of"], f["percent"]) for f in told] == [
        ("offsetting_transfer", "1", "2", "50.00")
    ]


@pytest.mark.anyio
async def test_tolerances_and_limits_go_out_and_come_in_as_csv_over_http(floor: Floor, client):
    lea = await signed_in(client, "lea")
    rule = dict.fromkeys(TOLERANCE_COLUMNS, "") | {"scope": "sku", "key": "S1", "units_minus": "2"}
    limit = dict.fromkeys(AUTHORITY_COLUMNS, "") | {"user_id": "sue", "approve_limit": "11.99"}
    for what, text in (
        ("tolerances", rows_csv([rule], TOLERANCE_COLUMNS)),
        ("authorities", rows_csv([limit], AUTHORITY_COLUMNS)),
    ):
        url = f"/api/v1/rules/{what}"
        sent = await client.post(
            url, headers={**lea, "content-type": "text/csv"}, content=text.encode()
        )
        assert (sent.status_code, sent.json()) == (200, {"rows": 1}), sent.text
        out = (await client.get(f"{url}?format=csv", headers=lea)).text
        back = await client.post(
            url,
            headers={**lea, "content-type": "text/csv"},
            content="\n".join(
                line for line in out.splitlines() if not line.startswith("lea,")
            ).encode(),
        )
        assert back.status_code == 200, back.text
        assert (await client.get(f"{url}?format=csv", headers=lea)).text == out

    limits = (await client.get("/api/v1/rules/authorities", headers=lea)).json()["items"]
    assert {row["user_id"]: row["approve_limit"] for row in limits}["sue"] == "11.99"


@pytest.mark.anyio
async def test_planned_tasks_are_listed_and_every_change_is_in_the_audit(floor: Floor, client):
    floor.bins("A-01", "A-02")
    sue = await signed_in(client, "sue")

    made = await client.post("/api/v1/tasks", headers=sue, json={"bins": ["A-01", "A-02"]})
    again = await client.post("/api/v1/tasks", headers=sue, json={"bins": ["A-01"]})
    unknown = await client.post("/api/v1/tasks", headers=sue, json={"bins": ["Z-99"]})
    listed = (await client.get("/api/v1/tasks?state=planned", headers=sue)).json()
    audit = (await client.get("/api/v1/audit?record=count_task&limit=1", headers=sue)).json()
    rest = (
        await client.get(
            f"/api/v1/audit?record=count_task&limit=1&cursor={audit['next_cursor']}", headers=sue
        )
    ).json()

    assert {TaskRow.model_validate(t).bin for t in made.json()} == {"A-01", "A-02"}
    assert again.json() == []
    assert unknown.json()["code"] == "unknown-bin"
    assert len(listed) == 2
    assert {audit["items"][0]["record_id"], rest["items"][0]["record_id"]} == {
        t["task_id"] for t in listed
    }


@pytest.mark.anyio
async def test_a_count_can_be_looked_at_by_its_reviewers(floor: Floor, client):
    floor.stock("A-01")
    count_id = floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    sue = await signed_in(client, "sue")

    told = (await client.get(f"/api/v1/counts/{count_id}", headers=sue)).json()

    assert (told["counted_by"], told["bin"], told["status"]) == ("ana", "A-01", "closed")
    assert told["lines"][0]["variance"] == {"low": "-6", "high": "-6"}
    assert told["cases"] == [{"case_id": floor.case().case_id, "used": True, "why_not_used": ""}]
