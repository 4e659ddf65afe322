"""The story: one warehouse, sixty days of past, planted truths, people. Pure; the same for one seed.

story = build(seed=7, now=rim.now(), site_id="northgate")
story.files["movements.csv"]      what is imported, and no other way (load.py)
story.truth["A-01-02"].seen       what is physically in a bin
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from app.contract.vocabulary import Role
from server.story.catalogue import PLANTED_HOMES, StoryBin, StorySku, bins, skus
from server.story.ledger import DAYS, Past, StoryMovement, Trading
from server.story.planting import LATE_ORDER, OUTAGE_ORDER, pick_of, plant_past
from server.story.truths import BinTruth, Planted, make_world

SITE_NAME = "Northgate"
DEFAULT_SEED = 7

BINS_HEADER = "site,zone,aisle,bay,level,bin,barcode,kind,walk_order"
SKUS_HEADER = "sku,description,barcode,unit,factor,tracking,abc_class,unit_cost,price,currency"
STOCK_HEADER = "site,bin,sku,lot,serial,state,quantity,as_of"
MOVEMENTS_HEADER = (
    "movement_id,occurred_at,kind,sku,lot,serial,quantity,unit,"
    "from_bin,from_state,to_bin,to_state,document"
)
DOCUMENTS_HEADER = (
    "kind,number,state,owner,party,promised_at,sku,quantity,price,currency,line,refers_to"
)
PEOPLE_HEADER = "user_id,name,role,pin,approve_limit,zones"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPerson:
    """Somebody who signs in. `approve_limit` is money, "" for counters."""

    user_id: str
    name: str
    role: Role
    pin: str
    approve_limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryTask:
    """A bin that is planned to be counted; `assigned_to` None is whoever comes by."""

    bin: str
    assigned_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything README, demo and tests share. `truth` has every bin, `files` what is imported."""

    site_id: str
    site_name: str
    seed: int
    now: datetime
    bins: tuple[StoryBin, ...]
    skus: tuple[StorySku, ...]
    files: Mapping[str, str]
    """CSV texts by name: bins, skus, documents, stock, movements, people."""
    people: tuple[StoryPerson, ...]
    tasks: tuple[StoryTask, ...]
    truth: Mapping[str, BinTruth]
    planted: tuple[Planted, ...]

    def sku_named(self, description: str) -> StorySku:
        """The SKU of that description. KeyError for another one."""
        return {sku.description: sku for sku in self.skus}[description]

    def planted_named(self, name: str) -> tuple[Planted, ...]:
        """The lines of one planted truth: one, or the two halves of it."""
        return tuple(planted for planted in self.planted if planted.name == name)

    def late_pick(self) -> str:
        """movements.csv with the pick of order 991 that nobody posted: what explains its variance."""
        sku = self.sku_named("Candle, amber")
        at = self.now - timedelta(days=1, hours=2)
        return movements_csv([pick_of(sku, LATE_ORDER, 6, at)], start=990_001)

    def outage_pick(self, at: datetime) -> str:
        """movements.csv with a pick of two mugs from A-01-01 at that instant, for order 990.

        Posted while a device has no network: a count of the bin before it still agrees with the book.
        """
        sku = self.sku_named("Mug, white")
        return movements_csv([pick_of(sku, OUTAGE_ORDER, 2, at)], start=990_501)


