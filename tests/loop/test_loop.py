"""The whole loop in real Chromium with a camera picture, an outage and a kill: twice in a row."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.loop.play import play


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("time", ["first", "second"])
def test_the_whole_loop_works_from_enrolment_to_posting(tmp_path: Path, time: str):
    played: list[str] = []

    with sync_playwright() as playwright:
        play(playwright, tmp_path, tmp_path / "pictures", played.append)

    assert len(played) == 15
