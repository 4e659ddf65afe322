"""Which of two versions of the app is older: by its numbers, so that 0.10 comes after 0.9."""

from __future__ import annotations

import re

_RELEASE = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){0,7})", re.ASCII)


def _numbers(version: str) -> tuple[int, ...] | None:
    """The numbers without zeros at the end: 1.0 is 1. None for what does not begin as a version."""
    found = _RELEASE.match(version.strip())
    if found is None:
        return None
    numbers = [int(number) for number in found[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def is_older(version: str, wanted: str) -> bool:
    """Whether `version` comes before `wanted`; False where either is no version."""
    ours, theirs = _numbers(version), _numbers(wanted)
    return ours is not None and theirs is not None and ours < theirs
