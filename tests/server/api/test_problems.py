"""A failure of our own is a problem document that says which line of the log tells more."""

from __future__ import annotations

import logging

from fastapi.testclient import TestClient

from app.contract.problems import CATALOGUE
from server.main import create_app
from server.settings import Settings
from tests.support.rim import a_rim


def _failing(database, seed):
    app = create_app(Settings(database_url=database.url), database=database, rim=a_rim(seed=seed))

    @app.get("/fails")
    def fails() -> None:
        raise RuntimeError("a bug")

    return TestClient(app, raise_server_exceptions=False)


def test_a_failure_names_the_line_of_the_log(sqlite_database, caplog):
    with caplog.at_level(logging.ERROR, "blindcount.api"):
        answer = _failing(sqlite_database, 1).get("/fails")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.json()["ref"] in caplog.text
    assert answer.json()["ref"] in answer.json()["detail"]
    assert "a bug" not in answer.text


def test_the_reference_is_of_the_servers_own_randomness(sqlite_database):
    refs = [_failing(sqlite_database, seed).get("/fails").json()["ref"] for seed in (1, 1, 2)]

    assert refs[0] == refs[1] != refs[2]


def test_a_wrong_address_or_method_has_a_code_and_says_where_to_look(sqlite_database):
    caller = _failing(sqlite_database, 1)
    unknown, method = caller.get("/api/v1/nothing"), caller.delete("/api/v1/stock")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "address-unknown")
    assert unknown.json()["detail"].startswith("GET /api/v1/nothing is no address")
    assert (method.status_code, method.json()["code"]) == (405, "method-unknown")
    assert "/docs" in method.json()["detail"]


def test_no_title_of_a_problem_has_a_hole():
    assert [p.code for p in CATALOGUE.values() if "{" in p.title] == []
