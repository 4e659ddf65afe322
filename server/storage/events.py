"""What devices sent, in the tables: usable events, held ones, pushes, clock samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, union_all
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from server.domain.clock import Sample
from server.storage.access import device_names
from server.storage.columns import from_us
from server.storage.rows import insert_new
from server.storage.tables_sync import (
    ClockSampleRow,
    DeviceEventRow,
    HeldEventRow,
    HeldReleaseRow,
    InstallRow,
)

BRANCH = "~"
"""Between an install's id and a branch of it that was rescued from another copy."""
_CHUNK = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldEvent:
    """Bytes that are safe here but could not be used."""

    held_id: str
    install_id: str
    device_id: str
    device_name: str
    event_id: str
    seq: int
    code: str
    reason: str
    raw: bytes
    count_id: str | None
    user_id: str | None
    received_at: datetime
    outcome: str | None
    """What somebody decided about it: used, set_aside; None while it waits."""


# -- clocks


def samples_of(session: Session, site_id: str, install_id: str) -> list[Sample]:
    """Everything known about an install's clocks; a branch has those of its install."""
    install_id = install_id.split(BRANCH, maxsplit=1)[0]
    rows = session.connection().execute(_SAMPLES, {"site_id": site_id, "install_id": install_id})
    return [
        Sample(
            boot_id=row.boot_id,
            t0_boot_ms=row.t0_boot_ms,
            t0_wall_ms=row.t0_wall_ms,
            t1_ms=row.t1_ms,
            t2_ms=row.t2_ms,
            t3_boot_ms=row.t3_boot_ms,
        )
        for row in rows
    ]


_SAMPLES = (
    select_columns(
        col(ClockSampleRow.boot_id),
        col(ClockSampleRow.t0_boot_ms),
        col(ClockSampleRow.t0_wall_ms),
        col(ClockSampleRow.t1_ms),
        col(ClockSampleRow.t2_ms),
        col(ClockSampleRow.t3_boot_ms),
    )
    .where(
        col(ClockSampleRow.site_id) == bindparam("site_id"),
        col(ClockSampleRow.install_id) == bindparam("install_id"),
    )
    .order_by(col(ClockSampleRow.boot_id), col(ClockSampleRow.t0_boot_ms))
)


# -- held events


def held_events(
    session: Session, site_id: str, *, only_waiting: bool = True, limit: int = 500
) -> list[HeldEvent]:
    """Held events, newest first."""
    query = (
        select(HeldEventRow, HeldReleaseRow)
        .outerjoin(
            HeldReleaseRow,
            (col(HeldReleaseRow.site_id) == col(HeldEventRow.site_id))
            & (col(HeldReleaseRow.held_id) == col(HeldEventRow.held_id)),
        )
        .where(HeldEventRow.site_id == site_id)
        .order_by(col(HeldEventRow.received_us).desc(), col(HeldEventRow.held_id))
        .limit(limit)
    )
    if only_waiting:
        query = query.where(col(HeldReleaseRow.held_id).is_(None))
    rows = session.exec(query).all()
    names = device_names(session, site_id, list({row.device_id for row, _ in rows}))
    return [to_held(row, release, names.get(row.device_id, "")) for row, release in rows]


def settled_ids(session: Session, site_id: str, install_id: str, limit: int = 500) -> list[str]:
    """Ids of the install's held events that a person has settled, the last settled first."""
    query = (
        select(HeldEventRow.event_id)
        .join(
            HeldReleaseRow,
            (col(HeldReleaseRow.site_id) == col(HeldEventRow.site_id))
            & (col(HeldReleaseRow.held_id) == col(HeldEventRow.held_id)),
        )
        .where(HeldEventRow.site_id == site_id, HeldEventRow.install_id == install_id)
        .order_by(col(HeldReleaseRow.at_us).desc(), col(HeldEventRow.held_id))
        .limit(limit)
    )
    return list(session.exec(query).all())


def find_held(session: Session, site_id: str, held_id: str) -> HeldEvent | None:
    """One held event."""
    row = session.get(HeldEventRow, (site_id, held_id))
    if row is None:
        return None
    release = session.get(HeldReleaseRow, (site_id, held_id))
    names = device_names(session, site_id, [row.device_id])
    return to_held(row, release, names.get(row.device_id, ""))


def to_held(row: HeldEventRow, release: HeldReleaseRow | None, device_name: str) -> HeldEvent:
    """The held event a row is about."""
    return HeldEvent(
        held_id=row.held_id,
        install_id=row.install_id,
        device_id=row.device_id,
        device_name=device_name,
        event_id=row.event_id,
        seq=row.seq,
        code=row.code,
        reason=row.reason,
        raw=row.raw,
        count_id=row.count_id,
        user_id=row.user_id,
        received_at=from_us(row.received_us),
        outcome=release.outcome if release else None,
    )


