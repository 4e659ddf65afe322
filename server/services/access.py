"""Who may do what: people and their PINs, sign-in at the desk, who a token stands for.

Every function opens its own transaction and commits once. Secrets are returned once and kept hashed.
"""

from __future__ import annotations

import csv
import hmac
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session

from app.contract.pins import SALT_BYTES, is_pin, pin_prehash
from app.contract.problems import RefusalError
from app.contract.review import SignedIn, SignInRequest
from app.contract.vocabulary import Code, Role
from app.contract.wire import RefKind
from server.clock import Rim
from server.domain.people import Device, DeviceState, Person
from server.storage import access
from server.storage.changes import record_changes
from server.storage.columns import from_us, to_u, to_us
from server.storage.engine import Database
from server.storage.records import find_site
from server.storage.tables_access import PersonRow, SignInRow

PEOPLE_COLUMNS = ("user_id", "name", "role", "pin", "approve_limit", "zones")
SIGN_IN_PAUSE_AFTER = 5
SIGN_IN_PAUSE = timedelta(minutes=1)
TOKEN_BYTES = 32
REVIEWERS = frozenset({Role.SUPERVISOR, Role.LEAD, Role.FINANCE, Role.AUDITOR})
_CODE = TypeAdapter[str](Code)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """Somebody to add or change. `pin` None keeps the PIN there is."""

    user_id: str
    name: str
    role: Role
    pin: str | None = None
    approve_limit: Decimal = Decimal(0)
    zones: tuple[str, ...] = ()


def people_from_csv(text: str) -> list[NewPerson]:
    """People of a CSV with the columns `user_id,name,role,pin,approve_limit,zones`; `;` works too.

    zones are separated by blanks. Raises RefusalError row-invalid naming the first bad cell.
    """
    text = text.lstrip("\ufeff")
    header = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in header else ",")
    missing = [c for c in PEOPLE_COLUMNS[:3] if c not in (reader.fieldnames or [])]
    if missing:
        raise RefusalError("row-invalid", line=1, column=missing[0], reason="the column is missing")
    return [_person_of(row, line) for line, row in enumerate(reader, start=2)]


def _person_of(row: dict[str, str | None], line: int) -> NewPerson:
    cells = {name: (row.get(name) or "").strip() for name in PEOPLE_COLUMNS}

    def bad(column: str, reason: str) -> RefusalError:
        return RefusalError("row-invalid", line=line, column=column, reason=reason)

    try:
        _CODE.validate_python(cells["user_id"])
    except ValidationError as error:
        raise bad("user_id", "1 to 64 printable characters") from error
    try:
        role = Role(cells["role"])
    except ValueError as error:
        raise bad("role", f"one of {', '.join(Role)}") from error
    try:
        limit = Decimal(cells["approve_limit"] or "0")
    except InvalidOperation as error:
        raise bad("approve_limit", "an amount of money such as 250.00") from error
    if not limit.is_finite() or not 0 <= limit <= 10**9:
        raise bad("approve_limit", "an amount from 0 to 1000000000")
    if cells["pin"] and not is_pin(cells["pin"]):
        raise bad("pin", "4 to 12 digits")
    return NewPerson(
        user_id=cells["user_id"],
        name=cells["name"] or cells["user_id"],
        role=role,
        pin=cells["pin"] or None,
        approve_limit=limit,
        zones=tuple(cells["zones"].split()),
    )


def add_people(
    database: Database, site_id: str, people: Sequence[NewPerson], *, rim: Rim, actor: str = "cli"
) -> int:
    """Add people, or change those who are there; how many. A new PIN also ends a lock-out."""
    # Argon2 takes tens of milliseconds each: not while the database's one writer is held up.
    hashed = [(person, _hash_pin(person.pin, rim)) for person in people]
    with database.write() as session:
        for person, pin in hashed:
            _put_person(session, site_id, person, pin)
            access.note_access(
                session,
                site_id,
                history_id=rim.new_id(),
                at=rim.now(),
                actor=actor,
                verb=access.PERSON_PUT,
                subject=person.user_id,
                note=f"{person.role} {'new PIN' if pin else ''}".strip(),
            )
        record_changes(session, site_id, RefKind.USER, [p.user_id for p in people])
        session.commit()
    return len(people)


def _hash_pin(pin: str | None, rim: Rim) -> tuple[str, str] | None:
    if pin is None:
        return None
    salt = rim.random(SALT_BYTES)
    return salt.hex(), pin_prehash(pin, salt).hex()


def _put_person(
    session: Session, site_id: str, person: NewPerson, pin: tuple[str, str] | None
) -> None:
    row = access.person_row(session, site_id, person.user_id)
    if row is None:
        row = PersonRow(site_id=site_id, user_id=person.user_id, name="", role="")
    row.name, row.role, row.is_active = person.name, person.role.value, True
    row.approve_limit_u, row.zones = to_u(person.approve_limit), " ".join(person.zones)
    if pin is not None:
        row.pin_salt, row.pin_prehash = pin
        row.failures = 0
    session.add(row)


