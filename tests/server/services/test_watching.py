"""Time passes: overdue cases reach the owner's lead by themselves, silent devices become cases."""

from __future__ import annotations

import asyncio

import pytest
from sqlmodel import select

from app.contract.events import NoteAdded
from app.contract.vocabulary import CaseKind, CaseState
from server import main
from server.main import create_app
from server.services import watching
from server.settings import Settings
from server.storage.tables_casework import CaseHistoryRow
from tests.support.floor import Floor, clock
from tests.support.server import SITE


@pytest.fixture
def floor(database):
    made = Floor(database)
    made.sku("S1")
    return made


def overdue(floor: Floor, number: int) -> None:
    codes = [f"A-{index:02}" for index in range(number)]
    for code in codes:
        floor.stock(code)
        floor.count("ana", code, {"S1": "4"}, at=clock("10:00"))
    assert watching.watch(floor.database, SITE, rim=floor.rim) == 0
    floor.time.advance(days=6)


def test_every_overdue_case_goes_to_its_lead_once_however_many(floor: Floor, monkeypatch):
    monkeypatch.setattr(watching, "AT_ONCE", 2)
    overdue(floor, 5)

    assert watching.watch(floor.database, SITE, rim=floor.rim) == 5

    assert {(c.state, c.owner_id) for c in floor.cases()} == {(CaseState.ESCALATED, "lea")}
    assert watching.watch(floor.database, SITE, rim=floor.rim) == 0
    with floor.database.read() as session:
        told = [(r.event, r.why, r.through) for r in session.exec(select(CaseHistoryRow))]
    assert told == [("escalate", "overdue", "clock")] * 5


def test_a_device_with_a_hole_in_its_sequence_becomes_a_case_though_nobody_pushes(floor: Floor):
    device = floor.device("ana")
    device.record(NoteAdded(text="one"), None, user_id="ana")
    device.record(NoteAdded(text="two"), None, user_id="ana")
    del device.pending[0]
    floor.push("ana")
    watching.watch(floor.database, SITE, rim=floor.rim)
    assert floor.cases() == []

    floor.time.advance(hours=25)
    watching.watch(floor.database, SITE, rim=floor.rim)
    watching.watch(floor.database, SITE, rim=floor.rim)

    case = floor.case(kind=CaseKind.DEVICE_GAP)
    assert case.title == "ana's scanner has not sent event 1"


def test_the_server_keeps_watch_by_itself_from_start_to_stop(floor: Floor, monkeypatch):
    monkeypatch.setattr(main, "WATCH_SECONDS", 0.01)
    overdue(floor, 1)
    app = create_app(Settings(site_id=SITE), database=floor.database, rim=floor.rim)

    async def serve() -> None:
        async with asyncio.timeout(20), app.router.lifespan_context(app):
            while floor.case().state != CaseState.ESCALATED:
                await asyncio.sleep(0.01)

    asyncio.run(serve())

    assert floor.case().owner_id == "lea"


def test_one_failure_does_not_end_the_watch(floor: Floor, monkeypatch):
    monkeypatch.setattr(main, "WATCH_SECONDS", 0.01)
    tries = []

    def fails(*_args, **_fields):
        tries.append(1)
        raise OSError("the disk was away")

    monkeypatch.setattr(main, "watch", fails)
    app = create_app(Settings(site_id=SITE), database=floor.database, rim=floor.rim)

    async def serve() -> None:
        async with asyncio.timeout(20), app.router.lifespan_context(app):
            while len(tries) < 3:
                await asyncio.sleep(0.01)

    asyncio.run(serve())

    assert len(tries) >= 3
