"""Somebody counts in real Chromium while network, client and server are cut, killed and healed ten times.

The blows are drawn from WEATHER_SEED (another each day unless told; a failure prints the one it had).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import sync_playwright

from app.contract.vocabulary import Condition, Unit
from server.story.truths import Seen
from tests.loop.play import Play
from tests.loop.stage import Stage, wait_for
from tests.loop.weather import BLOWS, Weather, draw_blows
from tests.support import browser
from tests.support.agreement import disagreements
from tests.support.browser import FLOOR

SEED = int(os.environ.get("WEATHER_SEED", datetime.now(UTC).strftime("%Y%m%d")))
LOOK_MS = 6_000
BINS_MIN = 2
_CLOSED = (
    "SELECT count(*) FROM event WHERE type = 'bin.closed' AND count_id IN"
    " (SELECT count_id FROM event WHERE type = 'bin.opened' AND raw LIKE '%\"bin\":\"{place}\"%')"
)


class Counter(Play):
    """Ana, who counts bin after bin and is not put off by an app that dies under her hands."""

    def begin(self) -> None:
        self.floor = self._person(self._browser(), self.stage.floor_url, FLOOR)
        self.floor.sees("Set up this device")
        self.floor.tap("Set up")
        self._sign_in("ana")
        self.shown: set[str] = set()
        """Events that were in the file when the screen had confirmed a step."""

    def plain_bins(self) -> list[str]:
        """Bins of plain pieces, each item on one label."""

        def is_plain(seen: tuple[Seen, ...]) -> bool:
            return len({pack.sku for pack in seen}) == len(seen) > 0 and all(
                pack.sku
                and pack.unit is Unit.EACH
                and pack.condition is Condition.GOOD
                and not pack.lot
                and not pack.serial
                for pack in seen
            )

        return sorted(
            b for b, truth in self.stage.story.story.truth.items() if is_plain(truth.seen)
        )

    def count_through(self, place: str, weather: Weather) -> None:
        """Count the bin, however often the app is killed meanwhile."""
        while not self._is_closed(place):
            kills = weather.client_kills
            try:
                self._count_once(place)
            except (BrowserError, AssertionError):
                weather.is_client_up.wait(60)
                if weather.client_kills == kills:
                    raise
                self._look_again(weather)

    def _count_once(self, place: str) -> None:
        if not (place in self.floor.screen() and self.floor.button("FINISH").count()):
            self._step(lambda: self._open_bin(place))
        for pack in self._seen(place):
            self._step(lambda pack=pack: self._see(pack))
        self._step(lambda: self._close_bin(place))

    def _see(self, pack: Seen) -> None:
        self.floor.scan(pack.barcode)
        self.floor.sees(self.names[pack.sku], within_ms=LOOK_MS)
        self._set_total(pack.base_quantity)
        said = rf"^{re.escape(self.names[pack.sku])}.*: {pack.base_quantity}( |$)"
        self.floor.sees(re.compile(said), within_ms=LOOK_MS)

    def _step(self, do: Callable[[], None]) -> None:
        do()
        self.shown |= {i for (i,) in self.stage.device_rows("SELECT id FROM event")}

    def _is_closed(self, place: str) -> bool:
        return self.stage.device_rows(_CLOSED.format(place=place)) != [(0,)]

    def _look_again(self, weather: Weather) -> None:
        """The app came back: load it, as often as it dies again."""
        while True:
            weather.is_client_up.wait(60)
            kills = weather.client_kills
            try:
                self.floor.reload()
                self.floor.sees_button(re.compile("FINISH|NEXT BIN|GO ON WITH|Settings"))
            except (BrowserError, AssertionError):
                if weather.client_kills == kills and weather.is_client_up.is_set():
                    raise
            else:
                return


@pytest.mark.browser
@pytest.mark.slow
def test_ten_blows_while_counting_lose_and_double_nothing(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(browser, "WAIT_MS", LOOK_MS)
    blows = draw_blows(SEED)
    with capsys.disabled():
        print(f"\n    WEATHER_SEED={SEED}: {', '.join(kind for _, kind in blows)}")  # noqa: T201

    with sync_playwright() as playwright, Stage(tmp_path) as stage:
        ana = Counter(playwright, stage, tmp_path / "pictures")
        try:
            ana.begin()
            places, counted = ana.plain_bins(), []
            weather = Weather(stage, blows)
            weather.start()
            while places and not (weather.is_over and len(counted) >= BINS_MIN):
                ana.count_through(places[0], weather)
                counted.append(places.pop(0))
            weather.wait(60)
            everything = stage.device_rows("SELECT count(*) FROM event")[0][0]
            wait_for("everything sent", lambda: _unsent(stage) == 0, 120)
        except BaseException:
            ana.keep_what_was_seen()
            raise
        finally:
            ana.close()
        found = disagreements(stage.folder / "handheld" / "ops.db", stage.database, ana.shown)
        held = _quantities(stage, counted)

    truth = {
        (place, pack.sku): pack.base_quantity for place in counted for pack in ana._seen(place)
    }
    assert found == [], f"WEATHER_SEED={SEED}"
    assert held == truth, f"WEATHER_SEED={SEED}"
    assert len(weather.fallen) == BLOWS
    assert everything >= len(ana.shown) > 0


def _unsent(stage: Stage) -> int:
    (row,) = stage.device_rows(
        "SELECT count(*) FROM event WHERE seq NOT IN (SELECT seq FROM delivery)"
    )
    time.sleep(0.3)
    return int(row[0])


def _quantities(stage: Stage, places: list[str]) -> dict[tuple[str, str], int]:
    """(bin, SKU) to units, of closed counts on the server; a bin counted twice would be there twice."""
    rows = stage.server_rows(
        "SELECT count.bin, count_line.sku, quantity_u FROM count_line JOIN count USING (site_id, count_id)"
        " WHERE status = 'closed' AND is_counted"
    )
    assert len({row[:2] for row in rows}) == len(rows)
    return {(b, sku): units // 1_000_000 for b, sku, units in rows if b in places}
