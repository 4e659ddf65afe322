"""The server's settings, read once from the environment (prefix BLINDCOUNT_). One frozen value."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_DATABASE_URL = "sqlite:///blindcount.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may set. Each field's environment name is the field in capitals, prefixed."""

    database_url: str = DEFAULT_DATABASE_URL
    """SQLAlchemy URL: `sqlite:///file` or `postgresql+psycopg://…`."""
    site_id: str = "main"
    """The site this process serves; every table carries it."""
    site_name: str = "Main warehouse"
    """What people read; taken over when the site is first made."""
    currency: str = "EUR"
    """ISO 4217 code of the site's money; taken over when the site is first made."""
    host: str = "127.0.0.1"
    port: int = 8400
    enrol_minutes: int = 10
    """How long an enrolment code is valid (ASVS 6.5.5: ten minutes)."""
    sign_in_hours: int = 12
    """How long a supervisor's sign-in lasts: one shift."""
    min_app: str = "0"
    """The app's version from which on devices say nothing of an update; older ones go on all the same."""
    log_level: str = "info"
    snapshot_dir: str = ""
    """Where prebuilt reference files are kept; "" for beside the SQLite file, else a temporary folder."""

    def snapshot_folder(self) -> Path:
        """The folder of prebuilt reference files. It may be lost at any time: they are built again."""
        if self.snapshot_dir:
            return Path(self.snapshot_dir)
        file = self.database_url.partition("sqlite:///")[2]
        if file and file != ":memory:":
            return Path(f"{file}.snapshots")
        return Path(tempfile.gettempdir()) / f"blindcount-snapshots-{self.site_id}"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. Raises ValueError naming the variable that is not usable."""
    source = os.environ if environ is None else environ
    values: dict[str, str | int] = {}
    for name, default in _defaults().items():
        variable = f"BLINDCOUNT_{name.upper()}"
        text = source.get(variable)
        if text is None:
            continue
        try:
            values[name] = int(text) if isinstance(default, int) else text
        except ValueError as error:
            raise ValueError(f"{variable} must be a whole number, not {text!r}") from error
    return Settings(**values)  # type: ignore[arg-type]  # each value has its default's type


def _defaults() -> dict[str, str | int]:
    empty = Settings()
    return {name: getattr(empty, name) for name in Settings.__dataclass_fields__}
