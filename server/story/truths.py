"""What the story plants: where the world differs from the book, what a counter sees, how it must end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.contract.vocabulary import (
    BinKind,
    CaseKind,
    CaseState,
    Condition,
    PhysicalState,
    Tracking,
    Unit,
)
from server.domain.stock import visible_condition
from server.story.catalogue import StoryBin, StorySku, unknown_item
from server.story.ledger import Past
from server.story.planting import LATE_ORDER

EXPIRY = "270131"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Packs of one kind in front of a counter: the code on them and how many there are."""

    barcode: str
    """What a scanner reads off each pack."""
    symbology: str
    """As app/scanner names it: "EAN-13", "UPC-A", "EAN-8", "ITF", "GS1-128"."""
    sku: str
    """"" for an item nobody knows."""
    quantity: int
    """Packs."""
    condition: Condition = Condition.GOOD
    unit: Unit = Unit.EACH
    factor: int = 1
    lot: str = ""
    serial: str = ""

    @property
    def base_quantity(self) -> int:
        """Base units: packs times what one holds."""
        return self.quantity * self.factor


@dataclass(frozen=True, slots=True, kw_only=True)
class BinTruth:
    """What is really in a bin. `first_count` is what the first counter enters, where that is wrong."""

    bin: str
    seen: tuple[Seen, ...]
    first_count: tuple[Seen, ...] | None = None

    @property
    def is_empty(self) -> bool:
        return not self.seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One planted truth: the line it is about, and the case it must become."""

    name: str
    what: str
    """In words, for people who are shown the demo."""
    bin: str
    sku: str
    lot: str = ""
    condition: Condition = Condition.GOOD
    book: int
    """Base units of this line on book at the story's now."""
    physical: int
    first_counted: int
    """What the first counter enters."""
    kind: CaseKind
    ends_as: CaseState
    other_bin: str = ""


@dataclass(slots=True)
class World:
    """The physical warehouse while it is made: packs per bin, and the planted truths."""

    seen: dict[str, list[Seen]] = field(default_factory=dict)
    first: dict[str, list[Seen]] = field(default_factory=dict)
    planted: list[Planted] = field(default_factory=list)


def make_world(past: Past, skus: Sequence[StorySku], bins: Sequence[StoryBin]) -> World:
    """The warehouse as the book says it is, then with everything planted that the book does not know."""
    world = World()
    by_sku = {sku.sku: sku for sku in skus}
    kinds = {place.bin: place.kind for place in bins}
    for place in bins:
        world.seen[place.bin] = []
    for place_code, sku, lot, serial, condition, quantity in _visible(past, kinds):
        world.seen[place_code] += packs_of(by_sku[sku], quantity, condition, lot, serial)
    _plant(world, {sku.description: sku for sku in skus})
    return world


def _visible(
    past: Past, kinds: Mapping[str, BinKind]
) -> Iterator[tuple[str, str, str, str, Condition, int]]:
    """(bin, sku, lot, serial, condition, quantity) that an eye would find if the book were right."""
    totals: dict[tuple[str, str, str, str, Condition], int] = {}
    for (place, sku, lot, serial, state), quantity in sorted(past.held.items()):
        condition = visible_condition(PhysicalState(state), kinds[place])
        if condition is not None and quantity:
            key = (place, sku, lot, serial, condition)
            totals[key] = totals.get(key, 0) + quantity
    for key, quantity in totals.items():
        yield (*key, quantity)


def packs_of(
    sku: StorySku, quantity: int, condition: Condition, lot: str = "", serial: str = ""
) -> list[Seen]:
    """So many base units as they stand there: whole cases in bulk bins, eaches elsewhere."""
    case = sku.case
    whole = quantity // case.factor if case is not None and sku.home.startswith("B") else 0
    made = []
    if whole and case is not None:
        made.append(
            Seen(
                barcode=case.barcode,
                symbology="ITF",
                sku=sku.sku,
                quantity=whole,
                condition=condition,
                unit=Unit.CASE,
                factor=case.factor,
            )
        )
        quantity -= whole * case.factor
    if quantity:
        made.append(
            Seen(
                barcode=_label(sku, lot, serial),
                symbology=_symbology(sku),
                sku=sku.sku,
                quantity=quantity,
                condition=condition,
                lot=lot,
                serial=serial,
            )
        )
    return made


def _label(sku: StorySku, lot: str, serial: str) -> str:
    gtin = sku.packs[0].barcode
    if sku.tracking is Tracking.LOT:
        return f"01{gtin.zfill(14)}17{EXPIRY}10{lot}"
    if sku.tracking is Tracking.SERIAL:
        return f"01{gtin.zfill(14)}21{serial}"
    return gtin


def _symbology(sku: StorySku) -> str:
    if sku.tracking is not Tracking.NONE:
        return "GS1-128"
    return {8: "EAN-8", 12: "UPC-A", 13: "EAN-13"}[len(sku.packs[0].barcode)]


