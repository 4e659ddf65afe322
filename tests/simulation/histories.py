"""Running histories: one, one twice, or thousands over all cores."""

from __future__ import annotations

import atexit
import logging
import multiprocessing
import shutil
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.templates import fast_folder, make_templates, shared_sql
from tests.simulation.virtual import without_collector, without_threads
from tests.simulation.world import World

EXPECTED = ("the store refused", "cannot be read")
"""Errors of the log that a fault causes; anything else at that level is a bug in the program."""
_templates: list[Path] = []


@dataclass(frozen=True, slots=True)
class Story:
    """What came of one seed."""

    seed: int
    trace_sha256: str
    events: int
    requests: int
    failure: str = ""
    trace: tuple[str, ...] = ()
    is_brief: bool = False

    @property
    def command(self) -> str:
        """Replays it."""
        brief = " --brief" if self.is_brief else ""
        return f"python -m tests.simulation --seed {self.seed}{brief} --trace"


class _Errors(logging.Handler):
    """Whatever the program logs as an error is a failure of the history."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        words = record.getMessage()
        if words.startswith(EXPECTED):
            return
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and self._world.server.expected_500 and "disk I/O" in str(error):
            return
        lines = traceback.format_exception(error) if error else []
        self._world.checks.violated(f"logged: {words} {''.join(lines)[-1500:]}")


def tell(seed: int, *, keep_trace: bool = False, is_brief: bool = False) -> Story:
    """Live through the seed's history once, or through the brief one of that seed."""
    templates = _the_templates()
    folder = fast_folder()
    world = World(seed, folder, templates, keep_trace, is_brief=is_brief)
    handler = _Errors(world)
    log = logging.getLogger("blindcount")
    log.addHandler(handler)
    log.propagate = False
    failure = ""
    try:
        with without_threads(), shared_sql(), without_collector():
            world.run()
    except Exception as error:
        failure = f"{error}" if isinstance(error, AssertionError) else traceback.format_exc()
        failure = failure or traceback.format_exc()
    finally:
        log.removeHandler(handler)
        shutil.rmtree(folder, ignore_errors=True)
    return Story(
        seed=seed,
        trace_sha256=world.trace_sha256,
        events=len(world.recorded),
        requests=world.requests,
        failure=failure,
        trace=tuple(world.trace),
        is_brief=is_brief,
    )


def _the_templates() -> Path:
    if not _templates:
        folder = fast_folder()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        make_templates(folder)
        _templates.append(folder)
    return _templates[0]


def tell_twice(seed: int, *, is_brief: bool = False) -> Story:
    """The same seed twice: the same history, or the simulation itself is broken."""
    first, second = tell(seed, is_brief=is_brief), tell(seed, is_brief=is_brief)
    if first.trace_sha256 == second.trace_sha256 or first.failure:
        return first
    traces = [tell(seed, keep_trace=True, is_brief=is_brief).trace for _ in range(2)]
    differ = [(a, b) for a, b in zip(*traces, strict=False) if a != b]
    return Story(
        seed=seed,
        trace_sha256=first.trace_sha256,
        events=first.events,
        requests=first.requests,
        failure=f"not repeatable: {differ[:1]}",
        is_brief=is_brief,
    )


def _start_worker(templates: Path) -> None:
    _templates[:] = [templates]


def tell_one(seed: int, *, is_twice: bool, is_brief: bool) -> Story:
    """Once or twice."""
    return tell_twice(seed, is_brief=is_brief) if is_twice else tell(seed, is_brief=is_brief)


def _tell_many(task: tuple[int, bool, bool]) -> Story:
    seed, is_twice, is_brief = task
    return tell_one(seed, is_twice=is_twice, is_brief=is_brief)


def tell_all(
    seeds: Sequence[int], *, jobs: int, twice_every: int = 1, whole_every: int = 1
) -> Iterator[Story]:
    """Histories of the seeds over processes, as they finish.

    Every `twice_every`-th seed is lived twice; every `whole_every`-th is lived whole, the others briefly.
    """
    tasks = [(s, bool(twice_every) and s % twice_every == 0, s % whole_every != 0) for s in seeds]
    if jobs == 1:
        yield from map(_tell_many, tasks)
        return
    templates = fast_folder()
    try:
        make_templates(templates)
        context = multiprocessing.get_context("spawn")
        with context.Pool(jobs, _start_worker, (templates,)) as pool:
            yield from pool.imap_unordered(_tell_many, tasks, chunksize=8)
    finally:
        shutil.rmtree(templates, ignore_errors=True)


def now() -> float:
    """Seconds for measuring how fast histories are, never used within one."""
    return time.perf_counter()
