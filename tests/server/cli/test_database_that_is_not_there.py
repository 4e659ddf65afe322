"""A wrong file name is not an empty warehouse: what only looks makes no database."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from server.cli.main import app
from server.storage.engine import with_driver

runner = CliRunner()


@pytest.mark.parametrize(
    "command",
    [["verify"], ["export", "bins", "out.csv"], ["labels", "out.pdf"]],
    ids=lambda c: c[0],
)
def test_a_command_that_looks_refuses_a_file_that_is_not_there(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLINDCOUNT_DATABASE_URL", f"sqlite:///{tmp_path / 'typo.sqlite'}")

    outcome = runner.invoke(app, command)

    assert outcome.exit_code == 1
    assert "typo.sqlite" in outcome.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://a@h/d", "postgresql+psycopg://a@h/d"),
        ("postgresql://a@h/d", "postgresql+psycopg://a@h/d"),
        ("postgresql+psycopg://a@h/d", "postgresql+psycopg://a@h/d"),
        ("sqlite:///f.sqlite", "sqlite:///f.sqlite"),
    ],
)
def test_a_url_as_hosts_hand_it_out_gets_the_driver_that_is_here(given, used):
    assert with_driver(given) == used
