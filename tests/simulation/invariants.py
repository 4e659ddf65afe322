"""What must hold, whatever happens. The numbers are those of docs/reliability.md."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import sqlite3
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import httpx
from sqlmodel import col, select

from app.contract.count_fold import fold_count
from app.contract.rescue import read_rescue
from app.contract.wire import ACKNOWLEDGED
from app.store.errors import StoreError
from server.domain.people import Device, DeviceState
from server.services.pulling import pull
from server.storage.count_events import events_of_count
from server.storage.events import samples_of
from server.storage.tables_access import DeviceRow
from server.storage.tables_sync import DeviceEventRow, HeldEventRow, InstallRow, PushRow
from tests.simulation.reference import records_there_are, reference_rows
from tests.simulation.sim_network import plain_body
from tests.simulation.sim_server import Answer
from tests.simulation.templates import SITE

if TYPE_CHECKING:
    from tests.simulation.sim_device import Process, SimDevice
    from tests.simulation.world import World

_ACKS = {str(r) for r in ACKNOWLEDGED}


class Checks:
    """Looks at everything, trusts nothing that the program says about itself."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.acked: set[tuple[str, bytes]] = set()
        """(id, bytes) of what a reply of the server called stored, whether or not it arrived."""
        self.heads: set[tuple[str, str]] = set()
        """(install, head of its chain) as replies named them: what a witness could hold up."""
        self.whole: dict[str, dict[str, int]] = {}
        """Rows of each kind that a device with this cursor must have."""
        self.violations: list[str] = []

    def violated(self, words: str) -> None:
        """Remember it: many places that see one cannot raise through the program."""
        self.world.note("VIOLATED", words)
        self.violations.append(words)

    def raise_if_any(self) -> None:
        assert not self.violations, "; ".join(self.violations[:3])

    # -- at every moment

    def after_answer(self, request: httpx.Request, body: bytes, answer: Answer) -> None:
        """I3, I8: note what the server promises; and it never fails without a reason."""
        self.world.requests += 1
        path = request.url.path
        if answer.status == 500 and not self.world.server.expected_500:
            self.violated(f"server error on {path}: {answer.body[:300]!r}")
        if answer.status != 200 or not path.endswith(("/push", "/rescue", "/quarantine")):
            return
        sent = json.loads(gzip.decompress(body))
        reply = json.loads(plain_body(answer))
        if reply.get("audit_head"):
            self.heads.add((sent["install_id"], reply["audit_head"]))
        results = reply.get("results", [reply])
        named = {r["id"]: r for r in results}
        for event in sent.get("events", []):
            word = named.get(event["id"])
            if word is None:
                self.violated(f"I8: no word on event {event['id']}")
            elif word["r"] in _ACKS:
                self.acked.add((event["id"], event["raw"].encode("utf-8", "surrogatepass")))

    def after_server_start(self) -> None:
        """I3: what was acknowledged has survived, and would survive a power cut."""
        with self.world.server.database.engine.connect() as connection:
            level = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        if level < 2:
            self.violated(f"I3: the server commits with synchronous={level}")
        lost = self.acked - self.world.server.keys()
        if lost:
            self.violated(f"I3: {len(lost)} acknowledged events are gone after a crash")
        if self.heads - self.world.server.heads():
            self.violated("I11: a head that a reply named is in no chain of the server")

    def after_server_restore(self) -> None:
        """What the copy does not have is not acknowledged any more: the devices must notice."""
        kept = self.world.server.keys()
        self.acked &= kept
        self.heads &= self.world.server.heads()
        lost = (e for e in self.world.recorded.values() if (e.id, e.raw.encode()) not in kept)
        self.world.excuse(lost)

    def after_start(self, device: SimDevice) -> None:
        """I13: everything confirmed and every draft is on the storage the app starts from."""
        found = _on_storage(device)
        for event in device.events.values():
            raw = found.get(event.id)
            if raw != event.raw:
                self.violated(f"I13: event {event.seq} is {'gone' if raw is None else 'altered'}")
        process = device.process
        assert process is not None
        for (task, bin_code, user), content in device.drafts.items():
            if process.store.draft(task_id=task, bin=bin_code, user_id=user) != content:
                self.violated("I13: a draft is gone")
        with process.store._file.exclusive() as connection:
            (level,) = connection.execute("PRAGMA synchronous").fetchone()
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if level < 2 or mode != "wal":
            self.violated(f"I3: the device commits with synchronous={level} in {mode}")

        if process.reference.is_ready and not device.loaded:
            self.violated("F9: ready to count with half of a first load")
        self.reference_is_whole(device, process)

    def reference_is_whole(self, device: SimDevice, process: Process) -> None:
        """F1: the cursor never says more than the rows beside it."""
        with contextlib.suppress(StoreError):
            expected = self.whole.get(process.reference.cursor() or "")
            if expected is None:
                return
            found = {kind.value: len(rows) for kind, rows in reference_rows(process).items()}
            if {kind: n for kind, n in found.items() if n} != expected:
                self.violated(f"F1: {device.name} has {found}, its cursor says {expected}")

    def nothing_kept(self, device: SimDevice) -> None:
        """After the store refused, it holds no more than before."""
        process = device.process
        if process is None:
            return
        with contextlib.suppress(StoreError):
            install, last = process.store.install_id, process.store.outbox().last_seq
            ours = [e.seq for e in device.events.values() if e.install_id == install]
            if last != max(ours, default=0):
                self.violated("F10: a refused step was stored all the same")

    # -- when everything is well again

    def unsettled(self) -> str:
        """Why not everything has arrived yet; "" when it has."""
        rev = self.world.server.rev
        for device in self.world.devices:
            why = _unfinished(device.process, rev)
            if why:
                return f"{device.name} {why}"
        return self._not_back() if self.world.is_restored_unsaid else ""

    def _not_back(self) -> str:
        """After a restore that nobody announced: what the devices have not sent again yet."""
        there = self.world.server.keys()
        for event in self.world.recorded.values():
            key = (event.id, event.raw.encode("utf-8", "surrogatepass"))
            if key not in there and event.id not in self.world.excused:
                return f"event {event.seq} of {event.install_id} is not back yet"
        return ""

    def at_the_end(self) -> None:
        """I1, I2, I4, I5, I6, I8, I11, I12 over the whole."""
        self.raise_if_any()
        world = self.world
        usable, held = world.server.usable(), world.server.held()
        self._each_once(usable, held)
        self._sequences(usable)
        self._chains()
        self._true_times(usable)
        for device in world.devices:
            self._same_reference(device)
        self.after_server_start()
        self.raise_if_any()

    def _each_once(self, usable: list[DeviceEventRow], held: list[HeldEventRow]) -> None:
        recorded = self.world.recorded
        there = {(row.event_id, row.raw): row for row in usable}
        aside = Counter((row.event_id, row.raw) for row in held)
        for event in recorded.values():
            as_used = (event.id, event.raw) in there
            as_held = (event.id, event.raw.encode("utf-8", "surrogatepass")) in aside
            if not (as_used or as_held) and event.id not in self.world.excused:
                self.violated(f"I1: event {event.seq} of {event.install_id} never arrived")
            if as_used and as_held:
                self.violated(f"I1: event {event.seq} of {event.install_id} is there twice")
        for row in usable:
            known = recorded.get(row.event_id)
            if known is None or (known.seq, known.raw) != (row.seq, row.raw):
                self.violated(f"I2: event {row.event_id} was not recorded like that")
            elif row.install_id.split("~")[0] != known.install_id:
                self.violated(f"I4: event {row.event_id} is filed under another install")
        for row in held:
            known = recorded.get(row.event_id)
            if known is None or known.raw.encode("utf-8", "surrogatepass") != row.raw:
                self.violated(f"I2: held event {row.event_id} was not recorded like that")

    def _sequences(self, usable: list[DeviceEventRow]) -> None:
        """I4: one event under each number of an install."""
        taken = Counter((row.install_id, row.seq) for row in usable)
        if any(number > 1 for number in taken.values()):
            self.violated("I4: two usable events under one number")
        with self.world.server.database.read() as session:
            for install in session.exec(select(InstallRow)):
                seqs = {row.seq for row in usable if row.install_id == install.install_id}
                query = select(HeldEventRow.seq).where(
                    HeldEventRow.install_id == install.install_id
                )
                seqs |= set(session.exec(query))
                high = 0
                while high + 1 in seqs:
                    high += 1
                if install.high_seq != high:
                    self.violated(f"I4: high_seq {install.high_seq} but {high} held in a row")

    def _chains(self) -> None:
        """I11: the chain of each install's pushes can be recomputed from the rows."""
        with self.world.server.database.read() as session:
            hashes: dict[tuple[str, int], list[str]] = {}
            for table in (DeviceEventRow, HeldEventRow):
                query: Any = select(col(table.install_id), col(table.push), col(table.sha256))
                for install_id, number, sha256 in session.exec(query):
                    hashes.setdefault((install_id, number), []).append(sha256)
            heads: dict[str, str] = {}
            query = select(PushRow).order_by(col(PushRow.install_id), col(PushRow.number))
            for row in session.exec(query):
                found = hashes.get((row.install_id, row.number), [])
                head = _chain_head(
                    heads.get(row.install_id, ""), row.number, row.received_us, found
                )
                heads[row.install_id] = head
                if head != row.head:
                    self.violated(f"I11: push {row.number} of {row.install_id} does not add up")

    def _true_times(self, usable: list[DeviceEventRow]) -> None:
        """I12: where the boot's clock was ever compared, the truth lies in the stated interval."""
        recorded = self.world.recorded
        with self.world.server.database.read() as session:
            for install_id in sorted({row.install_id for row in usable}):
                boots = {
                    s.boot_id
                    for s in samples_of(session, SITE, install_id)
                    if s.t3_boot_ms is not None
                }
                counts = {
                    row.count_id
                    for row in usable
                    if row.install_id == install_id and row.count_id is not None
                }
                for count_id in sorted(counts):
                    stored = events_of_count(session, SITE, count_id)
                    for one in stored:
                        truth = recorded[one.event.id].at_ms
                        low = one.earliest.timestamp() * 1000
                        high = one.latest.timestamp() * 1000
                        if one.event.boot_id in boots and not low - 1 <= truth <= high + 1:
                            self.violated(
                                f"I12: at {truth}, stated {low:.0f} to {high:.0f}"
                                f" ({one.clock_quality})"
                            )
                    self._same_fold(count_id, [one.event for one in stored])

    def _same_fold(self, count_id: str, events: list[Any]) -> None:
        """I5: whatever order they came in, they mean the same."""
        shuffled = list(events)
        Random(count_id).shuffle(shuffled)
        if fold_count(count_id, events) != fold_count(count_id, [*shuffled, *events[:2]]):
            self.violated(f"I5: count {count_id} depends on the order of arrival")

    def _same_reference(self, device: SimDevice) -> None:
        """I6: the device has, row by row, what the server would tell it now."""
        process = device.process
        assert process is not None
        if not process.reference.verify():
            self.violated(f"I6: {device.name} keeps totals its rows do not have")
        server = self.world.server
        with server.database.read() as session:
            row = session.exec(
                select(DeviceRow).where(DeviceRow.install_id == process.store.install_id)
            ).one()
            who = Device(
                device_id=row.device_id,
                name=row.name,
                install_id=row.install_id,
                state=DeviceState(row.state),
            )
        reply = pull(server.database, SITE, who, None, 5000, rim=server.rim)
        theirs = {(c.kind, c.id): c.data for c in reply.changes if c.op == "put"}
        true = records_there_are(server.database)
        for kind, ours in reference_rows(process).items():
            expected = {i: d for (k, i), d in theirs.items() if k is kind}
            if ours != expected:
                self.violated(f"I6: {device.name} has other {kind}s than the server")
            if kind in true and set(ours) != true[kind]:
                self.violated(f"I6: {device.name} has other {kind}s than there are")


