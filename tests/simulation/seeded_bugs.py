"""The proof of the proof: known mistakes, put into a copy of the source, must each be caught.

Each file of bugs/ is a patch with a head: its seam (F1 to F11 of docs/reliability.md), the mistake in
words, and who catches it: the simulation within HISTORIES_MAX histories, or a named test. A seed in
the head names a history that is known to catch it and is tried first: a process of its own, and one
history. `python -m tests.simulation.seeded_bugs [name ...]` tries all of them, or those named; with
`--hunt` without the known seeds, and says which seed was the first to notice.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATCHES = Path(__file__).parent / "bugs"
HISTORIES_MAX = 1000
"""A mistake that survives so many is a hole in the proof."""
SECONDS_MAX = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededBug:
    """One mistake."""

    name: str
    seam: str
    words: str
    caught_by: str
    seed: str
    """Options that live one history known to catch it; "" when none is known."""
    patch: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of it."""

    bug: SeededBug
    is_caught: bool
    seconds: float
    said: str


def all_bugs() -> list[SeededBug]:
    """Every patch, by name."""
    return [_read(path) for path in sorted(PATCHES.glob("*.patch"))]


def _read(path: Path) -> SeededBug:
    head = path.read_text("utf-8").split("\n\n", 1)[0]
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    return SeededBug(
        name=path.stem,
        seam=fields["Seam"],
        words=fields["Bug"],
        caught_by=fields["Caught-By"],
        seed=fields.get("Seed", ""),
        patch=path,
    )


def applies(bug: SeededBug) -> str:
    """ "" when the patch fits the source as it is now, else git's complaint."""
    command = ["git", "apply", "--check", "--recount", str(bug.patch)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    ).stderr.strip()


def attempt(bug: SeededBug, *, is_hunt: bool = False) -> Attempt:
    """Make the mistake in a copy of the source and run what must notice it.

    is_hunt: through many histories, whether or not one is known to catch it.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix=f"bug-{bug.name}-") as folder:
        copy = Path(folder)
        for part in ("app", "server", "tests"):
            ignore = shutil.ignore_patterns("__pycache__", "*.png", "*.jpg", "assets")
            shutil.copytree(ROOT / part, copy / part, ignore=ignore)
        shutil.copyfile(ROOT / "pyproject.toml", copy / "pyproject.toml")
        subprocess.run(["git", "apply", "--recount", str(bug.patch)], cwd=copy, check=True)
        found, said = False, ""
        for command in _commands(bug, is_hunt=is_hunt):
            found, said = _notices(command, copy)
            if found:
                break  # else the known history has changed meanwhile: hunt
    return Attempt(bug=bug, is_caught=found, seconds=time.perf_counter() - began, said=said[-3000:])


def _notices(command: list[str], copy: Path) -> tuple[bool, str]:
    """Whether it fails in the copy, and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=copy,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    found = "FAILED" in done.stdout and done.returncode == 1
    return found, (done.stdout + done.stderr).strip()


def _commands(bug: SeededBug, *, is_hunt: bool) -> list[list[str]]:
    """What to run, one after the other until one notices."""
    if bug.caught_by != "simulation":
        return [["pytest", "-x", "-q", "-p", "no:cacheprovider", bug.caught_by]]
    options = ["--count", str(HISTORIES_MAX), "--jobs", "1", "--twice-every", "0", "--stop"]
    hunt = ["tests.simulation", *options, "--whole-every", "4"]
    known = ["tests.simulation", *bug.seed.split()]
    return [known, hunt] if bug.seed and not is_hunt else [hunt]


def main() -> int:
    wanted = set(sys.argv[1:]) - {"--hunt"}
    is_hunt = "--hunt" in sys.argv
    bugs = [bug for bug in all_bugs() if not wanted or bug.name in wanted]
    survivors = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for tried in pool.map(partial(attempt, is_hunt=is_hunt), bugs):
            word = "caught" if tried.is_caught else "SURVIVED"
            first = tried.said.partition("\n")[0] if is_hunt else ""
            print(f"{word:9} {tried.seconds:6.1f} s  {tried.bug.name}  {first}", flush=True)
            if not tried.is_caught:
                survivors.append(tried)
    for tried in survivors:
        print(f"--- {tried.bug.name}: {tried.bug.words}\n{tried.said}")
    print(f"{len(bugs) - len(survivors)} of {len(bugs)} caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
