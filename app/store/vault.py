"""Where the device keeps its secrets: the platform's key store where there is one, else a private file.

No count depends on anything in here (key stores lose keys over updates): losing it costs an
enrolment, never an event.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol


class Vault(Protocol):
    """Named secrets."""

    def get(self, name: str) -> str | None:
        """The secret, or None."""
        ...

    def put(self, name: str, value: str | None) -> None:
        """Keep it; None removes it."""
        ...


class FileVault:
    """Secrets in one file that only this user may read; for desktops and until a key store is given."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, name: str) -> str | None:
        """The secret, or None, also when the file cannot be read."""
        return self._read().get(name)

    def put(self, name: str, value: str | None) -> None:
        """Write the whole file anew, then rename: a kill leaves the old or the new one."""
        secrets = self._read()
        secrets.pop(name, None)
        if value is not None:
            secrets[name] = value
        fresh = self._path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(secrets, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
