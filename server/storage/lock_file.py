"""One writer across processes: an exclusive lock on a small file beside the SQLite database."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType


class LockFile:
    """A context manager that waits for the file's lock. Without a path it does nothing.

    The operating system frees the lock when the process dies, so a kill leaves nothing behind. Not
    for two threads at once: the caller holds a thread lock around it, and may enter it again.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1
        if self._path is None or self._depth > 1:
            return
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._descriptor)
        except BaseException:
            self._leave()
            raise

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        self._depth -= 1
        if self._depth == 0 and self._descriptor is not None:
            os.close(self._descriptor)  # closing frees the lock
            self._descriptor = None


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)  # gives up after ten seconds
            except OSError:
                continue
            return
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
