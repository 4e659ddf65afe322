"""What commands that work on the database begin with: settings, the opened database, the rim."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from server.clock import Rim
from server.settings import Settings, read_settings
from server.storage.engine import Database
from server.storage.opening import open_database


@contextmanager
def opened() -> Iterator[tuple[Database, Settings, Rim]]:
    """The database that BLINDCOUNT_DATABASE_URL names, ready; closed at the end."""
    try:
        settings = read_settings()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    rim = Rim()
    database = open_database(settings, rim.now())
    try:
        yield database, settings, rim
    finally:
        database.close()
