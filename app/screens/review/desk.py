"""What a review page holds: the service's state, what is only on this page, and the verbs of both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import flet as ft

from app.contract.review import Action, ActionOffer, CaseDetail, Proposal
from app.contract.vocabulary import ReasonCode
from app.i18n.words import Words
from app.review.service import ReviewService
from app.review.state import Filters, Page, ReviewState
from app.review.steps import MarkTurned
from app.screens.review.look import is_wide
from app.screens.theme import LIGHT, Palette

FORMS = frozenset({Action.TRANSFER, Action.EXPLAIN, Action.REASSIGN, Action.CLOSE})
"""Decisions that ask one thing more before they are made."""


class Asks(StrEnum):
    """For what the reason is being chosen among all of them."""

    NOTHING = ""
    CASE = "case"
    MANY = "many"


class ReviewRim(Protocol):
    """What the review pages ask of the client."""

    user_id: str
    """Who the sign-in form starts with; "" when nobody is known."""

    def leave(self) -> None:
        """Back to the floor's pages."""
        ...

    def may_count(self, user_id: str) -> bool:
        """Whether this device lets the person count."""
        ...

    def count(self, user_id: str) -> None:
        """The floor's pages, with that person signed in."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was chosen for the decision about one case, and not yet sent."""

    case_id: str = ""
    reason: ReasonCode | None = None
    assign_to: str | None = None
    movement_id: str | None = None
    form: Action | None = None
    """The decision whose one more question is being asked."""
    reversal_id: str = ""
    """Not empty while taking the posting back is asked about: pressed twice, it is one reversal."""
    missing: str = ""
    """i18n key of what must be chosen first."""


@ft.observable
@dataclass
class ReviewModel:
    """Everything a review page draws."""

    state: ReviewState = field(default_factory=ReviewState)
    width: float = 1280
    is_detail_open: bool = False
    """In a narrow window: the detail is shown instead of the list."""
    has_more_filters: bool = False
    """Owner and due time can be chosen."""
    draft: Draft = field(default_factory=Draft)
    many_reason: ReasonCode | None = None
    """Why the stock was wrong, for all marked cases."""
    many_missing: str = ""
    """i18n key of what must be chosen first for them."""
    asks_reason: Asks = Asks.NOTHING
    """All reasons lie over the page."""
    shown_scans: str = ""
    """count_id of the round whose scans are unfolded."""
    beat: int = 0