def build(seed: int, now: datetime, site_id: str = "main") -> Story:
    """The story as of `now` (aware). The same seed and now give the same story to the letter."""
    random = Random(seed)
    places, stocked = bins(), skus(random)
    start = (now - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    past = Past(start=start)
    planted_here = [sku for sku in stocked if sku.description in PLANTED_HOMES]
    plant_past(past, {sku.description: sku for sku in planted_here}, now)
    Trading(past, [sku for sku in stocked if sku not in planted_here], random, now).run()
    world = make_world(past, stocked, places)
    people = _people(random)
    return Story(
        site_id=site_id,
        site_name=SITE_NAME,
        seed=seed,
        now=now,
        bins=places,
        skus=stocked,
        files=_files(site_id, past, places, stocked, people),
        people=people,
        tasks=_tasks(places),
        truth={
            place.bin: BinTruth(
                bin=place.bin,
                seen=tuple(world.seen[place.bin]),
                first_count=tuple(world.first[place.bin]) if place.bin in world.first else None,
            )
            for place in places
        },
        planted=tuple(world.planted),
    )


def _tasks(places: Sequence[StoryBin]) -> tuple[StoryTask, ...]:
    """The bins about which something is planted, and three ordinary ones, in walk order."""
    wanted = {*PLANTED_HOMES.values(), "A-02-04", "A-02-05", "R-02-01"}
    return tuple(
        StoryTask(bin=place.bin, assigned_to=None) for place in places if place.bin in wanted
    )


def _people(random: Random) -> tuple[StoryPerson, ...]:
    listed = (
        ("ana", "Ana", Role.COUNTER, ""),
        ("ben", "Ben", Role.COUNTER, ""),
        ("cho", "Cho", Role.COUNTER, ""),
        ("maria", "Maria", Role.SUPERVISOR, "500"),
        ("lee", "Lee", Role.LEAD, "5000"),
    )
    return tuple(
        StoryPerson(
            user_id=user_id,
            name=name,
            role=role,
            pin="".join(str(digit) for digit in random.sample(range(1, 10), 6)),
            approve_limit=limit,
        )
        for user_id, name, role, limit in listed
    )


def _files(
    site_id: str,
    past: Past,
    places: Sequence[StoryBin],
    stocked: Sequence[StorySku],
    people: Sequence[StoryPerson],
) -> dict[str, str]:
    return {
        "bins.csv": _csv(
            BINS_HEADER,
            (
                (site_id, b.zone, b.aisle, b.bay, "1", b.bin, b.bin, b.kind, b.walk_order)
                for b in places
            ),
        ),
        "skus.csv": _csv(
            SKUS_HEADER,
            (
                (
                    s.sku, s.description, p.barcode, p.unit, p.factor, s.tracking, s.abc_class,
                    s.unit_cost, s.price, "EUR",
                )
                for s in stocked
                for p in s.packs
            ),
        ),
        "documents.csv": _documents_csv(past),
        "stock.csv": _csv(
            STOCK_HEADER,
            (
                (
                    site_id, o.bin, o.sku, o.lot, o.serial, "available", o.quantity,
                    past.start.isoformat(),
                )
                for o in past.opening
            ),
        ),
        "movements.csv": movements_csv(past.movements),
        "people.csv": _csv(
            PEOPLE_HEADER, ((p.user_id, p.name, p.role, p.pin, p.approve_limit, "") for p in people)
        ),
    }  # fmt: skip


def _documents_csv(past: Past) -> str:
    return _csv(
        DOCUMENTS_HEADER,
        (
            (
                d.kind, d.number, d.state, d.owner, d.party,
                "" if d.promised_at is None else d.promised_at.isoformat(),
                d.sku, d.quantity, d.price, "EUR", "", d.refers_to,
            )
            for d in past.lines
        ),
    )  # fmt: skip


def movements_csv(movements: Iterable[StoryMovement], start: int = 1) -> str:
    """movements.csv of these, by time, with ids that count up from `start`."""
    ordered = sorted(movements, key=lambda m: m.occurred_at)
    return _csv(
        MOVEMENTS_HEADER,
        (
            (
                f"mv-{number:06}", m.occurred_at.isoformat(), m.kind, m.sku, m.lot, m.serial,
                m.quantity, m.unit, m.from_bin, m.from_state, m.to_bin, m.to_state, m.document,
            )
            for number, m in enumerate(ordered, start=start)
        ),
    )  # fmt: skip


def _csv(header: str, rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    file.write(f"{header}\n")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows(rows)
    return file.getvalue()