# -- what intake needs


def lock_install(session: Session, site_id: str, install_id: str, device_id: str) -> InstallRow:
    """The install's row, made when it is new; nobody else stores for it until the commit."""
    insert_new(
        session,
        InstallRow,
        [
            {
                "site_id": site_id,
                "install_id": install_id,
                "device_id": device_id,
                "high_seq": 0,
                "max_seq": 0,
                "is_forked": False,
                "pushes": 0,
                "audit_head": "",
            }
        ],
    )
    row = session.exec(_INSTALL, params={"site_id": site_id, "install_id": install_id}).one()
    row.device_id = device_id
    return row


_INSTALL = (
    select(InstallRow)
    .where(
        col(InstallRow.site_id) == bindparam("site_id"),
        col(InstallRow.install_id) == bindparam("install_id"),
    )
    .with_for_update()
)


def find_install(session: Session, site_id: str, install_id: str) -> InstallRow | None:
    """The install's row, or None before its first push."""
    return session.get(InstallRow, (site_id, install_id))


def hashes_by_id(session: Session, site_id: str, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """(SHA-256, install) of each of the usable events that is known."""
    known: dict[str, tuple[str, str]] = {}
    for chunk in in_parts(ids):
        rows = session.connection().execute(
            select_columns(
                col(DeviceEventRow.event_id),
                col(DeviceEventRow.sha256),
                col(DeviceEventRow.install_id),
            ).where(col(DeviceEventRow.site_id) == site_id, col(DeviceEventRow.event_id).in_(chunk))
        )
        known.update({event_id: (sha, install) for event_id, sha, install in rows})
    return known


def hashes_by_seq(
    session: Session, site_id: str, install_id: str, seqs: Sequence[int]
) -> dict[int, set[str]]:
    """SHA-256 of everything held, usable or not, under each of the install's numbers."""
    known: dict[int, set[str]] = {}
    for chunk in in_parts(seqs):
        values = {"site_id": site_id, "install_id": install_id, "seqs": chunk}
        for seq, sha in session.connection().execute(_HASHES, values):
            known.setdefault(seq, set()).add(sha)
    return known


_HASHES = union_all(
    *(
        select_columns(col(t.seq), col(t.sha256)).where(
            col(t.site_id) == bindparam("site_id"),
            col(t.install_id) == bindparam("install_id"),
            col(t.seq).in_(bindparam("seqs", expanding=True)),
        )
        for t in (DeviceEventRow, HeldEventRow)
    )
)


def sha256_at(session: Session, site_id: str, install_id: str, seq: int) -> str:
    """SHA-256 of what is held under the install's number, the usable event first; "" for nothing."""
    for table in (DeviceEventRow, HeldEventRow):
        found = session.connection().execute(
            select_columns(col(table.sha256))
            .where(
                col(table.site_id) == site_id,
                col(table.install_id) == install_id,
                col(table.seq) == seq,
            )
            .order_by(col(table.received_us))
            .limit(1)
        )
        sha256 = found.scalar()
        if sha256 is not None:
            return str(sha256)
    return ""


def ids_by_seq(
    session: Session, site_id: str, install_id: str, seqs: Sequence[int]
) -> dict[int, str]:
    """Id of the usable event under each of the install's numbers."""
    known: dict[int, str] = {}
    for chunk in in_parts(seqs):
        rows = session.connection().execute(
            select_columns(col(DeviceEventRow.seq), col(DeviceEventRow.event_id)).where(
                col(DeviceEventRow.site_id) == site_id,
                col(DeviceEventRow.install_id) == install_id,
                col(DeviceEventRow.seq).in_(chunk),
            )
        )
        known.update({seq: event_id for seq, event_id in rows})  # noqa: C416
    return known


def held_codes(session: Session, site_id: str, held_ids: Sequence[str]) -> dict[str, str]:
    """Code of each of the held events that is known."""
    known: dict[str, str] = {}
    for chunk in in_parts(held_ids):
        rows = session.connection().execute(
            select_columns(col(HeldEventRow.held_id), col(HeldEventRow.code)).where(
                col(HeldEventRow.site_id) == site_id, col(HeldEventRow.held_id).in_(chunk)
            )
        )
        known.update({held_id: code for held_id, code in rows})  # noqa: C416
    return known


def seqs_above(session: Session, site_id: str, install_id: str, floor: int) -> list[int]:
    """Every number above `floor` under which the install has something here, rising."""
    both = union_all(
        *(
            select_columns(col(t.seq)).where(
                col(t.site_id) == site_id, col(t.install_id) == install_id, col(t.seq) > floor
            )
            for t in (DeviceEventRow, HeldEventRow)
        )
    )
    return sorted(set(session.connection().execute(both).scalars()))


def in_parts(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """Some hundreds at a time."""
    return (values[i : i + _CHUNK] for i in range(0, len(values), _CHUNK))
