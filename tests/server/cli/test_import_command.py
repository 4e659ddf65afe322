"""`blindcount import` takes a good file, names what is wrong in a bad one, and says so by its exit code."""

from __future__ import annotations

import csv

import pytest
from typer.testing import CliRunner

from server.cli.main import app
from tests.support.imports import BINS, SKUS, write_rows


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("BLINDCOUNT_DATABASE_URL", f"sqlite:///{tmp_path / 'cli.sqlite'}")
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(word) for word in words])


def test_a_good_file_is_imported_once(run, tmp_path):
    path = write_rows(tmp_path / "bins.csv", "bins", BINS)

    first, again = run("import", "bins", path), run("import", "bins", path)

    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "2 were new" in first.output
    assert "2 known already" in again.output


def test_every_wrong_row_goes_to_the_file_of_errors(run, tmp_path):
    wrong = [f"main,A,01,01,1,A-01-{n:02},,cellar,1" for n in range(60)]
    path = write_rows(tmp_path / "bins.csv", "bins", wrong)

    result = run("import", "bins", path, "--errors", tmp_path / "wrong.csv")

    assert result.exit_code == 1
    assert "nothing was imported" in result.output
    with (tmp_path / "wrong.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["column"], row["code"]) for row in rows] == [
        (str(line), "kind", "value-not-in-list") for line in range(2, 62)
    ]


def test_a_dry_run_keeps_nothing(run, tmp_path):
    path = write_rows(tmp_path / "skus.csv", "skus", SKUS)

    dry, real = run("import", "skus", path, "--dry-run"), run("import", "skus", path)

    assert (dry.exit_code, real.exit_code) == (0, 0)
    assert "4 would be new" in dry.output
    assert "4 were new" in real.output


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("e.csv", b"", "is empty"), ("x.xlsx", b"bin\nA-1\n", "is not what its name says")],
)
def test_a_file_that_cannot_be_read_is_named(run, tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)

    result = run("import", "bins", tmp_path / name)

    assert result.exit_code == 1
    assert words in result.output.replace("\n", " ")


def test_the_help_names_every_column(run):
    text = " ".join(run("import", "--help").output.split())

    for column in ("walk_order", "abc_class", "as_of", "from_state", "promised_at"):
        assert column in text
