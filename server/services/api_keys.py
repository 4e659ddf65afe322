"""Keys for programs: an ERP that imports and exports, a report that reads. Made, listed, revoked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.contract.vocabulary import Role
from server.clock import Rim
from server.services.access import TOKEN_BYTES
from server.storage import access
from server.storage.columns import from_us, to_us
from server.storage.engine import Database
from server.storage.tables_access import ApiKeyRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key: never the key itself."""

    name: str
    role: Role
    made_at: datetime
    revoked_at: datetime | None


KEY_NAME_MAX = 64
_NAME = re.compile(rf"[\w.-]{{1,{KEY_NAME_MAX}}}")


class KeyNameError(ValueError):
    """Not a name that history can show on a line and a person can type again."""


class KeyNameTakenError(ValueError):
    """A key that is in use has this name; history and imports would mix up the two. One that was
    revoked may be followed by another of its name: history says when that was."""


def make_api_key(
    database: Database, site_id: str, name: str, *, rim: Rim, actor: str, role: Role
) -> str:
    """A key for a program; shown once, kept hashed. Raises KeyNameError, KeyNameTakenError."""
    if not _NAME.fullmatch(name):
        raise KeyNameError(name)
    key = f"bck_{rim.random(TOKEN_BYTES).hex()}"
    with database.write() as session:
        if access.api_key_rows(session, site_id, name=name, in_use=True):
            raise KeyNameTakenError(name)
        session.add(
            ApiKeyRow(
                site_id=site_id,
                key_sha256=access.secret_sha256(key),
                name=name,
                role=role.value,
                created_us=to_us(rim.now()),
            )
        )
        _note(session, site_id, "key.made", name, role.value, rim=rim, actor=actor)
        session.commit()
    return key


def api_keys(database: Database, site_id: str) -> list[ApiKey]:
    """Every key there ever was, oldest first."""
    with database.read() as session:
        return [
            ApiKey(
                name=row.name,
                role=Role(row.role),
                made_at=from_us(row.created_us),
                revoked_at=None if row.revoked_us is None else from_us(row.revoked_us),
            )
            for row in access.api_key_rows(session, site_id)
        ]


def revoke_api_key(database: Database, site_id: str, name: str, *, rim: Rim, actor: str) -> bool:
    """From now on the key of this name opens nothing. False when none in use has that name."""
    with database.write() as session:
        rows = access.api_key_rows(session, site_id, name=name, in_use=True)
        for row in rows:
            row.revoked_us = to_us(rim.now())
            session.add(row)
            _note(session, site_id, "key.revoked", name, rim=rim, actor=actor)
        session.commit()
    return bool(rows)


def _note(
    session: Session, site_id: str, verb: str, name: str, note: str = "", *, rim: Rim, actor: str
) -> None:
    """One line of the access history."""
    access.note_access(
        session,
        site_id,
        history_id=rim.new_id(),
        at=rim.now(),
        actor=actor,
        verb=verb,
        subject=name,
        note=note,
    )
