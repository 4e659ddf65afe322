"""What commands that work on the database begin with: settings, the opened database, the rim."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import typer
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from server.clock import Rim
from server.settings import Settings, read_settings
from server.storage.engine import Database, sqlite_file
from server.storage.opening import open_database


@contextmanager
def opened(*, must_exist: bool = False) -> Iterator[tuple[Database, Settings, Rim]]:
    """The database that BLINDCOUNT_DATABASE_URL names, ready; closed at the end.

    Where it cannot be opened the command ends with exit code 1 and says why. With `must_exist` a
    SQLite file that is not there is no empty warehouse, but a wrong name: nothing is made.
    """
    try:
        settings = read_settings()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    rim = Rim()
    try:
        file = sqlite_file(settings.database_url)
        if must_exist and file is not None and not file.exists():
            raise FileNotFoundError(f"there is no file {file.absolute()}")
        database = open_database(settings, rim.now())
    except (SQLAlchemyError, CommandError, OSError) as error:
        why = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        stop(f"The database that BLINDCOUNT_DATABASE_URL names cannot be opened: {why}.")
    try:
        yield database, settings, rim
    finally:
        database.close()


def stop(why: str) -> NoReturn:
    """End the command with exit code 1 and one sentence on the error output."""
    typer.echo(why, err=True)
    raise typer.Exit(1)


def stop_unwritable(path: Path, error: OSError) -> NoReturn:
    """End the command because a file it was to write cannot be written."""
    stop(f"{path} cannot be written: {error.strerror or error}.")
