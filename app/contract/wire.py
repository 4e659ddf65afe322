"""Every message of the sync protocol, version 1. docs/protocol.md says what each side does with it.

Requests refuse unknown keys; replies are read leniently, so an older client survives a newer server.
Nothing here, nor anything a counter's device may ask for, carries an expected quantity.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from app.contract.events import Frozen, HashText, Uuid7Text
from app.contract.vocabulary import (
    BinKind,
    Code,
    CountScope,
    RecordState,
    Role,
    Tracking,
    Unit,
)

WIRE_VERSION = 1
CONTENT_TYPE = "application/vnd.blindcount.sync+json"
"""A reply without it is not from our server: a captive portal, a proxy's page."""
EPOCH_HEADER = "Blindcount-Epoch"

EVENTS_MAX = 500
BODY_BYTES_MAX = 256 * 1024
INFLATED_BYTES_MAX = 2 * 1024 * 1024
EVENT_BYTES_MAX = 16 * 1024
PULL_ROWS_MAX = 5000


class Reply(BaseModel):
    """Base of what the server says: immutable, unknown keys ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Limits(Reply):
    """What one request may be at most; whoever reads it takes the smaller of this and its own."""

    events: int = EVENTS_MAX
    body_bytes: int = BODY_BYTES_MAX
    inflated_bytes: int = INFLATED_BYTES_MAX
    event_bytes: int = EVENT_BYTES_MAX
    pull_rows: int = PULL_ROWS_MAX

    @field_validator("*", mode="before")
    @classmethod
    def _nonsense_is_not_said(cls, said: object) -> object:
        """A limit that is no whole number must not make the whole hello unreadable: 0, not said."""
        return said if isinstance(said, int) and not isinstance(said, bool) else 0


def _limits_or_none(said: object) -> object:
    return said if isinstance(said, dict | Limits) else Limits()


class Hello(Reply):
    """Who the server is. `server_epoch` changes when its database was restored from a copy."""

    server_epoch: str
    site_id: str
    proto_min: int = WIRE_VERSION
    proto_max: int = WIRE_VERSION
    event_schema_max: int = 1
    limits: Annotated[Limits, BeforeValidator(_limits_or_none)] = Limits()
    t1_ms: int
    """Server time when the request arrived, ms since 1970."""
    t2_ms: int
    min_app: str = "0"
    high_seq: int = 0
    """Highest contiguous sequence held for the asking install; 0 when it is not known."""
    high_sha256: str = ""
    """SHA-256 of the event held under `high_seq`: a device whose own differs is a copy."""
    audit_head: str = ""
    held_settled: tuple[str, ...] = ()
    """Ids of this install's held events that a person has settled, the last 500: their badge goes."""


class EnrolRequest(Frozen):
    token: Annotated[str, StringConstraints(min_length=6, max_length=128)]
    """One-time, short-lived, made by `blindcount enrol` or the supervisor's screen."""
    install_id: Uuid7Text
    device_name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    app_version: Annotated[str, StringConstraints(max_length=32)]


class EnrolReply(Reply):
    device_id: str
    device_token: str
    """Bearer of every later request. Kept in the platform's key store where there is one."""
    pin_pepper: str
    """Hex key of this device's PIN verifiers: a copied database without it cannot be guessed at."""
    site_id: str
    site_name: str
    server_epoch: str
    t1_ms: int
    t2_ms: int


class ClockReading(Frozen):
    wall_ms: int
    boot_ms: int
    boot_id: Annotated[str, StringConstraints(max_length=64)]


class ClockSample(Frozen):
    """One exchange: t0 and t3 by the device's boot clock, t1 and t2 by the server's wall clock."""

    boot_id: Annotated[str, StringConstraints(max_length=64)]
    t0_boot_ms: int
    t0_wall_ms: int
    t1_ms: int
    t2_ms: int
    t3_boot_ms: int


