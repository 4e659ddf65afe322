"""One serial in two places is a case as of the time it was seen, and only while it is true."""

from __future__ import annotations

from itertools import permutations

import pytest

from app.contract.review import Action
from app.contract.vocabulary import CaseKind, CaseState, ReasonCode, Tracking
from tests.support.events import counted
from tests.support.floor import Floor, clock
from tests.support.sheets import rows


@pytest.fixture
def floor(database):
    made = Floor(database)
    made.sku("N1", tracking=Tracking.SERIAL.value)
    made.bins("A-01", "A-02", "A-03")
    return made


def one(serial: str):
    return [counted("N1", "1", serial=serial)]


def in_two_places(floor: Floor) -> list[str]:
    found = floor.cases(kind=CaseKind.DUPLICATE_SERIAL, is_live=True)
    return [case.title.removeprefix("Serial ").replace(" of N1", "") for case in found]


def test_a_unit_that_was_moved_after_it_was_counted_was_rightly_seen(floor: Floor):
    floor.stock("A-01", "N1", "1", serial="X1")
    floor.count("ana", "A-01", one("X1"), at=clock("10:00"), push=False)
    floor.move("1", frm="A-01", to="A-02", sku="N1", serial="X1", at=clock("10:30"))

    floor.push("ana")

    assert floor.cases() == []


def test_what_is_known_of_a_serial_does_not_depend_on_what_was_told_first(sqlite_database):
    """Of each story every order in which it can be told: a receipt, a transfer, two counts.

    serial | received  | moved          | seen          | seen then     | is
    X1     | A-01 08:00 |               | A-02 10:00    | -             | X1 seen in A-02, on the book in A-01
    X2     | A-01 08:00 | to A-02 09:00 | A-02 10:00    | -             | -
    X3     | A-01 08:00 | to A-02 10:30 | A-01 10:00    | A-02 11:00    | -
    X4     | A-01 08:00 | -             | A-01 10:00    | A-02 11:00    | X4 seen in A-02, on the book in A-01
    X5     | -          | -             | A-01 10:00    | A-02 11:00    | X5 seen in A-02, counted in A-01
    X6     | -          | -             | A-01 10:00    | -             | -
    X7     | A-01 08:00 | to A-02 10:30 | A-02 10:00    | -             | X7 seen in A-02, on the book in A-01
    """
    sheet = test_what_is_known_of_a_serial_does_not_depend_on_what_was_told_first.__doc__
    floor = Floor(sqlite_database)
    floor.sku("N1", tracking=Tracking.SERIAL.value)
    for number, row in enumerate(rows(sheet)):
        facts = [name for name in ("received", "moved", "seen", "seen then") if row[name]]
        for turn, order in enumerate(permutations(facts)):
            # Bins and a serial of their own, so that no order meets what another left.
            suffix = f"{number}{turn:02}"
            told = {"A-01": f"A{suffix}", "A-02": f"B{suffix}", row["serial"]: f"X{suffix}"}
            floor.bins(told["A-01"], told["A-02"])
            for fact in order:
                _tell(floor, fact, _renamed(row[fact], told), told[row["serial"]])
            found = [t for t in in_two_places(floor) if told[row["serial"]] in t]
            assert found == ([_renamed(row["is"], told)] if row["is"] else []), (row, order)


def _renamed(text: str, told: dict[str, str]) -> str:
    for name, other in told.items():
        text = text.replace(name, other)
    return text


def _tell(floor: Floor, fact: str, words: str, serial: str) -> None:
    at = clock(words.rsplit(maxsplit=1)[-1])
    place = words.split()[-2]
    if fact == "received":
        floor.move("1", to=place, sku="N1", serial=serial, at=at)
    elif fact == "moved":
        frm = place.replace("B", "A")
        floor.move("1", frm=frm, to=place, sku="N1", serial=serial, at=at)
    else:
        floor.count("ana" if fact == "seen" else "ben", place, one(serial), at=at)


def test_it_ends_when_a_posting_books_the_unit_where_it_was_seen(floor: Floor):
    floor.stock("A-01", "N1", "1", serial="X1")
    floor.count("ana", "A-02", one("X1"), at=clock("10:00"))
    floor.count("ben", "A-01", {}, at=clock("10:10"))
    assert in_two_places(floor) == ["X1 seen in A-02, on the book in A-01"]
    short, over = floor.case(bin="A-01"), floor.case(bin="A-02", subject="")
    assert short.top_proposal == "offsetting_transfer"

    floor.decide(short, Action.TRANSFER, other_case_id=over.case_id)

    assert floor.cases(is_live=True) == []


def test_it_ends_when_a_recount_does_not_see_the_unit_again(floor: Floor):
    floor.stock("A-01", "N1", "1", serial="X1")
    floor.count("ana", "A-02", one("X1"), at=clock("10:00"))
    floor.count("ben", "A-02", {}, at=clock("10:10"))

    assert {case.state for case in floor.cases()} == {CaseState.COUNT_ERROR, CaseState.EXPLAINED}


def test_what_a_person_has_closed_stays_closed_until_it_is_seen_again(floor: Floor):
    floor.stock("A-01", "N1", "1", serial="X1")
    floor.count("ana", "A-02", one("X1"), at=clock("10:00"))
    floor.decide(
        floor.case(kind=CaseKind.DUPLICATE_SERIAL), Action.CLOSE, reason=ReasonCode.UNKNOWN_CAUSE
    )
    floor.move("1", to="A-03", sku="N1", serial="X2", at=clock("09:00"))
    assert in_two_places(floor) == []

    floor.count("ben", "A-02", one("X1"), at=clock("10:30"))

    assert in_two_places(floor) == ["X1 seen in A-02, on the book in A-01"]
