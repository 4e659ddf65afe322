"""People, devices, codes and tokens in the tables. Looks up and writes; decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.contract.vocabulary import COUNTING_ROLES, Role
from server.domain.people import Device, DeviceState, Person
from server.storage.among import among
from server.storage.columns import from_u, to_us
from server.storage.rows import table_of
from server.storage.tables_access import (
    AccessHistoryRow,
    ApiKeyRow,
    DeviceRow,
    EnrolCodeRow,
    PersonRow,
    SignInRow,
)

PERSON_PUT = "person.put"
"""The verb of the access history under which somebody's role is noted, as the note's first word."""


def secret_sha256(secret: str) -> str:
    """How a presented secret is looked up: only its hash is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def person_row(session: Session, site_id: str, user_id: str) -> PersonRow | None:
    """The person's row, also of one who left."""
    return session.get(PersonRow, (site_id, user_id))


def find_person(session: Session, site_id: str, user_id: str) -> Person | None:
    """The person, also one who left; None for somebody never known."""
    row = person_row(session, site_id, user_id)
    return to_person(row) if row else None


def all_people(session: Session, site_id: str) -> list[Person]:
    """Everybody active, by id."""
    session.flush()
    rows = session.connection().execute(_ACTIVE, {"site_id": site_id})
    return [to_person(row) for row in rows]


def everybody(session: Session, site_id: str) -> list[Person]:
    """Everybody who is or was here, by id."""
    rows = session.exec(
        select(PersonRow).where(PersonRow.site_id == site_id).order_by(col(PersonRow.user_id))
    )
    return [to_person(row) for row in rows]


def who_counts(session: Session, site_id: str, named: Collection[str]) -> set[str]:
    """Those of the people named who count here or ever did: a counter may be an auditor by now."""
    if not named:
        return set()
    session.flush()
    values = {"site_id": site_id, "named": list(named)}
    rows = session.connection().execute(_NAMED, values).fetchall()
    able = {user_id for user_id, role in rows if role in COUNTING_ROLES}
    others = {user_id for user_id, _ in rows} - able
    return able | _once_counted(session, site_id, others) if others else able


def _once_counted(session: Session, site_id: str, user_ids: Collection[str]) -> set[str]:
    notes = session.exec(
        select(AccessHistoryRow.subject, AccessHistoryRow.note).where(
            AccessHistoryRow.site_id == site_id,
            AccessHistoryRow.verb == PERSON_PUT,
            col(AccessHistoryRow.subject).in_(user_ids),
        )
    )
    return {who for who, note in notes if note.split(" ")[0] in COUNTING_ROLES}


_PERSON = table_of(PersonRow).c
_ACTIVE = (
    select_columns(*_PERSON)
    .where(_PERSON.site_id == bindparam("site_id"), _PERSON.is_active)
    .order_by(_PERSON.user_id)
)
_NAMED = select_columns(_PERSON.user_id, _PERSON.role).where(
    _PERSON.site_id == bindparam("site_id"),
    among(_PERSON.user_id, "named"),
)


def people_with_pins(session: Session, site_id: str, ids: Sequence[str]) -> list[PersonRow]:
    """Rows of the active people among the ids who may sign in at a device."""
    return list(
        session.exec(
            select(PersonRow).where(
                PersonRow.site_id == site_id,
                col(PersonRow.user_id).in_(ids),
                col(PersonRow.is_active),
                PersonRow.pin_prehash != "",
            )
        )
    )


def to_person(row: PersonRow | Row[Any]) -> Person:
    """The person a row is about."""
    return Person(
        user_id=row.user_id,
        name=row.name,
        role=Role(row.role),
        approve_limit=from_u(row.approve_limit_u),
        zones=tuple(row.zones.split()),
    )


def device_row(session: Session, site_id: str, device_id: str) -> DeviceRow | None:
    """The device's row."""
    return session.get(DeviceRow, (site_id, device_id))


def device_by_token(session: Session, site_id: str, token: str) -> DeviceRow | None:
    """The device the token was given to, whatever its state."""
    return session.exec(
        select(DeviceRow).where(
            DeviceRow.site_id == site_id, DeviceRow.token_sha256 == secret_sha256(token)
        )
    ).one_or_none()


def device_names(session: Session, site_id: str, ids: Sequence[str]) -> dict[str, str]:
    """Name of each of the devices."""
    session.flush()
    rows = session.connection().execute(_NAMES, {"site_id": site_id, "ids": list(ids)})
    return {device_id: name for device_id, name in rows}  # noqa: C416


_NAMES = select_columns(col(DeviceRow.device_id), col(DeviceRow.name)).where(
    col(DeviceRow.site_id) == bindparam("site_id"),
    among(col(DeviceRow.device_id), "ids"),
)


def note_contact(
    session: Session, site_id: str, device_id: str, *, at: datetime, app_version: str
) -> None:
    """The device was heard of just now."""
    values = {
        "of_site": site_id,
        "of_device": device_id,
        "seen_us": to_us(at),
        "app_version": app_version,
    }
    session.connection().execute(_CONTACT, values)


_CONTACT = (
    update(DeviceRow)
    .where(
        col(DeviceRow.site_id) == bindparam("of_site"),
        col(DeviceRow.device_id) == bindparam("of_device"),
    )
    .values(seen_us=bindparam("seen_us"), app_version=bindparam("app_version"))
)


def all_devices(session: Session, site_id: str) -> list[DeviceRow]:
    """Every device, by name."""
    return list(
        session.exec(
            select(DeviceRow)
            .where(DeviceRow.site_id == site_id)
            .order_by(col(DeviceRow.name), col(DeviceRow.device_id))
        )
    )


def to_device(row: DeviceRow) -> Device:
    """The device a row is about."""
    return Device(
        device_id=row.device_id,
        name=row.name,
        install_id=row.install_id,
        state=DeviceState(row.state),
    )


def enrol_code_row(session: Session, site_id: str, code: str) -> EnrolCodeRow | None:
    """The code's row, locked so that two devices cannot use it at once."""
    return session.exec(
        select(EnrolCodeRow)
        .where(EnrolCodeRow.site_id == site_id, EnrolCodeRow.code_sha256 == secret_sha256(code))
        .with_for_update()
    ).one_or_none()


def sign_in_row(session: Session, site_id: str, token: str) -> SignInRow | None:
    """The sign-in the token stands for, also one that ran out."""
    return session.get(SignInRow, (site_id, secret_sha256(token)))


def api_key_row(session: Session, site_id: str, key: str) -> ApiKeyRow | None:
    """The API key, also a revoked one."""
    return session.get(ApiKeyRow, (site_id, secret_sha256(key)))


def api_key_rows(
    session: Session, site_id: str, *, name: str | None = None, in_use: bool = False
) -> list[ApiKeyRow]:
    """Keys of the site, oldest first: of that name, not revoked, if so wanted."""
    query = select(ApiKeyRow).where(ApiKeyRow.site_id == site_id)
    if name is not None:
        query = query.where(ApiKeyRow.name == name)
    if in_use:
        query = query.where(col(ApiKeyRow.revoked_us).is_(None))
    return list(session.exec(query.order_by(col(ApiKeyRow.created_us), col(ApiKeyRow.name))))


def note_access(
    session: Session,
    site_id: str,
    *,
    history_id: str,
    at: datetime,
    actor: str,
    verb: str,
    subject: str,
    note: str = "",
) -> None:
    """One line of the access history."""
    session.add(
        AccessHistoryRow(
            site_id=site_id,
            history_id=history_id,
            at_us=to_us(at),
            actor=actor,
            verb=verb,
            subject=subject,
            note=note,
        )
    )
