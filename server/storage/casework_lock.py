"""One conclusion at a time: what is judged and what is decided must not pass each other unseen."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlmodel import Session

from server.storage.ledger import lock_for_posting

_CASEWORK = 8403


def lock_for_casework(session: Session, site_id: str, *, posts: bool = False) -> None:
    """Wait until nobody else of the site judges or decides, and keep others waiting until the commit.

    Without it a push would judge a case that a supervisor is posting just then: each would read what
    the other is about to change, and the posted case would be written over. Take it before anything
    of casework is read and after facts were stored, so that whoever comes second sees both. `posts`:
    movements will be posted; the ledger's lock comes first, as it does in an import. PostgreSQL only:
    SQLite has one writer.
    """
    if session.connection().dialect.name != "postgresql":
        return
    if posts:
        lock_for_posting(session)
    key = func.pg_advisory_xact_lock(_CASEWORK, func.hashtext(site_id))
    session.connection().execute(select(key))
