"""What the review's screens show: one frozen value, replaced by every step. No words, no Flet, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.contract.review import (
    AccuracyReport,
    CaseDetail,
    CaseRow,
    Decision,
    SignedIn,
    TaskRow,
)
from app.contract.vocabulary import CaseKind, CaseState
from app.review.answers import DeviceRow, EnrolCode, OutageKind, PersonRow, Trouble

ENDED = frozenset(
    {
        CaseState.POSTED,
        CaseState.CLOSED,
        CaseState.EXPLAINED,
        CaseState.COUNT_ERROR,
        CaseState.TRANSFERRED,
        CaseState.REJECTED,
        CaseState.CANCELLED,
    }
)
"""States in which nobody has to do anything more: the case leaves the queue."""


class Page(StrEnum):
    """Places of the rail."""

    QUEUE = "queue"
    TASKS = "tasks"
    ACCURACY = "accuracy"
    DEVICES = "devices"


class Reach(StrEnum):
    """Whether the server answered when last asked."""

    UNKNOWN = "unknown"
    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which cases the queue shows. The default shows every open one."""

    is_mine: bool = False
    owner: str = ""
    """user_id of whose cases are shown; "" for everybody's. Where `is_mine`, it says nothing."""
    is_overdue: bool = False
    """Only those that should have been decided by now."""
    kind: CaseKind | None = None
    zone: str = ""
    is_ended: bool = False
    """Those in which nobody has to do anything more, instead of the open ones."""
    find: str = ""
    """A case's id, or how the name of its bin or SKU begins."""

    @property
    def is_everything(self) -> bool:
        return self == Filters()


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingDecision:
    """A decision that was made here and that the server has not confirmed yet."""

    case_id: str
    bin: str
    decision: Decision
    made_by: str
    tries: int = 0
    """Times it was sent without an answer. Each time it was the same decision with the same id."""


class ToastKind(StrEnum):
    DONE = "done"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Toast:
    """What just happened, said once. `serial` rises: the same words twice are two toasts."""

    kind: ToastKind
    key: str
    """i18n key of the sentence."""
    params: Mapping[str, str] = field(default_factory=dict)
    serial: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewState:
    """Everything a supervisor's page shows."""

    person: SignedIn | None = None
    """None: the question is who is there."""
    is_signing_in: bool = False
    page: Page = Page.QUEUE
    filters: Filters = Filters()
    rows: tuple[CaseRow, ...] = ()
    is_queue_known: bool = False
    """False until the first page of these filters came: an empty list is not yet good news."""
    is_queue_loading: bool = False
    next_cursor: str | None = None
    total_open: int = 0
    value_open: str = "0"
    currency: str = ""
    zones: tuple[str, ...] = ()
    """Zones seen so far, for the filter."""
    selected: str | None = None
    """case_id of the case that is looked at."""
    detail: CaseDetail | None = None
    is_marking: bool = False
    """Whether the list is for marking cases, to decide about several at once."""
    marked: frozenset[str] = frozenset()
    """Their case_ids."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """case_id -> the rule, in words, that forbade the last decision about several."""
    pending: PendingDecision | None = None
    reach: Reach = Reach.UNKNOWN
    outage: OutageKind | None = None
    trouble: Trouble | None = None
    """Why the last thing asked for was refused; gone with the next step."""
    toast: Toast | None = None
    toasts: int = 0
    """How many toasts there were: the serial of the newest."""
    tasks: tuple[TaskRow, ...] | None = None
    accuracy: AccuracyReport | None = None
    devices: tuple[DeviceRow, ...] | None = None
    people: tuple[PersonRow, ...] = ()
    enrol_code: EnrolCode | None = None

    @property
    def selected_row(self) -> CaseRow | None:
        """The case that is looked at, as the queue knows it."""
        return next((row for row in self.rows if row.case_id == self.selected), None)

    @property
    def marked_rows(self) -> tuple[CaseRow, ...]:
        """The marked cases, as the queue knows them."""
        return tuple(row for row in self.rows if row.case_id in self.marked)

    @property
    def case(self) -> CaseDetail | None:
        """The evidence of the case that is looked at, once it came."""
        detail = self.detail
        return detail if detail is not None and detail.case_id == self.selected else None

    @property
    def position(self) -> int | None:
        """Place of the selected case in the list, 0-based."""
        ids = [row.case_id for row in self.rows]
        return ids.index(self.selected) if self.selected in ids else None

    def name_of(self, user_id: str | None) -> str:
        """A person's name, or the id where it is not known."""
        if not user_id:
            return ""
        known = next((p.name for p in self.people if p.user_id == user_id), None)
        return known or user_id
