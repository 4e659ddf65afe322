"""Known mistakes, put back into the source, are noticed.

A run tries all of them, each in a process of its own; SEEDED_BUGS=4 tries so many, others each day.
"""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime

import pytest

from tests.simulation.seeded_bugs import all_bugs, applies, attempt

SEAMS = {f"F{number}" for number in range(1, 12)}
BUGS = all_bugs()
_WANTED = os.environ.get("SEEDED_BUGS", "all")
_TODAY = random.Random(datetime.now(UTC).date().isoformat())
SAMPLE = BUGS if _WANTED == "all" else _TODAY.sample(BUGS, int(_WANTED))


def test_every_seam_has_a_seeded_bug():
    assert {bug.seam for bug in BUGS} >= SEAMS
    assert len(BUGS) >= 24


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_still_fits_the_source(bug):
    assert applies(bug) == ""


@pytest.mark.slow
@pytest.mark.parametrize("bug", SAMPLE, ids=lambda bug: bug.name)
def test_a_seeded_bug_is_caught(bug):
    tried = attempt(bug)

    assert tried.is_caught, f"{bug.words}\n{tried.said}"
