"""A column that is one of many keys, bound as one value: the same query for one key and for hundreds.

SQLAlchemy's own `in_` writes a mark for each key, anew for every call: for the keys of a push that takes
longer than looking them up. The only other place that knows SQLite from PostgreSQL is the engine's.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, Boolean, ColumnElement, String, TypeDecorator, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


class _Keys(TypeDecorator[Collection[str]]):
    """Texts as one value: a JSON array for SQLite, an array for PostgreSQL."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the driver is given."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(String()))
        return dialect.type_descriptor(String())

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        """The keys as the driver takes them."""
        keys = list(value or ())
        return keys if dialect.name == "postgresql" else json.dumps(keys)


class _Among(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()


def among(column: ColumnElement[Any] | Mapped[Any], name: str) -> ColumnElement[bool]:
    """True where the column is one of the texts bound under `name`, as a list."""
    return _Among(column, bindparam(name, type_=_Keys()))


@compiles(_Among, "sqlite")
def _of_json(element: _Among, compiler: Any, **kw: Any) -> str:
    column, keys = (compiler.process(part, **kw) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({keys}))"


@compiles(_Among, "postgresql")
def _of_array(element: _Among, compiler: Any, **kw: Any) -> str:
    column, keys = (compiler.process(part, **kw) for part in element.clauses)
    return f"{column} = ANY({keys})"
