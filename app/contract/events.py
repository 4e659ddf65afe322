"""The facts a device records. Immutable, append-only; a correction is a new event that names the old one.

Every event is one JSON object. Its bytes, as made on the device, are what is stored, sent, hashed
and kept on the server; nothing re-serialises them (sync rule I2).
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.contract.vocabulary import (
    SCAN_LENGTH_MAX,
    Code,
    Condition,
    CountedText,
    CountScope,
    ScanSource,
    Unit,
)

EVENT_SCHEMA = 1
GENESIS_HASH = "0" * 64
"""`prev_hash` of an install's first event."""

Uuid7Text = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
    ),
]
HashText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FactorText = CountedText
RawText = Annotated[str, StringConstraints(max_length=SCAN_LENGTH_MAX)]


class Frozen(BaseModel):
    """Base of all contract types: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ScanFact(Frozen):
    """What the scanner delivered, before anyone said what it means."""

    raw: RawText
    symbology: Annotated[str, StringConstraints(max_length=32)] = ""
    source: ScanSource


class StockLine(Frozen):
    """Which stock a quantity is about. `lot` and `serial` are "" where the SKU is not tracked."""

    sku: Code
    lot: Annotated[str, StringConstraints(max_length=64)] = ""
    serial: Annotated[str, StringConstraints(max_length=64)] = ""


class Entered(Frozen):
    """A quantity as it was entered, with the unit and the factor used then.

    `factor` is base units per entered unit. A later change of pack size restates nothing.
    """

    quantity: CountedText
    unit: Unit = Unit.EACH
    factor: FactorText = "1"


class SessionOpened(Frozen):
    type: Literal["session.opened"] = "session.opened"
    method: Literal["pin", "badge_and_pin"] = "pin"


class SessionClosed(Frozen):
    type: Literal["session.closed"] = "session.closed"
    why: Literal["signed_out", "locked", "switched"] = "signed_out"


class BinOpened(Frozen):
    """A person stands before the bin. Begins the count whose id the envelope names."""

    type: Literal["bin.opened"] = "bin.opened"
    bin: Code
    scope: CountScope = CountScope.WHOLE_BIN
    sku: Code | None = None
    scan: ScanFact | None = None
    """None: chosen by touch because the label is missing; that is evidence too."""
    off_list: bool = False
    """True: no task asked for it."""


class ItemCounted(Frozen):
    """Units of one SKU were seen. `add` adds to the line, `set` replaces the line's total."""

    type: Literal["item.counted"] = "item.counted"
    line: StockLine
    condition: Condition = Condition.GOOD
    entered: Entered
    mode: Literal["add", "set"] = "add"
    scan: ScanFact | None = None
    expiry: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


class EventVoided(Frozen):
    """Undo. The voided event stays; the fold leaves it out. Only events of the same count."""

    type: Literal["event.voided"] = "event.voided"
    voids: Uuid7Text


class ConditionMarked(Frozen):
    """Some of the units already counted are in another condition: moved, not added."""

    type: Literal["condition.marked"] = "condition.marked"
    line: StockLine
    from_condition: Condition = Condition.GOOD
    to_condition: Condition = Condition.DAMAGED
    entered: Entered
    note: Annotated[str, StringConstraints(max_length=500)] = ""
    photo_sha256: HashText | None = None


class UnknownNoted(Frozen):
    """A barcode this device cannot name, kept with how many there were."""

    type: Literal["unknown.noted"] = "unknown.noted"
    scan: ScanFact
    quantity: CountedText = "1"
    note: Annotated[str, StringConstraints(max_length=500)] = ""
    photo_sha256: HashText | None = None


class BinEmpty(Frozen):
    """A person confirmed that nothing is in the bin. Not the same as a line counted zero."""

    type: Literal["bin.empty"] = "bin.empty"


class BinClosed(Frozen):
    """The count is finished and submitted. What was not seen in a whole-bin count is zero from here on."""

    type: Literal["bin.closed"] = "bin.closed"


class BinLeft(Frozen):
    """The count was given up (cannot reach, wrong bin opened). Nothing in it is judged."""

    type: Literal["bin.left"] = "bin.left"
    why: Literal["cannot_reach", "wrong_bin", "called_away", "label_missing", "other"] = "other"
    note: Annotated[str, StringConstraints(max_length=500)] = ""


class TaskSkipped(Frozen):
    type: Literal["task.skipped"] = "task.skipped"
    why: Literal["cannot_reach", "label_missing", "not_now", "other"] = "other"
    note: Annotated[str, StringConstraints(max_length=500)] = ""


class NoteAdded(Frozen):
    type: Literal["note.added"] = "note.added"
    text: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class ClockObserved(Frozen):
    """The device noticed its wall clock jump (against the boot clock). Milliseconds, signed."""

    type: Literal["clock.observed"] = "clock.observed"
    jumped_ms: int


Payload: TypeAlias = Annotated[
    SessionOpened
    | SessionClosed
    | BinOpened
    | ItemCounted
    | EventVoided
    | ConditionMarked
    | UnknownNoted
    | BinEmpty
    | BinClosed
    | BinLeft
    | TaskSkipped
    | NoteAdded
    | ClockObserved,
    Field(discriminator="type"),
]


class DeviceEvent(Frozen):
    """One fact, with who, where in the install's sequence, and when by three clocks."""

    v: Literal[1] = 1
    id: Uuid7Text
    seq: Annotated[int, Field(ge=1, lt=1 << 53)]
    """Per install, from 1, gap-free: a hole is visible, a second branch is a clone."""
    prev_hash: HashText
    """SHA-256 of the previous event's bytes: a chain an auditor can check alone."""
    wall_ms: Annotated[int, Field(ge=0, lt=1 << 48)]
    boot_ms: Annotated[int, Field(ge=0, lt=1 << 53)]
    """Milliseconds since boot, suspend included; immune to somebody setting the clock."""
    boot_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    tz_min: Annotated[int, Field(ge=-840, le=840)]
    user_id: Code | None = None
    task_id: Annotated[str, StringConstraints(max_length=64)] | None = None
    count_id: Uuid7Text | None = None
    """The count this belongs to, made by the device when the bin is opened. Two devices, two counts."""
    payload: Payload
