"""Tryton 8.0: an inventory of 2,000 lines, one in ten different, entered and confirmed (SQLite)."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from tests.bench.peers.environments import HOME, INSIDE, run_inside, say, tryton_python
from tests.bench.peers.route import Route

LINES = 2_000
DIFFERENT = 200
SECONDS_MAX = 1800
_ROUTES = {
    "server_models": "server's models, one transaction",
    "proteus": "proteus, its client library, in the server's process",
}
_MODES = {"-O": ("asserts off (python -O)", 3), "": ("as installed", 1)}
"""Tryton asserts, for each record it makes, over all records read with it: quadratic in the lines.
Python's -O leaves asserts out and is several times faster at 2,000 lines, so it is tried too, with
more runs, since it is the one that is quoted. The number is how many runs follow the warm-up."""


def tryton_inventory(*, lines: int = LINES, different: int = DIFFERENT) -> list[Route]:
    """Seconds to enter and confirm such an inventory, by each route. Raises PeerMissingError.

    Not timed: making the database, filling the shelf, checking that the stock is what was counted.
    """
    python = tryton_python()
    routes = []
    for flag, (mode, rounds) in _MODES.items():
        say(f"Tryton, {mode}: {lines} lines, {different} different (some minutes) ...")
        taken = _measure(python, flag, [str(n) for n in (lines, different, rounds)])
        routes += [
            Route(what=f"{_ROUTES[name]}; {mode}", seconds=tuple(seconds))
            for name, seconds in taken.items()
        ]
    return routes


def _measure(python: Path, flag: str, sizes: list[str]) -> dict[str, list[float]]:
    """A new database in a folder that goes away, then the timed program."""
    with tempfile.TemporaryDirectory(dir=HOME) as folder:
        settings, secret = Path(folder, "trytond.conf"), Path(folder, "password")
        settings.write_text(f"[database]\nuri = sqlite://\npath = {folder}\n", encoding="utf-8")
        secret.write_text("only-for-the-benchmark", encoding="utf-8")
        Path(folder, "count.sqlite").touch()
        env = os.environ | {"TRYTOND_CONFIG": str(settings), "TRYTONPASSFILE": str(secret)}
        admin = [python.parent / "trytond-admin", "-c", settings, "-d", "count", "-u", "stock"]
        admin += ["--activate-dependencies", "--email", "bench@example.org"]
        run_inside("Tryton", admin, env, seconds_max=SECONDS_MAX)
        program = [python, *filter(None, [flag]), INSIDE / "tryton_inventory.py"]
        printed = run_inside(
            "Tryton", [*program, "sqlite:///count", *sizes], env, seconds_max=SECONDS_MAX
        )
        found: dict[str, list[float]] = json.loads(printed)
        return found
