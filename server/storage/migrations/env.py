"""Alembic's entry. The connection is handed in by server/storage/migrate.py; nothing is read from a file."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel

from server.storage.columns import CodeText
from server.storage.migrate import area_of_table


def _render(kind: str, thing: Any, _autogen: Any) -> str | Literal[False]:
    if kind == "type" and isinstance(thing, CodeText):
        return "server.storage.columns.CodeText()"
    if kind == "type" and type(thing).__name__ == "AutoString":
        return "sa.String()"
    return False


def _include(_thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    area = context.config.attributes.get("area")
    if area is None or kind != "table":
        return True
    return name is not None and area_of_table(name) == area


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_item=_render,
    include_object=_include,
    render_as_batch=False,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
