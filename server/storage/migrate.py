"""Bringing a database to this program's schema, and making new revisions.

Each area of the storage has its own line of revisions (an Alembic branch), so that two areas never
wait for each other: `upgrade` brings every line to its head. docs/architecture.md has the rule.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select
from sqlmodel import SQLModel

from server.storage.engine import Database

AREAS = ("records", "ledger", "access", "sync", "casework")
"""One per `tables_<area>.py`; also the branch label of its revisions."""

_STARTERS = 8400
_FOLDER = Path(__file__).parent / "migrations"


def load_tables() -> None:
    """Import every area's tables that exist, so that the metadata is whole."""
    for area in AREAS:
        if (Path(__file__).parent / f"tables_{area}.py").exists():
            importlib.import_module(f"server.storage.tables_{area}")


def area_of_table(name: str) -> str | None:
    """Which area declares the table; None for one that no area does (Alembic's own)."""
    for mapper in SQLModel._sa_registry.mappers:
        if getattr(mapper.class_, "__tablename__", None) == name:
            return str(mapper.class_.__module__).rpartition("tables_")[2]
    return None


def upgrade(database: Database) -> None:
    """Create or bring up every table. Does nothing when the database is up to date."""
    load_tables()
    with database.write() as session:
        connection = session.connection()
        if not database.is_sqlite:
            # Two workers that start at once must not both create. SQLite has one writer anyway.
            connection.execute(select(func.pg_advisory_xact_lock(_STARTERS)))
        if not is_current(connection):
            command.upgrade(_config(connection), "heads")
        session.commit()


def is_current(connection: Connection) -> bool:
    """True when every revision of every line has been applied."""
    script = ScriptDirectory.from_config(_config(connection))
    applied: set[str] = set()
    waiting = list(MigrationContext.configure(connection).get_current_heads())
    while waiting:
        revision = script.get_revision(waiting.pop())
        if revision.revision not in applied:
            applied.add(revision.revision)
            # Alembic names only the newest; what it came from and what it depends on is implied.
            waiting += [*_names(revision.down_revision), *_names(revision.dependencies)]
    return applied == {revision.revision for revision in script.walk_revisions()}


def _names(revisions: str | Sequence[str] | None) -> Sequence[str]:
    if revisions is None:
        return ()
    return (revisions,) if isinstance(revisions, str) else revisions


def drift(connection: Connection) -> list[str]:
    """What the tables in code and the tables in the database disagree on; empty when nothing."""
    load_tables()
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [str(difference) for difference in compare_metadata(context, SQLModel.metadata)]


def make_revision(area: str, words: str) -> None:
    """Write the revision that takes the area's line from its head to the tables in code."""
    load_tables()
    database = Database("sqlite://")
    with database.engine.connect() as connection:
        config = _config(connection)
        config.attributes["area"] = area
        script = ScriptDirectory.from_config(config)
        is_first = not any(area in (r.branch_labels or ()) for r in script.walk_revisions())
        command.upgrade(config, "heads")
        number = sum(area in (r.branch_labels or ()) for r in script.walk_revisions()) + 1
        command.revision(
            config,
            words,
            autogenerate=True,
            rev_id=f"{area}_{number:03d}",
            head="base" if is_first else f"{area}@head",
            splice=is_first,
            branch_label=area if is_first else None,
            depends_on="records_001" if is_first and area != "records" else None,
        )


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("file_template", "%%(rev)s")
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    make_revision(sys.argv[1], " ".join(sys.argv[2:]))
