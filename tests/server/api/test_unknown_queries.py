"""A misspelt parameter is refused in words; the sync protocol lets newer devices say more."""

from __future__ import annotations

from app.contract.vocabulary import Role
from tests.support.desk import a_desk


def test_a_misspelt_parameter_is_named_with_those_there_are(database):
    answer = a_desk(database, Role.INTEGRATOR)("GET", "/api/v1/stock", params={"bins": "A-01"})

    assert answer.status_code == 422
    assert answer.json()["code"] == "request-invalid"
    assert "bins" in answer.json()["detail"]
    assert "bin" in answer.json()["detail"].rpartition("it has: ")[2].partition(".")[0].split(", ")


def test_what_is_spelt_right_is_answered(database):
    ask = a_desk(database, Role.INTEGRATOR)

    assert ask("GET", "/api/v1/stock", params={"limit": 5}).status_code == 200
    assert ask("GET", "/api/v1/stock").status_code == 200


def test_an_address_without_parameters_says_so(database):
    answer = a_desk(database, Role.LEAD)("GET", "/api/v1/devices", params={"x": 1})

    assert answer.status_code == 422
    assert "it has: none" in answer.json()["detail"]


def test_a_newer_device_may_say_more(database):
    assert a_desk(database, None)("GET", "/sync/v1/hello", params={"x": 1}).status_code == 200
