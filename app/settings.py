"""What the environment says about this device, read once. One frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 8401


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Where the data lies and what the enrolment form starts with."""

    data_dir: Path
    """Outlives updates of the app: FLET_APP_STORAGE_DATA on a phone."""
    server_url: str = ""
    enrol_code: str = ""
    device_name: str = ""
    port: int = DEFAULT_PORT
    """Of the web client; a phone has none."""
    language: str = "en"
    allow_http: bool = False
    """Also talk to a server elsewhere without TLS: counts and tokens then travel in the open."""


def read_settings(environ: Mapping[str, str] | None = None) -> ClientSettings:
    """Settings from the environment; on a phone nothing but the storage folder is set there.

    Raises ValueError naming the variable that is not usable.
    """
    source = os.environ if environ is None else environ
    folder = source.get("BLINDCOUNT_DATA_DIR") or source.get("FLET_APP_STORAGE_DATA")
    port = source.get("BLINDCOUNT_CLIENT_PORT") or str(DEFAULT_PORT)
    if not port.isdigit():
        raise ValueError(f"BLINDCOUNT_CLIENT_PORT must be a whole number, not {port!r}")
    return ClientSettings(
        data_dir=Path(folder) if folder else Path.home() / ".blindcount",
        server_url=source.get("BLINDCOUNT_SERVER_URL", ""),
        enrol_code=source.get("BLINDCOUNT_ENROL_CODE", ""),
        device_name=source.get("BLINDCOUNT_DEVICE_NAME", "") or "Handheld",
        port=int(port),
        language=source.get("BLINDCOUNT_LANGUAGE", "") or "en",
        allow_http=source.get("BLINDCOUNT_ALLOW_HTTP", "") == "1",
    )
