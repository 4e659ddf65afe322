"""What the floor's screens show: one frozen value, replaced by every step. No words, no Flet, no I/O.

Nothing here depends on an expected quantity, because there is none on the device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from app.contract.count_fold import FoldedCount, LineKey
from app.contract.events import DeviceEvent, Entered, ScanFact, StockLine
from app.contract.vocabulary import CountScope, Role, Unit


class Stage(StrEnum):
    """Which of the floor's questions is being asked."""

    ENROL = "enrol"
    LOADING = "loading"
    SIGN_IN = "sign_in"
    TASKS = "tasks"
    SCAN_BIN = "scan_bin"
    COUNT = "count"
    FINISH = "finish"
    BLOCKED = "blocked"


class Tone(StrEnum):
    """What kind of answer the person just got; decides colour, icon, sound and vibration together."""

    ACCEPT = "accept"
    CASE = "case"
    ATTENTION = "attention"
    REJECT = "reject"
    UNDO = "undo"
    DONE = "done"
    QUIET = "quiet"
    """Something to read; no sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The answer to the last step. `serial` rises each time: the same answer twice sounds twice."""

    tone: Tone
    key: str
    """i18n key of the sentence."""
    params: Mapping[str, str] = field(default_factory=dict)
    serial: int = 0
    raw: str = ""
    """The code as read, when the code itself is the news."""
    added: str = ""
    """"+12" for a case, "" for a single piece."""
    offer: BinOffer | None = None
    unknown: ScanFact | None = None
    """The unknown code that was kept: its band offers to find the item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BinOffer:
    """A bin that was scanned instead of the one asked for: "count this one instead"."""

    bin: str
    scan: ScanFact | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may sign in on this device."""

    user_id: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """One line of the task list. A recount looks exactly like a first count."""

    task_id: str
    bin: str
    zone: str
    aisle: str
    bay: str
    level: str
    walk_order: int
    scope: CountScope = CountScope.WHOLE_BIN
    sku: str | None = None
    is_mine: bool = False
    open_by: str = ""
    """Name of who has it open on this device; "" when nobody has."""
    is_open_by_me: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedView:
    """A count that was closed here, and how far the server has it."""

    count_id: str
    bin: str
    by: str
    lines: int
    unknown: int
    is_empty: bool
    unsent: int
    held: int
    opened_ms: int


class Reach(StrEnum):
    """Whether the server was reached when last tried."""

    UNKNOWN = "unknown"
    ONLINE = "online"
    OFFLINE = "offline"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncView:
    """How sending goes, in figures; the words are made on the screen."""

    reach: Reach = Reach.UNKNOWN
    unsent: int = 0
    """Events not yet confirmed by the server."""
    unsent_bins: int = 0
    held: int = 0
    oldest_ms: int | None = None
    last_success_ms: int | None = None
    next_try_s: int | None = None
    problem: str = ""
    """i18n key of what went wrong last, "" when nothing did."""
    code: str = ""
    """The machine's word for it, shown small for whoever helps."""
    server_url: str = ""
    clock_off_ms: int | None = None
    is_busy: bool = False
    is_room_low: bool = False
    """The device's disk is nearly full."""
    is_app_old: bool = False
    """The server asks for a newer app; counting and sending go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A unit a quantity can be entered in; `factor` base units each."""

    unit: Unit = Unit.EACH
    factor: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """One counted line as a row shows it."""

    key: LineKey
    title: str
    quantity: str
    """In base units, canonical decimal."""
    packs: str
    """As counted in packs: "2 x 12", "" when only single pieces were counted."""
    expiry: str = ""
    """The date on the newest label that had one, ISO; "" when none had."""
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCount:
    """The count in progress, derived from its events and from nothing else."""

    count_id: str
    bin: str
    task_id: str | None
    user_id: str
    events: tuple[DeviceEvent, ...]
    fold: FoldedCount
    current: LineKey | None = None
    """The line that the keypad and the chips act on."""


class KeypadPurpose(StrEnum):
    COUNT = "count"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeypadSheet:
    """Digits being typed for one line. Nothing is stored until SET, ADD or the next scan."""

    key: LineKey
    title: str
    packs: tuple[Pack, ...]
    pack: Pack
    digits: str = ""
    purpose: KeypadPurpose = KeypadPurpose.COUNT
    is_known_total: bool = True
    total: Decimal = Decimal(0)
    """What is counted of the line so far, base units."""
    large: str = ""
    """"set" or "add" while a large number waits to be confirmed, else ""."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    sku: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSheet:
    """Find an item by words. `scan` is the code that nobody knew, if that is why we search."""

    query: str = ""
    hits: tuple[SearchHit, ...] = ()
    scan: ScanFact | None = None
    can_keep: bool = False
    """True: the code is not stored yet and may be kept as unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditSheet:
    key: LineKey
    title: str
    quantity: str
    is_deleting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptySheet:
    """First half of "this bin is empty"; the second is a tap elsewhere or the bin's label again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherBinSheet:
    """Another bin's label was scanned while one is open."""

    bin: str
    scan: ScanFact | None
    can_finish: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One possible meaning of an ambiguous code."""

    sku: str
    title: str
    unit: Unit = Unit.EACH
    factor: str = "1"
    lot: str = ""
    bin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseSheet:
    choices: tuple[Choice, ...]
    scan: ScanFact


@dataclass(frozen=True, slots=True, kw_only=True)
class LotSheet:
    """An item that is kept by lot or serial was scanned without one."""

    line: StockLine
    title: str
    wants_serial: bool
    entered: Entered
    scan: ScanFact | None
    last_lot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchUserSheet:
    user_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveSheet:
    """The back arrow inside a bin: keep counting, leave it for later, or give it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSheet:
    """Typing a code that cannot be scanned."""


Sheet = (
    KeypadSheet
    | SearchSheet
    | EditSheet
    | EmptySheet
    | OtherBinSheet
    | ChooseSheet
    | LotSheet
    | SwitchUserSheet
    | LeaveSheet
    | TypeSheet
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorState:
    """All a floor screen may know."""

    stage: Stage = Stage.LOADING
    site_name: str = ""
    people: tuple[Person, ...] = ()
    chosen: Person | None = None
    """Who is about to type a PIN."""
    user: Person | None = None
    tasks: tuple[TaskView, ...] = ()
    finished: tuple[FinishedView, ...] = ()
    task: TaskView | None = None
    """The bin that is asked for."""
    count: OpenCount | None = None
    lines: tuple[LineView, ...] = ()
    """Of the open count, in the order in which they were first touched."""
    titles: Mapping[str, str] = field(default_factory=dict)
    band: Band | None = None
    sheet: Sheet | None = None
    sync: SyncView = field(default_factory=SyncView)
    blocked: str = ""
    """i18n key of why nothing can be stored."""
    salvaged: bool = False
    """The store was found damaged, at the last start or since, and what could be read was taken over."""
