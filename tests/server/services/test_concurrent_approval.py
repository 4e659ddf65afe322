"""Many supervisors press "approve" at once: one posting, and everybody else is told clearly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

from sqlmodel import select

from app.contract.problems import RefusalError
from app.contract.review import Action, Decision
from app.contract.vocabulary import CaseState, ReasonCode
from server.services import casework
from server.storage.ledger import movements_of_document
from server.storage.tables_casework import AdjustmentRow
from tests.support.events import an_id
from tests.support.floor import Floor, clock
from tests.support.server import SITE

RACERS = 64


def an_agreed_case(database):
    floor = Floor(database)
    floor.sku("S1")
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    floor.count("ben", "A-01", {"S1": "4"}, at=clock("11:00"))
    return floor, floor.case()


def test_sixty_four_approvals_at_once_post_once_and_refuse_the_others_by_name(database):
    floor, case = an_agreed_case(database)
    start = Barrier(RACERS)
    decisions = [
        Decision(decision_id=an_id(), action=Action.APPROVE, reason=ReasonCode.UNKNOWN_CAUSE)
        for _ in range(RACERS)
    ]

    def approve(index: int) -> str:
        start.wait()
        person = floor.person(("sue", "sam", "lea")[index % 3])
        try:
            casework.decide(
                floor.database, SITE, case.case_id, decisions[index], person, rim=floor.rim
            )
        except RefusalError as refusal:
            return refusal.code
        return "posted"

    with ThreadPoolExecutor(RACERS) as pool:
        outcomes = list(pool.map(approve, range(RACERS)))

    assert sorted(outcomes) == ["already-posted"] * (RACERS - 1) + ["posted"]
    with floor.database.read() as session:
        posted = session.exec(select(AdjustmentRow)).all()
        moves = movements_of_document(session, SITE, f"case/{case.case_id}")
    assert len(posted) == len(moves) == 1
    assert floor.case().state == CaseState.POSTED
    assert floor.book("A-01") == {("S1", "available"): Decimal(4)}


def test_one_decision_sent_many_times_at_once_is_done_once_and_answered_each_time(database):
    floor, case = an_agreed_case(database)
    decision = Decision(decision_id=an_id(), action=Action.APPROVE, reason=ReasonCode.UNKNOWN_CAUSE)
    start = Barrier(16)

    def send(_index: int) -> tuple[bool, bool]:
        start.wait()
        result = casework.decide(
            floor.database, SITE, case.case_id, decision, floor.person("sue"), rim=floor.rim
        )
        return result.done, result.repeated

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(16)))

    assert sorted(answers) == [(True, False)] + [(True, True)] * 15
    assert floor.book("A-01") == {("S1", "available"): Decimal(4)}


def test_a_count_that_arrives_while_its_case_is_posted_is_never_lost(database):
    """Whoever comes second sees what the other did: the count is a round of the case, or a new case."""
    floor = Floor(database)
    floor.sku("S1")
    for index in range(8):
        place = f"A-{index:02}"
        floor.stock(place)
        for person, at in (("ana", "10:00"), ("ben", "10:10")):
            floor.count(person, place, {"S1": "4"}, at=clock(at))
        floor.count("cem", place, {"S1": "7"}, at=clock("10:20"), push=False)
        case = floor.case(bin=place)

        _at_once(lambda case=case: floor.approve(case, "lea"), lambda: floor.push("cem"))

        found = sorted(floor.cases(bin=place), key=lambda c: c.is_live)
        told = [(c.state, c.standing, c.variance_low_u) for c in found]
        book = floor.book(place)[("S1", "available")]
        assert (told, book) in (
            ([("posted", "agreed", -6_000_000), ("open", "first", 3_000_000)], Decimal(4)),
            ([("posted", "exhausted", -3_000_000)], Decimal(7)),
        ), place


def _at_once(*deeds) -> None:
    start = Barrier(len(deeds))

    def do(deed) -> None:
        start.wait()
        deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        for done in [pool.submit(do, deed) for deed in deeds]:
            done.result()
