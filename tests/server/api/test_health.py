"""What whoever runs the server is told before something stops."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from server.api.health import ROOM_LOW_BYTES
from server.main import create_app
from server.settings import Settings
from server.storage.engine import Database


@pytest.mark.parametrize(("free", "warns"), [(ROOM_LOW_BYTES, False), (812_000_000, True)])
def test_readiness_warns_while_there_is_still_room(sqlite_database, monkeypatch, free, warns):
    monkeypatch.setattr(Database, "free_bytes", lambda _self: free)
    app = create_app(Settings(database_url=sqlite_database.url), database=sqlite_database)

    said = TestClient(app).get("/readyz")

    assert said.status_code == 200, "it still stores"
    assert said.json()["status"] == "ready"
    assert ("812 MB left" in said.json().get("warning", "")) is warns


def test_only_a_file_on_this_machine_has_a_disk_to_look_at(database):
    assert (database.free_bytes() is not None) == database.is_sqlite
