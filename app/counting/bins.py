"""Opening and finishing bins: the walk, the wrong bin, empty, left, sent, next."""

from __future__ import annotations

from typing import Literal

from app.contract.events import (
    BinClosed,
    BinEmpty,
    BinLeft,
    BinOpened,
    Entered,
    ItemCounted,
    ScanFact,
    StockLine,
    TaskSkipped,
)
from app.contract.vocabulary import CountScope, quantity_text
from app.counting import session
from app.counting.floor import step
from app.counting.signing import Signing
from app.counting.state import (
    BinOffer,
    EmptySheet,
    LeaveSheet,
    OtherBinSheet,
    Stage,
    TaskView,
    Tone,
)

LeaveWhy = Literal["cannot_reach", "wrong_bin", "called_away", "label_missing", "other"]
SkipWhy = Literal["cannot_reach", "label_missing", "not_now", "other"]


class Bins(Signing):
    """Verbs about bins."""

    def next_bin(self) -> None:
        """Ask for the next bin on the walk; with none left, the list."""
        task = session.next_task(self.state.tasks, after=self._walked)
        self._set(stage=Stage.SCAN_BIN if task else Stage.TASKS, task=task, sheet=None, count=None)

    def go_to(self, task_id: str) -> None:
        """A line of the list was tapped: ask for that bin, or go on with it if it is open."""
        task = next((t for t in self.state.tasks if t.task_id == task_id), None)
        if task is None:
            return
        if task.open_by and not task.is_open_by_me:
            params = {"name": task.open_by, "bin": task.bin}
            self.say(Tone.REJECT, "band.bin_taken", params)
        elif task.is_open_by_me:
            self._resume()
        else:
            self._set(stage=Stage.SCAN_BIN, task=task, band=None, sheet=None)

    @step
    def resume_open(self) -> None:
        """Go on with the bin this person left open."""
        self._resume()

    def to_tasks(self) -> None:
        """Back to the list; a bin that is open stays open."""
        self._set(stage=Stage.TASKS, task=None, count=None, sheet=None, band=None)
        self.refresh()

    # -- opening

    @step
    def scan_bin(self, bin_code: str, scan: ScanFact | None) -> None:
        """A bin's label was read while no bin is open."""
        task = self.state.task
        if self.state.stage is Stage.SCAN_BIN and task is not None and task.bin != bin_code:
            params = {"bin": bin_code, "wanted": task.bin}
            offer = BinOffer(bin=bin_code, scan=scan)
            self.say(Tone.REJECT, "band.wrong_bin", params, offer=offer)
            return
        self._open(bin_code, scan)

    @step
    def count_instead(self) -> None:
        """ "Count this one instead": the bin that was scanned, not the one asked for."""
        band = self.state.band
        if band is not None and band.offer is not None:
            self._open(band.offer.bin, band.offer.scan)

    @step
    def open_without_label(self) -> None:
        """The label is missing: open the bin asked for by touch; the event says so."""
        if self.state.task is not None:
            self._open(self.state.task.bin, None)

    def _open(self, bin_code: str, scan: ScanFact | None) -> None:
        if not self.is_countable(bin_code):
            self.say(Tone.REJECT, "band.bin_retired", {"bin": bin_code})
            return
        task = self._task_of(bin_code)
        if task is not None and task.open_by:
            self._open_taken(task)
            return
        mine = self._unfinished_at(bin_code)
        if mine is not None:
            self._open_stored(mine)
            return
        payload = BinOpened(
            bin=bin_code,
            scan=scan,
            off_list=task is None,
            **({"scope": task.scope, "sku": task.sku} if task else {}),
        )
        task_id = task.task_id if task else None
        count_id = self.new_id()
        events = self._append([payload], count_id=count_id, task_id=task_id)
        place = self.reference.bin(bin_code)
        self._walked = place.walk_order if place else self._walked
        self._set(
            stage=Stage.COUNT,
            count=session.open_count(events),
            task=None,
            sheet=None,
            band=self._band(Tone.QUIET, "band.bin_open", {"bin": bin_code}),
        )

    def _open_taken(self, task: TaskView) -> None:
        if task.is_open_by_me:
            self._resume()
        else:
            params = {"name": task.open_by, "bin": task.bin}
            self.say(Tone.REJECT, "band.bin_taken", params)

    def _task_of(self, bin_code: str) -> TaskView | None:
        asked = self.state.task
        if asked is not None and asked.bin == bin_code:
            return asked
        return next((t for t in self.state.tasks if t.bin == bin_code), None)

    def _unfinished_at(self, bin_code: str) -> str | None:
        user = self.state.user
        for summary in self.store.unfinished_counts():
            if user and summary.user_id == user.user_id and summary.fold.bin == bin_code:
                return summary.count_id
        return None

    @step
    def skip(self, why: SkipWhy) -> None:
        """The bin asked for cannot be counted now; the next one is asked for."""
        task = self.state.task
        if task is None:
            return
        self._append([TaskSkipped(why=why)], task_id=task.task_id)
        self._skipped.add(task.task_id)
        self._walked = task.walk_order
        self.refresh()
        self.next_bin()
        self.say(Tone.QUIET, "band.skipped", {"bin": task.bin})

    # -- ending

    @step
    def finish(self) -> None:
        """Finish was tapped, or the open bin's own label scanned: summary, or "is it empty?"."""
        count = self.state.count
        if count is None:
            return
        if session.is_untouched(count.fold):
            self.ask_empty()
            return
        self.forget_typed()
        self._set(stage=Stage.FINISH, sheet=None, band=None)

    def ask_empty(self) -> None:
        """First half of "this bin is empty"."""
        count = self.state.count
        if count is not None and not session.is_untouched(count.fold):
            self.say(Tone.REJECT, "band.not_empty", {"bin": count.bin})
            return
        band = self._band(Tone.ATTENTION, "band.empty_ask")
        self._set(sheet=EmptySheet(), band=band)

    @step
    def confirm_empty(self) -> None:
        """Second half: a tap in another place, or the bin's label again. Both facts in one step."""
        count = self.state.count
        if count is None:
            return
        if count.fold.scope is CountScope.SINGLE_SKU and count.fold.sku:
            # The rest of the bin is not judged: what was looked for was counted, and is zero.
            line = StockLine(sku=count.fold.sku)
            none = ItemCounted(line=line, entered=Entered(quantity="0"), mode="set")
            self._record(none, BinClosed())
        else:
            self._record(BinEmpty(), BinClosed())
        self._after_end("band.done_empty", {"bin": count.bin})

    def keep_counting(self) -> None:
        """Back from the summary or out of a sheet."""
        if self.state.stage is Stage.FINISH:
            self._set(stage=Stage.COUNT, sheet=None, band=None)
        else:
            self._set(sheet=None)

    @step
    def send(self) -> None:
        """The count is finished: stored as closed, sent by itself, the next bin at once."""
        count = self.state.count
        if count is None:
            return
        if session.is_untouched(count.fold):
            self.ask_empty()
            return
        fold = count.fold
        self._record(BinClosed())
        params = {
            "bin": count.bin,
            "n": str(len(fold.lines) + len(fold.unknown)),
            "units": quantity_text(session.units_of(fold)),
        }
        self._after_end("band.done", params)

    def _after_end(self, key: str, params: dict[str, str]) -> None:
        self._set(stage=Stage.TASKS, count=None, sheet=None, band=None)
        self.refresh()
        self.next_bin()
        self.say(Tone.DONE, key, params)

    # -- leaving

    def ask_leave(self) -> None:
        """The back arrow inside a bin."""
        self._set(sheet=LeaveSheet())

    @step
    def leave(self, why: LeaveWhy) -> None:
        """Give the count up: nothing in it is judged; the bin stays on the list."""
        count = self.state.count
        if count is None:
            return
        self._record(BinLeft(why=why))
        self.to_tasks()
        self.say(Tone.QUIET, "band.left", {"bin": count.bin})

    def ask_other_bin(self, bin_code: str, scan: ScanFact | None) -> None:
        """Another bin's label while one is open: finish this one first?"""
        count = self.state.count
        assert count is not None, "only while a bin is open"
        can_finish = not session.is_untouched(count.fold)
        params = {"bin": bin_code, "open": count.bin}
        self._set(
            sheet=OtherBinSheet(bin=bin_code, scan=scan, can_finish=can_finish),
            band=self._band(Tone.ATTENTION, "band.other_bin", params),
        )

    @step
    def finish_and_open(self) -> None:
        """Confirmed: this bin is finished, the other one is opened."""
        sheet, count = self.state.sheet, self.state.count
        if not isinstance(sheet, OtherBinSheet) or count is None or not sheet.can_finish:
            return
        self._record(BinClosed())
        self._move_on(sheet)

    @step
    def leave_and_open(self) -> None:
        """Confirmed: this bin was opened by mistake; the other one is opened."""
        sheet, count = self.state.sheet, self.state.count
        if not isinstance(sheet, OtherBinSheet) or count is None:
            return
        self._record(BinLeft(why="wrong_bin"))
        self._move_on(sheet)

    def _move_on(self, sheet: OtherBinSheet) -> None:
        self._set(stage=Stage.TASKS, count=None, sheet=None, band=None)
        self.refresh()
        self._open(sheet.bin, sheet.scan)