def _plant(world: World, by_name: Mapping[str, StorySku]) -> None:
    _plant_miscount(world, by_name["Cocoa tin, 250 g"])
    _plant_unposted_pick(world, by_name["Candle, amber"])
    _plant_wrong_unit(world, by_name["Storage jar, 500 ml"])
    _plant_damage(world, by_name["Coffee beans, 1 kg"])
    _plant_unknown(world, by_name["Desk lamp, brass"].home)
    _plant_loss(world, by_name["Lunch box, steel large"])
    _plant_misplaced(world, by_name["Hand soap, lavender"], "B-01-03")


def _replaced(packs: Sequence[Seen], sku: StorySku, by: Sequence[Seen]) -> list[Seen]:
    return [pack for pack in packs if pack.sku != sku.sku] + list(by)


def _plant_miscount(world: World, sku: StorySku) -> None:
    world.first[sku.home] = _replaced(world.seen[sku.home], sku, packs_of(sku, 12, Condition.GOOD))
    world.planted.append(
        Planted(
            name="miscount",
            what="The first counter types 12 for 21. The book is right; a recount says so.",
            bin=sku.home,
            sku=sku.sku,
            book=21,
            physical=21,
            first_counted=12,
            kind=CaseKind.VARIANCE,
            ends_as=CaseState.COUNT_ERROR,
        )
    )


def _plant_unposted_pick(world: World, sku: StorySku) -> None:
    world.seen[sku.home] = _replaced(world.seen[sku.home], sku, packs_of(sku, 8, Condition.GOOD))
    world.planted.append(
        Planted(
            name="unposted_pick",
            what=f"Order {LATE_ORDER} was picked, but its pick of 6 was never posted.",
            bin=sku.home,
            sku=sku.sku,
            book=14,
            physical=8,
            first_counted=8,
            kind=CaseKind.VARIANCE,
            ends_as=CaseState.EXPLAINED,
        )
    )


def _plant_wrong_unit(world: World, sku: StorySku) -> None:
    world.first[sku.home] = _replaced(world.seen[sku.home], sku, packs_of(sku, 3, Condition.GOOD))
    world.planted.append(
        Planted(
            name="cases_as_eaches",
            what="Three cases of twelve stand there; the first counter enters 3 eaches.",
            bin=sku.home,
            sku=sku.sku,
            book=36,
            physical=36,
            first_counted=3,
            kind=CaseKind.VARIANCE,
            ends_as=CaseState.COUNT_ERROR,
        )
    )


def _plant_damage(world: World, sku: StorySku) -> None:
    packs = packs_of(sku, 7, Condition.GOOD) + packs_of(sku, 1, Condition.DAMAGED)
    world.seen[sku.home] = _replaced(world.seen[sku.home], sku, packs)
    for condition, book, physical, kind in (
        (Condition.GOOD, 8, 7, CaseKind.VARIANCE),
        (Condition.DAMAGED, 0, 1, CaseKind.DAMAGED_FOUND),
    ):
        world.planted.append(
            Planted(
                name="damaged_unit",
                what="One bag of eight is torn; the book has all eight as good.",
                bin=sku.home,
                sku=sku.sku,
                condition=condition,
                book=book,
                physical=physical,
                first_counted=physical,
                kind=kind,
                ends_as=CaseState.POSTED,
            )
        )


def _plant_unknown(world: World, place: str) -> None:
    world.seen[place].append(Seen(barcode=unknown_item(), symbology="EAN-13", sku="", quantity=2))
    world.planted.append(
        Planted(
            name="unknown_item",
            what="Two of an item that nobody here knows stand among the lamps.",
            bin=place,
            sku="",
            book=0,
            physical=2,
            first_counted=2,
            kind=CaseKind.UNKNOWN_BARCODE,
            ends_as=CaseState.CLOSED,
        )
    )


def _plant_loss(world: World, sku: StorySku) -> None:
    world.seen[sku.home] = _replaced(world.seen[sku.home], sku, packs_of(sku, 8, Condition.GOOD))
    world.planted.append(
        Planted(
            name="loss",
            what="Two of ten lunch boxes are gone and no record says why. Two people find the same.",
            bin=sku.home,
            sku=sku.sku,
            book=10,
            physical=8,
            first_counted=8,
            kind=CaseKind.VARIANCE,
            ends_as=CaseState.POSTED,
        )
    )


def _plant_misplaced(world: World, sku: StorySku, other: str) -> None:
    what = f"A carton of twelve was put into {other} instead of {sku.home}."
    world.seen[sku.home] = _replaced(world.seen[sku.home], sku, packs_of(sku, 12, Condition.GOOD))
    world.seen[other] += packs_of(sku, 12, Condition.GOOD)
    for place, book, physical, kind, beside in (
        (sku.home, 24, 12, CaseKind.VARIANCE, other),
        (other, 0, 12, CaseKind.UNEXPECTED_ITEM, sku.home),
    ):
        world.planted.append(
            Planted(
                name="misplaced_carton",
                what=what,
                bin=place,
                sku=sku.sku,
                book=book,
                physical=physical,
                first_counted=physical,
                kind=kind,
                ends_as=CaseState.TRANSFERRED,
                other_bin=beside,
            )
        )
