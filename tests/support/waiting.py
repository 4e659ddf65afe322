"""Waiting for something that another process or a browser is about to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def wait_for(what: str, check: Callable[[], Any], seconds: float = 30) -> Any:
    """The first truthy answer of a check; AssertionError naming what was waited for otherwise."""
    deadline = time.monotonic() + seconds
    last: Any = None
    while time.monotonic() < deadline:
        last = check()
        if last:
            return last
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:.0f} s for: {what} (last seen: {last!r})")
