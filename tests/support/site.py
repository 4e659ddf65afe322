"""A small site on a device: five bins, five items, two counters and a supervisor, in real files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from app.contract.ids import RANDOM_BYTES, uuid7
from app.contract.vocabulary import Role, ScanSource, Tracking, Unit
from app.contract.wire import (
    Change,
    RefBarcode,
    RefBin,
    RefKind,
    RefSku,
    RefTask,
    RefUser,
    Reply,
)
from app.counting.service import FloorService
from app.scanner.events import ScanEvent
from app.store.device_store import DeviceStore
from app.store.pins import PinOutcome, PinVerdict
from app.store.reference import Reference
from tests.support.device import FakeClock, a_store, a_user, enrolled, seeded

PIN = "481516"
OIL, PADS, BULB, LOTTED, SERIALLED = "48213", "48377", "51002", "60010", "70020"
OIL_EACH, OIL_CASE = "4006381333931", "14006381333938"
PADS_EACH, BULB_EACH = "5901234123457", "9780201379624"
LOTTED_EACH, SERIALLED_EACH = "4012345678901", "4000417025005"
LOTTED_CASE = "14012345678908"
UNKNOWN = "0012345678905"

_BINS = (("A-12-01", 1), ("A-12-02", 2), ("A-12-03", 3), ("A-12-08", 8), ("B-01-01", 20))
_SKUS = (
    (OIL, "Chain lube 400ml", Tracking.NONE),
    (PADS, "Brake pads front", Tracking.NONE),
    (BULB, "Headlight bulb H7", Tracking.NONE),
    (LOTTED, "Sealant 50g", Tracking.LOT),
    (SERIALLED, "GPS computer", Tracking.SERIAL),
)
_BARCODES = (
    (OIL_EACH, OIL, Unit.EACH, "1"),
    (OIL_CASE, OIL, Unit.CASE, "12"),
    (PADS_EACH, PADS, Unit.EACH, "1"),
    (BULB_EACH, BULB, Unit.EACH, "1"),
    (LOTTED_EACH, LOTTED, Unit.EACH, "1"),
    (LOTTED_CASE, LOTTED, Unit.CASE, "6"),
    (SERIALLED_EACH, SERIALLED, Unit.EACH, "1"),
)


def changes_of(rows: dict[RefKind, dict[str, Reply]], rev: int = 1) -> list[Change]:
    """The rows as one page of a pull."""
    return [
        Change(kind=kind, op="put", id=row_id, rev=rev, data=row.model_dump(mode="json"))
        for kind, named in rows.items()
        for row_id, row in named.items()
    ]


@cache
def site_people() -> tuple[RefUser, ...]:
    """Two counters and a supervisor. Made once: a PIN's verifier is slow on purpose."""
    return (
        a_user("ana", PIN),
        a_user("ben", "271828"),
        a_user("sam", "314159").model_copy(update={"role": Role.SUPERVISOR}),
    )


def site_rows() -> dict[RefKind, dict[str, Reply]]:
    """Everything the device knows of the site."""
    return {
        RefKind.BIN: {
            code: RefBin(bin=code, barcode=f"BIN:{code}", zone=code[0], walk_order=walk)
            for code, walk in _BINS
        },
        RefKind.SKU: {s: RefSku(sku=s, description=d, tracking=t) for s, d, t in _SKUS},
        RefKind.BARCODE: {
            f"{b}\x1f{s}": RefBarcode(barcode=b, sku=s, unit=u, factor=f)
            for b, s, u, f in _BARCODES
        },
        RefKind.TASK: {
            "t1": RefTask(task_id="t1", bin="A-12-01", walk_order=1),
            "t3": RefTask(task_id="t3", bin="A-12-03", walk_order=3),
            "t8": RefTask(task_id="t8", bin="A-12-08", walk_order=8, assigned_to="ana"),
        },
        RefKind.USER: {u.user_id: u for u in site_people()},
    }


class Floor:
    """One device on one floor: store, reference and service, which can be killed and started again."""

    def __init__(self, folder: Path, *, is_loaded: bool = True, is_enrolled: bool = True) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.random: Callable[[int], bytes] = seeded(7)
        self.store: DeviceStore = a_store(folder, self.clock)
        if is_enrolled:
            enrolled(self.store)
        self.reference = Reference.open(folder)
        if is_loaded:
            self.load()
        self.service = self._service()

    def load(self, rows: dict[RefKind, dict[str, Reply]] | None = None) -> None:
        """The reference data arrives."""
        self.reference.apply_page(
            changes_of(rows or site_rows()), cursor="c", checkpoint=None, has_more=False
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.wall_ms() / 1000, UTC)

    def _service(self) -> FloorService:
        service = FloorService(
            store=self.store,
            reference=self.reference,
            new_id=lambda: uuid7(self.clock.wall_ms(), self.random(RANDOM_BYTES)),
            now=self.now,
        )
        service.start()
        return service

    def kill_and_start(self) -> None:
        """The process ends without a word and is started again on the same files."""
        self.store.close()
        self.reference.close()
        self.store = a_store(self.folder, self.clock, seed=99)
        self.reference = Reference.open(self.folder)
        self.service = self._service()

    def sign_in(self, user_id: str = "ana", pin: str = PIN) -> FloorService:
        self.service.sign_in(user_id, pin)
        return self.service

    def enter(self, user_id: str = "ana") -> FloorService:
        """Somebody is signed in; the PIN, slow on purpose, is not what this test is about."""
        self.service.choose(user_id)
        self.service.settle_pin(PinOutcome(verdict=PinVerdict.RIGHT))
        return self.service

    def scan(self, text: str, source: ScanSource = ScanSource.WEDGE) -> None:
        """Somebody scans a label."""
        self.clock.pass_ms(200)
        self.service.scan(ScanEvent(text=text, symbology=None, source=source, at=self.now()))

    def open_bin(self, code: str = "A-12-03") -> FloorService:
        """Ana stands at a bin."""
        self.enter()
        self.scan(f"BIN:{code}")
        assert self.service.state.count is not None
        return self.service

    def totals(self) -> dict[str, str]:
        """What the open count adds up to: SKU (and condition when not good) to base units."""
        count = self.service.state.count
        assert count is not None
        return {
            line.key.sku + ("" if line.key.condition == "good" else f" {line.key.condition}"): str(
                line.quantity
            )
            for line in count.fold.lines
        }

    def payload_types(self) -> list[str]:
        """Types of all events the device holds, in order."""
        return [
            e.payload.type
            for s in reversed(self.store.recent_counts(100))
            for e in self.store.events_of_count(s.count_id)
        ]
