"""The supervisor's use-cases as screens see them: one object, one state, verbs that never raise.

A decision gets its id before it is sent and is sent with that id until the server has answered, so
that a lost answer never posts stock twice. Knows no Flet.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import httpx

from app.contract.review import (
    Action,
    BulkDecision,
    Decision,
    DecisionResult,
    ProposalKind,
    Reversal,
)
from app.contract.vocabulary import ReasonCode
from app.review import steps
from app.review.answers import OutageError, RefusedError, Trouble
from app.review.api import ReviewApi
from app.review.asking import filter_query
from app.review.listing import MarkStep
from app.review.reducer import reduce
from app.review.sending import SESSION_ENDED, Sender
from app.review.state import Filters, Page, PendingDecision, Reach, ReviewState, Toast
from app.review.steps import Step

PAGE_ROWS = 50
"""Cases asked for at a time."""
KEPT_ROWS_MAX = 200
"""Rows a quiet refresh asks for again; whoever scrolled further sees the rest on the next page."""
POLL_SECONDS = 15.0
"""How old the queue may be while somebody looks at it."""
AWAY_SECONDS = 5.0
"""How often it is asked for while the server does not answer."""
TOAST_SECONDS = 8.0
"""Long enough to read a sentence of twelve words twice."""

T = TypeVar("T")


class ReviewService:
    """One supervisor's page. Not for use by two tasks at once, but its verbs may overlap."""

    def __init__(
        self,
        url: str,
        *,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`new_id` makes UUIDv7 texts; `transport` is a fake network in tests."""
        self.new_id = new_id
        self.now = now
        self.state = ReviewState()
        self.url = url
        self._transport = transport
        self._sleep = sleep
        self._api = ReviewApi(url, transport)
        self._unanswered: BulkDecision | None = None
        self._is_deciding_many = False
        self._listeners: list[Callable[[ReviewState], None]] = []
        self._sender = Sender(
            state=lambda: self.state,
            # Not the method itself: another server's address makes another API.
            send=lambda case_id, decision: self._api.decide(case_id, decision),  # noqa: PLW0108
            take=self._step,
            sleep=sleep,
        )

    # -- listening

    def subscribe(self, listener: Callable[[ReviewState], None]) -> Callable[[], None]:
        """Call `listener` with every new state; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _step(self, step: Step) -> None:
        state = reduce(self.state, step)
        if state == self.state:
            return
        self.state = state
        for listener in tuple(self._listeners):
            listener(state)

    async def run(self) -> None:
        """Keep the queue fresh while it is shown, and ask again for a page that could not be fetched.

        Ends when it is cancelled.
        """
        while True:
            is_away = self.state.reach is Reach.OFFLINE
            await self._sleep(AWAY_SECONDS if is_away else POLL_SECONDS)
            state = self.state
            is_wanted = state.page is Page.QUEUE or state.reach is Reach.OFFLINE
            if state.person is not None and is_wanted:
                await self._load(state.page)

    async def close(self) -> None:
        """The page is gone."""
        await self._api.close()

    # -- who is there

    async def use_server(self, url: str) -> None:
        """Another server's address; only while nobody is signed in."""
        if url == self.url or self.state.person is not None:
            return
        await self._api.close()
        self.url, self._api = url, ReviewApi(url, self._transport)

    async def sign_in(self, user_id: str, pin: str) -> bool:
        """Sign in with person and PIN, then fetch the queue. True when signed in."""
        if self.state.is_signing_in:
            return False
        self._step(steps.SignInTried())
        signed = await self._try(self._api.sign_in(user_id.strip(), pin.strip()))
        if signed is None:
            return False
        self._unanswered = None
        self._step(steps.SignInDone(signed))
        if self.state.pending is not None:
            await self._send()
        await asyncio.gather(self.refresh(), self.load_people())
        return True

    async def sign_out(self) -> None:
        """End the session; on the server too, if it can be reached."""
        with contextlib.suppress(RefusedError, OutageError):
            await self._api.sign_out()
        self._unanswered = None
        self._step(steps.SignedOut())

    # -- the queue

    async def refresh(self) -> None:
        """Fetch the queue anew, and the case that is looked at if it has changed."""
        if self.state.person is None:
            return
        self._step(steps.QueueAsked())
        rows = max(PAGE_ROWS, min(len(self.state.rows), KEPT_ROWS_MAX))
        await self._fetch_queue(self.state.filters, None, rows)
        await self._fetch_case()

    async def load_more(self) -> None:
        """The next page of the queue."""
        state = self.state
        if state.next_cursor is None or state.is_queue_loading:
            return
        self._step(steps.QueueAsked())
        await self._fetch_queue(state.filters, state.next_cursor, PAGE_ROWS)

    async def _fetch_queue(self, filters: Filters, after: str | None, rows: int) -> None:
        assert self.state.person is not None, "only a signed-in person has a queue"
        query = {"limit": str(rows), **filter_query(filters, self.state.person.user_id)}
        if after is not None:
            query["cursor"] = after
        page = await self._try(self._api.cases(query))
        if page is not None:
            self._step(steps.QueueCame(filters, page, after))

    async def show_filters(self, filters: Filters) -> None:
        """Show only these cases."""
        self._step(steps.FiltersChosen(filters))
        await self.refresh()

    async def narrow(self, **changes: Any) -> None:
        """Show other cases: fields of Filters that change; the others stay."""
        await self.show_filters(replace(self.state.filters, **changes))

    async def select(self, case_id: str) -> None:
        """Look at a case."""
        self._step(steps.CaseChosen(case_id))
        await self._fetch_case()

    async def step(self, by: int) -> None:
        """The next (1) or previous (-1) case of the list; at the end, nothing."""
        rows, at = self.state.rows, self.state.position
        if not rows:
            return
        to = 0 if at is None else at + by
        if 0 <= to < len(rows):
            await self.select(rows[to].case_id)
        if to >= len(rows) - 3:
            await self.load_more()

    async def _fetch_case(self) -> None:
        case_id = self.state.selected
        if case_id is None:
            return
        case = await self._try(self._api.case(case_id))
        if case is not None:
            self._step(steps.CaseCame(case))

    # -- deciding

    async def decide(
        self,
        action: Action,
        *,
        reason: ReasonCode | None = None,
        note: str = "",
        assign_to: str | None = None,
        other_bin: str | None = None,
        other_case_id: str | None = None,
        movement_id: str | None = None,
        sku: str | None = None,
        proposal: ProposalKind | None = None,
    ) -> None:
        """Decide about the case that is looked at. Kept and sent again until the server answers."""
        case, person = self.state.case, self.state.person
        if case is None or person is None or self.state.pending is not None:
            return
        decision = Decision(
            decision_id=self.new_id(),
            action=action,
            version=case.version,
            reason=reason,
            note=note.strip()[:2000],
            assign_to=assign_to,
            other_bin=(other_bin or "").strip() or None,
            other_case_id=other_case_id,
            movement_id=movement_id,
            sku=sku,
            proposal=proposal,
        )
        pending = PendingDecision(
            case_id=case.case_id, bin=case.bin, decision=decision, made_by=person.user_id
        )
        self._step(steps.DecisionMade(pending))
        await self._send()

    def try_again(self) -> None:
        """Send what waits now, not after the pause."""
        self._sender.try_again()

    async def _send(self) -> None:
        if await self._sender.run():
            self._toast_fades()
            await self.refresh()

    async def take_back(self, reversal_id: str, reason: ReasonCode, note: str = "") -> bool:
        """Reverse the posting of the case that is looked at. Sent twice with one id it is done once."""
        case = self.state.case
        if case is None or case.adjustment is None:
            return False
        made = Reversal(reversal_id=reversal_id, reason=reason, note=note.strip()[:2000])
        answer = await self._try(self._api.reverse(case.adjustment.adjustment_id, made))
        if answer is None:
            return False
        self.say("review.toast.reversed", {"bin": case.bin})
        await self.refresh()
        return True

    def mark(self, step: MarkStep) -> None:
        """Mark cases for one decision, or let them be."""
        self._step(step)

    async def decide_many(
        self,
        case_ids: Sequence[str],
        action: Action,
        *,
        reason: ReasonCode | None = None,
        note: str = "",
        assign_to: str | None = None,
    ) -> dict[str, DecisionResult]:
        """One decision on several cases; what became of each, by case. Empty when there was no answer.

        Asked for again after a lost answer it is the same decision with the same id.
        """
        if not case_ids or self._is_deciding_many:
            return {}
        decision = Decision(
            decision_id=self.new_id(),
            action=action,
            reason=reason,
            note=note.strip()[:2000],
            assign_to=assign_to,
        )
        bulk = same_or_new(
            self._unanswered, BulkDecision(case_ids=tuple(case_ids), decision=decision)
        )
        self._unanswered = bulk
        self._is_deciding_many = True
        try:
            answer = await self._try(self._api.decide_many(bulk))
        finally:
            self._is_deciding_many = False
        if answer is None:
            return {}
        self._unanswered = None
        self._step(steps.ManyAnswered(answer.results))
        done = sum(1 for result in answer.results if result.done)
        left = len(case_ids) - done
        key = "review.toast.many" if left == 0 else "review.toast.many_left"
        self.say(key, {"done": str(done), "left": str(left)})
        await self.refresh()
        return {result.case_id: result for result in answer.results}

    # -- the other pages

    async def show(self, page: Page) -> None:
        """Go to a place of the rail and fetch what it shows."""
        self._step(steps.PageChosen(page))
        await self._load(page)

    async def _load(self, page: Page) -> None:
        if page is Page.QUEUE:
            await self.refresh()
        elif page is Page.TASKS:
            await self.load_tasks()
        elif page is Page.ACCURACY:
            await self.load_accuracy()
        else:
            await self.load_devices()

    async def load_people(self) -> None:
        """Everybody of the site, for the choice of who counts; finance and audit may not know."""
        with contextlib.suppress(RefusedError, OutageError):
            self._step(steps.PagesCame(people=await self._api.people()))

    async def load_tasks(self) -> None:
        """What is to be counted."""
        found = await self._try(self._api.tasks())
        if found is not None:
            self._step(steps.PagesCame(tasks=found))

    async def load_accuracy(self) -> None:
        """How right the book was."""
        found = await self._try(self._api.accuracy())
        if found is not None:
            self._step(steps.PagesCame(accuracy=found))

    async def load_devices(self) -> None:
        """Which devices there are."""
        found = await self._try(self._api.devices())
        if found is not None:
            self._step(steps.PagesCame(devices=found))

    async def make_enrol_code(self) -> None:
        """A one-time code for one more device."""
        made = await self._try(self._api.make_enrol_code())
        if made is not None:
            self._step(steps.PagesCame(enrol_code=made))

    # -- saying

    def say(self, key: str, params: dict[str, str]) -> None:
        """Tell something in a toast."""
        self._step(steps.Said(key, params))
        self._toast_fades()

    def _toast_fades(self) -> None:
        toast = self.state.toast
        if toast is not None:
            task = asyncio.ensure_future(self._fade(toast))
            self._fading = task

    async def _fade(self, toast: Toast) -> None:
        await self._sleep(TOAST_SECONDS)
        self._step(steps.ToastRead(toast.serial))

    async def _try(self, call: Awaitable[T]) -> T | None:
        """The answer; None after the state has been told why there is none."""
        try:
            return await call
        except OutageError as error:
            self._step(steps.Unreached(error.kind))
        except RefusedError as error:
            self._refused(error.trouble)
        return None

    def _refused(self, trouble: Trouble) -> None:
        if trouble.code in SESSION_ENDED and self.state.person is not None:
            self._step(steps.SignedOut(trouble))
        else:
            self._step(steps.Refused(trouble))


def same_or_new(known: BulkDecision | None, wanted: BulkDecision) -> BulkDecision:
    """The decision that got no answer when this is the same once more: its id makes it one decision."""
    if known is None:
        return wanted
    as_known = wanted.decision.model_copy(update={"decision_id": known.decision.decision_id})
    is_same = (known.case_ids, known.decision) == (wanted.case_ids, as_known)
    return known if is_same else wanted
