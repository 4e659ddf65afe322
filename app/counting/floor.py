"""The floor's core: the state, its listeners, and the one way in which a step becomes a fact.

A step is appended and committed before the state changes; the screens, and with them the tones,
follow the state. What the disk refuses blocks the screen instead of being shown as counted.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from app.contract.count_fold import CountStatus
from app.contract.events import DeviceEvent, Payload, ScanFact
from app.contract.vocabulary import RecordState
from app.contract.wire import RefUser
from app.counting import session
from app.counting.directory import SiteDirectory, SiteReference
from app.counting.state import (
    Band,
    FinishedView,
    FloorState,
    OpenCount,
    Person,
    Stage,
    SyncView,
    TaskView,
    Tone,
)
from app.scanner.events import ScanEvent
from app.store.enrolment import Enrolment
from app.store.errors import StoreError
from app.store.event_log import CountSummary, EventDraft
from app.store.pins import PinOutcome

_log = logging.getLogger(__name__)

RECENT_COUNTS = 30
"""Finished counts the list shows; older ones are on the server or still counted as unsent."""


class CountStore(Protocol):
    """The part of the device's store that counting uses."""

    def append(self, drafts: Sequence[EventDraft]) -> list[DeviceEvent]: ...
    def events_of_count(self, count_id: str) -> list[DeviceEvent]: ...
    def unfinished_counts(self) -> list[CountSummary]: ...
    def recent_counts(self, limit: int = 50) -> list[CountSummary]: ...
    def setting(self, name: str) -> str | None: ...
    def set_setting(self, name: str, value: str | None) -> None: ...
    def enrolment(self) -> Enrolment | None: ...
    def check_pin(self, user: RefUser, pin: str) -> PinOutcome: ...
    def save_draft(self, *, task_id: str, bin: str, user_id: str, content: str) -> None: ...
    def draft(self, *, task_id: str, bin: str, user_id: str) -> str | None: ...
    def clear_draft(self, *, task_id: str, bin: str, user_id: str) -> None: ...


S = TypeVar("S", bound="FloorCore")
P = ParamSpec("P")