class ReviewDesk:
    """Verbs for the components of one page."""

    def __init__(
        self,
        *,
        service: ReviewService,
        say: Words,
        rim: ReviewRim,
        palette: Palette = LIGHT,
    ) -> None:
        self.service = service
        self.say = say
        self.rim = rim
        self.palette = palette
        self.model = ReviewModel(state=service.state)
        self.typed: dict[str, str] = {}
        """Note, bin and SKU as typed, kept by reference: drawing anew never races with the keys."""
        self.searched: dict[str, str] = {}
        """What is looked for, as typed."""
        self.is_typing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop = service.subscribe(self._changed)

    def close(self) -> None:
        """The page is gone."""
        self._stop()
        for task in self._tasks:
            task.cancel()

    def _changed(self, state: ReviewState) -> None:
        before = self.model.state
        self.model.state = state
        if state.selected != before.selected:
            self.clear_draft()
        if state.pending is None and before.pending is not None and state.toast is not None:
            self.model.is_detail_open = self.model.is_detail_open and state.selected is not None

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a verb of the service beside the page."""
        task = asyncio.get_running_loop().create_task(_finished(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def now(self) -> datetime:
        """The time of this page."""
        return self.service.now()

    # -- looking

    def select(self, case_id: str) -> None:
        """A row was pressed: while cases are marked, that marks it; it is looked at where there is room."""
        if self.model.state.is_marking:
            self.service.mark(MarkTurned(case_id))
            if not is_wide(self.model.width):
                return
        self.model.is_detail_open = True
        self.do(self.service.select(case_id))

    def find(self) -> None:
        """Only the cases that were asked for."""
        self.do(self.service.narrow(find=self.searched.get("find", "").strip()))

    def find_nothing(self) -> None:
        """What was looked for is not looked for any more."""
        self.searched.clear()
        self.find()

    def show_all(self) -> None:
        """No filter any more."""
        self.searched.clear()
        self.do(self.service.show_filters(Filters()))

    def unfold_filters(self) -> None:
        """Owner and due time too."""
        self.model.has_more_filters = True

    def fold_filters(self) -> None:
        """Without them: what is not seen must not narrow the list."""
        self.model.has_more_filters = False
        self.do(self.service.narrow(owner="", is_overdue=False))

    def back_to_list(self) -> None:
        """In a narrow window."""
        self.model.is_detail_open = False

    def go(self, page: Page) -> None:
        """A place of the rail."""
        self.model.is_detail_open = False
        self.do(self.service.show(page))

    async def go_counting(self, user_id: str) -> None:
        """End the review and take up the scanner as the same person."""
        await self.service.sign_out()
        self.rim.count(user_id)

    def toggle_scans(self, count_id: str) -> None:
        """Show or hide what was scanned in a round."""
        self.model.shown_scans = "" if self.model.shown_scans == count_id else count_id

    # -- why

    def ask_reason(self, asks: Asks) -> None:
        """Show all reasons."""
        self.model.asks_reason = asks

    def choose_reason(self, reason: ReasonCode) -> None:
        """Why the stock was wrong: of the case, or of all marked cases if it was asked for them."""
        asked, self.model.asks_reason = self.model.asks_reason, Asks.NOTHING
        if asked is Asks.MANY:
            self.model.many_reason, self.model.many_missing = reason, ""
        else:
            self.change_draft(reason=reason)

    # -- deciding about several

    def decide_many(self, action: Action, *, assign_to: str | None = None) -> None:
        """One decision about all marked cases. An approval needs its reason first."""
        ids = [row.case_id for row in self.model.state.marked_rows]
        reason = self.model.many_reason if action is Action.APPROVE else None
        if action is Action.APPROVE and reason is None:
            self.model.many_missing = "review.missing.reason"
            return
        self.model.many_missing = ""
        self.do(self.service.decide_many(ids, action, reason=reason, assign_to=assign_to))

    # -- deciding

    @property
    def draft(self) -> Draft:
        """The draft of the case that is looked at."""
        selected = self.model.state.selected or ""
        draft = self.model.draft
        return draft if draft.case_id == selected else Draft(case_id=selected)

    def change_draft(self, **changes: Any) -> None:
        """Choose something for the decision."""
        now = self.draft
        kept = {name: getattr(now, name) for name in Draft.__slots__}
        self.model.draft = Draft(**{**kept, "missing": "", **changes})

    def clear_draft(self) -> None:
        """Another case, another decision."""
        self.typed.clear()
        self.is_typing = False
        self.model.draft = Draft(case_id=self.model.state.selected or "")
        self.model.shown_scans = ""
        self.model.asks_reason = Asks.NOTHING

    def reason_of(self, case: CaseDetail) -> ReasonCode | None:
        """The reason that was chosen, else the one the best proposal gives."""
        if self.draft.reason is not None:
            return self.draft.reason
        proposal = best_proposal(case, Action.APPROVE)
        if proposal is not None and proposal.reason is not ReasonCode.UNKNOWN_CAUSE:
            return proposal.reason
        return None

    def act(self, action: Action) -> None:
        """A decision was pressed, or its key."""
        case = self.model.state.case
        offer = offer_of(case, action)
        if case is None or offer is None or not offer.enabled:
            return
        if self.model.state.pending is not None:
            return
        if action is Action.APPROVE and self.reason_of(case) is None:
            self.change_draft(missing="review.missing.reason")
            return
        if action in FORMS and self.draft.form is not action:
            proposal = best_proposal(case, action)
            if proposal is not None and proposal.other_bin:
                self.typed["other_bin"] = proposal.other_bin
            if proposal is not None and proposal.sku:
                self.typed["sku"] = proposal.sku
            self.change_draft(form=action)
            return
        self._decide(case, action, best_proposal(case, action))

    def follow(self, case: CaseDetail, proposal: Proposal) -> None:
        """A proposal was pressed: its decision, with all it knows."""
        offer = offer_of(case, proposal.action)
        if proposal.action is Action.CLOSE and proposal.sku is None:
            # What it is has to be said by a person.
            self.act(Action.CLOSE)
            return
        if offer is not None and offer.enabled and self.model.state.pending is None:
            # Why the stock was wrong is a guess until it is counted again.
            is_guess = proposal.action is Action.RECOUNT
            reason = None if is_guess else proposal.reason
            self._decide(case, proposal.action, proposal, reason=reason, sku=proposal.sku)

    def _decide(
        self,
        case: CaseDetail,
        action: Action,
        proposal: Proposal | None,
        *,
        reason: ReasonCode | None = None,
        sku: str | None = None,
    ) -> None:
        draft = self.draft
        other_bin = self.typed.get("other_bin", "").strip()
        if proposal is not None and not other_bin:
            other_bin = proposal.other_bin or ""
        if action is Action.TRANSFER and not other_bin:
            self.change_draft(missing="review.missing.bin")
            return
        if action is Action.REASSIGN and draft.assign_to is None:
            self.change_draft(missing="review.missing.person")
            return
        is_theirs = proposal is not None and other_bin == (proposal.other_bin or "")
        people = action in (Action.RECOUNT, Action.REASSIGN)
        posts = action in (Action.APPROVE, Action.TRANSFER)
        chosen = reason or draft.reason or (proposal.reason if proposal and posts else None)
        self.do(
            self.service.decide(
                action,
                reason=chosen or (self.reason_of(case) if action is Action.APPROVE else None),
                note=self.typed.get("note", ""),
                assign_to=draft.assign_to if people else None,
                other_bin=(other_bin or None) if action is Action.TRANSFER else None,
                other_case_id=proposal.other_case_id if proposal and is_theirs else None,
                movement_id=draft.movement_id or (proposal.movement_id if proposal else None),
                sku=(sku or self.typed.get("sku", "").strip() or None)
                if action is Action.CLOSE
                else None,
                proposal=proposal.kind if proposal is not None and is_theirs else None,
            )
        )

    def ask_reversal(self) -> None:
        """Taking back what was posted was pressed: why, first."""
        self.change_draft(reversal_id=self.service.new_id())

    def take_back(self) -> None:
        """The question was answered."""
        draft = self.draft
        if draft.reason is None:
            self.change_draft(missing="review.missing.reversal_reason")
            return
        self.do(self._taken_back(draft.reversal_id, draft.reason))

    async def _taken_back(self, reversal_id: str, reason: ReasonCode) -> None:
        if await self.service.take_back(reversal_id, reason, self.typed.get("note", "")):
            self.clear_draft()

    # -- keys

    def key_pressed(self, key: str) -> None:
        """J and K walk the list, X marks, A approves, R asks for a recount; not while somebody types."""
        state = self.model.state
        if self.is_typing or state.person is None or state.page is not Page.QUEUE:
            return
        if self.model.asks_reason:
            # What lies under it is not decided about unseen.
            if key == "Escape":
                self.ask_reason(Asks.NOTHING)
            return
        keys: dict[str, Callable[[], None]] = {
            "J": lambda: self.do(self.service.step(1)),
            "K": lambda: self.do(self.service.step(-1)),
            "A": lambda: self.act(Action.APPROVE),
            "R": lambda: self.act(Action.RECOUNT),
            "X": self._mark_current,
            "Escape": lambda: self.change_draft(form=None, reversal_id=""),
        }
        press = keys.get(key.upper() if len(key) == 1 else key)
        if press is not None:
            press()

    def _mark_current(self) -> None:
        if self.model.state.selected is not None:
            self.service.mark(MarkTurned(self.model.state.selected))


async def _finished(work: Coroutine[Any, Any, Any]) -> None:
    await work


def offer_of(case: CaseDetail | None, action: Action) -> ActionOffer | None:
    """What the server says of an action on this case."""
    if case is None:
        return None
    return next((offer for offer in case.actions if offer.action is action), None)


def best_proposal(case: CaseDetail, action: Action) -> Proposal | None:
    """The proposal with the best evidence among those that lead to the action."""
    found = [p for p in case.proposals if p.action is action]
    return max(found, key=lambda p: p.score, default=None)
