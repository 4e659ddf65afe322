"""What a supervisor's screen and the server say to each other about exception cases.

Never sent to a counter. Quantities and money are decimal strings in base units and in the site's currency.
Every case answers on its face: who owns it, what changed, what happens next.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from app.contract.events import Frozen, Uuid7Text
from app.contract.vocabulary import (
    CaseKind,
    CaseState,
    Condition,
    ReasonCode,
    Role,
    ScanSource,
    TaskState,
    Verdict,
)
from app.contract.wire import Reply


class SignInRequest(Frozen):
    user_id: str
    pin: Annotated[str, StringConstraints(min_length=4, max_length=12)]


class SignedIn(Reply):
    token: str
    user_id: str
    name: str
    role: Role
    site_id: str
    site_name: str
    currency: str
    expires_at: datetime


class Action(StrEnum):
    """What a supervisor can decide about a case."""

    RECOUNT = "recount"
    APPROVE = "approve"
    TRANSFER = "transfer"
    EXPLAIN = "explain"
    REJECT = "reject"
    ESCALATE = "escalate"
    REASSIGN = "reassign"
    CLOSE = "close"
    """For kinds without stock to post (unknown barcode matched, gap looked into)."""


class ProposalKind(StrEnum):
    UNPOSTED_MOVEMENT = "unposted_movement"
    DOUBLE_POSTED_MOVEMENT = "double_posted_movement"
    OFFSETTING_TRANSFER = "offsetting_transfer"
    WRONG_UNIT = "wrong_unit"
    SLIPPED_DIGIT = "slipped_digit"
    SWAPPED_LABELS = "swapped_labels"
    DAMAGE_NOT_MARKED = "damage_not_marked"
    MATCH_BARCODE = "match_barcode"
    COUNTS_AGREE = "counts_agree"


class Interval(Reply):
    """Lowest and highest possible value; equal when nothing moved while the bin was counted."""

    low: str
    high: str


class ActionOffer(Reply):
    action: Action
    enabled: bool
    why_not: str = ""
    """The rule that forbids it, in words, when it is not enabled."""


class CaseRow(Reply):
    """One line of the queue."""

    case_id: str
    kind: CaseKind
    state: CaseState
    bin: str
    zone: str
    sku: str
    description: str
    lot: str = ""
    condition: Condition = Condition.GOOD
    verdict: Verdict | None = None
    variance: Interval
    value: Interval
    """Money of the variance at unit cost, signed."""
    currency: str
    priority: int
    """0 (look when there is time) to 100 (now); the queue is sorted by it, highest first."""
    priority_why: str
    owner_id: str
    owner_name: str
    opened_at: datetime
    due_at: datetime
    ended_at: datetime | None = None
    """When nobody had to do anything more; None while somebody has to."""
    orders_at_risk: int = 0
    rounds: int = 0
    next_action: Action | None = None
    next_words: str = ""
    """What happens next, in words: "Ana recounts A-01-03", "Approve -6 (reason: pick not posted)"."""
    version: int
    """Rises with each change; a decision names the version that was looked at."""


class CasePage(Reply):
    items: tuple[CaseRow, ...]
    next_cursor: str | None = None
    total_open: int
    value_open: str
    """Absolute money of all open cases, never netted."""
    currency: str


class ScanRow(Reply):
    """One entry of a round: what was scanned or typed, as it was entered."""

    at: datetime
    words: str
    raw: str = ""
    source: ScanSource | None = None
    undone: bool = False


class RoundView(Reply):
    """One count of the line: the first (index 0) or a recount."""

    index: int
    count_id: str
    counted_by: str
    counted_by_name: str
    device: str
    opened_at: datetime
    closed_at: datetime
    received_at: datetime
    counted: str
    entered: str
    """As entered: "3 cases x 12 + 4 each"."""
    book: Interval
    variance: Interval
    verdict: Verdict
    used: bool = True
    why_not_used: str = ""
    scans: tuple[ScanRow, ...] = ()


class MovementView(Reply):
    movement_id: str
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    delta: str
    """Signed effect on this bin and SKU, in base units."""
    from_place: str
    to_place: str
    document: str = ""
    during_count: bool = False
    is_late: bool = False
    """Recorded after the count arrived, although it happened before."""


class TimelineEntry(Reply):
    at: datetime
    kind: str
    """count, movement, decision, clock."""
    title: str
    detail: str = ""
    delta: str = ""


class OrderAtRisk(Reply):
    number: str
    promised_at: datetime | None
    quantity: str
    short: str
    value: str


class Impact(Reply):
    unit_cost: str
    price: str
    inventory_net: str
    inventory_absolute: str
    margin_at_risk: str
    cash_tied_up: str
    cost_at: datetime
    orders: tuple[OrderAtRisk, ...] = ()


class Proposal(Reply):
    kind: ProposalKind
    score: float
    """0 to 1: how well the evidence fits; docs/reconciliation.md gives each formula."""
    title: str
    evidence: tuple[str, ...]
    action: Action
    reason: ReasonCode | None = None
    other_case_id: str | None = None
    other_bin: str | None = None
    movement_id: str | None = None
    sku: str | None = None
    """What an unknown barcode stands for."""


class HistoryEntry(Reply):
    at: datetime
    who: str
    event: str
    from_state: str
    to_state: str
    why: str = ""
    through: str = ""


class AdjustmentView(Reply):
    adjustment_id: str
    state: str
    quantity: str
    value: str
    reason: ReasonCode
    posted_at: datetime | None = None
    dated_at: datetime
    movement_id: str | None = None
    can_reverse: bool = False
    why_not_reverse: str = ""
    """The rule that forbids the person who asks to take it back, in words."""


class CaseDetail(CaseRow):
    """One case with all its evidence on one page."""

    recounter_id: str | None = None
    recounter_name: str = ""
    book_now: str = "0"
    round_views: tuple[RoundView, ...] = ()
    movements: tuple[MovementView, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    impact: Impact
    proposals: tuple[Proposal, ...] = ()
    actions: tuple[ActionOffer, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    adjustment: AdjustmentView | None = None
    linked_case_ids: tuple[str, ...] = ()


class Reversal(Frozen):
    """Take a posting back by a counter-entry. `reversal_id` makes it idempotent: sent twice, done once."""

    reason: ReasonCode
    note: Annotated[str, StringConstraints(max_length=2000)] = ""
    reversal_id: Uuid7Text | None = None


class Reversed(Reply):
    adjustment_id: str
    """The counter-entry's."""
    reverses: str


