"""What can happen on a supervisor's page: the steps that the reducer takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.contract.review import (
    AccuracyReport,
    CaseDetail,
    CasePage,
    DecisionResult,
    SignedIn,
    TaskRow,
)
from app.review.answers import DeviceRow, EnrolCode, OutageKind, PersonRow, Trouble
from app.review.state import Filters, Page, PendingDecision


@dataclass(frozen=True, slots=True)
class SignInTried:
    pass


@dataclass(frozen=True, slots=True)
class SignInDone:
    person: SignedIn


@dataclass(frozen=True, slots=True)
class SignedOut:
    """By the person, or because the session ended (then `trouble` says so)."""

    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Unreached:
    kind: OutageKind


@dataclass(frozen=True, slots=True)
class PageChosen:
    page: Page


@dataclass(frozen=True, slots=True)
class FiltersChosen:
    filters: Filters


@dataclass(frozen=True, slots=True)
class QueueAsked:
    pass


@dataclass(frozen=True, slots=True)
class QueueCame:
    """A page of the queue, as asked for with these filters; `after` continues the list."""

    filters: Filters
    page: CasePage
    after: str | None = None


@dataclass(frozen=True, slots=True)
class CaseChosen:
    case_id: str


@dataclass(frozen=True, slots=True)
class CaseCame:
    case: CaseDetail


@dataclass(frozen=True, slots=True)
class DecisionMade:
    pending: PendingDecision


@dataclass(frozen=True, slots=True)
class DecisionUnanswered:
    decision_id: str
    kind: OutageKind


@dataclass(frozen=True, slots=True)
class DecisionAnswered:
    result: DecisionResult


@dataclass(frozen=True, slots=True)
class DecisionRefused:
    decision_id: str
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class MarkingChosen:
    """Whether cases are marked, to decide about several at once."""

    is_marking: bool


@dataclass(frozen=True, slots=True)
class MarkTurned:
    """This case is marked, or not any more."""

    case_id: str


@dataclass(frozen=True, slots=True)
class AllMarked:
    """Every case of the list as far as it is shown."""


@dataclass(frozen=True, slots=True)
class ManyAnswered:
    """What became of one decision on several cases."""

    results: tuple[DecisionResult, ...]


@dataclass(frozen=True, slots=True)
class PagesCame:
    """Whatever of the other pages came; None is "not this time"."""

    tasks: tuple[TaskRow, ...] | None = None
    accuracy: AccuracyReport | None = None
    devices: tuple[DeviceRow, ...] | None = None
    people: tuple[PersonRow, ...] | None = None
    enrol_code: EnrolCode | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """Something to tell in a toast."""

    key: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToastRead:
    serial: int


Step = (
    SignInTried
    | SignInDone
    | SignedOut
    | Refused
    | Unreached
    | PageChosen
    | FiltersChosen
    | QueueAsked
    | QueueCame
    | CaseChosen
    | CaseCame
    | DecisionMade
    | DecisionUnanswered
    | DecisionAnswered
    | DecisionRefused
    | MarkingChosen
    | MarkTurned
    | AllMarked
    | ManyAnswered
    | PagesCame
    | Said
    | ToastRead
)
