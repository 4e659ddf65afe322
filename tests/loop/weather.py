"""Ten blows at moments drawn from a seed, beside somebody who counts: cuts, kills, healing.

The blows fall by the clock, not between steps: a scan, a commit, a push or a reply may be under way.
"""

from __future__ import annotations

import threading
import time
from random import Random

from tests.loop.stage import Stage

BLOWS = 10
KINDS = ("cut", "join", "flicker", "kill client", "kill server")
REST_SECONDS = (0.3, 3.5)


def draw_blows(seed: int) -> list[tuple[float, str]]:
    """(seconds of rest before it, kind): ten, each kind at least once, the same for one seed."""
    rng = Random(seed)
    kinds = [*KINDS, *rng.choices(KINDS, k=BLOWS - len(KINDS))]
    rng.shuffle(kinds)
    return [(rng.uniform(*REST_SECONDS), kind) for kind in kinds]


class Weather:
    """Lets the blows fall in a thread of its own; what went wrong there is raised by `wait`."""

    def __init__(self, stage: Stage, blows: list[tuple[float, str]]) -> None:
        self._stage = stage
        self._blows = blows
        self._thread = threading.Thread(target=self._blow, daemon=True, name="weather")
        self._error: Exception | None = None
        self.fallen: list[str] = []
        """What has happened, in order."""
        self.client_kills = 0
        """Counted before the kill: whoever sees the number unchanged after a step had the app all along."""
        self.is_client_up = threading.Event()
        self.is_client_up.set()

    def start(self) -> None:
        self._thread.start()

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Until the last blow has fallen; then everything heals."""
        self._thread.join(seconds)
        if self._error is not None:
            raise self._error
        assert self.is_over, f"the weather hangs after {self.fallen}"
        self._stage.cable.join()

    def _blow(self) -> None:
        try:
            for rest, kind in self._blows:
                time.sleep(rest)
                self._fall(kind)
                self.fallen.append(kind)
        except Exception as error:
            self._error = error
            self.is_client_up.set()

    def _fall(self, kind: str) -> None:
        match kind:
            case "cut":
                self._stage.cable.cut()
            case "join":
                self._stage.cable.join()
            case "flicker":
                self._stage.cable.cut()
                self._stage.cable.join()
            case "kill server":
                self._stage.kill_server()
            case "kill client":
                self.client_kills += 1
                self.is_client_up.clear()
                self._stage.kill_floor()
                self.is_client_up.set()
            case _:
                raise ValueError(kind)
