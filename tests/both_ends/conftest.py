"""The real client against the real server in one process: databases as in the server's tests."""

from __future__ import annotations

from tests.server.conftest import databases, sqlite_database

__all__ = ["databases", "sqlite_database"]
