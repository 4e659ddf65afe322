"""Following the server's reference data: page by page, verified, never half a picture in use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from app.contract.reference_schema import REFERENCE_SCHEMA
from app.contract.wire import PullReply, SnapshotManifest
from app.store.reference import Reference
from app.store.snapshot import SnapshotDamagedError
from app.sync.outcomes import Delivered, Failed, Outcome, Refused, Trouble
from app.sync.timers import OnDisk
from app.sync.transport import HttpTransport, Target

ROUNDS_MAX = 2000
"""Pages of one pull: ten million rows. More means that the server leads us in circles."""

RESTARTS_MAX = 2
"""Times one pull begins from nothing; more must wait for the next attempt, and that for its delay."""

Exchanged = Callable[[Delivered[Any]], Awaitable[bool]]
"""Called with each answer; False when the server is another one than we knew."""


class Puller:
    """Brings the reference file up to the server; a first load or a mismatch builds a new one aside."""

    def __init__(self, reference: Reference, transport: HttpTransport, on_disk: OnDisk) -> None:
        self._reference = reference
        self._transport = transport
        self._on_disk = on_disk
        self._may_load = True
        """False once the server said that it has no prebuilt file, or the one it gave led nowhere."""
        self._has_begun_with_file = False
        """What is followed came from a prebuilt file, and the pages after it have not come to their end."""

    async def pull(
        self, target: Target, exchanged: Exchanged, *, rows: int
    ) -> Refused | Failed | None:
        """Fetch until there is no more, at most `rows` a page.

        None when the device has what the server has.
        """
        restarts = 0
        for _ in range(ROUNDS_MAX):
            if restarts > RESTARTS_MAX:
                return Failed(trouble=Trouble.SERVER_ERROR, reason="nothing it sends adds up")
            aside = self._reference.rebuild()
            follow = self._reference if aside is None else aside
            if follow.cursor() is None and self._may_load:
                setback = await self._load(target)
                if setback is not None:
                    return setback
                continue
            outcome = await self._transport.pull(target, follow.cursor(), rows)
            if isinstance(outcome, Refused) and outcome.code == "cursor-gone":
                await self._on_disk(self._begin_anew)
                restarts += 1
                continue
            if not isinstance(outcome, Delivered):
                return outcome
            if not await exchanged(outcome):
                return None
            is_sound = await self._on_disk(partial(self._apply, follow, outcome.reply))
            if not is_sound:
                await self._on_disk(self._begin_anew)
                restarts += 1
            elif not outcome.reply.has_more:
                self._has_begun_with_file = False
                return None
        return None

    def _begin_anew(self) -> None:
        """Fetch everything once more, aside. A file that led nowhere would lead nowhere again: a
        server whose database was restored may still have one from before."""
        self._reference.begin_rebuild()
        self._may_load = not self._has_begun_with_file
        self._has_begun_with_file = False

    async def _load(self, target: Target) -> Refused | Failed | None:
        """Begin with the prebuilt file, if the server has one; None: go on pulling."""
        outcome = await self._transport.snapshot(target)
        if _is_no_file_for_us(outcome):
            self._may_load = False
            return None
        if not isinstance(outcome, Delivered):
            return outcome
        manifest, download = outcome.reply, self._reference.download()
        download.begin(manifest)
        while (place := download.missing(manifest)) is not None:
            index, offset = place
            setback = await self._transport.snapshot_part(
                target, manifest.snapshot_id, index, offset, partial(download.add, index)
            )
            if isinstance(setback, Refused):
                download.discard()  # the server has a newer file by now
            if setback is not None:
                return setback
            try:
                await self._on_disk(partial(download.check_part, manifest, index))
            except SnapshotDamagedError as error:
                return Failed(trouble=Trouble.NO_ANSWER, reason=str(error))
        try:
            await self._on_disk(partial(self._reference.rebuild_from, manifest))
        except SnapshotDamagedError as error:
            return Failed(trouble=Trouble.NO_ANSWER, reason=str(error))
        self._has_begun_with_file = True
        return None

    def _apply(self, follow: Reference, page: PullReply) -> bool:
        """False when the rows do not add up: everything must then be fetched anew."""
        is_sound = follow.apply_page(
            page.changes, cursor=page.cursor, checkpoint=page.checkpoint, has_more=page.has_more
        )
        if is_sound and not page.has_more and follow is not self._reference:
            self._reference.adopt_rebuild()
        return is_sound


def _is_no_file_for_us(outcome: Outcome[SnapshotManifest]) -> bool:
    """No file, or one of a server of another age: its pages are for every app."""
    if isinstance(outcome, Delivered):
        return outcome.reply.schema_version != REFERENCE_SCHEMA
    return isinstance(outcome, Refused) and outcome.code in ("snapshot-none", "not-found")
