"""Records over the API: imported in one answer, read page by page, and never by somebody who counts."""

from __future__ import annotations

import io

import openpyxl
import pytest

from app.contract.vocabulary import Role
from server.api import imports
from server.api.paging import encode_cursor
from tests.support.desk import a_desk
from tests.support.imports import (
    BINS,
    HEADERS,
    PICK,
    RECEIPT,
    SKUS,
    import_rows,
    make_site,
)

CSV = {"Content-Type": "text/csv"}
ORDER = "order,991,promised,sales,Ms Bell,2026-11-25T12:00:00Z,S-1,5,4.99,EUR"
RESERVE = "m-3,2026-11-20T10:00:00Z,reserve,S-1,,,5,,A-01-01,available,A-01-01,reserved,order/991"
READS = (
    "/api/v1/stock",
    "/api/v1/movements",
    "/api/v1/orders",
    "/api/v1/orders/991",
    "/api/v1/purchase-orders",
    "/api/v1/shipments",
    "/api/v1/returns",
    "/api/v1/payouts",
    "/api/v1/history/bin/A-01-01",
    "/api/v1/imports",
)


def csv_of(kind, *rows):
    return "\n".join([HEADERS[kind], *rows, ""]).encode()


@pytest.fixture
def desk(database, tmp_path):
    make_site(database, tmp_path)
    import_rows(database, tmp_path, "documents", ORDER)
    import_rows(database, tmp_path, "movements", RECEIPT, PICK, RESERVE)
    return a_desk(database, Role.INTEGRATOR)


def test_stock_is_read_as_of_any_instant(desk):
    now = desk("GET", "/api/v1/stock", params={"bin": "A-01-01"}).json()
    then = desk("GET", "/api/v1/stock", params={"as_of": "2026-11-20T09:00:00+01:00"}).json()

    assert [(r["sku"], r["state"], r["quantity"]) for r in now["items"]] == [
        ("S-1", "available", "16"),
        ("S-1", "reserved", "5"),
    ]
    assert [(r["bin"], r["quantity"]) for r in then["items"]] == [("A-01-01", "24")]