def remove_people(
    database: Database, site_id: str, user_ids: Iterable[str], *, rim: Rim, actor: str
) -> None:
    """They left: no device lets them in after its next pull. What they counted stays theirs."""
    ids = list(user_ids)
    with database.write() as session:
        for user_id in ids:
            row = access.person_row(session, site_id, user_id)
            if row is None:
                raise RefusalError("not-found", what="person", id=user_id)
            row.is_active = False
            session.add(row)
            access.note_access(
                session,
                site_id,
                history_id=rim.new_id(),
                at=rim.now(),
                actor=actor,
                verb="person.removed",
                subject=user_id,
            )
        record_changes(session, site_id, RefKind.USER, ids, "del")
        session.commit()


# -- signing in at the desk


def sign_in(
    database: Database, site_id: str, request: SignInRequest, *, rim: Rim, hours: int
) -> SignedIn:
    """Start a supervisor's session. The try is booked before the PIN is looked at.

    Raises pin-wrong (also for somebody unknown: who works here is nobody's business), pin-locked,
    role-forbidden.
    """
    now = rim.now()
    salt, prehash, failures = _book_try(database, site_id, request.user_id, now)
    given = pin_prehash(request.pin, bytes.fromhex(salt) or bytes(SALT_BYTES))
    if not prehash or not hmac.compare_digest(given.hex(), prehash):
        left = max(0, SIGN_IN_PAUSE_AFTER - failures)
        raise RefusalError("pin-wrong", user=request.user_id, left=left)
    token = f"bcp_{rim.random(TOKEN_BYTES).hex()}"
    expires = now + timedelta(hours=hours)
    with database.write() as session:
        row = access.person_row(session, site_id, request.user_id)
        assert row is not None, "the PIN matched"
        row.failures = 0
        session.add(row)
        person = access.to_person(row)
        if person.role in REVIEWERS:
            _begin_session(session, site_id, person, token=token, expires=expires, rim=rim)
        site = find_site(session, site_id)
        session.commit()
    if person.role not in REVIEWERS:
        raise RefusalError("role-forbidden", role=person.role, what="review counts")
    assert site is not None, "the person's row refers to it"
    return SignedIn(
        token=token,
        user_id=person.user_id,
        name=person.name,
        role=person.role,
        site_id=site_id,
        site_name=site.name,
        currency=site.currency,
        expires_at=expires,
    )


def _begin_session(
    session: Session, site_id: str, person: Person, *, token: str, expires: datetime, rim: Rim
) -> None:
    session.add(
        SignInRow(
            site_id=site_id,
            token_sha256=access.secret_sha256(token),
            user_id=person.user_id,
            expires_us=to_us(expires),
        )
    )
    access.note_access(
        session,
        site_id,
        history_id=rim.new_id(),
        at=rim.now(),
        actor=person.user_id,
        verb="person.signed_in",
        subject=person.user_id,
    )


def _book_try(
    database: Database, site_id: str, user_id: str, now: datetime
) -> tuple[str, str, int]:
    """(salt, prehash, failures including this one); empty for somebody who cannot sign in."""
    with database.write() as session:
        row = access.person_row(session, site_id, user_id)
        if row is None or not row.is_active:
            return "", "", 1
        paused_until = from_us(row.failed_us) + SIGN_IN_PAUSE
        if row.failures >= SIGN_IN_PAUSE_AFTER and now < paused_until:
            seconds = int((paused_until - now).total_seconds()) + 1
            raise RefusalError("pin-locked", seconds=seconds)
        row.failures += 1
        row.failed_us = to_us(now)
        session.add(row)
        known = row.pin_salt, row.pin_prehash, row.failures
        session.commit()
        return known


def sign_out(database: Database, site_id: str, token: str) -> None:
    """End the session the token stands for; nothing happens for an unknown one."""
    with database.write() as session:
        row = access.sign_in_row(session, site_id, token)
        if row is not None:
            session.delete(row)
        session.commit()


def person_of_token(session: Session, site_id: str, token: str, now: datetime) -> Person:
    """Who presents the token: a person signed in, or a program's API key.

    Raises token-unknown for one that is not known, ran out, was revoked or whose owner left.
    """
    key = access.api_key_row(session, site_id, token)
    if key is not None and key.revoked_us is None:
        return Person(user_id=f"key/{key.name}", name=key.name, role=Role(key.role))
    row = access.sign_in_row(session, site_id, token)
    if row is None or row.expires_us <= to_us(now):
        raise RefusalError("token-unknown")
    person = access.person_row(session, site_id, row.user_id)
    if person is None or not person.is_active:
        raise RefusalError("token-unknown")
    return access.to_person(person)


def device_of_token(session: Session, site_id: str, token: str) -> Device:
    """The device that presents the token. Raises token-unknown, device-revoked, install-forked."""
    row = access.device_by_token(session, site_id, token)
    if row is None:
        raise RefusalError("token-unknown")
    device = access.to_device(row)
    if device.state is DeviceState.REVOKED:
        raise RefusalError("device-revoked")
    if device.state is DeviceState.FORKED:
        raise RefusalError("install-forked")
    return device
