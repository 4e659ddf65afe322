"""What the server says beside the cases, and how a call can fail: a refusal, or no answer at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.contract.vocabulary import Role
from app.contract.wire import Reply


class PersonRow(Reply):
    """Somebody of the site."""

    user_id: str
    name: str
    role: Role
    approve_limit: str = "0"
    zones: tuple[str, ...] = ()


class DeviceRow(Reply):
    """An enrolled device and whether everything it recorded is here."""

    device_id: str
    name: str
    state: str
    app_version: str = ""
    enrolled_at: datetime
    seen_at: datetime
    held_up_to: int = 0
    missing_since: datetime | None = None


class EnrolCode(Reply):
    """A one-time code for one device."""

    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A refusal as people read it: a stable code, what happened, what it means and what to do."""

    code: str
    title: str
    detail: str
    params: Mapping[str, object] = field(default_factory=dict)


class OutageKind(StrEnum):
    """Why there was no answer. Decides the words; every kind is tried again."""

    UNREACHED = "unreached"
    NOT_OURS = "not_ours"
    """Something else answered: a sign-in page of the Wi-Fi, a proxy."""
    BUSY = "busy"


class RefusedError(Exception):
    """The server understood and said no. Trying again changes nothing."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__(f"{trouble.code}: {trouble.detail}")


class OutageError(Exception):
    """Nobody knows whether the call arrived. The same call, with the same ids, is tried again."""

    def __init__(self, kind: OutageKind, wait_seconds: float = 0.0) -> None:
        self.kind = kind
        self.wait_seconds = wait_seconds
        super().__init__(kind.value)
