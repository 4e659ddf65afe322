"""A program gets a key, uses it, and loses it."""

from __future__ import annotations

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from server.cli.main import app
from server.storage.tables_access import AccessHistoryRow, ApiKeyRow
from tests.support.desk import a_desk

runner = CliRunner()


@pytest.fixture
def desk(sqlite_database, monkeypatch):
    monkeypatch.setenv("BLINDCOUNT_DATABASE_URL", sqlite_database.url)
    return a_desk(sqlite_database, None)


def made(*words: str) -> str:
    outcome = runner.invoke(app, ["keys", "new", *words])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout.strip()


def asks(desk, key: str, path: str, method: str = "GET") -> int:
    return desk(method, path, headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_opens_what_its_role_may_until_it_is_revoked(desk, sqlite_database):
    key = made("erp")

    assert asks(desk, key, "/api/v1/exports/skus") == 200
    assert asks(desk, key, "/api/v1/exceptions") == 403
    assert runner.invoke(app, ["keys", "revoke", "erp"]).exit_code == 0
    assert asks(desk, key, "/api/v1/exports/skus") == 401
    with sqlite_database.read() as session:
        verbs = [row.verb for row in session.exec(select(AccessHistoryRow))]
        assert key not in {row.key_sha256 for row in session.exec(select(ApiKeyRow))}
    assert [v for v in verbs if v.startswith("key")] == ["key.made", "key.revoked"]


def test_an_auditors_program_reads_and_imports_nothing(desk):
    key = made("reports", "--role", "auditor")

    assert asks(desk, key, "/api/v1/exceptions") == 200
    assert asks(desk, key, "/api/v1/imports/skus", "POST") == 403


def test_no_key_can_be_made_that_decides(desk):
    outcome = runner.invoke(app, ["keys", "new", "boss", "--role", "supervisor"])

    assert outcome.exit_code == 2
    assert "supervisor" in outcome.output


def test_a_name_stands_for_one_key_at_a_time(desk):
    made("erp")
    again = runner.invoke(app, ["keys", "new", "erp"])

    assert again.exit_code == 1
    assert "blindcount keys revoke erp" in again.output
    runner.invoke(app, ["keys", "revoke", "erp"])
    made("erp")
    listed = runner.invoke(app, ["keys", "list"]).output
    assert (listed.count("erp"), listed.count("in use"), listed.count("revoked")) == (2, 1, 1)


def test_what_is_not_there_is_said(desk):
    assert "keys new" in runner.invoke(app, ["keys", "list"]).output
    outcome = runner.invoke(app, ["keys", "revoke", "nobody"])
    assert outcome.exit_code == 1
    assert "keys list" in outcome.output


@pytest.mark.parametrize("name", ["", " ", "two words", "a\nb", "x" * 65, "a/b"])
def test_a_name_that_cannot_be_typed_again_is_refused(desk, name: str):
    outcome = runner.invoke(app, ["keys", "new", name])

    assert outcome.exit_code == 1
    assert "no name for a key" in outcome.output
    assert "No keys yet" in runner.invoke(app, ["keys", "list"]).output
