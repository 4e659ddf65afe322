"""Histories that once went wrong, and that a seed is a history: the same each time, in any process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.histories import tell, tell_twice
from tests.simulation.shares import CHUNK, FILES, FIRST, HISTORIES, share


def test_the_shares_are_all_the_histories_each_once():
    seeds = [seed for number in range(FILES) for chunk in share(number) for seed in chunk]

    assert sorted(seeds) == list(range(FIRST, FIRST + HISTORIES))
    assert len(share(0)) - len(share(FILES - 1)) <= 1, f"chunks of {CHUNK} over even shares"


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(28, id="a rescue brought what was held under the other copy's name"),
        pytest.param(657, id="two copies went on with one bin, so a number stood twice"),
        pytest.param(
            40638, id="a prebuilt file of the time before a restore was given out for ever"
        ),
        pytest.param(1080, id="a copy's confirmed counts were lost with a restored server"),
    ],
)
def test_what_once_went_wrong_goes_well(seed):
    assert not tell(seed).failure


@pytest.mark.parametrize("seed", [159, 1018, 242])
def test_a_device_is_settled_when_it_has_fetched_everything_and_was_updated(seed):
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
