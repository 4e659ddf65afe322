"""Migrations make exactly the tables the code declares, on both databases, and can be run again."""

from __future__ import annotations

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from server.storage.engine import Database
from server.storage.ledger import post
from server.storage.migrate import AREAS, drift, is_current, load_tables, upgrade
from tests.support.movements import a_movement
from tests.support.server import SITE


def test_migrated_tables_are_those_the_code_declares(database):
    with database.read() as session:
        assert is_current(session.connection())
        assert drift(session.connection()) == []


def test_migrating_again_changes_nothing(database):
    upgrade(database)

    with database.read() as session:
        assert is_current(session.connection())


def test_a_fresh_file_is_migrated_from_nothing(tmp_path):
    fresh = Database(f"sqlite:///{tmp_path / 'fresh.sqlite'}")

    upgrade(fresh)

    with fresh.read() as session:
        assert is_current(session.connection())
    fresh.close()


def test_each_line_of_revisions_has_one_head():
    from server.storage.migrate import _FOLDER

    script = ScriptDirectory(str(_FOLDER))
    labels = [sorted(script.get_revision(head).branch_labels) for head in script.get_heads()]
    assert sorted(labels) == sorted([[area] for area in AREAS if [area] in labels])


def test_the_site_leads_every_key_of_every_table():
    load_tables()
    tables = SQLModel.metadata.sorted_tables
    assert len(tables) >= 10
    for table in tables:
        keys = [table.primary_key, *table.foreign_key_constraints, *_unique(table)]
        for key in keys:
            first = next(iter(key.columns)).name
            assert first == "site_id", f"{table.name}: {key} begins with {first}"


def _unique(table):
    from sqlalchemy import UniqueConstraint

    constraints = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    return constraints + list(table.indexes)


def test_a_movement_can_be_neither_changed_nor_deleted(database):
    with database.write() as session:
        post(session, SITE, [a_movement("m-1", "5", to="A-01-01")])
        session.commit()

    for statement in ("UPDATE movement SET quantity_u = 1", "DELETE FROM movement"):
        with database.write() as session, pytest.raises(DBAPIError, match="append-only"):
            session.connection().execute(text(statement))
