"""`python -m tests.simulation --seed N` replays one history; `--count N` lives through many."""

from __future__ import annotations

import argparse
import os
import sys

from tests.simulation.histories import now, tell, tell_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="live through this one")
    parser.add_argument("--brief", action="store_true", help="with --seed: its brief history")
    parser.add_argument("--trace", action="store_true", help="with --seed: every step of it")
    parser.add_argument("--count", type=int, default=100, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--twice-every", type=int, default=1, help="live every n-th seed twice")
    parser.add_argument("--whole-every", type=int, default=1, help="live others briefly")
    parser.add_argument("--stop", action="store_true", help="end at the first failure")
    options = parser.parse_args()
    if options.seed is not None:
        return _one(options.seed, trace=options.trace, is_brief=options.brief)
    return _many(options)


def _one(seed: int, *, trace: bool, is_brief: bool) -> int:
    story = tell(seed, keep_trace=trace, is_brief=is_brief)
    for line in story.trace:
        print(line)
    words = story.failure or "everything holds"
    if story.failure:
        print(f"FAILED {story.command}")
    print(f"seed {seed}: {story.events} events, {story.requests} requests; {words}")
    return 1 if story.failure else 0


def _many(options: argparse.Namespace) -> int:
    seeds = range(options.first, options.first + options.count)
    began, told, events, requests, failed = now(), 0, 0, 0, 0
    for story in tell_all(
        seeds, jobs=options.jobs, twice_every=options.twice_every, whole_every=options.whole_every
    ):
        told, events, requests = told + 1, events + story.events, requests + story.requests
        if story.failure:
            failed += 1
            print(f"FAILED {story.command}\n    {story.failure}", flush=True)
            if options.stop:
                break
    seconds = now() - began
    print(
        f"{told} histories, {events} events, {requests} requests in {seconds:.1f} s"
        f" ({told / seconds:.1f} a second); {failed} failed"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
