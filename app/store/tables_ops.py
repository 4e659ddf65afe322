"""Tables of ops.db, the precious file: what was counted, and how far it got. Rows only.

Whether an event was sent is a row of `delivery`, never a column of `event`: events do not change.
Triggers hold what no program may break, whoever opens the file.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

STRICT: dict[str, Any] = {"sqlite_strict": True}


class OpsTable(SQLModel, registry=registry()):
    """Base that keeps these tables apart from every other SQLModel of the process."""


class EventRow(OpsTable, table=True):
    """One device event: its exact bytes, and the columns by which the device finds it."""

    __tablename__ = "event"
    __table_args__ = (
        CheckConstraint("seq >= 1"),
        CheckConstraint("length(sha256) = 64"),
        CheckConstraint("length(raw) > 0"),
        Index("event_by_count", "count_id", "seq"),
        STRICT,
    )

    seq: int = Field(primary_key=True)
    id: str = Field(sa_type=Text, unique=True)
    type: str = Field(sa_type=Text)
    count_id: str | None = Field(default=None, sa_type=Text)
    task_id: str | None = Field(default=None, sa_type=Text)
    user_id: str | None = Field(default=None, sa_type=Text)
    voids: str | None = Field(default=None, sa_type=Text)
    wall_ms: int
    raw: str = Field(sa_type=Text)
    sha256: str = Field(sa_type=Text)


class DeliveryRow(OpsTable, table=True):
    """The server's word about one event. No row: unsent, so it will be sent."""

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("result IN ('created', 'exists', 'quarantined', 'mismatch')"),
        STRICT,
    )

    seq: int = Field(
        sa_column=Column(
            # Deferred: pruning deletes the event first, whose trigger wants to see this row.
            ForeignKey("event.seq", deferrable=True, initially="DEFERRED"),
            primary_key=True,
            autoincrement=False,
        )
    )
    result: str = Field(sa_type=Text)
    code: str | None = Field(default=None, sa_type=Text)
    epoch: str = Field(sa_type=Text)
    at_ms: int


class DraftRow(OpsTable, table=True):
    """What somebody was typing when the app went away."""

    __tablename__ = "draft"
    __table_args__ = (STRICT,)

    task_id: str = Field(primary_key=True, sa_type=Text)
    bin: str = Field(primary_key=True, sa_type=Text)
    user_id: str = Field(primary_key=True, sa_type=Text)
    content: str = Field(sa_type=Text)
    saved_ms: int


class SettingRow(OpsTable, table=True):
    """Small named facts of this install, enrolment among them."""

    __tablename__ = "setting"
    __table_args__ = (STRICT,)

    name: str = Field(primary_key=True, sa_type=Text)
    value: str = Field(sa_type=Text)


class PinAttemptRow(OpsTable, table=True):
    """Wrong PINs of one person, counted before the PIN is looked at, so that a kill gains nothing."""

    __tablename__ = "pin_attempt"
    __table_args__ = (CheckConstraint("failures >= 0"), STRICT)

    user_id: str = Field(primary_key=True, sa_type=Text)
    failures: int
    wall_ms: int
    boot_ms: int
    boot_id: str = Field(sa_type=Text)
    verifier: str = Field(sa_type=Text)
    """The verifier they were wrong about: a new PIN from the server starts a new count."""


class SampleRow(OpsTable, table=True):
    """One clock exchange with the server; kept until the server has it."""

    __tablename__ = "sample"
    __table_args__ = (STRICT,)

    number: int | None = Field(default=None, primary_key=True)
    boot_id: str = Field(sa_type=Text)
    t0_boot_ms: int
    t0_wall_ms: int
    t1_ms: int
    t2_ms: int
    t3_boot_ms: int
    is_sent: int = 0


TRIGGERS = (
    """CREATE TRIGGER event_is_final BEFORE UPDATE ON event
       BEGIN SELECT RAISE(ABORT, 'events are never changed'); END""",
    # The newest event stays whatever its age: the next one takes its number and hash from it.
    """CREATE TRIGGER event_is_kept BEFORE DELETE ON event
       WHEN NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.seq = OLD.seq)
         OR OLD.seq = (SELECT max(seq) FROM event)
       BEGIN SELECT RAISE(ABORT, 'an unsent event is never deleted'); END""",
    """CREATE TRIGGER event_has_no_gap BEFORE INSERT ON event
       WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM event)
       BEGIN SELECT RAISE(ABORT, 'the sequence has no gaps'); END""",
)
