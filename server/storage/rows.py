"""Rows as plain dicts, for code that moves many: an ORM object each would cost ten times the insert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Select, Table, bindparam, inspect, select, update
from sqlalchemy import Row as SqlRow
from sqlalchemy.dialects import postgresql
from sqlmodel import Session, SQLModel

from server.storage.among import among

Row = dict[str, Any]
R = TypeVar("R", bound=SQLModel)
_CHUNK = 500


def table_of(rows: type[SQLModel]) -> Table:
    """The table behind a row class."""
    return cast(Table, rows.__table__)  # type: ignore[attr-defined]  # SQLModel adds it at run time


def by_keys(rows: type[SQLModel], key: str) -> Select[Any]:
    """A query for the rows of a site whose column `key` is one of many: see `in_chunks`.

    Made once and kept: building a query costs more than SQLite needs to answer it.
    """
    table = table_of(rows)
    return select(table).where(
        table.c.site_id == bindparam("site_id"),
        among(table.c[key], "keys"),
    )


def rows_of_site(rows: type[SQLModel], *order_by: str) -> Select[Any]:
    """A query for all rows of a site, `site_id`, in the order of some columns. Made once and kept."""
    table = table_of(rows)
    query = select(table).where(table.c.site_id == bindparam("site_id"))
    return query.order_by(*(table.c[name] for name in order_by))


def in_chunks(
    session: Session, query: Select[Any], site_id: str, keys: Iterable[str]
) -> list[SqlRow[Any]]:
    """What the query finds for all the keys, which are asked for some hundreds at a time."""
    wanted = sorted(set(keys))
    found: list[SqlRow[Any]] = []
    if wanted:
        session.flush()
    for start in range(0, len(wanted), _CHUNK):
        values = {"site_id": site_id, "keys": wanted[start : start + _CHUNK]}
        found += session.connection().execute(query, values).fetchall()
    return found


def new_row(rows: type[R], values: Mapping[str, Any]) -> R:
    """A new row object with these values, for the rest the defaults of its class.

    Made as the ORM makes the rows that it reads. SQLModel's constructor sets each attribute three
    times over: a fifth of a millisecond for a row as wide as a case.
    """
    row: R = inspect(rows).class_manager.new_instance()
    row.__dict__.update(_defaults(rows))
    row.__dict__.update(values)
    return row


@lru_cache(maxsize=64)
def _defaults(rows: type[SQLModel]) -> dict[str, Any]:
    return {name: field.default for name, field in rows.model_fields.items()}


def read_rows(session: Session, rows: type[SQLModel], *where: ColumnElement[bool]) -> list[Row]:
    """The rows that satisfy every condition, `site_id` left out."""
    table = table_of(rows)
    columns = [column for column in table.columns if column.name != "site_id"]
    found = session.connection().execute(select(*columns).where(*where))
    return [dict(row) for row in found.mappings()]


def insert_rows(
    session: Session, site_id: str, rows: type[SQLModel], values: Sequence[Row]
) -> None:
    """Insert rows of one site, all with the same columns."""
    if values:
        filled = [{"site_id": site_id, **value} for value in values]
        session.connection().execute(table_of(rows).insert(), filled)


def insert_tuples(
    session: Session,
    rows: type[SQLModel],
    names: tuple[str, ...],
    values: Sequence[tuple[Any, ...]],
) -> None:
    """Insert many rows given as tuples in the order of `names`.

    SQLite's driver takes them as they are; a dict for each row would take longer than the insert.
    """
    if not values:
        return
    connection, table = session.connection(), table_of(rows)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_insert_of(table, names), list(values))
    else:
        connection.execute(table.insert(), [dict(zip(names, each, strict=True)) for each in values])


def insert_new(session: Session, rows: type[SQLModel], values: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose keys are not there yet; how many that were. The others stay as they are.

    All with the same columns.
    """
    if not values:
        return 0
    connection, table = session.connection(), table_of(rows)
    if connection.dialect.name == "sqlite":
        names = tuple(values[0])
        kept = connection.exec_driver_sql(
            f"{_insert_of(table, names)} ON CONFLICT DO NOTHING",
            list(map(itemgetter(*names), values)),
            execution_options=_COUNTED,
        )
    else:
        statement = postgresql.insert(table).on_conflict_do_nothing()
        kept = connection.execute(statement, list(values), execution_options=_COUNTED)
    return kept.rowcount


_COUNTED = {"preserve_rowcount": True}


def _insert_of(table: Table, names: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"


def update_row(
    session: Session, site_id: str, rows: type[SQLModel], key: Mapping[str, Any], fields: Row
) -> None:
    """Set the fields of the one row with this key."""
    table = table_of(rows)
    conditions = [table.c[name] == value for name, value in {"site_id": site_id, **key}.items()]
    session.connection().execute(update(table).where(*conditions).values(fields))
