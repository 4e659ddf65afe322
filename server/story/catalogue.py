"""The story's bins and SKUs: one warehouse, three zones, things a household shop sells.

GTINs are valid and nobody's: EAN-13 and EAN-8 from prefix 952, which GS1 keeps for examples, UPC-A
from 0 614141, the company prefix of GS1's own documents. A case has the GTIN-14 of its content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle
from random import Random

from app.contract.vocabulary import AbcClass, BinKind, Tracking, Unit
from server.domain.gtin import with_check_digit

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryBin:
    """A bin of the story; its label is its code, printed as Code 128."""

    zone: str
    aisle: str
    bay: str
    bin: str
    kind: BinKind
    walk_order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A printed code and what it stands for."""

    barcode: str
    unit: Unit
    factor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StorySku:
    """A SKU of the story."""

    sku: str
    description: str
    tracking: Tracking
    abc_class: AbcClass
    unit_cost: Decimal
    price: Decimal
    packs: tuple[Pack, ...]
    """The each first, then inner and case where there are any."""
    home: str
    """The bin it is picked from."""
    reserve: str
    """The bulk bin it is replenished from; "" when everything fits in its home."""

    @property
    def case(self) -> Pack | None:
        """Its case, if it comes in one."""
        return next((pack for pack in self.packs if pack.unit is Unit.CASE), None)


PICK_AISLES = 4
BAYS = 6
BULK_BINS = 10
STAGING = "R-03-01"
PACKING = "R-03-02"
RETURNS = ("R-01-01", "R-01-02", "R-01-03")
HOLD = "R-02-01"


def bins() -> tuple[StoryBin, ...]:
    """24 pick bins (A), 10 bulk bins (B), 6 for returns, hold and staging (R): 40, in walk order."""
    places = [
        *(
            (f"A-{aisle:02}-{bay:02}", BinKind.PICK)
            for aisle in range(1, PICK_AISLES + 1)
            for bay in range(1, BAYS + 1)
        ),
        *((f"B-{1 + n // 5:02}-{1 + n % 5:02}", BinKind.BULK) for n in range(BULK_BINS)),
        *((place, BinKind.RETURNS) for place in RETURNS),
        (HOLD, BinKind.QUARANTINE),
        (STAGING, BinKind.STAGING),
        (PACKING, BinKind.STAGING),
    ]
    return tuple(
        StoryBin(
            zone=place[0], aisle=place[2:4], bay=place[5:7], bin=place, kind=kind, walk_order=order
        )
        for order, (place, kind) in enumerate(places, start=1)
    )


_LINES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("Cocoa tin", ("125 g", "250 g", "500 g", "mint", "orange", "dark"), "2.10"),
    (
        "Green tea",
        ("loose 100 g", "20 bags", "40 bags", "jasmine", "sencha", "matcha 30 g"),
        "2.60",
    ),
    ("Coffee beans", ("250 g", "500 g", "1 kg", "decaf", "espresso", "house"), "5.20"),
    ("Oat biscuit", ("plain", "honey", "ginger", "lemon", "cocoa", "fig"), "1.15"),
    ("Olive oil", ("250 ml", "500 ml", "750 ml", "basil", "chilli", "garlic"), "4.40"),
    ("Candle", ("white", "amber", "pine", "fig", "cedar", "linen"), "3.25"),
    ("Hand soap", ("lavender", "lime", "rose", "olive", "refill 1 l", "foam"), "1.60"),
    ("Dish brush", ("beech", "bamboo", "steel", "round", "bottle", "refill head"), "1.05"),
    ("Notebook", ("A4 lined", "A4 plain", "A5 lined", "A5 plain", "A5 dotted", "A6 lined"), "1.85"),
    ("Pen", ("fine black", "fine blue", "fine red", "medium black", "medium blue", "gel"), "0.55"),
    ("Mug", ("white", "slate", "sage", "terracotta", "speckled", "enamel"), "2.95"),
    ("Bowl", ("small white", "small slate", "large white", "large slate", "oval", "deep"), "3.40"),
    ("Tea towel", ("plain", "striped", "checked", "waffle", "linen", "set of two"), "2.20"),
    ("Storage jar", ("250 ml", "500 ml", "1 l", "2 l", "clip 500 ml", "clip 1 l"), "2.45"),
    ("Lunch box", ("steel small", "steel large", "bamboo", "bento", "kids", "insulated"), "6.80"),
    (
        "Water bottle",
        ("500 ml sand", "500 ml navy", "750 ml sand", "750 ml navy", "kids", "lid"),
        "5.90",
    ),
    ("Desk lamp", ("brass", "black", "white", "clip", "mini", "arm"), "14.50"),
    ("Phone cable", ("1 m C", "2 m C", "1 m Lightning", "braided", "short", "twin"), "2.75"),
    ("Kitchen scale", ("2 kg", "5 kg", "10 kg", "pocket", "glass", "retro"), "11.90"),
    ("Tape", ("clear", "brown", "paper", "masking", "gaffer", "double-sided"), "0.85"),
)
LOT_LINES = {"Green tea": 4, "Olive oil": 2}
"""How many SKUs of a line are tracked by lot."""
SERIAL_LINES = {"Kitchen scale": 2}
_UPC_LINES = {"Candle", "Phone cable"}
_EAN8_LINES = {"Pen"}
_PACKS = {"Cocoa tin": 12, "Green tea": 12, "Coffee beans": 6, "Oat biscuit": 24, "Olive oil": 6}
_PACKS |= {"Candle": 6, "Hand soap": 12, "Notebook": 10, "Mug": 6, "Bowl": 6, "Storage jar": 12}
_PACKS |= {"Water bottle": 6, "Tape": 36}
_INNERS = {"Oat biscuit": 6, "Tape": 6}


