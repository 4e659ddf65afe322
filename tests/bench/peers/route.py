"""One way to do a peer's work, and how long its runs took."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Seconds of each run of one route; warm-up runs are left out."""

    what: str
    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        """Seconds of the fastest run: whatever else the machine did, the peer can do this."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """Seconds of the middle run."""
        return statistics.median(self.seconds)

    def spread(self) -> str:
        """All that the runs took, in words for a table."""
        runs = "1 run" if len(self.seconds) == 1 else f"best of {len(self.seconds)} runs"
        return (
            f"{runs}: {self.best:.2f} s, median {self.median:.2f}, slowest {max(self.seconds):.2f}"
        )


def fastest(routes: Sequence[Route]) -> Route:
    """The route that a peer is quoted with, by its best run: never slower than it can be."""
    return min(routes, key=lambda route: route.best)
