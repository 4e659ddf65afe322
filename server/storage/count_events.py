"""The usable events of counts, each with the time in which it surely happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col

from app.contract.events import DeviceEvent
from server.domain.arrivals import decode_once
from server.domain.clock import ClockQuality, Moment, SeenClocks
from server.storage.access import device_names
from server.storage.among import among
from server.storage.columns import from_us
from server.storage.events import in_parts, samples_of
from server.storage.tables_sync import DeviceEventRow


class StoredEvent(NamedTuple):
    """A device's event with when it surely happened and how it came here."""

    event: DeviceEvent
    install_id: str
    device_id: str
    device_name: str
    received_at: datetime
    earliest: datetime
    """The event did not happen before this, by the server's clock."""
    latest: datetime
    """Nor after this."""
    clock_quality: ClockQuality


def events_of_count(session: Session, site_id: str, count_id: str) -> list[StoredEvent]:
    """The count's events, by install and sequence, each with its interval in server time."""
    return events_of_counts(session, site_id, [count_id])[count_id]


class Received(NamedTuple):
    """A usable event as it is stored, for whoever has just stored it."""

    install_id: str
    device_id: str
    event: DeviceEvent
    received_us: int


def events_of_counts(
    session: Session,
    site_id: str,
    count_ids: Sequence[str],
    fresh: Mapping[str, Sequence[Received]] | None = None,
) -> dict[str, list[StoredEvent]]:
    """The events of each of the counts, as `events_of_count`; a push asks for all of its counts.

    `fresh`: what this transaction has stored. Counts that have nothing else are not read back.
    """
    found: dict[str, list[Received]] = {count_id: [] for count_id in count_ids}
    found |= _whole(session, site_id, count_ids, fresh or {})
    missing = [count_id for count_id in count_ids if not found[count_id]]
    for chunk in in_parts(missing):
        values = {"site_id": site_id, "ids": chunk}
        for row in session.connection().execute(_OF_COUNTS, values):
            count_id, install_id, device_id, raw, us = row
            received = Received(install_id, device_id, decode_once(raw), us)
            found[str(count_id)].append(received)
    everything = [each for received in found.values() for each in received]
    clocks = {
        install_id: SeenClocks(samples_of(session, site_id, install_id))
        for install_id in {each.install_id for each in everything}
    }
    names = device_names(session, site_id, list({each.device_id for each in everything}))
    return {
        count_id: [
            _placed(each, clocks[each.install_id], names.get(each.device_id, ""))
            for each in received
        ]
        for count_id, received in found.items()
    }


def _whole(
    session: Session,
    site_id: str,
    count_ids: Sequence[str],
    fresh: Mapping[str, Sequence[Received]],
) -> dict[str, list[Received]]:
    """Those of the counts of which there is nothing but what is fresh, by install and sequence."""
    whole: dict[str, list[Received]] = {}
    for chunk in in_parts([count_id for count_id in count_ids if count_id in fresh]):
        values = {"site_id": site_id, "ids": chunk}
        for row in session.connection().execute(_HOW_MANY, values):
            count_id, number = str(row[0]), row[1]
            if number == len(fresh[count_id]):
                whole[count_id] = sorted(fresh[count_id], key=lambda r: (r.install_id, r.event.seq))
    return whole


_HOW_MANY = (
    select_columns(col(DeviceEventRow.count_id), func.count())
    .where(
        col(DeviceEventRow.site_id) == bindparam("site_id"),
        among(col(DeviceEventRow.count_id), "ids"),
    )
    .group_by(col(DeviceEventRow.count_id))
)
_OF_COUNTS = (
    select_columns(
        col(DeviceEventRow.count_id),
        col(DeviceEventRow.install_id),
        col(DeviceEventRow.device_id),
        col(DeviceEventRow.raw),
        col(DeviceEventRow.received_us),
    )
    .where(
        col(DeviceEventRow.site_id) == bindparam("site_id"),
        among(col(DeviceEventRow.count_id), "ids"),
    )
    .order_by(col(DeviceEventRow.count_id), col(DeviceEventRow.install_id), col(DeviceEventRow.seq))
)


def _placed(received: Received, clocks: SeenClocks, device_name: str) -> StoredEvent:
    install_id, device_id, event, received_us = received
    when = clocks.place(
        Moment(event.boot_id, event.boot_ms, event.wall_ms),
        # The millisecond in which it arrived, rounded up: it happened no later.
        -(-received_us // 1000),
    )
    return StoredEvent(
        event,
        install_id,
        device_id,
        device_name,
        from_us(received_us),
        from_us(when.earliest_ms * 1000),
        from_us(when.latest_ms * 1000),
        when.quality,
    )