PLANTED_HOMES: Mapping[str, str] = {
    "Mug, white": "A-01-01",
    "Bowl, small white": "A-01-01",
    "Cocoa tin, 250 g": "A-01-02",
    "Notebook, A5 dotted": "A-01-02",
    "Candle, amber": "A-01-03",
    "Candle, pine": "A-01-03",
    "Storage jar, 500 ml": "A-01-04",
    "Coffee beans, 1 kg": "A-01-05",
    "Desk lamp, brass": "A-01-06",
    "Lunch box, steel large": "A-02-01",
    "Phone cable, 2 m C": "A-02-01",
    "Water bottle, kids": "A-02-02",
    "Green tea, loose 100 g": "A-02-03",
    "Kitchen scale, 2 kg": "A-02-03",
    "Hand soap, lavender": "B-01-02",
    "Hand soap, lime": "B-01-02",
    "Hand soap, rose": "B-01-03",
}
"""Where the SKUs live about which something is planted: few to a bin, so that a person can count it."""


def skus(random: Random) -> tuple[StorySku, ...]:
    """120 SKUs: six of each of twenty lines. Those of PLANTED_HOMES apart, seven or so to a pick bin."""
    made = list(_skus(random))
    assert len(made) == 120
    assert {sku.description for sku in made} >= set(PLANTED_HOMES)
    return tuple(made)


def _skus(random: Random) -> Iterator[StorySku]:
    taken = set(PLANTED_HOMES.values())
    free = [place for place in bins() if place.bin not in taken]
    homes = cycle(place.bin for place in free if place.kind is BinKind.PICK)
    bulk = cycle(place.bin for place in free if place.kind is BinKind.BULK)
    named = ((line, f"{line}, {variant}", cost) for line, vs, cost in _LINES for variant in vs)
    for number, (line, description, cost) in enumerate(named):
        unit_cost = (Decimal(cost) * Decimal(random.randrange(85, 140)) / 100).quantize(CENT)
        margin = Decimal(random.randrange(165, 240)) / 100
        packs = tuple(_packs(line, number))
        planted = PLANTED_HOMES.get(description)
        has_reserve = planted is None and any(pack.unit is Unit.CASE for pack in packs)
        yield StorySku(
            sku=f"NG-{1001 + number}",
            description=description,
            tracking=_tracking(line, number % 6),
            abc_class=(AbcClass.A, AbcClass.B, AbcClass.B, AbcClass.C, AbcClass.C)[number % 5],
            unit_cost=unit_cost,
            price=(unit_cost * margin).quantize(Decimal("0.1")) - CENT,
            packs=packs,
            home=next(homes) if planted is None else planted,
            reserve=next(bulk) if has_reserve else "",
        )


def _tracking(line: str, place: int) -> Tracking:
    if place < LOT_LINES.get(line, 0):
        return Tracking.LOT
    return Tracking.SERIAL if place < SERIAL_LINES.get(line, 0) else Tracking.NONE


def _packs(line: str, number: int) -> Iterator[Pack]:
    if line in _UPC_LINES:
        each = with_check_digit(f"0614141{number:04}"[:11])
        base = f"0{each}"
    elif line in _EAN8_LINES:
        each = with_check_digit(f"952{number:04}")
        base = ""
    else:
        each = with_check_digit(f"9521234{number:05}")
        base = each
    yield Pack(barcode=each, unit=Unit.EACH, factor=1)
    for indicator, unit, sizes in (("2", Unit.INNER, _INNERS), ("1", Unit.CASE, _PACKS)):
        if line in sizes and base:
            code = with_check_digit(f"{indicator}{base[:12]}")
            yield Pack(barcode=code, unit=unit, factor=sizes[line])


def unknown_item() -> str:
    """A valid EAN-13 of an item that no SKU of the story has."""
    return with_check_digit("952999900042")
