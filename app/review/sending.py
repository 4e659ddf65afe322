"""A decision is sent with one id until the server has answered, so that a lost answer posts nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app.contract.review import Decision, DecisionResult
from app.review import steps
from app.review.answers import OutageError, RefusedError, Trouble
from app.review.state import PendingDecision, ReviewState
from app.review.steps import Step

RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Pauses before a decision is sent again; the last one repeats."""
SESSION_ENDED = frozenset({"token-unknown", "token-missing"})


class Sender:
    """Sends the pending decision, again and again, never two at a time."""

    def __init__(
        self,
        *,
        state: Callable[[], ReviewState],
        send: Callable[[str, Decision], Awaitable[DecisionResult]],
        take: Callable[[Step], None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """`send` is one try and raises RefusedError and OutageError; `take` is told what became of it."""
        self._state = state
        self._send = send
        self._take = take
        self._sleep = sleep
        self._again = asyncio.Event()
        self._sending = False

    def try_again(self) -> None:
        """Send what waits now, not after the pause."""
        self._again.set()

    async def run(self) -> bool:
        """Until there is an answer or nobody is signed in. False when it is being sent already."""
        if self._sending:
            return False
        self._sending = True
        try:
            while (pending := self._waiting()) is not None:
                if await self._once(pending):
                    break
                await self._pause(pending.tries)
        finally:
            self._sending = False
        return True

    def _waiting(self) -> PendingDecision | None:
        state = self._state()
        return state.pending if state.person is not None else None

    async def _once(self, pending: PendingDecision) -> bool:
        """True when there was an answer, whatever it was."""
        decision_id = pending.decision.decision_id
        try:
            result = await self._send(pending.case_id, pending.decision)
        except OutageError as error:
            self._take(steps.DecisionUnanswered(decision_id, error.kind))
            return False
        except RefusedError as error:
            self._take(_refused(decision_id, error.trouble))
            return True
        # The answer of an older server may leave out the id; it is the answer to this call.
        named = result.model_copy(update={"decision_id": decision_id})
        self._take(steps.DecisionAnswered(named))
        return True

    async def _pause(self, tries: int) -> None:
        """Wait before the next try, or until somebody presses "try again"."""
        self._again.clear()
        seconds = RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)]
        waits = [
            asyncio.ensure_future(self._sleep(seconds)),
            asyncio.ensure_future(self._again.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _refused(decision_id: str, trouble: Trouble) -> Step:
    if trouble.code in SESSION_ENDED:
        return steps.SignedOut(trouble)
    return steps.DecisionRefused(decision_id, trouble)
