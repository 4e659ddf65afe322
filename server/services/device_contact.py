"""What a push says beside its events: how the device's clocks stand, and what program it runs."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from app.contract.wire import PushRequest
from server.domain.people import DeviceState
from server.services.comparing import storable
from server.storage import access
from server.storage.rows import insert_new
from server.storage.tables_sync import ClockSampleRow, InstallRow


def keep_clocks(
    session: Session, site_id: str, install_id: str, request: PushRequest, *, now_ms: int
) -> None:
    """Keep its samples and its reading on arrival; one that no clock can have shown is passed over."""
    key = {"site_id": site_id, "install_id": install_id}
    rows = [
        key | s.model_dump()
        for s in request.samples
        if _is_sane(s.t0_boot_ms, s.t0_wall_ms, s.t1_ms, s.t2_ms, s.t3_boot_ms)
    ]
    reading = request.clock
    if _is_sane(reading.boot_ms, reading.wall_ms):
        rows.append(
            key
            | {
                "boot_id": reading.boot_id,
                "t0_boot_ms": reading.boot_ms,
                "t0_wall_ms": reading.wall_ms,
                "t1_ms": now_ms,
                "t2_ms": now_ms,
                "t3_boot_ms": None,
            }
        )
    rows = [r | {"boot_id": storable(r["boot_id"])} for r in rows]
    insert_new(session, ClockSampleRow, rows)


def _is_sane(*clocks_ms: int) -> bool:
    """The device has no clock from before 1970 nor from after 10,000 years of uptime."""
    return all(0 <= ms < 1 << 53 for ms in clocks_ms)


def note_device(
    session: Session, site_id: str, install: InstallRow, app_version: str, now: datetime
) -> None:
    """It was heard of; one that shares its numbers with a copy of itself is marked."""
    device_id = install.device_id
    access.note_contact(session, site_id, device_id, at=now, app_version=storable(app_version))
    if install.is_forked:
        row = access.device_row(session, site_id, device_id)
        assert row is not None, "its token was looked up"
        if row.state == DeviceState.ACTIVE:
            row.state = DeviceState.FORKED.value