class Decision(Frozen):
    """A supervisor's word on a case. `decision_id` makes it idempotent: sent twice, done once."""

    decision_id: Uuid7Text
    action: Action
    version: int | None = None
    reason: ReasonCode | None = None
    note: Annotated[str, StringConstraints(max_length=2000)] = ""
    assign_to: str | None = None
    """Recount: who counts; None lets the server choose somebody who has not. Reassign: the owner."""
    other_bin: str | None = None
    other_case_id: str | None = None
    movement_id: str | None = None
    sku: str | None = None
    proposal: ProposalKind | None = None
    """The proposal that was followed, so that accepted proposals can be counted."""


class DecisionResult(Reply):
    decision_id: str
    case_id: str
    done: bool
    repeated: bool = False
    """The same decision had been made before; nothing was done again."""
    problem: str | None = None
    message: str = ""
    case: CaseDetail | None = None


class BulkDecision(Frozen):
    case_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=200)]
    decision: Decision


class BulkResult(Reply):
    results: tuple[DecisionResult, ...]


class TaskRow(Reply):
    task_id: str
    bin: str
    zone: str
    state: TaskState
    assigned_to: str | None
    round_index: int
    case_id: str | None = None
    created_at: datetime


class AccuracyFigure(Reply):
    """One accuracy measure with its basis in its name and the numbers it came from."""

    name: str
    hits: str
    of: str
    percent: str | None
    """None when nothing was counted: no figure is not 0 %."""


class AccuracyReport(Reply):
    since: datetime
    until: datetime
    figures: tuple[AccuracyFigure, ...]
    variance_net_units: str
    variance_absolute_units: str
    variance_net_value: str
    variance_absolute_value: str
    currency: str
    bins_counted: int
    bins_total: int
    bins_planned: int = 0
    """Bins for which a first count was planned in the period."""
    bins_planned_counted: int = 0
    by_zone: tuple[AccuracyFigure, ...] = ()
    by_class: tuple[AccuracyFigure, ...] = ()
    by_sku: tuple[AccuracyFigure, ...] = ()
    by_person: tuple[AccuracyFigure, ...] = ()
    proposals: tuple[AccuracyFigure, ...] = ()
    """Per kind of proposal: hits = followed, of = how often it stood on top at a decision."""
