"""The house rules that a reviewer would otherwise have to remember."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
SOURCES = sorted(
    p
    for top in ("app", "server")
    for p in (ROOT / top).rglob("*.py")
    # A migration is a list of statements, kept for ever as it was released.
    if "migrations/versions" not in p.as_posix()
)
BANNED_NAMES = re.compile(r"(^|_)(manager|helper|helpers|utils|misc)(_|$|\.py$)")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_file_holds_one_idea_and_its_functions_fit_a_screen(path: Path):
    text = path.read_text(encoding="utf-8")
    functions = [
        n
        for n in ast.walk(ast.parse(text))
        if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= FUNCTION_LINES_MAX]

    assert len(text.splitlines()) <= FILE_LINES_MAX
    assert not long or "migrations/versions" in path.as_posix()  # as long as the schema is
    assert not BANNED_NAMES.search(path.name)


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.read_text(encoding="utf-8").strip()], ids=_name
)
def test_a_module_opens_by_saying_what_lives_in_it(path: Path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_no_quantity_is_defaulted_by_or():
    pattern = re.compile(r"\b(quantity|counted|variance|factor)\b[\w.\[\]()]* or (0|1|Decimal)")
    guilty = [_name(p) for p in SOURCES if pattern.search(p.read_text(encoding="utf-8"))]

    assert guilty == []


def test_clocks_and_randomness_are_read_at_the_rim_only():
    rim = (
        "server/clock.py",
        "app/store/clock.py",
        "app/client.py",
        "server/cli/",
        "app/scanner/camera.py",
    )
    pattern = re.compile(r"\b(datetime\.now|datetime\.utcnow|time\.time|uuid\.uuid4|uuid4)\(")
    guilty = [
        _name(p)
        for p in SOURCES
        if pattern.search(p.read_text(encoding="utf-8")) and not _name(p).startswith(rim)
    ]

    assert guilty == []


def test_the_phone_pins_are_the_same_for_the_build_and_for_the_tests():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = (ROOT / "constraints/mobile.txt").read_text(encoding="utf-8").splitlines()
    pins = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    flet = project["tool"]["flet"]

    assert set(flet["android"]["dependencies"]) == set(flet["ios"]["dependencies"])
    assert set(flet["android"]["dependencies"]) <= pins
    assert {d for d in project["project"]["dependencies"] if d.startswith("flet")} <= pins


def test_the_top_level_stays_as_it_is():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.fail("the tests run from a git checkout: git ls-files failed here")
    tops = {line.split("/", 1)[0] for line in listed.stdout.splitlines()}

    assert tops <= {
        ".ci",
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "app",
        "constraints",
        "docs",
        "pyproject.toml",
        "server",
        "tests",
    }


def test_every_document_named_in_a_document_is_there():
    missing = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                missing.append(f"{page.name} -> {target}")

    assert missing == []
