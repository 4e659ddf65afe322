"""Databases as in the server's tests."""

from __future__ import annotations

from tests.server.conftest import database, databases, sqlite_database

__all__ = ["database", "databases", "sqlite_database"]
