"""Whatever order pushes, postings and imports arrive in, the cases and the book end the same.

Each order plays in a bin and with a SKU of its own, in one database, against the naive oracle.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session, col, select

from app.contract.codec import encode_event, hash_event
from app.contract.events import BinClosed, BinOpened, DeviceEvent, Payload
from app.contract.review import Action, Decision
from app.contract.vocabulary import BinKind, CountScope, PhysicalState, ReasonCode
from server.domain.ranges import Span
from server.domain.reconcile import CountedCell, CountFacts
from server.domain.stock import Movement, StockKey
from server.domain.tolerance import NO_TOLERANCE, ToleranceRule, ToleranceScope
from server.services import casework, reconciling
from server.services.desk import Desk
from server.storage import cases as case_rows
from server.storage import ledger
from server.storage.columns import from_u, to_us
from server.storage.rows import insert_new
from server.storage.rules import keep_tolerances
from server.storage.tables_casework import CountLineRow, ExceptionCaseRow
from server.storage.tables_sync import ClockSampleRow, DeviceEventRow
from tests.support.events import an_event, an_id, counted
from tests.support.floor import LONG_AGO, Floor
from tests.support.naive import NaiveCase, follow, variances
from tests.support.server import NOW, SITE

PEOPLE = ("ana", "ben", "cem", "dia")


@dataclass(frozen=True)
class ToldCount:
    """A count as it really was: from minute to minute, by whom, how many of the SKU."""

    person: str
    opened: int
    closed: int
    quantity: int


@dataclass(frozen=True)
class ToldMove:
    minute: int
    quantity: int
    is_out: bool
    state: PhysicalState = PhysicalState.AVAILABLE


@dataclass(frozen=True)
class World:
    """What happened, all of it, before anybody was told."""

    opening: int
    counts: tuple[ToldCount, ...]
    moves: tuple[ToldMove, ...]


def a_world(chance: random.Random, *, counts: int, moves: int) -> World:
    """Counts of a bin, most of them right or agreeing, with stock moving around them."""
    opening = chance.randint(10, 30)
    moved = tuple(
        ToldMove(
            minute=chance.randint(1, 400),
            quantity=chance.randint(1, 4),
            is_out=chance.random() < 0.6,
            state=chance.choice([PhysicalState.AVAILABLE, PhysicalState.RESERVED]),
        )
        for _ in range(moves)
    )
    miss = chance.choice([0, -6, -6, 4])
    made = []
    for index in range(counts):
        opened = 20 + 90 * index + chance.randint(0, 30)
        closed = opened + chance.randint(1, 15)
        at_close = opening + sum(
            (-m.quantity if m.is_out else m.quantity) for m in moved if m.minute <= closed
        )
        off = chance.choice([miss, miss, miss, 0, chance.randint(-3, 3)])
        made.append(
            ToldCount(
                person=chance.choice(PEOPLE),
                opened=opened,
                closed=closed,
                quantity=max(0, at_close + off),
            )
        )
    return World(opening=opening, counts=tuple(made), moves=moved)


START = NOW - timedelta(minutes=500)


def _at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


@dataclass
class Universe:
    """One order of arrival of one world, in its own bin."""

    world: World
    number: int

    @property
    def bin(self) -> str:
        return f"U-{self.number:04}"

    @property
    def sku(self) -> str:
        return f"S-{self.number:04}"

    def movement(self, index: int) -> Movement:
        move = self.world.moves[index]
        frm, to = (self.bin, "@customer") if move.is_out else ("@supplier", self.bin)
        return Movement(
            movement_id=f"{self.bin}-{index}",
            occurred_at=_at(move.minute),
            recorded_at=NOW,
            kind="move",
            sku=self.sku,
            quantity=Decimal(move.quantity),
            from_bin=frm,
            from_state=move.state,
            to_bin=to,
            to_state=move.state,
        )


class Arrivals:
    """Tells a database one fact after the other, each judged as it comes, in one transaction."""

    def __init__(self, floor: Floor, session: Session) -> None:
        self.floor, self.session = floor, session
        self.seq = self.decisions = 0
        self.names: dict[str, str] = {}

    def prepare(self, universe: Universe) -> None:
        from server.storage.tables_records import BinRow, SkuRow

        self.session.add(BinRow(site_id=SITE, bin=universe.bin, barcode=universe.bin, zone="A"))
        self.session.add(
            SkuRow(
                site_id=SITE, sku=universe.sku, unit_cost_u=1_000_000, cost_set_us=to_us(LONG_AGO)
            )
        )
        self.session.flush()
        opening = Movement(
            movement_id=f"{universe.bin}-opening",
            occurred_at=LONG_AGO,
            recorded_at=LONG_AGO,
            kind="opening",
            sku=universe.sku,
            quantity=Decimal(universe.world.opening),
            from_bin="@supplier",
            from_state=PhysicalState.AVAILABLE,
            to_bin=universe.bin,
            to_state=PhysicalState.AVAILABLE,
        )
        ledger.post(self.session, SITE, [opening])

    def move(self, universe: Universe, index: int) -> None:
        movement = universe.movement(index)
        ledger.post(self.session, SITE, [movement])
        reconciling.movements_changed(
            self.session,
            SITE,
            [(universe.bin, universe.sku)],
            NOW,
            self.floor.rim.new_id,
            since={universe.bin: movement.occurred_at},
        )

    def count(self, universe: Universe, index: int) -> None:
        told = universe.world.counts[index]
        count_id = self.names.setdefault(f"{universe.bin}/{index}", an_id())
        payloads: list[tuple[int, Payload]] = [
            (told.opened, BinOpened(bin=universe.bin)),
            (told.closed, counted(universe.sku, str(told.quantity))),
            (told.closed, BinClosed()),
        ]
        rows = [self._row(count_id, told.person, minute, p) for minute, p in payloads]
        insert_new(self.session, DeviceEventRow, rows)
        reconciling.counts_changed(self.session, SITE, [count_id], NOW, self.floor.rim.new_id)

    def _row(self, count_id: str, person: str, minute: int, payload: Payload) -> dict:
        self.seq += 1
        ms = int(_at(minute).timestamp() * 1000)
        event: DeviceEvent = an_event(
            payload, seq=self.seq, count_id=count_id, user_id=person, wall_ms=ms, boot_ms=ms
        )
        raw = encode_event(event)
        return {
            "site_id": SITE,
            "event_id": event.id,
            "install_id": "install-1",
            "seq": event.seq,
            "device_id": "device-1",
            "type": payload.type,
            "count_id": count_id,
            "task_id": None,
            "user_id": person,
            "raw": raw,
            "sha256": hash_event(raw),
            "push": 1,
            "received_us": to_us(NOW),
        }

    def clocks(self) -> None:
        """An exchange beside every minute, so that the doubt of an event is a few milliseconds."""
        rows = []
        for minute in range(0, 500, 5):
            ms = int(_at(minute).timestamp() * 1000)
            rows.append(
                {
                    "site_id": SITE,
                    "install_id": "install-1",
                    "boot_id": "boot-1",
                    "t0_boot_ms": ms,
                    "t0_wall_ms": ms,
                    "t1_ms": ms,
                    "t2_ms": ms,
                    "t3_boot_ms": ms,
                }
            )
        insert_new(self.session, ClockSampleRow, rows)

    def told(self, universe: Universe, facts: list[tuple[str, int]]) -> None:
        for kind, index in facts:
            getattr(self, kind)(universe, index)


def facts_of(world: World) -> list[tuple[str, int]]:
    return [("count", i) for i in range(len(world.counts))] + [
        ("move", i) for i in range(len(world.moves))
    ]


# -- what the oracle says ----------------------------------------------------------------------


def plain_rounds(world: World) -> list[tuple[str, str, tuple[Decimal, Decimal]]]:
    """Every count's variance by the naive oracle, in order of the counts."""
    universe = Universe(world=world, number=0)
    opening = {StockKey(bin=universe.bin, sku=universe.sku): Decimal(world.opening)}
    moves = [universe.movement(i) for i in range(len(world.moves))]
    rounds = []
    for index, told in enumerate(world.counts):
        seen = Span(earliest=_at(told.opened), latest=_at(told.closed))
        facts = CountFacts(
            count_id=str(index),
            bin=universe.bin,
            bin_kind=BinKind.PICK,
            scope=CountScope.WHOLE_BIN,
            sku=None,
            person=told.person,
            opened=Span(earliest=seen.earliest, latest=seen.earliest),
            ended=Span(earliest=seen.latest, latest=seen.latest),
            cells=(
                CountedCell(key=_key(universe.sku), quantity=Decimal(told.quantity), seen=seen),
            ),
        )
        (found,) = variances(facts, opening, moves).values()
        rounds.append((str(index), told.person, found))
    return rounds


