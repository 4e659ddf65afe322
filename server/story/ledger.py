"""The story's past: sixty days of receipts, orders, picks and returns, as a ledger records them.

Pure and seeded. Nothing is invented that does not add up: every movement leaves what the one before
it left there, and every document's state is what its movements say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from app.contract.vocabulary import AbcClass, Tracking, Unit
from server.story.catalogue import HOLD, PACKING, RETURNS, STAGING, StorySku

DAYS = 60
ORDERS_PER_DAY = 11
FIRST_ORDER = 400
PLANTED_ORDERS = (990, 991)
"""Numbers that the planted truths need for themselves (truths.py)."""
QUIET = timedelta(hours=3)
"""The ledger is still for the last hours before the story's now, so that counts meet a settled book."""

Key = tuple[str, str, str, str, str]
"""(bin, sku, lot, serial, state)."""
CUSTOMERS = ("Bell", "Okafor", "Lindqvist", "Moreau", "Tanaka", "Novak", "Silva", "Haddad", "Weber")
SUPPLIERS = ("Harbour Goods", "Alder & Sons", "Pennine Packing", "Lantern Trading")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMovement:
    """A row of movements.csv."""

    occurred_at: datetime
    kind: str
    sku: str
    quantity: int
    unit: Unit
    from_bin: str
    from_state: str
    to_bin: str
    to_state: str
    document: str
    lot: str = ""
    serial: str = ""
    factor: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLine:
    """A row of documents.csv."""

    kind: str
    number: str
    state: str
    owner: str
    party: str
    promised_at: datetime | None
    sku: str
    quantity: int
    price: Decimal
    refers_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A row of stock.csv."""

    bin: str
    sku: str
    lot: str
    serial: str
    quantity: int


@dataclass(slots=True)
class Past:
    """The ledger as it grows. `held` is the book it adds up to."""

    start: datetime
    movements: list[StoryMovement] = field(default_factory=list)
    lines: list[StoryLine] = field(default_factory=list)
    opening: list[Opening] = field(default_factory=list)
    held: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    places: dict[tuple[str, str], set[Key]] = field(default_factory=lambda: defaultdict(set))
    """(bin, sku) -> its keys in `held`."""

    def open(self, place: str, sku: str, quantity: int, lot: str = "", serial: str = "") -> None:
        """There was so much when the story's ledger began."""
        self.opening.append(Opening(bin=place, sku=sku, lot=lot, serial=serial, quantity=quantity))
        self._book((place, sku, lot, serial, "available"), quantity)

    def move(self, movement: StoryMovement) -> None:
        """One movement, booked."""
        base = movement.quantity * movement.factor
        tail = (movement.sku, movement.lot, movement.serial)
        if not movement.from_bin.startswith("@"):
            self._book((movement.from_bin, *tail, movement.from_state), -base)
        if not movement.to_bin.startswith("@"):
            self._book((movement.to_bin, *tail, movement.to_state), base)
        self.movements.append(movement)

    def available(self, place: str, sku: str) -> list[tuple[str, str, int]]:
        """(lot, serial, quantity) of what is available in a bin, oldest lot first."""
        keys = sorted(key for key in self.places[(place, sku)] if key[4] == "available")
        return [(key[2], key[3], self.held[key]) for key in keys if self.held[key] > 0]

    def _book(self, key: Key, quantity: int) -> None:
        self.held[key] += quantity
        self.places[key[:2]].add(key)
        assert self.held[key] >= 0, key


