"""What people see of syncing: how much is unsent, how old, why, and when it last worked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SyncState(StrEnum):
    """In the order of how much it matters to the person who holds the device."""

    STORE_PROBLEM = "store_problem"
    """The device's own disk: counting stops here."""
    ENROL = "enrol"
    ENROL_ANEW = "enrol_anew"
    UPDATE = "update"
    PORTAL = "portal"
    """A network's sign-in page answers in the server's place."""
    OFFLINE = "offline"
    TROUBLE = "trouble"
    """The server is reached but not well; it is tried again by itself."""
    SENDING = "sending"
    WAITING = "waiting"
    """Something is unsent and goes up shortly."""
    UP_TO_DATE = "up_to_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """A picture of the engine at one moment."""

    state: SyncState
    unsent: int = 0
    oldest_wall_ms: int | None = None
    """Device time of the oldest unsent event."""
    held: int = 0
    """Events the server keeps but could not use: a badge here, a case for the supervisor there."""
    last_success_wall_ms: int | None = None
    """Device time of the last exchange that went well; None before the first."""
    next_attempt_ms: int = 0
    """From now."""
    is_ready: bool = False
    """Reference data complete: counting may begin."""
    clock_ahead_ms: int | None = None
    """How far the device's wall clock is ahead of the server's; None before the first exchange."""
    is_room_low: bool = False
    """The disk is nearly full: counting stops when it is."""
    is_app_old: bool = False
    """The server asks for a newer app; counting and sending go on."""
    salvaged: str = ""
    """Name under which a damaged file was set aside since the app started; "" for none."""
    detail: str = ""
    """For the log and the status screen's small print, not for a sentence."""

    @property
    def words(self) -> str:
        """The i18n key of what it means and what to do."""
        return f"sync.{self.state.value}"
