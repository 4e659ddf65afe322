"""The server's identity over time: a new epoch after its database was restored from a copy."""

from __future__ import annotations

from sqlmodel import Session

from server.clock import Rim
from server.storage.changes import server_mark, set_server_mark
from server.storage.engine import Database

EPOCH = "epoch"


def server_epoch(session: Session, site_id: str, rim: Rim) -> str:
    """The present epoch, made in the caller's transaction when there is none yet."""
    found = server_mark(session, site_id, EPOCH)
    if found is None:
        found = rim.new_id()
        set_server_mark(session, site_id, EPOCH, found)
    return found


def ensure_epoch(database: Database, site_id: str, rim: Rim) -> str:
    """The present epoch; made and committed when there is none yet."""
    with database.read() as session:
        found = server_mark(session, site_id, EPOCH)
    if found is not None:
        return found
    with database.write() as session:
        made = server_epoch(session, site_id, rim)
        session.commit()
    return made


def begin_epoch(database: Database, site_id: str, rim: Rim) -> str:
    """Say that this database was restored: every device then sends again what it lacks."""
    with database.write() as session:
        fresh = rim.new_id()
        set_server_mark(session, site_id, EPOCH, fresh)
        session.commit()
    return fresh