class Trading:
    """Sixty ordinary days. Takes the SKUs whose stock it may move."""

    def __init__(self, past: Past, skus: Sequence[StorySku], random: Random, end: datetime) -> None:
        self._past = past
        self._skus = list(skus)
        self._weights = [{"A": 6, "B": 3, "C": 1}[sku.abc_class] for sku in skus]
        self._random = random
        self._end = end
        self._order = FIRST_ORDER
        self._purchase = 16
        self._return = 4
        self._lots: dict[str, list[str]] = {}

    def run(self) -> None:
        """Opening stock, then day by day."""
        for sku in self._skus:
            self._open(sku)
        day = self._past.start
        while day < self._end:
            morning = day + timedelta(hours=6)
            if self._is_past(morning):
                self._replenish(morning)
            for number in range(ORDERS_PER_DAY):
                minutes = 30 + number * 50 + self._random.randrange(40)
                at = day + timedelta(hours=7, minutes=minutes)
                if self._is_past(at):
                    self._take_order(at)
            if self._random.random() < 0.6:
                self._take_back(day + timedelta(hours=17))
            day += timedelta(days=1)

    def _is_past(self, at: datetime) -> bool:
        """The story may be told at any hour: what begins then is over when its quiet hours begin."""
        return at < self._end - QUIET

    def _open(self, sku: StorySku) -> None:
        level = {AbcClass.A: 30, AbcClass.B: 18, AbcClass.C: 9}[sku.abc_class]
        quantity = level + self._random.randrange(8)
        if sku.tracking is Tracking.SERIAL:
            for number in range(1, 6):
                self._past.open(sku.home, sku.sku, 1, serial=f"{sku.sku[3:]}{number:04}")
            return
        if sku.tracking is Tracking.LOT:
            self._lots[sku.sku] = [f"L26{n:02}{sku.sku[-2:]}" for n in (7, 9)]
            for lot in self._lots[sku.sku]:
                self._past.open(sku.home, sku.sku, quantity // 2, lot=lot)
            return
        self._past.open(sku.home, sku.sku, quantity)
        if sku.case is not None:
            self._past.open(sku.reserve, sku.sku, sku.case.factor * self._random.randrange(2, 6))

    def _on_shelf(self, sku: StorySku) -> list[tuple[str, str, int]]:
        """(lot, serial, available) at the SKU's home, oldest first."""
        return self._past.available(sku.home, sku.sku)

    def _take_order(self, at: datetime) -> None:
        number = str(self._order)
        self._order += 3 if self._order + 1 in PLANTED_ORDERS else 1
        chosen = dict.fromkeys(
            self._random.choices(self._skus, self._weights, k=self._random.choice((1, 1, 2, 2, 3)))
        )
        lines: list[tuple[StorySku, int, str, str]] = []
        for sku in chosen:
            shelf = self._on_shelf(sku)
            if not shelf:
                continue
            lot, serial, available = shelf[0]
            wanted = 1 if serial else self._random.choice((1, 1, 1, 2, 2, 3, 4))
            if available >= wanted:
                lines.append((sku, wanted, lot, serial))
        if not lines:
            return
        document = f"order/{number}"
        state = self._order_state(int(number), self._end - at)
        steps = {"promised": 0, "reserved": 1, "picked": 2, "packed": 3}.get(state, 4)
        for index, (sku, quantity, lot, serial) in enumerate(lines):
            self._walk_line(
                at + timedelta(minutes=3 * index), document, sku, quantity, lot, serial, steps
            )
            self._past.lines.append(
                StoryLine(
                    kind="order",
                    number=number,
                    state=state,
                    owner="sales",
                    party=CUSTOMERS[int(number) % len(CUSTOMERS)],
                    promised_at=(at + timedelta(days=3)).replace(hour=18, minute=0, second=0),
                    sku=sku.sku,
                    quantity=quantity,
                    price=sku.price,
                )
            )

    def _order_state(self, number: int, age: timedelta) -> str:
        if age > timedelta(days=5):
            return "invoiced"
        if age > timedelta(days=2):
            return "shipped"
        if age > timedelta(hours=9):
            return ("shipped", "packed", "picked", "reserved")[number % 4]
        return ("reserved", "reserved", "promised")[number % 3]

    def _walk_line(  # noqa: PLR0917  # one line of one order, all of it
        self,
        at: datetime,
        document: str,
        sku: StorySku,
        quantity: int,
        lot: str,
        serial: str,
        steps: int,
    ) -> None:
        ways = (
            ("reserve", sku.home, "available", sku.home, "reserved", 0),
            ("pick", sku.home, "reserved", STAGING, "picked", 40),
            ("pack", STAGING, "picked", PACKING, "packed", 75),
            ("ship", PACKING, "packed", "@customer", "shipped", 130),
        )
        for kind, from_bin, from_state, to_bin, to_state, minutes in ways[:steps]:
            self._past.move(
                StoryMovement(
                    occurred_at=at + timedelta(minutes=minutes),
                    kind=kind,
                    sku=sku.sku,
                    quantity=quantity,
                    unit=Unit.EACH,
                    from_bin=from_bin,
                    from_state=from_state,
                    to_bin=to_bin,
                    to_state=to_state,
                    document=document,
                    lot=lot,
                    serial=serial,
                )
            )

    def _replenish(self, at: datetime) -> None:
        for sku in self._skus:
            if sku.tracking is not Tracking.NONE:
                if sku.tracking is Tracking.LOT and self._short(sku, 8):
                    self._receive(at, sku, sku.home, 24, Unit.EACH, self._lots[sku.sku][-1])
                continue
            if not self._short(sku, {"A": 24, "B": 12, "C": 5}[sku.abc_class]):
                continue
            case = sku.case
            if case is None:
                self._receive(at, sku, sku.home, 24, Unit.EACH, "")
                continue
            spare = self._past.held[(sku.reserve, sku.sku, "", "", "available")]
            if spare < case.factor:
                self._receive(at, sku, sku.reserve, 4, Unit.CASE, "")
            self._bring(at + timedelta(minutes=55), sku)

    def _short(self, sku: StorySku, least: int) -> bool:
        return sum(quantity for _, _, quantity in self._on_shelf(sku)) < least

    def _bring(self, at: datetime, sku: StorySku) -> None:
        assert sku.case is not None
        self._past.move(
            StoryMovement(
                occurred_at=at,
                kind="transfer",
                sku=sku.sku,
                quantity=1,
                unit=Unit.CASE,
                factor=sku.case.factor,
                from_bin=sku.reserve,
                from_state="available",
                to_bin=sku.home,
                to_state="available",
                document="",
            )
        )

    def _receive(  # noqa: PLR0917  # one purchase order, all of it
        self, at: datetime, sku: StorySku, to: str, quantity: int, unit: Unit, lot: str
    ) -> None:
        self._purchase += 1
        document = f"purchase_order/{self._purchase}"
        factor = sku.case.factor if unit is Unit.CASE and sku.case is not None else 1
        ways = (
            ("receipt", "@supplier", STAGING, "inbound", 0),
            ("putaway", STAGING, to, "available", 25),
        )
        for kind, from_bin, to_bin, to_state, minutes in ways:
            self._past.move(
                StoryMovement(
                    occurred_at=at + timedelta(minutes=minutes),
                    kind=kind,
                    sku=sku.sku,
                    quantity=quantity,
                    unit=unit,
                    factor=factor,
                    from_bin=from_bin,
                    from_state="inbound",
                    to_bin=to_bin,
                    to_state=to_state,
                    document=document,
                    lot=lot,
                )
            )
        self._past.lines.append(
            StoryLine(
                kind="purchase_order",
                number=str(self._purchase),
                state="closed",
                owner="buying",
                party=SUPPLIERS[self._purchase % len(SUPPLIERS)],
                promised_at=at.replace(hour=12, minute=0, second=0),
                sku=sku.sku,
                quantity=quantity * factor,
                price=sku.unit_cost,
            )
        )

    def _take_back(self, at: datetime) -> None:
        """Something a customer sent back; most of it is put on the shelf again the next morning."""
        if at > self._end - timedelta(days=1):
            return
        shipped = [m for m in self._past.movements[-400:] if m.kind == "ship" and not m.serial]
        if not shipped:
            return
        sent = self._random.choice(shipped)
        if sent.occurred_at > at:
            return
        self._return += 1
        place = RETURNS[self._return % len(RETURNS)]
        home = next(sku.home for sku in self._skus if sku.sku == sent.sku)
        fate = self._random.choice(
            ("restocked", "restocked", "restocked", "received", "written_off")
        )
        ends = {"restocked": (home, "available"), "written_off": (HOLD, "damaged")}
        ways = [("return", "@customer", "shipped", place, "returned", 0)]
        if fate in ends:
            to_bin, to_state = ends[fate]
            ways.append(("restock", place, "returned", to_bin, to_state, 780))
        for kind, from_bin, from_state, to_bin, to_state, minutes in ways:
            self._past.move(
                StoryMovement(
                    occurred_at=at + timedelta(minutes=minutes),
                    kind=kind,
                    sku=sent.sku,
                    quantity=1,
                    unit=Unit.EACH,
                    from_bin=from_bin,
                    from_state=from_state,
                    to_bin=to_bin,
                    to_state=to_state,
                    document=f"return/{self._return}",
                    lot=sent.lot,
                )
            )
        self._past.lines.append(
            StoryLine(
                kind="return",
                number=str(self._return),
                state=fate,
                owner="service",
                party=CUSTOMERS[self._return % len(CUSTOMERS)],
                promised_at=None,
                sku=sent.sku,
                quantity=1,
                price=Decimal(0),
                refers_to=sent.document,
            )
        )