def _unfinished(process: Process | None, rev: int) -> str:
    """What a device has still to send or fetch; "" for nothing. `rev`: where the server stands."""
    if process is None:
        return "is off"
    reference, cursor = process.reference, process.reference.cursor() or "~~0~0"
    reasons = {
        "has unsent events": process.store.outbox().unsent,
        "has a rescue file waiting": process.store.rescue_files(),
        "says it is not up to date": process.engine.status.state != "up_to_date",
        "fetches its reference data anew": reference.rebuild() is not None,
        f"is at {cursor}, the server at {rev}": int(cursor.split("~")[2]) != rev,
    }
    found = next((words for words, is_so in reasons.items() if is_so), "")
    return f"{found}: {process.engine.status}" if found else ""


def _on_storage(device: SimDevice) -> dict[str, str]:
    """Every event in any file of the device: the log, retired logs, rescue files."""
    found: dict[str, str] = {}
    for path in device.folder.glob("ops*.db"):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            found.update(connection.execute("SELECT id, raw FROM event").fetchall())
    for path in (*device.folder.glob("rescue-*.jsonl"), *device.folder.glob("rescue-*.sent")):
        for event in read_rescue(path.read_text("utf-8")).events:
            found[event.id] = event.raw
    return found


def _chain_head(previous: str, number: int, received_us: int, hashes: list[str]) -> str:
    """The head as docs/protocol.md defines it, written down here a second time."""
    parts = [previous, str(number), str(received_us), *sorted(hashes)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
