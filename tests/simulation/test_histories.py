"""Whatever befalls devices, network and server, no count is lost, doubled or altered.

How many histories: SIMULATION_HISTORIES (100 unless told), over SIMULATION_JOBS processes. The seeds
of a run begin at SIMULATION_FIRST. Every tenth is lived twice here, and all of them are lived
whole (SIMULATION_WHOLE_EVERY lives others briefly); in `make soak` all twice.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.histories import now, tell, tell_all, tell_twice

HISTORIES = int(os.environ.get("SIMULATION_HISTORIES", "100"))
FIRST = int(os.environ.get("SIMULATION_FIRST", "0"))
JOBS = int(os.environ.get("SIMULATION_JOBS", str(os.cpu_count() or 1)))
TWICE_EVERY = int(os.environ.get("SIMULATION_TWICE_EVERY", "10"))
WHOLE_EVERY = int(os.environ.get("SIMULATION_WHOLE_EVERY", "1"))


@pytest.mark.slow
def test_whatever_happens_no_count_is_lost_doubled_or_altered(record_property, capsys):
    began, events, requests, failed = now(), 0, 0, []
    seeds = range(FIRST, FIRST + HISTORIES)
    told = tell_all(seeds, jobs=JOBS, twice_every=TWICE_EVERY, whole_every=WHOLE_EVERY)
    for story in told:
        events, requests = events + story.events, requests + story.requests
        if story.failure:
            failed.append(story)
    words = f"{HISTORIES} histories, {events} events, {requests} requests, {now() - began:.0f} s"
    record_property("simulation", words)
    with capsys.disabled():
        print(f"\n    {words}")

    replays = "\n".join(f"{s.command}\n    {s.failure[:600]}" for s in failed[:5])
    assert not failed, f"{len(failed)} of {HISTORIES} histories went wrong:\n{replays}"
    assert events > HISTORIES, "histories in which nothing is counted prove nothing"


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(28, id="a rescue brought what was held under the other copy's name"),
        pytest.param(657, id="two copies went on with one bin, so a number stood twice"),
        pytest.param(1080, id="a copy's confirmed counts were lost with a restored server"),
    ],
)
def test_what_once_went_wrong_goes_well(seed):
    assert not tell(seed).failure


@pytest.mark.parametrize("seed", [159, 1018])
def test_a_device_that_fetches_everything_anew_is_not_called_settled(seed):
    assert not tell(seed, is_brief=True).failure


@pytest.mark.parametrize("seed", [550, 890])
def test_a_server_whose_disk_fails_answers_the_same_when_it_happens_again(seed):
    assert not tell_twice(seed).failure


@pytest.mark.parametrize("seed", [3, 9])
def test_a_seed_tells_the_same_history_again(seed):
    assert not tell_twice(seed).failure


def test_a_seed_tells_the_same_history_in_another_process():
    command = [sys.executable, "-m", "tests.simulation", "--seed", "6", "--trace"]
    traces = [
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]

    assert traces[0] == traces[1]
    assert traces[0].decode().splitlines()[:-1] == list(tell(6, keep_trace=True).trace)