def _key(sku: str):
    from app.contract.count_fold import LineKey

    return LineKey(sku=sku)


def is_fair(world: World) -> bool:
    """Not a world in which something happens within the clock's few milliseconds of doubt."""
    edges = {c.opened for c in world.counts} | {c.closed for c in world.counts}
    return not edges & {m.minute for m in world.moves}


def worlds(seed: int, number: int, facts: int) -> Iterator[World]:
    """Worlds with that many facts, half of them counts."""
    chance = random.Random(seed)
    made = 0
    while made < number:
        world = a_world(chance, counts=(facts + 1) // 2, moves=facts // 2)
        if is_fair(world):
            made += 1
            yield world


@dataclass(frozen=True)
class Ended:
    """What is compared between orders, with nothing in it that names the universe."""

    variances: tuple[tuple[Decimal, Decimal], ...]
    live: tuple[tuple[str, str, int, tuple[Decimal, Decimal]], ...]
    """(state, standing, used rounds, variance) of the case that is open."""


def by_the_oracle(world: World) -> Ended:
    rounds = plain_rounds(world)
    cases: list[NaiveCase] = follow(rounds)
    found = {name: value for name, _, value in rounds}
    live = ()
    if cases and cases[-1].state != "hit":
        last = cases[-1]
        state = {"first": "open", "apart": "recounted"}.get(last.state, "under_review")
        live = ((state, last.state, len(last.used), found[last.used[-1]]),)
    return Ended(variances=tuple(v for _, _, v in rounds), live=live)


def book_by_the_oracle(world: World, ended: Ended) -> Decimal:
    """What the bin must hold on the book once a lead has approved whatever is certain: the opening,
    every movement, and the variance that the last used round of the open case found."""
    moved = sum((-m.quantity if m.is_out else m.quantity) for m in world.moves)
    posted = sum((low for *_, (low, high) in ended.live if low == high), Decimal(0))
    return world.opening + moved + posted


def as_stored(arrivals: Arrivals, universe: Universe) -> Ended:
    session = arrivals.session
    session.flush()
    lines = []
    for index in range(len(universe.world.counts)):
        line = session.exec(
            select(CountLineRow).where(
                col(CountLineRow.count_id) == arrivals.names[f"{universe.bin}/{index}"]
            )
        ).one_or_none()
        if line is None:
            lines.append((Decimal(0), Decimal(0)))
            continue
        counted_ = from_u(line.quantity_u)
        lines.append((counted_ - from_u(line.book_high_u), counted_ - from_u(line.book_low_u)))
    live = tuple(
        (
            case.state,
            case.standing,
            case.rounds,
            (from_u(case.variance_low_u), from_u(case.variance_high_u)),
        )
        for case in _live(session, universe)
    )
    return Ended(variances=tuple(lines), live=live)


def _live(session: Session, universe: Universe) -> list[ExceptionCaseRow]:
    live = case_rows.live_line_cases_of_bins(session, SITE, [universe.bin])
    return [case for case in live.get(universe.bin, ()) if case.rounds]


def approve_all(arrivals: Arrivals, universe: Universe) -> None:
    """A lead approves whatever is certain, until nothing is left to approve."""
    for _ in range(5):
        arrivals.decisions += 1  # no two people decide at the same instant
        now = NOW + timedelta(milliseconds=arrivals.decisions)
        desk = Desk(arrivals.session, SITE, now, arrivals.floor.rim.new_id)
        certain = [
            c for c in _live(arrivals.session, universe) if c.variance_low_u == c.variance_high_u
        ]
        if not certain:
            return
        for case in certain:
            decision = Decision(
                decision_id=an_id(), action=Action.APPROVE, reason=ReasonCode.UNKNOWN_CAUSE
            )
            casework.decide_at(desk, case.case_id, decision, arrivals.floor.person("lea"))
    raise AssertionError("approving never ends")


def booked(arrivals: Arrivals, universe: Universe) -> Decimal:
    book = ledger.book_of_bin(arrivals.session, SITE, universe.bin, NOW)
    return sum(book.values(), Decimal(0))


@pytest.mark.slow
def test_a_thousand_orders_of_arrival_end_in_the_same_cases_and_the_same_book(databases, tmp_path):
    assert play(databases.make("sqlite", tmp_path), worlds_number=9, facts_number=5) >= 1000


@pytest.mark.postgres
def test_orders_of_arrival_end_the_same_on_postgresql(databases, tmp_path):
    assert play(databases.make("postgresql", tmp_path), worlds_number=5, facts_number=4) >= 100


def play(database, *, worlds_number: int, facts_number: int) -> int:
    """Every order in which the facts of some worlds can arrive; how many orders that were.

    Orders that begin alike share their beginning: what comes after it is undone by a savepoint.
    """
    floor = Floor(database)
    orders = 0
    with database.write() as session:
        arrivals = Arrivals(floor, session)
        arrivals.clocks()
        none = ToleranceRule(scope=ToleranceScope.SITE, limits=NO_TOLERANCE)
        keep_tolerances(session, SITE, [none], replace=True)
        for number, world in enumerate(worlds(5, worlds_number, facts_number)):
            universe = Universe(world=world, number=number)
            arrivals.prepare(universe)
            leaves = _Leaves(arrivals, universe, by_the_oracle(world))
            leaves.walk(facts_of(world), ())
            assert leaves.books == {book_by_the_oracle(world, leaves.expected)}, world
            orders += leaves.orders
        session.rollback()
    return orders


@dataclass
class _Leaves:
    """Walks the tree of orders; at each leaf everything has arrived and is compared."""

    arrivals: Arrivals
    universe: Universe
    expected: Ended
    books: set[Decimal] = field(default_factory=set)
    orders: int = 0

    def walk(self, left: list[tuple[str, int]], told: tuple[tuple[str, int], ...]) -> None:
        if not left:
            self._leaf(told)
            return
        for fact in left:
            with self.arrivals.session.begin_nested() as point:
                self.arrivals.told(self.universe, [fact])
                self.walk([f for f in left if f != fact], (*told, fact))
                point.rollback()

    def _leaf(self, told: tuple[tuple[str, int], ...]) -> None:
        found = as_stored(self.arrivals, self.universe)
        assert found == self.expected, (self.universe.world, told)
        self.orders += 1
        approve_all(self.arrivals, self.universe)
        self.books.add(booked(self.arrivals, self.universe))


@pytest.mark.slow
def test_posting_in_between_ends_in_the_book_that_posting_at_the_end_gives(databases, tmp_path):
    """A lead approves whatever is certain at any time: late facts correct it, and none of it comes twice.

    Where one person counts twice, whose count is independent may depend on what was decided before;
    in these worlds it makes no difference.
    """
    floor = Floor(databases.make("sqlite", tmp_path))
    chance = random.Random(11)
    posted = 0
    with floor.database.write() as session:
        arrivals = Arrivals(floor, session)
        arrivals.clocks()
        none = ToleranceRule(scope=ToleranceScope.SITE, limits=NO_TOLERANCE)
        keep_tolerances(session, SITE, [none], replace=True)
        for number, world in enumerate(worlds(1, 12, 5)):
            universe = Universe(world=world, number=number)
            arrivals.prepare(universe)
            expected = book_by_the_oracle(world, by_the_oracle(world))
            for _ in range(6):
                with session.begin_nested() as point:
                    told = _told_with_decisions(arrivals, universe, chance)
                    assert booked(arrivals, universe) == expected, (world, told)
                    posted += told.count("approve")
                    point.rollback()
        session.rollback()
    assert posted > 100


def _told_with_decisions(
    arrivals: Arrivals, universe: Universe, chance: random.Random
) -> list[object]:
    told: list[object] = []
    for fact in chance.sample(facts_of(universe.world), len(facts_of(universe.world))):
        arrivals.told(universe, [fact])
        told.append(fact)
        if chance.random() < 0.5:
            approve_all(arrivals, universe)
            told.append("approve")
    approve_all(arrivals, universe)
    return told
