"""Which histories a run of the tests lives through, in shares that several processes can take.

SIMULATION_HISTORIES seeds (2,000 unless told), beginning at SIMULATION_FIRST. Most are lived in their
brief form, every SIMULATION_WHOLE_EVERY-th whole; all of them twice (every SIMULATION_TWICE_EVERY-th,
if told), and both times must leave the same trace. `make soak` lives all of them whole.
"""

from __future__ import annotations

import os

from tests.simulation.histories import Story, tell_one

HISTORIES = int(os.environ.get("SIMULATION_HISTORIES", "2000"))
FIRST = int(os.environ.get("SIMULATION_FIRST", "0"))
TWICE_EVERY = int(os.environ.get("SIMULATION_TWICE_EVERY", "1"))
WHOLE_EVERY = int(os.environ.get("SIMULATION_WHOLE_EVERY", "20"))
FILES = 4
"""A file's tests stay in one process: as many files as processes."""
CHUNK = 25
"""Seeds of one test."""


def share(number: int) -> list[range]:
    """The seeds of one of the FILES, test by test."""
    last = FIRST + HISTORIES
    chunks = [range(at, min(at + CHUNK, last)) for at in range(FIRST, last, CHUNK)]
    return chunks[number::FILES]


def live_through(seeds: range) -> None:
    """Raises AssertionError naming each seed that went wrong and the command that replays it."""
    stories = [
        tell_one(
            seed,
            is_twice=bool(TWICE_EVERY) and seed % TWICE_EVERY == 0,
            is_brief=seed % WHOLE_EVERY != 0,
        )
        for seed in seeds
    ]
    assert not any(story.failure for story in stories), _replays(stories)
    counted = sum(story.events for story in stories)
    assert counted > len(seeds), "histories in which nothing is counted prove nothing"


def _replays(stories: list[Story]) -> str:
    failed = [story for story in stories if story.failure]
    replays = [f"{story.command}\n    {story.failure[:600]}" for story in failed[:5]]
    return "\n".join([f"{len(failed)} of {len(stories)} histories went wrong:", *replays])
