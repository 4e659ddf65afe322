"""Following the server's reference data: page by page, verified, never half a picture in use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from app.contract.wire import PULL_ROWS_MAX, PullReply
from app.store.reference import Reference
from app.sync.outcomes import Delivered, Failed, Refused
from app.sync.transport import HttpTransport, Target

ROUNDS_MAX = 2000
"""Pages of one pull: ten million rows. More means that the server leads us in circles."""

Exchanged = Callable[[Delivered[Any]], Awaitable[bool]]
"""Called with each answer; False when the server is another one than we knew."""


class Puller:
    """Brings the reference file up to the server; a first load or a mismatch builds a new one aside."""

    def __init__(self, reference: Reference, transport: HttpTransport) -> None:
        self._reference = reference
        self._transport = transport

    async def pull(self, target: Target, exchanged: Exchanged) -> Refused | Failed | None:
        """Fetch until there is no more; None when the device has what the server has."""
        for _ in range(ROUNDS_MAX):
            aside = self._reference.rebuild()
            follow = self._reference if aside is None else aside
            outcome = await self._transport.pull(target, follow.cursor(), PULL_ROWS_MAX)
            if isinstance(outcome, Refused) and outcome.code == "cursor-gone":
                self._reference.begin_rebuild()
                continue
            if not isinstance(outcome, Delivered):
                return outcome
            if not await exchanged(outcome):
                return None
            if self._apply(follow, outcome.reply) and not outcome.reply.has_more:
                return None
        return None

    def _apply(self, follow: Reference, page: PullReply) -> bool:
        """False when the rows do not add up: everything is then fetched anew, aside."""
        is_sound = follow.apply_page(
            page.changes, cursor=page.cursor, checkpoint=page.checkpoint, has_more=page.has_more
        )
        if not is_sound:
            self._reference.begin_rebuild()
        elif not page.has_more and follow is not self._reference:
            self._reference.adopt_rebuild()
        return is_sound