class SentEvent(Frozen):
    """An event's own bytes, with the id and place by which it is acknowledged even if unreadable."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    seq: Annotated[int, Field(ge=0, lt=1 << 53)]
    raw: str


class PushRequest(Frozen):
    proto: int
    server_epoch: str
    install_id: Uuid7Text
    app_version: Annotated[str, StringConstraints(max_length=32)] = ""
    clock: ClockReading
    samples: Annotated[tuple[ClockSample, ...], Field(max_length=16)] = ()
    events: tuple[SentEvent, ...]


class Result(StrEnum):
    """What became of one pushed event. An id that is not listed is not acknowledged."""

    CREATED = "created"
    EXISTS = "exists"
    QUARANTINED = "quarantined"
    """Durable but not usable; a case tells the supervisor, a badge the counter."""
    MISMATCH = "mismatch"
    """The id is known with other bytes; both are kept and an integrity case is raised."""
    DEFERRED = "deferred"
    TOO_LARGE = "too_large"


ACKNOWLEDGED = frozenset({Result.CREATED, Result.EXISTS, Result.QUARANTINED, Result.MISMATCH})
"""Results after which the device need not send the event again."""


class EventResult(Reply):
    id: str
    r: Result
    code: str | None = None


class PushReply(Reply):
    server_epoch: str
    t1_ms: int
    t2_ms: int
    results: tuple[EventResult, ...]
    high_seq: int
    """Highest sequence up to which the server durably holds every event of this install."""
    backoff_ms: int | None = None
    audit_head: str = ""


class RefKind(StrEnum):
    BIN = "bin"
    SKU = "sku"
    BARCODE = "barcode"
    TASK = "task"
    USER = "user"


class RefBin(Reply):
    bin: Code
    barcode: str
    zone: str = ""
    aisle: str = ""
    bay: str = ""
    level: str = ""
    kind: BinKind = BinKind.PICK
    walk_order: int = 0
    state: RecordState = RecordState.ACTIVE


class RefSku(Reply):
    sku: Code
    description: str
    tracking: Tracking = Tracking.NONE
    state: RecordState = RecordState.ACTIVE


class RefBarcode(Reply):
    """One barcode of one SKU and the pack it stands for. id = barcode + unit separator + sku."""

    barcode: str
    sku: Code
    unit: Unit = Unit.EACH
    factor: str = "1"


class RefTask(Reply):
    """Where to count next. A recount looks exactly like a first count: its reason would be a hint."""

    task_id: str
    bin: Code
    scope: CountScope = CountScope.WHOLE_BIN
    sku: Code | None = None
    assigned_to: Code | None = None
    """None: whoever comes by. A person: nobody else on the device is shown it."""
    walk_order: int = 0
    due_on: str | None = None


class RefUser(Reply):
    """Who may sign in here. `pin_verifier` = HMAC-SHA256(pin_pepper, Argon2id(PIN, pin_salt)), hex."""

    user_id: Code
    name: str
    role: Role
    pin_salt: str
    pin_verifier: str


class Change(Reply):
    kind: RefKind
    op: Literal["put", "del"]
    id: str
    rev: int
    data: dict[str, Any] | None = None


class Checkpoint(Reply):
    """Counts and checksum of all live reference rows at `rev`; a device that differs starts afresh."""

    rev: int
    counts: dict[str, int]
    checksum: str
    """Hex of the sum mod 2^64 of the first 8 bytes of SHA-256("kind\\x1fid\\x1frev") over live rows."""


class PullReply(Reply):
    server_epoch: str
    t1_ms: int
    t2_ms: int
    changes: tuple[Change, ...]
    cursor: str
    """Opaque: epoch, scope and revision. Stored in the same transaction as the changes."""
    has_more: bool
    checkpoint: Checkpoint | None = None


class SnapshotPart(Reply):
    index: int
    size: int
    sha256: HashText


class SnapshotManifest(Reply):
    """A prebuilt SQLite file of the reference data, gzip, in parts that are fetched by Range."""

    server_epoch: str
    snapshot_id: str
    rev: int
    cursor: str
    schema_version: int
    size: int
    sha256: HashText
    """Of the inflated file."""
    rows: dict[str, int]
    parts: tuple[SnapshotPart, ...]


class QuarantineRequest(Frozen):
    """The one event that made the server refuse a whole batch, as opaque bytes."""

    install_id: Uuid7Text
    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    seq: Annotated[int, Field(ge=0, lt=1 << 53)]
    blob_base64: str


class RescueRequest(Frozen):
    """Events of an install that cannot send them itself: its file was damaged, copied or retired."""

    install_id: Annotated[str, StringConstraints(max_length=64)]
    """The install that recorded them; "" when its damaged file did not give that away."""
    events: tuple[SentEvent, ...]


class RescueReply(Reply):
    results: tuple[EventResult, ...]
