"""People and devices as the rules see them. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.contract.vocabulary import Role


class DeviceState(StrEnum):
    ACTIVE = "active"
    REVOKED = "revoked"
    FORKED = "forked"
    """Two copies of its data were at work: it must be enrolled again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is signed in, or a program with an API key."""

    user_id: str
    name: str
    role: Role
    approve_limit: Decimal = Decimal(0)
    """Largest absolute value, in the site's currency, this person may approve."""
    zones: tuple[str, ...] = ()
    """Zones this person looks after; empty for all of them."""

    def looks_after(self, zone: str) -> bool:
        """True when the zone is one of this person's."""
        return not self.zones or zone in self.zones


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """An enrolled device."""

    device_id: str
    name: str
    install_id: str
    state: DeviceState
