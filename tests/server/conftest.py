"""The server's tests run on a real SQLite file and on a real PostgreSQL: take the `database` fixture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.storage.engine import Database
from tests.support.server import BOTH, Databases


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Makes migrated databases; PostgreSQL is started by the first test that needs it."""
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(params=BOTH)
def database(
    request: pytest.FixtureRequest, databases: Databases, tmp_path: Path
) -> Iterator[Database]:
    """An empty, migrated database with the site "main", once per kind."""
    made = databases.make(request.param, tmp_path)
    yield made
    made.close()


@pytest.fixture
def sqlite_database(databases: Databases, tmp_path: Path) -> Iterator[Database]:
    """The same on SQLite only, for what does not touch SQL."""
    made = databases.make("sqlite", tmp_path)
    yield made
    made.close()
