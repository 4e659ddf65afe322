"""How a benchmark is written down: each figure beside its floor or its peer, measured in the same run.

A machine's seconds mean little; the ratio to a floor of the same run holds. Nothing here passes or
fails a test: `make bench` prints, docs/benchmarks.md keeps what was printed.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number, the limit it is held to, and the floor or peer it stands beside."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    """Largest value that meets the target (smallest, with `at_least`); None: no target."""
    at_least: bool = False
    floor_name: str = ""
    floor: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None when there is none."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def percentile(values: Sequence[float], share: float) -> float:
    """The value at that share (0 to 1) of the sorted values, nearest rank. ValueError when empty."""
    if not values:
        raise ValueError("no values to take a percentile of")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def timed_ms(call: Callable[[], object], *, times: int, warm_up: int = 1) -> list[float]:
    """Wall milliseconds of each of several calls, after some that are not counted."""
    for _ in range(warm_up):
        call()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def paired_ratio(
    ours: Callable[[], float], floor: Callable[[], float], *, pairs: int
) -> tuple[float, float, float]:
    """Medians of ours, of the floor and of their ratio, run in turn so that a noisy minute hits both."""
    rows = [(ours(), floor()) for _ in range(pairs)]
    return (
        statistics.median(a for a, _ in rows),
        statistics.median(b for _, b in rows),
        statistics.median(a / b for a, b in rows),
    )


def machine_line() -> str:
    """One line about what this was measured on."""
    python = platform.python_version()
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {python}"


def print_figures(title: str, figures: Sequence[Figure]) -> None:
    """A Markdown table of the figures, ready for docs/benchmarks.md."""
    lines = [
        f"\n### {title}",
        "",
        "| what | measured | target | beside | holds |",
        "|---|---:|---:|---|---|",
    ]
    for figure in figures:
        sign = ">=" if figure.at_least else "<="
        target = "" if figure.limit is None else f"{sign} {figure.limit:g} {figure.unit}"
        beside = "" if figure.floor is None else f"{figure.floor_name}: {figure.floor:.4g}"
        holds = {None: "", True: "yes", False: "**no**"}[figure.holds]
        beside = "; ".join(filter(None, (beside, figure.note)))
        lines.append(
            f"| {figure.what} | {figure.value:.4g} {figure.unit} | {target} | {beside} | {holds} |"
        )
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