def step(method: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], None]:
    """Marks a verb that may write: a disk that refuses blocks the screen, and says why."""

    @functools.wraps(method)
    def guarded(self: S, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except StoreError as error:
            self.block(error)

    return guarded  # type: ignore[return-value]  # wraps() forgets that self is positional


class FloorCore:
    """State, listeners, storing. The verbs are in the classes built on it."""

    def __init__(
        self,
        *,
        store: CountStore,
        reference: SiteReference,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        recorded: Callable[[], None] = lambda: None,
        is_salvaged: bool = False,
    ) -> None:
        """`recorded` is called after each step that was stored: the sync engine may send it."""
        self._recorded = recorded
        self.store = store
        self.reference = reference
        self.directory = SiteDirectory(reference)
        self.new_id = new_id
        self.now = now
        self.state = FloorState(salvaged=is_salvaged)
        self._listeners: list[Callable[[FloorState], None]] = []
        self._bands = 0
        self._stage_before_block = Stage.LOADING
        self._titles: dict[str, str] = {}
        self._walked: int | None = None
        self._skipped: set[str] = set()

    # -- listening

    def subscribe(self, listener: Callable[[FloorState], None]) -> Callable[[], None]:
        """Call `listener` with every new state; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _set(self, **changes: Any) -> None:
        state = replace(self.state, **changes)
        if state.count is not self.state.count:
            state = replace(state, lines=self._lines(state.count))
        if state == self.state:
            return
        self.state = state
        for listener in tuple(self._listeners):
            try:
                listener(state)
            except Exception:
                # What was stored is stored: a page that cannot draw must not undo a step, nor keep
                # the other pages from hearing of it.
                _log.exception("a page could not follow")

    def _lines(self, count: OpenCount | None) -> tuple[Any, ...]:
        if count is None:
            return ()
        for line in count.fold.lines:
            self.title_of(line.key.sku)
        return session.line_views(count.fold, self._titles, count.current)

    def title_of(self, sku: str) -> str:
        """The item's description, or its code when the site does not know it."""
        if sku not in self._titles:
            found = self.reference.sku(sku)
            self._titles[sku] = found.description if found and found.description else sku
        return self._titles[sku]

    def _band(
        self, tone: Tone, key: str, params: Mapping[str, str] | None = None, **more: Any
    ) -> Band:
        self._bands += 1
        return Band(tone=tone, key=key, params=dict(params or {}), serial=self._bands, **more)

    def say(
        self, tone: Tone, key: str, params: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        """Answer the last step."""
        self._set(band=self._band(tone, key, params, **more))

    # -- storing

    def _record(self, *payloads: Payload) -> OpenCount:
        """Append to the open count; returns it with the events, which are on the disk by then."""
        count = self.state.count
        assert count is not None, "a bin must be open"
        events = self._append(payloads, count_id=count.count_id, task_id=count.task_id)
        return session.with_events(count, events)

    def _append(
        self,
        payloads: Sequence[Payload],
        *,
        count_id: str | None = None,
        task_id: str | None = None,
        user_id: str | None = None,
    ) -> list[DeviceEvent]:
        who = user_id or (self.state.user.user_id if self.state.user else None)
        drafts = [
            EventDraft(payload=p, user_id=who, task_id=task_id, count_id=count_id) for p in payloads
        ]
        events = self.store.append(drafts)
        self._recorded()
        return events

    def _place_of_draft(self) -> dict[str, str]:
        """Under which task, bin and person typed digits are kept; {} while no bin is open."""
        count, user = self.state.count, self.state.user
        if count is None or user is None:
            return {}
        return {"task_id": count.task_id or "", "bin": count.bin, "user_id": user.user_id}

    def forget_typed(self) -> None:
        """The digits became an event, or were given up."""
        place = self._place_of_draft()
        if place:
            self.store.clear_draft(**place)

    def block(self, error: StoreError) -> None:
        """Nothing can be stored: say so on the whole screen until it works again."""
        if self.state.stage is not Stage.BLOCKED:
            self._stage_before_block = self.state.stage
        self._set(
            stage=Stage.BLOCKED,
            blocked=error.words,
            sheet=None,
            band=self._band(Tone.REJECT, error.words),
        )

    def retry(self) -> None:
        """Try the disk again by a harmless write; on success the bin is open as it was stored."""
        try:
            self.store.set_setting("floor.disk_check", self.now().isoformat())
            count = self.state.count
            if count is not None:
                count = session.open_count(self.store.events_of_count(count.count_id))
        except StoreError as error:
            self.block(error)
            return
        self._set(stage=self._stage_before_block, blocked="", band=None, count=count)
        self.refresh()

    # -- what the lists show

    def refresh(self) -> None:
        """Read people, tasks and finished counts anew: after a sync, a sign-in, a finished bin."""
        try:
            self._refresh()
        except StoreError as error:
            self.block(error)

    def _refresh(self) -> None:
        enrolled = self.store.enrolment()
        people = tuple(
            Person(user_id=u.user_id, name=u.name, role=u.role) for u in self.reference.users()
        )
        changes: dict[str, Any] = {
            "people": people,
            "site_name": enrolled.site_name if enrolled else "",
        }
        if self.state.stage in (Stage.ENROL, Stage.LOADING):
            changes["stage"] = self._first_stage(enrolled)
        if self.state.user is not None:
            summaries = self.store.recent_counts(RECENT_COUNTS)
            finished = self._finished(summaries, people)
            changes["finished"] = finished
            changes["tasks"] = self._tasks(summaries, people)
            unsent = sum(1 for count in finished if count.unsent)
            changes["sync"] = replace(self.state.sync, unsent_bins=unsent)
        self._set(**changes)

    def _first_stage(self, enrolled: Enrolment | None) -> Stage:
        if enrolled is None:
            return Stage.ENROL
        return Stage.SIGN_IN if self.reference.is_ready else Stage.LOADING

    def _tasks(
        self, summaries: Sequence[CountSummary], people: Sequence[Person]
    ) -> tuple[TaskView, ...]:
        user = self.state.user
        assert user is not None, "tasks belong to somebody"
        done = {s.task_id for s in summaries if s.fold.status is CountStatus.CLOSED}
        open_by = {s.task_id: s.user_id or "" for s in self.store.unfinished_counts() if s.task_id}
        names = {person.user_id: person.name for person in people}
        views = []
        for task in self.reference.tasks_for(user.user_id):
            if task.task_id in done or task.task_id in self._skipped:
                continue
            place = self.reference.bin(task.bin)
            holder = open_by.get(task.task_id, "")
            views.append(
                TaskView(
                    task_id=task.task_id,
                    bin=task.bin,
                    zone=place.zone if place else "",
                    aisle=place.aisle if place else "",
                    bay=place.bay if place else "",
                    level=place.level if place else "",
                    walk_order=task.walk_order or (place.walk_order if place else 0),
                    scope=task.scope,
                    sku=task.sku,
                    is_mine=task.assigned_to == user.user_id,
                    open_by=names.get(holder, holder),
                    is_open_by_me=holder == user.user_id,
                )
            )
        return tuple(sorted(views, key=lambda view: (view.walk_order, view.bin)))

    @staticmethod
    def _finished(
        summaries: Sequence[CountSummary], people: Sequence[Person]
    ) -> tuple[FinishedView, ...]:
        names = {person.user_id: person.name for person in people}
        return tuple(
            FinishedView(
                count_id=s.count_id,
                bin=s.fold.bin or "",
                by=names.get(s.user_id or "", s.user_id or ""),
                lines=len(s.fold.lines),
                unknown=len(s.fold.unknown),
                is_empty=s.fold.is_empty_confirmed,
                unsent=s.unsent,
                held=s.held,
                opened_ms=s.opened_wall_ms,
            )
            for s in summaries
            if s.fold.status is CountStatus.CLOSED
        )

    def set_sync(self, sync: SyncView) -> None:
        """How sending goes, told by the sync engine; lists are read anew where they are shown."""
        before = self.state.sync
        self._set(sync=replace(sync, unsent_bins=before.unsent_bins))
        is_news = (before.unsent, before.last_success_ms) != (sync.unsent, sync.last_success_ms)
        is_waiting = self.state.stage in (Stage.ENROL, Stage.LOADING)
        in_bin = self.state.stage in (Stage.COUNT, Stage.FINISH, Stage.BLOCKED)
        if is_waiting or (is_news and not in_bin):
            self.refresh()

    def is_countable(self, bin_code: str) -> bool:
        """Whether the bin is in use at this site."""
        found = self.reference.bin(bin_code)
        return found is not None and found.state is not RecordState.RETIRED


def scan_fact(event: ScanEvent) -> ScanFact:
    """The scan as the events keep it: raw, before anyone said what it means."""
    symbology = event.symbology.value if event.symbology else ""
    return ScanFact(raw=event.text, symbology=symbology, source=event.source)
