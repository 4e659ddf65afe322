"""`python -m tests.kills --kills 200` kills real processes under load; `--seed N` replays one plan."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.kills.killing import Killed, kill_and_compare

KILLS_OF_A_SEED = 25


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many SIGKILLs in all")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this one, with all the kills")
    options = parser.parse_args()
    began, results = time.monotonic(), []
    only = options.seed is not None
    rounds = 1 if only else -(-options.kills // KILLS_OF_A_SEED)
    for number in range(rounds):
        seed = options.seed if only else options.first + number
        kills = options.kills if only else KILLS_OF_A_SEED
        results.append(_tell(seed, kills, began))
    seconds = time.monotonic() - began
    failed = [r for r in results if r.found]
    print(
        f"{sum(r.devices for r in results)} SIGKILLs of devices and"
        f" {sum(r.servers for r in results)} of the server, {sum(r.events for r in results)} events"
        f" in {seconds:.0f} s; {len(failed)} of {len(results)} plans failed"
    )
    return 1 if failed else 0


def _tell(seed: int, kills: int, began: float) -> Killed:
    def tell(words: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  seed {seed}: {words}", flush=True)

    with tempfile.TemporaryDirectory(prefix="blindcount-kills-") as folder:
        result = kill_and_compare(seed, Path(folder), kills, tell)
    if result.found:
        print(f"FAILED {result.command}\n    " + "\n    ".join(result.found[:10]), flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
