"""Signing in at the desk, and the supervisor's view of devices and people."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from app.contract.review import SignedIn, SignInRequest
from app.contract.vocabulary import Role
from server.api.auth import PersonDep, SupervisorDep, bearer
from server.api.deps import ContextDep
from server.services import access, enrolment
from server.storage import access as stored
from server.storage.columns import from_us
from server.storage.events import find_install

router = APIRouter(prefix="/api/v1", tags=["people"])


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class PersonAnswer(_Answer):
    user_id: str
    name: str
    role: Role
    approve_limit: str
    zones: tuple[str, ...]


class DeviceAnswer(_Answer):
    device_id: str
    name: str
    state: str
    app_version: str
    enrolled_at: datetime
    seen_at: datetime
    held_up_to: int
    """Sequence number up to which everything it recorded is here."""
    missing_since: datetime | None
    """Since when a number is missing; None when there is no gap."""


class EnrolCodeAnswer(_Answer):
    code: str
    expires_at: datetime


@router.post("/sign-in")
def sign_in(body: SignInRequest, request: Request, context: ContextDep) -> SignedIn:
    """Start a session with person and PIN; the token is the bearer of later requests."""
    caller = request.client.host if request.client else "unknown"
    context.knocks.check(caller, context.rim.now())
    return access.sign_in(
        context.database,
        context.site_id,
        body,
        rim=context.rim,
        hours=context.settings.sign_in_hours,
    )


@router.post("/sign-out", status_code=204)
def sign_out(request: Request, context: ContextDep, _person: PersonDep) -> Response:
    """End the session."""
    access.sign_out(context.database, context.site_id, bearer(request))
    return Response(status_code=204)


@router.get("/me")
def me(person: PersonDep) -> PersonAnswer:
    """Who is signed in."""
    return _person_answer(person)


@router.get("/people")
def people(context: ContextDep, _person: SupervisorDep) -> list[PersonAnswer]:
    """Everybody who is active."""
    with context.database.read() as session:
        return [_person_answer(p) for p in stored.all_people(session, context.site_id)]


@router.get("/devices")
def devices(context: ContextDep, _person: SupervisorDep) -> list[DeviceAnswer]:
    """Every device, when it was heard of last, and whether something it counted is missing."""
    answers = []
    with context.database.read() as session:
        for row in stored.all_devices(session, context.site_id):
            install = find_install(session, context.site_id, row.install_id)
            gap = install.gap_since_us if install else None
            answers.append(
                DeviceAnswer(
                    device_id=row.device_id,
                    name=row.name,
                    state=row.state,
                    app_version=row.app_version,
                    enrolled_at=from_us(row.enrolled_us),
                    seen_at=from_us(row.seen_us),
                    held_up_to=install.high_seq if install else 0,
                    missing_since=from_us(gap) if gap is not None else None,
                )
            )
    return answers


@router.post("/enrol-codes", status_code=201)
def make_enrol_code(context: ContextDep, person: SupervisorDep) -> EnrolCodeAnswer:
    """A one-time code for one device."""
    made = enrolment.make_enrol_code(
        context.database,
        context.site_id,
        rim=context.rim,
        minutes=context.settings.enrol_minutes,
        actor=person.user_id,
    )
    return EnrolCodeAnswer(code=made.code, expires_at=made.expires_at)


@router.post("/devices/{device_id}/revoke", status_code=204)
def revoke(device_id: str, context: ContextDep, person: SupervisorDep) -> Response:
    """Refuse a device from now on; what it counted stays on it."""
    enrolment.revoke_device(
        context.database, context.site_id, device_id, rim=context.rim, actor=person.user_id
    )
    return Response(status_code=204)


def _person_answer(person: PersonDep) -> PersonAnswer:
    return PersonAnswer(
        user_id=person.user_id,
        name=person.name,
        role=person.role,
        approve_limit=str(person.approve_limit),
        zones=person.zones,
    )
