"""A device for tests: a store on a real file, with clocks and randomness the test moves itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from app.contract.pins import pin_prehash, pin_verifier
from app.contract.vocabulary import Role
from app.contract.wire import EnrolReply, RefUser
from app.store.device_store import DeviceStore

START_MS = 1_790_000_000_000
PEPPER = "5a" * 32


class FakeClock:
    """Clocks that stand still until moved."""

    def __init__(self, wall_ms: int = START_MS, boot_ms: int = 60_000) -> None:
        self._wall_ms = wall_ms
        self._boot_ms = boot_ms
        self._boot = 1

    def wall_ms(self) -> int:
        return self._wall_ms

    def boot_ms(self) -> int:
        return self._boot_ms

    def boot_id(self) -> str:
        return f"boot-{self._boot}"

    def tz_min(self) -> int:
        return 120

    def pass_ms(self, milliseconds: int) -> None:
        """Time goes by on both clocks."""
        self._wall_ms += milliseconds
        self._boot_ms += milliseconds

    def set_wall(self, wall_ms: int) -> None:
        """Somebody sets the clock."""
        self._wall_ms = wall_ms

    def reboot(self) -> None:
        """A new boot: its clock starts again."""
        self._boot += 1
        self._boot_ms = 5_000


def seeded(seed: int = 1) -> Callable[[int], bytes]:
    """Repeatable random bytes."""
    return random.Random(seed).randbytes


def a_store(folder: Path, clock: FakeClock | None = None, seed: int = 1) -> DeviceStore:
    """A store on a real file with a clock that stands still."""
    return DeviceStore.open(folder, clock=clock or FakeClock(), random=seeded(seed))


def enrolled(store: DeviceStore) -> DeviceStore:
    """The store, enrolled with a server nobody asks."""
    reply = EnrolReply(
        device_id="d1",
        device_token="token",
        pin_pepper=PEPPER,
        site_id="main",
        site_name="Main",
        server_epoch="e1",
        t1_ms=START_MS,
        t2_ms=START_MS,
    )
    store.save_enrolment(reply, server_url="http://127.0.0.1:1", device_name="test")
    return store


def a_user(user_id: str = "ana", pin: str = "481516", pepper: str = PEPPER) -> RefUser:
    """A counter whose PIN this device can check."""
    salt = b"s" * 16
    verifier = pin_verifier(bytes.fromhex(pepper), pin_prehash(pin, salt))
    return RefUser(
        user_id=user_id,
        name=user_id.title(),
        role=Role.COUNTER,
        pin_salt=salt.hex(),
        pin_verifier=verifier,
    )
