"""The device's memory: every step a person confirmed, drafts, settings, identity. One value, one lock.

Screens and the sync engine call it from different threads; each call is one transaction that is on
the disk when it returns.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.contract.events import DeviceEvent
from app.contract.ids import RANDOM_BYTES, uuid7
from app.contract.pins import is_verified
from app.contract.rescue import RescueExport, signed
from app.contract.wire import ClockSample, EnrolReply, EventResult, RefUser
from app.store import enrolment as enrolments
from app.store import event_log, notes, outbox, pins, rescue, samples
from app.store.clock import DeviceClock, SystemClock
from app.store.database import LocalFile, fold_sidecars
from app.store.enrolment import Enrolment
from app.store.errors import StoreDamagedError, StoreError
from app.store.event_log import CountSummary, EventDraft
from app.store.health import SalvageReport, check_or_salvage, complaint
from app.store.migrations import migrate
from app.store.outbox import OutboxStatus, PendingEvent
from app.store.pins import PinOutcome, PinVerdict
from app.store.samples import keep_sample, sent_samples
from app.store.vault import FileVault, Vault

OPS_FILE = "ops.db"
VAULT_FILE = "vault.json"


class DeviceStore:
    """The precious file, opened. Make it with `open`."""

    def __init__(
        self,
        file: LocalFile,
        *,
        clock: DeviceClock,
        random: Callable[[int], bytes],
        vault: Vault,
        salvage: SalvageReport | None,
    ) -> None:
        self._file = file
        self.clock = clock
        self.random = random
        self._vault = vault
        self.salvage = salvage
        """What was saved from a damaged file when this one was opened; None on an ordinary start."""

    @classmethod
    def open(
        cls,
        folder: Path | str,
        *,
        clock: DeviceClock | None = None,
        random: Callable[[int], bytes] = secrets.token_bytes,
        vault: Vault | None = None,
    ) -> DeviceStore:
        """Open or make the store in a folder that outlives the app (FLET_APP_STORAGE_DATA).

        A damaged file is set aside, what is readable in it is taken over under a new identity, and
        `salvage` says so. Raises StoreNewerError when a newer app wrote the file, StoreFullError
        when not even an empty file fits.
        """
        clock = clock or SystemClock()
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        vault = vault or FileVault(folder / VAULT_FILE)
        path = folder / OPS_FILE
        salvage = check_or_salvage(path, now_ms=clock.wall_ms())
        file = LocalFile(path)
        migrate(file)
        store = cls(file, clock=clock, random=random, vault=vault, salvage=salvage)
        store._settle_identity()
        return store

    def _settle_identity(self) -> None:
        with self._file.write_rows() as db:
            if notes.setting(db, enrolments.INSTALL) is None:
                wall = max(0, self.clock.wall_ms())
                install_id = uuid7(wall, self.random(RANDOM_BYTES))
                notes.set_setting(db, enrolments.INSTALL, install_id)
                enrolments.drop_enrolment(db, self._vault)

    def close(self) -> None:
        """Let go of the file. Nothing depends on it: a kill is as good."""
        self._file.close()

    # -- what was counted

    def append(self, drafts: Sequence[EventDraft]) -> list[DeviceEvent]:
        """Record the drafts as one step; the events, once they are on the disk.

        Raises StoreFullError or StoreDamagedError; then none of them was recorded.
        """
        with self._file.write_rows() as db:
            return event_log.append_events(db, drafts, clock=self.clock, random=self.random)

    def events_of_count(self, count_id: str) -> list[DeviceEvent]:
        """The count's events in sequence; [] for a count nobody began here."""
        with self._file.exclusive() as db:
            return event_log.events_of_count(db, count_id)

    def unfinished_counts(self) -> list[CountSummary]:
        """Counts opened and neither closed nor left, oldest first."""
        with self._file.exclusive() as db:
            return event_log.unfinished_counts(db)

    def recent_counts(self, limit: int = 50) -> list[CountSummary]:
        """The last counts begun here, newest first."""
        with self._file.exclusive() as db:
            return event_log.recent_counts(db, limit)

    # -- drafts and settings

    def save_draft(self, *, task_id: str, bin: str, user_id: str, content: str) -> None:
        """Keep what is being typed; `task_id` is "" when no task asked for the bin."""
        with self._file.write_rows() as db:
            notes.save_draft(db, (task_id, bin, user_id), content, self.clock.wall_ms())

    def draft(self, *, task_id: str, bin: str, user_id: str) -> str | None:
        """What was being typed there when the app went away, or None."""
        with self._file.exclusive() as db:
            return notes.draft(db, (task_id, bin, user_id))

    def clear_draft(self, *, task_id: str, bin: str, user_id: str) -> None:
        """Forget it: it became an event, or was given up."""
        with self._file.write_rows() as db:
            notes.clear_draft(db, (task_id, bin, user_id))

    def setting(self, name: str) -> str | None:
        """A setting's value, or None when it was never set."""
        with self._file.exclusive() as db:
            return notes.setting(db, name)

    def set_setting(self, name: str, value: str | None) -> None:
        """Set or, with None, remove."""
        with self._file.write_rows() as db:
            notes.set_setting(db, name, value)

    # -- identity

    @property
    def install_id(self) -> str:
        """This copy of the app's data: a new one after damage or when it was found to be a clone."""
        found = self.setting(enrolments.INSTALL)
        assert found is not None, "set by open()"
        return found

    def enrolment(self) -> Enrolment | None:
        """The server this device belongs to, or None: not enrolled, or no longer."""
        with self._file.exclusive() as db:
            return enrolments.load_enrolment(db, self._vault)

    def save_enrolment(self, reply: EnrolReply, *, server_url: str, device_name: str) -> Enrolment:
        """Keep the server's answer to an enrolment."""
        with self._file.write_rows() as db:
            return enrolments.save_enrolment(
                db, self._vault, reply, server_url=server_url, device_name=device_name
            )

    def drop_enrolment(self) -> None:
        """Forget token and pepper. Events stay and are sent after the next enrolment."""
        with self._file.write_rows() as db:
            enrolments.drop_enrolment(db, self._vault)

    # -- PINs

    def check_pin(self, user: RefUser, pin: str) -> PinOutcome:
        """Whether the PIN is the person's. Takes up to half a second on a phone: call it in a thread.

        The try is on the disk before the PIN is looked at.
        """
        known = self.enrolment()
        if known is None:
            return PinOutcome(verdict=PinVerdict.NOT_ENROLLED)
        with self._file.write() as session:
            refused = pins.count_attempt(session, user, self.clock)
        if refused is not None:
            return refused
        is_right = is_verified(
            user.pin_verifier,
            pin=pin,
            salt=bytes.fromhex(user.pin_salt),
            pepper=bytes.fromhex(known.pin_pepper),
        )
        with self._file.write() as session:
            return pins.settle_attempt(session, user, is_right=is_right)

    # -- what the sync engine needs

    def outbox(self) -> OutboxStatus:
        """How much is unsent, how old, and how much the server holds for a supervisor."""
        with self._file.exclusive() as db:
            return outbox.outbox_status(db)

    def pending(self, limit: int, *, after: int = 0) -> list[PendingEvent]:
        """The oldest unsent events numbered above `after`."""
        with self._file.exclusive() as db:
            return outbox.pending_events(db, limit, after=after)

    def sha256_at(self, seq: int) -> str:
        """SHA-256 of the event of that number; "" when it is not here (any more)."""
        with self._file.exclusive() as db:
            return outbox.sha256_at(db, seq)

    def confirmed_up_to(self) -> int:
        """The number up to which the server confirmed everything, without a hole."""
        with self._file.exclusive() as db:
            return outbox.confirmed_up_to(db)

    def acknowledge(
        self,
        results: Sequence[EventResult],
        *,
        epoch: str,
        samples: Sequence[int] = (),
        exchange: ClockSample | None = None,
    ) -> int:
        """Keep the server's word on the events it listed; how many are newly confirmed.

        `samples`: numbers of the clock samples that went along; `exchange`: what this one tells.
        """
        with self._file.write_rows() as db:
            sent_samples(db, samples)
            if exchange is not None:
                keep_sample(db, exchange)
            return outbox.acknowledge(db, results, epoch=epoch, at_ms=self.clock.wall_ms())

    def adopt_epoch(self, epoch: str, high_seq: int) -> int:
        """The server was restored from a copy: what it lacks above `high_seq` is unsent again."""
        with self._file.write_rows() as db:
            notes.set_setting(db, "server_epoch", epoch)
            samples.resend_samples(db)
            return outbox.forget_deliveries_above(db, high_seq)

    def confirmed_again(self, *, epoch: str, high_seq: int, server_ms: int) -> int:
        """A hello says how far the server holds us; how many old events were removed because of it.

        What goes was confirmed by two hellos of one epoch 30 days apart by the server's clock: until
        then a server restored from a copy can ask for it again. The device's own clock may be set.
        """
        with self._file.write_rows() as db:
            return outbox.confirmed_again(db, epoch=epoch, high_seq=high_seq, server_ms=server_ms)

    def held_settled(self, event_ids: Sequence[str]) -> int:
        """A supervisor settled these held events; how many of them are this device's."""
        with self._file.write_rows() as db:
            return outbox.held_settled(db, event_ids)

    def keep_sample(self, sample: ClockSample) -> bool:
        """Keep a clock exchange when it tells something new."""
        with self._file.write_rows() as db:
            return samples.keep_sample(db, sample)

    def unsent_samples(self) -> list[tuple[int, ClockSample]]:
        """(number, sample) for the next push."""
        with self._file.exclusive() as db:
            return samples.unsent_samples(db)

    # -- upkeep

    def free_bytes(self) -> int:
        """Room left on the disk of this file."""
        return shutil.disk_usage(self._file.path.parent).free

    def damage(self) -> str:
        """What is wrong with the file, "" when it is sound. Nothing can be recorded meanwhile."""
        try:
            with self._file.exclusive() as db:
                return complaint(db) or ""
        except StoreDamagedError as error:
            return str(error)

    def salvage_while_open(self) -> None:
        """Do with a damaged file what is done at a start: `salvage` then says what became of it."""
        with self._file.replacing():
            found = check_or_salvage(self._file.path, now_ms=self.clock.wall_ms())
        if found is not None:
            self.salvage = found
            migrate(self._file)
            self._settle_identity()

    # -- leaving the device

    def rescue_text(self, *, only_unsent: bool = False) -> str:
        """The text of a rescue file, to be shared and imported at the server."""
        with self._file.exclusive() as db:
            return rescue.rescue_of(db, only_unsent=only_unsent)[0]

    def rescue_files(self) -> list[Path]:
        """Files of events that this install cannot send as its own, oldest first."""
        return rescue.set_aside(self._file.path.parent)

    def rescue_export(self) -> RescueExport:
        """All that the server lacks or cannot use, for a person to take off the device. Removes nothing.

        Works on a full disk and on a damaged file too. Raises OSError when nothing can be read at all.
        """
        try:
            with self._file.exclusive() as db:
                made = rescue.export_of(db, self._file.path.parent)
                known = enrolments.load_enrolment(db, self._vault)
        except StoreError:
            return rescue.export_of_damaged(self._file.path)
        if known is None or not made.events:
            return made
        key = hashlib.sha256(known.device_token.encode()).hexdigest()
        return replace(made, text=signed(made.text, known.device_id, key))

    def rescue_done(self, path: Path) -> None:
        """The server has all of it."""
        path.replace(path.with_suffix(".sent"))

    def begin_new_install(self, *, is_confirmed_too: bool = False) -> str:
        """Become another install: this one's data was copied, restored, or belongs to another site.

        The old file is kept aside; what it had not sent is in a rescue file, and what the server had
        confirmed as well if `is_confirmed_too`: a server that was restored may have lost that, and
        what it holds under this install's numbers may be another copy's. Drafts and settings come
        along. Returns the new install's id; the device must be enrolled again.
        """
        stamp = self.clock.wall_ms()
        folder = self._file.path.parent
        with self._file.exclusive() as db:
            text, unsent = rescue.rescue_of(db, only_unsent=not is_confirmed_too)
            kept = notes.everything(db)
        if unsent:
            rescue.write_durably(folder / f"rescue-{stamp}.jsonl", text)
        with self._file.replacing():
            fold_sidecars(self._file.path)
            self._file.path.replace(folder / f"ops.retired-{stamp}.db")
        migrate(self._file)
        with self._file.write_rows() as db:
            notes.restore(db, kept, without=enrolments.OF_THE_INSTALL)
        self._settle_identity()
        return self.install_id
