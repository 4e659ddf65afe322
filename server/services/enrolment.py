"""Enrolling devices: a one-time code made by a supervisor, used by one device within minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from app.contract.pins import PEPPER_BYTES
from app.contract.problems import RefusalError
from app.contract.wire import EnrolReply, EnrolRequest
from server.clock import Rim
from server.domain.people import DeviceState
from server.services.access import TOKEN_BYTES
from server.services.epochs import server_epoch
from server.storage import access
from server.storage.columns import to_us
from server.storage.engine import Database
from server.storage.records import find_site
from server.storage.tables_access import DeviceRow, EnrolCodeRow

CODE_LENGTH = 10
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0/O, 1/I/L: read aloud across an aisle. 31^10 is 49 bits, guessed at ten a minute for ten
minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolCode:
    """To be typed or scanned on the device; shown once."""

    code: str
    expires_at: datetime


def make_enrol_code(
    database: Database, site_id: str, *, rim: Rim, minutes: int, actor: str
) -> EnrolCode:
    """A fresh code that enrols one device until it expires."""
    code = "".join(CODE_ALPHABET[b % len(CODE_ALPHABET)] for b in rim.random(CODE_LENGTH))
    expires = rim.now() + timedelta(minutes=minutes)
    with database.write() as session:
        session.add(
            EnrolCodeRow(
                site_id=site_id,
                code_sha256=access.secret_sha256(code),
                created_by=actor,
                expires_us=to_us(expires),
            )
        )
        access.note_access(
            session,
            site_id,
            history_id=rim.new_id(),
            at=rim.now(),
            actor=actor,
            verb="code.made",
            subject="enrolment",
        )
        session.commit()
    return EnrolCode(code=code, expires_at=expires)


def plain_code(typed: str) -> str:
    """A code as it was made, from what somebody typed: case and blanks do not matter."""
    return "".join(typed.split()).replace("-", "").upper()


def enrol(database: Database, site_id: str, request: EnrolRequest, *, rim: Rim) -> EnrolReply:
    """Give a device its token and PIN key. Raises enrol-token-unknown.

    The same install may ask again with its code while it is valid: its reply was lost. It then gets
    a new token, and the lost one is worth nothing.
    """
    now = rim.now()
    token = f"bcd_{rim.random(TOKEN_BYTES).hex()}"
    with database.write() as session:
        code = access.enrol_code_row(session, site_id, plain_code(request.token))
        if code is None or code.expires_us <= to_us(now):
            raise RefusalError("enrol-token-unknown")
        if code.used_us is not None and code.used_by != request.install_id:
            raise RefusalError("enrol-token-unknown")
        code.used_us, code.used_by = to_us(now), request.install_id
        session.add(code)
        row = _device_for(session, site_id, request, rim)
        row.token_sha256 = access.secret_sha256(token)
        session.add(row)
        access.note_access(
            session,
            site_id,
            history_id=rim.new_id(),
            at=now,
            actor=code.created_by,
            verb="device.enrolled",
            subject=row.device_id,
            note=request.device_name,
        )
        epoch = server_epoch(session, site_id, rim)
        site = find_site(session, site_id)
        assert site is not None, "the device's row refers to it"
        session.flush()
        known = (row.device_id, row.pin_pepper)
        session.commit()
    ms = int(now.timestamp() * 1000)
    return EnrolReply(
        device_id=known[0],
        device_token=token,
        pin_pepper=known[1],
        site_id=site_id,
        site_name=site.name,
        server_epoch=epoch,
        t1_ms=ms,
        t2_ms=ms,
    )


def _device_for(session: Session, site_id: str, request: EnrolRequest, rim: Rim) -> DeviceRow:
    """The install's own device, active again; else a new one. A forked install never comes back."""
    for row in access.all_devices(session, site_id):
        if row.install_id == request.install_id:
            if row.state == DeviceState.FORKED:
                raise RefusalError("install-forked")
            row.state, row.name = DeviceState.ACTIVE.value, request.device_name
            row.app_version, row.seen_us = request.app_version, to_us(rim.now())
            return row
    return DeviceRow(
        site_id=site_id,
        device_id=rim.new_id(),
        name=request.device_name,
        install_id=request.install_id,
        token_sha256="",
        pin_pepper=rim.random(PEPPER_BYTES).hex(),
        app_version=request.app_version,
        enrolled_us=to_us(rim.now()),
        seen_us=to_us(rim.now()),
    )


def revoke_device(
    database: Database, site_id: str, device_id: str, *, rim: Rim, actor: str
) -> None:
    """From now on its token is refused. What it has counted stays on it and can be rescued."""
    with database.write() as session:
        row = access.device_row(session, site_id, device_id)
        if row is None:
            raise RefusalError("not-found", what="device", id=device_id)
        row.state = DeviceState.REVOKED.value
        session.add(row)
        access.note_access(
            session,
            site_id,
            history_id=rim.new_id(),
            at=rim.now(),
            actor=actor,
            verb="device.revoked",
            subject=device_id,
        )
        session.commit()
