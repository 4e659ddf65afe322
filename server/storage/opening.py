"""From settings to a database that is ready: opened, migrated, with its site."""

from __future__ import annotations

from datetime import datetime

from server.settings import Settings
from server.storage.engine import Database
from server.storage.migrate import upgrade
from server.storage.records import ensure_site


def open_database(settings: Settings, now: datetime) -> Database:
    """The settings' database, brought to this program's schema. Safe to call from two processes."""
    database = Database(settings.database_url)
    upgrade(database)
    with database.write() as session:
        ensure_site(session, settings.site_id, settings.site_name, settings.currency, now)
        session.commit()
    return database
