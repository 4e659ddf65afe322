"""Who is asking: the bearer token of a request, turned into a device or a person. Routes ask for

`DeviceDep`, `PersonDep` (anybody signed in) or `Annotated[Person, Depends(one_of(Role.SUPERVISOR, …))]`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from app.contract.problems import RefusalError
from app.contract.vocabulary import Role
from server.api.deps import ContextDep
from server.domain.people import Device, Person
from server.services import access

_SCHEME = "bearer "
_TOKEN_MAX = 256


def bearer(request: Request) -> str:
    """The request's bearer token. Raises token-missing."""
    header = request.headers.get("authorization", "")
    token = header[len(_SCHEME) :].strip()
    if not header.lower().startswith(_SCHEME) or not 0 < len(token) <= _TOKEN_MAX:
        raise RefusalError("token-missing")
    return token


# These say in /openapi.json which routes want which token; `bearer` reads it, with errors of ours.
_OF_A_DEVICE = HTTPBearer(
    auto_error=False,
    scheme_name="device",
    description="`device_token` of the answer to POST /sync/v1/enrol.",
)
_OF_A_PERSON = HTTPBearer(
    auto_error=False,
    scheme_name="person",
    description="`token` of the answer to POST /api/v1/sign-in; or a program's key (`blindcount keys new`).",
)


def _device(
    request: Request, context: ContextDep, _: Annotated[object, Security(_OF_A_DEVICE)]
) -> Device:
    token = bearer(request)
    with context.database.read() as session:
        return access.device_of_token(session, context.site_id, token)


def _person(
    request: Request, context: ContextDep, _: Annotated[object, Security(_OF_A_PERSON)]
) -> Person:
    token = bearer(request)
    with context.database.read() as session:
        return access.person_of_token(session, context.site_id, token, context.rim.now())


DeviceDep = Annotated[Device, Depends(_device)]
"""The enrolled device that asks."""

PersonDep = Annotated[Person, Depends(_person)]
"""The person signed in, or the program with an API key."""


def one_of(*roles: Role, what: str = "do this") -> Callable[[Person], Person]:
    """A dependency that lets only these roles through; `what` completes "A counter may not …"."""

    def check(person: PersonDep) -> Person:
        if person.role not in roles:
            raise RefusalError("role-forbidden", role=person.role, what=what)
        return person

    return check


SupervisorDep = Annotated[
    Person, Depends(one_of(Role.SUPERVISOR, Role.LEAD, what="manage devices and counts"))
]
ReviewerDep = Annotated[
    Person,
    Depends(
        one_of(Role.SUPERVISOR, Role.LEAD, Role.FINANCE, Role.AUDITOR, what="see what was counted")
    ),
]
"""May look at cases and figures; which decisions they may take is the services' rule."""
IntegratorDep = Annotated[
    Person, Depends(one_of(Role.INTEGRATOR, Role.LEAD, what="import or export records"))
]
