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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "bins", "bins.csv", "--errors", "gone/e.csv"), "gone/e.csv cannot be written"),
        (("import", "bins", "bins.csv", "--mapping", "gone.toml"), "mapping file gone.toml"),
        (("export", "bins", "gone/bins.csv"), "gone/bins.csv cannot be written"),
        (("export", "bins", "taken"), "taken cannot be written"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(run, tmp_path, monkeypatch, words, said):
    write_rows(tmp_path / "bins.csv", "bins", BINS)
    (tmp_path / "taken").mkdir()
    monkeypatch.chdir(tmp_path)
    run("import", "bins", "bins.csv")

    result = run(*words)

    assert result.exit_code == 1
    assert said in " ".join(result.output.split())
    assert [path.name for path in tmp_path.glob("*.part")] == []


@pytest.mark.parametrize(
    "case",
    [
        ("sqlite:///gone/x.sqlite", "gone/x.sqlite"),
        ("sqlite:///no.sqlite", "file is not a database"),
        ("nonsense", "Could not parse"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/x", "Connection refused"),
    ],
)
@pytest.mark.parametrize(
    "words", [("verify",), ("export", "bins", "x.csv"), ("import", "bins", "b")]
)
def test_a_database_that_cannot_be_opened_is_named_without_its_password(
    run, tmp_path, monkeypatch, words, case
):
    url, said = case
    (tmp_path / "no.sqlite").write_text("no database\n" * 100)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLINDCOUNT_DATABASE_URL", url)

    result = run(*words)

    assert result.exit_code == 1
    assert "BLINDCOUNT_DATABASE_URL names cannot be opened" in result.output
    assert said in result.output
    assert "secret" not in result.output


def test_the_help_names_every_column(run):
    text = " ".join(run("import", "--help").output.split())

    for column in ("walk_order", "abc_class", "as_of", "from_state", "promised_at"):
        assert column in text
    for word in ("quarantined", "pallet", "serial", "purchase_order", "retired", "@shrink"):
        assert word in text
    assert '[columns] quantity = "Menge"' in text