def test_pages_neither_skip_nor_repeat(desk):
    for path, key in (("movements", "movement_id"), ("stock", "state")):
        seen, cursor = [], None
        while True:
            params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
            page = desk("GET", f"/api/v1/{path}", params=params).json()
            seen += [row[key] for row in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        whole = desk("GET", f"/api/v1/{path}").json()["items"]
        assert seen == [row[key] for row in whole]
        assert len(seen) == len(set(seen)) >= 2


@pytest.mark.parametrize(
    ("params", "ids"),
    [
        ({"bin": "A-01-01"}, ["m-1", "m-3", "m-2"]),
        ({"bin": "A-01-02"}, []),
        ({"sku": "S-1", "since": "2026-11-21T00:00:00Z"}, ["m-2"]),
        ({"until": "2026-11-20T10:00:00Z"}, ["m-1", "m-3"]),
        ({"document": "order/991"}, ["m-3", "m-2"]),
    ],
)
def test_movements_are_filtered(desk, params, ids):
    page = desk("GET", "/api/v1/movements", params=params).json()

    assert [row["movement_id"] for row in page["items"]] == ids


def test_an_order_shows_what_was_promised_and_what_became_of_it(desk):
    order = desk("GET", "/api/v1/orders/991").json()

    assert (order["state"], order["party"]) == ("promised", "Ms Bell")
    assert order["lines"] == [
        {
            "line": "S-1", "sku": "S-1", "quantity": "5", "price": "4.99",
            "promised_at": "2026-11-25T12:00:00Z", "reserved": "5", "picked": "3", "packed": "3",
            "shipped": "3", "returned": "0", "received": "0",
        }
    ]  # fmt: skip
    assert desk("GET", "/api/v1/orders", params={"state": "shipped"}).json()["items"] == []
    assert desk("GET", "/api/v1/orders/12").json()["code"] == "not-found"


@pytest.mark.parametrize(("sku", "numbers"), [("S-1", ["991"]), ("S-2", [])])
def test_promises_of_a_sku_are_read_beside_its_stock(desk, sku, numbers):
    orders = desk("GET", "/api/v1/orders", params={"sku": sku}).json()["items"]
    stock = desk("GET", "/api/v1/stock", params={"sku": sku}).json()["items"]

    assert [order["number"] for order in orders] == numbers
    assert [row["quantity"] for row in stock] == (["16", "5"] if numbers else [])


def test_the_history_names_who_and_through_what(desk):
    (made,) = desk("GET", "/api/v1/history/order/991").json()

    assert (made["actor"], made["event"], made["to_state"]) == ("erp", "create", "promised")
    assert made["via"].startswith("import/")


@pytest.mark.parametrize("path", READS)
def test_nobody_who_counts_may_read_what_is_on_book(sqlite_database, path):
    assert a_desk(sqlite_database, Role.COUNTER)("GET", path).status_code == 403
    assert a_desk(sqlite_database, None)("GET", path).status_code == 401


def test_a_counter_may_not_import(sqlite_database):
    answer = a_desk(sqlite_database, Role.COUNTER)(
        "POST", "/api/v1/imports/bins", content=csv_of("bins", *BINS), headers=CSV
    )

    assert answer.status_code == 403


def test_csv_json_and_workbooks_are_imported_alike(database):
    ask = a_desk(database, Role.INTEGRATOR)
    book = openpyxl.Workbook()
    for line in [HEADERS["movements"], RECEIPT.replace("24", "7")]:
        book.active.append(line.split(","))
    buffer = io.BytesIO()
    book.save(buffer)
    bins = [dict(zip(HEADERS["bins"].split(","), row.split(","), strict=True)) for row in BINS]

    answers = [
        ask("POST", "/api/v1/imports/bins", json={"rows": bins}),
        ask("POST", "/api/v1/imports/skus", content=csv_of("skus", *SKUS), headers=CSV),
        ask(
            "POST",
            "/api/v1/imports/movements",
            content=buffer.getvalue(),
            headers={
                "Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            },
        ),
    ]

    assert [(a.status_code, a.json()["created"]) for a in answers] == [(200, 2), (200, 4), (200, 1)]
    stock = ask("GET", "/api/v1/stock", params={"sku": "S-1"}).json()["items"]
    assert [(row["bin"], row["quantity"]) for row in stock] == [("A-01-01", "7")]
    kept = ask("GET", f"/api/v1/imports/{answers[2].json()['import_id']}").json()
    assert kept == answers[2].json()
    assert len(ask("GET", "/api/v1/imports").json()) == 3


def test_a_body_over_the_limit_is_refused_while_it_arrives(sqlite_database, monkeypatch):
    monkeypatch.setattr(imports, "BODY_BYTES_MAX", 50)
    ask = a_desk(sqlite_database, Role.INTEGRATOR)

    answer = ask("POST", "/api/v1/imports/bins", content=csv_of("bins", *BINS), headers=CSV)

    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert ask("GET", "/api/v1/imports").json() == []


def test_every_wrong_row_is_in_the_one_answer(database, tmp_path):
    make_site(database, tmp_path)
    ask = a_desk(database, Role.INTEGRATOR)
    rows = csv_of("movements", RECEIPT, RECEIPT.replace("m-1", "m-2").replace("S-1", "S-9"), "x,y")

    refused = ask("POST", "/api/v1/imports/movements", content=rows, headers=CSV)
    dry = ask("POST", "/api/v1/imports/movements?dry_run=true", content=rows, headers=CSV)

    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "import-refused"
    errors = refused.json()["report"]["errors"]
    assert ("sku", "unknown-sku") in {(e["column"], e["code"]) for e in errors if e["line"] == 3}
    assert {e["line"] for e in errors} == {3, 4}
    assert dry.status_code == 200
    assert dry.json()["errors"] == errors
    assert ask("GET", "/api/v1/movements").json()["items"] == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"content": b"", "headers": CSV}, "file-unreadable"),
        ({"content": b"PK\x03\x04", "headers": CSV}, "file-unreadable"),
        ({"content": b"x", "headers": {"Content-Type": "image/png"}}, "request-invalid"),
        ({"content": b"bin\nA\n", "headers": CSV, "params": {"mapping": "{"}}, "request-invalid"),
        (
            {"content": b"bin\nA\n", "headers": CSV, "params": {"mapping": '{"colums": {}}'}},
            "file-unreadable",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_code(sqlite_database, options, code):
    answer = a_desk(sqlite_database, Role.LEAD)("POST", "/api/v1/imports/bins", **options)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("cursor", ["x", "%%%", encode_cursor((1, 2)), encode_cursor(("a",))])
def test_a_cursor_that_was_not_given_is_refused(sqlite_database, cursor):
    answer = a_desk(sqlite_database, Role.LEAD)(
        "GET", "/api/v1/movements", params={"cursor": cursor}
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "request-invalid")
