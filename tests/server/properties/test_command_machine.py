"""Random people give random orders about random cases: the rules hold whatever they try."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from app.contract.problems import RefusalError
from app.contract.review import Action
from app.contract.vocabulary import CaseState, ReasonCode
from server.domain.cases import EVENT_OF, TRANSITIONS
from server.services.counting_tasks import people_who_counted
from server.storage.rules import Policy, keep_policy
from server.storage.tables_casework import AdjustmentRow, ExceptionCaseRow
from tests.support.floor import PEOPLE, Floor
from tests.support.server import NOW, SITE

BINS = ("A-01", "A-02")
EVERYBODY = tuple(p.user_id for p in PEOPLE)
LIMITS = {p.user_id: p.approve_limit for p in PEOPLE}


@dataclass
class Machine:
    """A floor, and what it has seen happen."""

    floor: Floor
    chance: random.Random
    log: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    moved: dict[str, Decimal] = field(default_factory=lambda: {b: Decimal(20) for b in BINS})

    def step(self) -> None:
        self.floor.time.advance(minutes=7)
        self.chance.choice([self.count, self.count, self.move, self.decide, self.decide])()

    def count(self) -> None:
        place, person = self.chance.choice(BINS), self.chance.choice(EVERYBODY)
        there = sum(self.floor.book(place).values(), Decimal(0))
        quantity = max(Decimal(0), there + self.chance.choice([0, 0, -6, -6, 6, 3]))
        self.log.append(f"{person} counts {quantity} in {place}")
        self.floor.count(person, place, {"S1": str(quantity)})

    def move(self) -> None:
        place, quantity = self.chance.choice(BINS), self.chance.randint(1, 3)
        is_out = self.chance.random() < 0.5
        at = self.floor.time.now() - timedelta(minutes=self.chance.choice([1, 1, 30, 200]))
        self.log.append(f"{'-' if is_out else '+'}{quantity} in {place} at {at:%H:%M}")
        if is_out:
            self.floor.move(str(quantity), frm=place, at=at)
        else:
            self.floor.move(str(quantity), to=place, at=at)
        self.moved[place] += -quantity if is_out else quantity

    def decide(self) -> None:
        cases = self.floor.cases()
        if not cases:
            return
        case = self.chance.choice(cases)
        action = self.chance.choice([Action.APPROVE, Action.RECOUNT, *Action])
        person = self.chance.choice(EVERYBODY)
        fields = {
            "reason": self.chance.choice([ReasonCode.UNKNOWN_CAUSE, None]),
            "assign_to": self.chance.choice([None, *EVERYBODY]),
            "other_case_id": self.chance.choice([None, *(c.case_id for c in cases)]),
            "other_bin": self.chance.choice([None, *BINS]),
        }
        self.log.append(f"{person}: {action} a case that is {case.state} {fields}")
        known = (CaseState(case.state), EVENT_OF[action]) in TRANSITIONS
        try:
            self.floor.decide(case, action, person, **fields)
        except RefusalError as refusal:
            self.refused[refusal.code] += 1
            assert self.floor.cases(case_id=case.case_id) == [case], "a refusal changed the case"
            return
        assert known, "an unlisted pair went through"

    def check(self) -> None:
        with self.floor.database.read() as session:
            adjustments = session.exec(select(AdjustmentRow)).all()
            cases = {c.case_id: c for c in session.exec(select(ExceptionCaseRow))}
            per_case = Counter(a.case_id for a in adjustments if not a.reverses)
            assert all(number == 1 for number in per_case.values())
            for adjustment in adjustments:
                counted = people_who_counted(session, SITE, [adjustment.case_id])
                approvers = {adjustment.approved_by, adjustment.second_by} - {""}
                assert not approvers & counted
                if adjustment.kind == "adjustment":
                    value = Decimal(cases[adjustment.case_id].value_u) / 1_000_000
                    assert all(value <= LIMITS[who] for who in approvers)
                    assert value <= SECOND_ABOVE or len(approvers) == 2
        live = Counter(
            (c.bin, c.sku, c.lot, c.condition, c.subject) for c in self.floor.cases(is_live=True)
        )
        assert all(number == 1 for number in live.values())
        self._check_books()

    def _check_books(self) -> None:
        from server.storage.tables_casework import AdjustmentPartRow

        posted = dict.fromkeys(BINS, Decimal(0))
        with self.floor.database.read() as session:
            for part in session.exec(select(AdjustmentPartRow)):
                posted[part.bin] += Decimal(part.quantity_u) / 1_000_000
        for place in BINS:
            book = sum(self.floor.book(place).values(), Decimal(0))
            assert book == self.moved[place] + posted[place]


SECOND_ABOVE = Decimal(40)


def run(database, seed: int, steps: int) -> Counter[str]:
    floor = Floor(database)
    floor.sku("S1", cost="7")
    for place in BINS:
        floor.stock(place, quantity="20")
    with database.write() as session:
        keep_policy(session, SITE, Policy(second_above=SECOND_ABOVE))
        session.commit()
    floor.time.at = NOW
    machine = Machine(floor=floor, chance=random.Random(seed))
    try:
        for _ in range(steps):
            machine.step()
            machine.check()
    except Exception as error:
        raise AssertionError("\n".join(machine.log[-30:])) from error
    return machine.refused


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_no_order_of_commands_breaks_a_rule(databases, tmp_path, seed: int):
    refused = run(databases.make("sqlite", tmp_path), seed, steps=60)

    assert refused["role-forbidden"] > 0


@pytest.mark.slow
@pytest.mark.postgres
def test_nor_on_postgresql(databases, tmp_path):
    refused = run(databases.make("postgresql", tmp_path), 99, steps=50)

    assert sum(refused.values()) > 0
