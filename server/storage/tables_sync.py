"""Tables of what devices sent and what they are told. Rows only.

`device_event` and `held_event` are facts and never change. The key of an event is the id its device
made: storing it twice is impossible, for ever.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from server.storage.columns import CodeText


class ServerMarkRow(SQLModel, table=True):
    """Named facts about this database: its epoch first of all."""

    __tablename__ = "server_mark"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    name: str = Field(primary_key=True, sa_type=CodeText)
    value: str


class InstallRow(SQLModel, table=True):
    """One copy of the app's data and how far its sequence is held."""

    __tablename__ = "install"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    install_id: str = Field(primary_key=True, sa_type=CodeText)
    device_id: str = Field(sa_type=CodeText)
    high_seq: int = Field(default=0, sa_type=BigInteger)
    """Every number up to this one is durably held."""
    max_seq: int = Field(default=0, sa_type=BigInteger)
    gap_since_us: int | None = Field(default=None, sa_type=BigInteger)
    """Since when a number below `max_seq` is missing; None while there is no gap."""
    is_forked: bool = False
    pushes: int = Field(default=0, sa_type=BigInteger)
    audit_head: str = Field(default="", sa_type=CodeText)
    """Head of the install's chain of pushes: see PushRow."""


class PushRow(SQLModel, table=True):
    """One push that stored something: a link of the install's audit chain.

    `head` is a hash over the previous head, the arrival and every stored event, so that an event
    cannot be removed, altered or redated later. Devices keep the heads they were told.
    """

    __tablename__ = "push"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    install_id: str = Field(primary_key=True, sa_type=CodeText)
    number: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    received_us: int = Field(sa_type=BigInteger)
    head: str = Field(sa_type=CodeText)


class DeviceEventRow(SQLModel, table=True):
    """An event that can be used, in its device's own bytes."""

    __tablename__ = "device_event"
    __table_args__ = (
        UniqueConstraint("site_id", "install_id", "seq", name="uq_device_event_seq"),
        Index("ix_device_event_count", "site_id", "count_id", "install_id", "seq"),
        Index("ix_device_event_received", "site_id", "received_us"),
    )

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    event_id: str = Field(primary_key=True, sa_type=CodeText)
    install_id: str = Field(sa_type=CodeText)
    seq: int = Field(sa_type=BigInteger)
    device_id: str = Field(sa_type=CodeText)
    type: str = Field(sa_type=CodeText)
    count_id: str | None = Field(default=None, sa_type=CodeText)
    task_id: str | None = Field(default=None, sa_type=CodeText)
    user_id: str | None = Field(default=None, sa_type=CodeText)
    raw: str
    sha256: str = Field(sa_type=CodeText)
    push: int = Field(sa_type=BigInteger)
    """Number of the push that brought it."""
    received_us: int = Field(sa_type=BigInteger)


class HeldEventRow(SQLModel, table=True):
    """Bytes that were stored but cannot be used, with the reason. A case tells the supervisor."""

    __tablename__ = "held_event"
    __table_args__ = (
        Index("ix_held_event_seq", "site_id", "install_id", "seq"),
        Index("ix_held_event_id", "site_id", "event_id"),
    )

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    held_id: str = Field(primary_key=True, sa_type=CodeText)
    """SHA-256 over install, claimed id, claimed number and bytes: the same sending is held once."""
    install_id: str = Field(sa_type=CodeText)
    event_id: str = Field(sa_type=CodeText)
    """As claimed by the envelope."""
    seq: int = Field(sa_type=BigInteger)
    device_id: str = Field(sa_type=CodeText)
    raw: bytes = Field(sa_type=LargeBinary)
    sha256: str = Field(sa_type=CodeText)
    code: str = Field(sa_type=CodeText)
    reason: str = ""
    count_id: str | None = Field(default=None, sa_type=CodeText)
    user_id: str | None = Field(default=None, sa_type=CodeText)
    push: int = Field(sa_type=BigInteger)
    received_us: int = Field(sa_type=BigInteger)


class HeldReleaseRow(SQLModel, table=True):
    """A held event that was looked into: used after all, or set aside for good. Append-only."""

    __tablename__ = "held_release"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    held_id: str = Field(primary_key=True, sa_type=CodeText)
    outcome: str = Field(sa_type=CodeText)
    """used, set_aside."""
    by: str = Field(sa_type=CodeText)
    at_us: int = Field(sa_type=BigInteger)


class CompareLaterRow(SQLModel, table=True):
    """A count whose events are safe but whose comparison failed: tried again with later pushes."""

    __tablename__ = "compare_later"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    count_id: str = Field(primary_key=True, sa_type=CodeText)
    since_us: int = Field(sa_type=BigInteger)
    tries: int = 1
    error: str = ""


class ClockSampleRow(SQLModel, table=True):
    """What is known about a device's clocks: an exchange, or (t3 missing) one reading on arrival."""

    __tablename__ = "clock_sample"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    install_id: str = Field(primary_key=True, sa_type=CodeText)
    boot_id: str = Field(primary_key=True, sa_type=CodeText)
    t0_boot_ms: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    t0_wall_ms: int = Field(sa_type=BigInteger)
    t1_ms: int = Field(sa_type=BigInteger)
    t2_ms: int = Field(sa_type=BigInteger)
    t3_boot_ms: int | None = Field(default=None, sa_type=BigInteger)


class ChangeRow(SQLModel, table=True):
    """The latest revision of each reference record; a deletion stays as a tombstone for 90 days."""

    __tablename__ = "change"
    __table_args__ = (UniqueConstraint("site_id", "rev", name="uq_change_rev"),)

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    kind: str = Field(primary_key=True, sa_type=CodeText)
    row_id: str = Field(primary_key=True, sa_type=CodeText)
    rev: int = Field(sa_type=BigInteger)
    is_deleted: bool = False


class ChangeTotalRow(SQLModel, table=True):
    """Live rows and their checksum, per kind; moved along with `change` in the same transaction."""

    __tablename__ = "change_total"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    kind: str = Field(primary_key=True, sa_type=CodeText)
    live: int = Field(sa_type=BigInteger)
    checksum: str = Field(sa_type=CodeText)


class ChangeCounterRow(SQLModel, table=True):
    """The last revision given. Its row is locked from the giving to the commit, so revisions become
    visible in order and a reader never skips one."""

    __tablename__ = "change_counter"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    rev: int = Field(sa_type=BigInteger)
    forgotten: int = Field(default=0, sa_type=BigInteger)
    """Tombstones up to this revision are gone: a device that is further back starts afresh."""
