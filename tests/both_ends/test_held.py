"""An event that cannot be used: a badge for the counter, a case for the supervisor, and its end at both."""

from __future__ import annotations

import asyncio

import pytest
from sqlmodel import select

from app.contract.review import Action, Decision
from app.contract.vocabulary import CaseKind, CaseState, Role
from app.sync.plan import HELLO_AFTER_MS
from server.domain.people import Person
from server.services import access, casework
from server.services.access import NewPerson
from server.storage.tables_casework import CountRow, ExceptionCaseRow
from server.storage.tables_sync import HeldReleaseRow
from tests.support.both_ends import Handheld, World
from tests.support.events import an_id
from tests.support.server import SITE

SUE = Person(user_id="sue", name="Sue", role=Role.SUPERVISOR)


@pytest.fixture
def world(sqlite_database):
    return World(sqlite_database)


@pytest.fixture
def handheld(world, tmp_path):
    """It counted A-01 under a name that the site does not know; the three events are held."""
    device = Handheld.make(world, tmp_path / "device")
    asyncio.run(_count_as_nobody(device))
    return device


async def _count_as_nobody(device: Handheld) -> None:
    await device.enrol()
    await device.engine.cycle()
    device.count("A-01", "7", user="eve")
    await device.wait_and_cycle()


def _close_all(world: World) -> list[str]:
    """The supervisor closes every case about a held event; the answers."""
    with world.database.read() as session:
        query = select(ExceptionCaseRow).where(ExceptionCaseRow.kind == CaseKind.HELD_EVENT)
        cases = [row.case_id for row in session.exec(query)]
    assert len(cases) == 3
    return [
        casework.decide(
            world.database,
            SITE,
            case_id,
            Decision(decision_id=an_id(), action=Action.CLOSE, note="looked into"),
            SUE,
            rim=world.rim,
        ).message
        for case_id in cases
    ]


def _next_hello(world: World, device: Handheld) -> None:
    world.pass_ms(HELLO_AFTER_MS + 1, device.clock)
    asyncio.run(device.engine.cycle())


def test_the_badge_stays_until_the_supervisor_has_settled_the_case(world, handheld):
    _next_hello(world, handheld)
    assert handheld.engine.status.held == 3

    assert set(_close_all(world)) == {"Closed: the entry is set aside."}
    _next_hello(world, handheld)

    assert handheld.engine.status.held == 0
    assert handheld.store.recent_counts(5)[0].held == 0
    assert world.stored() == [], "set aside is never counted"
    assert len(world.held()) == 3, "and never deleted"


def test_when_the_person_is_known_after_all_the_count_is_used(world, handheld):
    eve = NewPerson(user_id="eve", name="Eve", role=Role.COUNTER)
    access.add_people(world.database, SITE, [eve], rim=world.rim)

    assert set(_close_all(world)) == {"Closed: the entry is counted now."}
    _next_hello(world, handheld)

    assert world.stored() == handheld.recorded()
    assert handheld.engine.status.held == 0
    with world.database.read() as session:
        (count,) = session.exec(select(CountRow)).all()
        assert (count.bin, count.counted_by, count.status) == ("A-01", "eve", "closed")
        assert {r.outcome for r in session.exec(select(HeldReleaseRow))} == {"used"}
        cases = session.exec(select(ExceptionCaseRow)).all()
        assert {CaseState(c.state) for c in cases if c.kind == CaseKind.HELD_EVENT} == {
            CaseState.CLOSED
        }


def test_what_is_held_after_the_badge_went_is_shown_again(world, handheld):
    _close_all(world)
    _next_hello(world, handheld)

    handheld.count("A-02", user="mallory")
    asyncio.run(handheld.wait_and_cycle())

    assert handheld.engine.status.held == 3
