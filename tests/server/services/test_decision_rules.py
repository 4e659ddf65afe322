"""Rules of decisions that show when one thing follows another: approvals, reversals, transfers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlmodel import select

from app.contract.problems import RefusalError
from app.contract.review import Action
from app.contract.vocabulary import CaseKind, CaseState, ReasonCode, Tracking
from server.services import journal, reversing
from server.services.case_view import find_detail
from server.storage.columns import to_u
from server.storage.rules import Policy, keep_policy
from server.storage.tables_casework import AdjustmentRow
from server.storage.tables_records import SkuRow
from tests.support.events import an_id, counted
from tests.support.floor import Floor, clock, damaged_of
from tests.support.server import SITE
from tests.support.sheets import rows


@pytest.fixture
def floor(database):
    made = Floor(database)
    made.sku("S1")
    return made


def agreed(floor: Floor, counted_as: str, *, bin: str = "A-01") -> None:
    for person, at in (("ana", "10:00"), ("ben", "10:10")):
        floor.count(person, bin, {"S1": counted_as}, at=clock(at))


def refusal(call, *args, **fields) -> str:
    with pytest.raises(RefusalError) as refused:
        call(*args, **fields)
    return refused.value.code


def adjustments(floor: Floor) -> list[AdjustmentRow]:
    with floor.database.read() as session:
        found = session.exec(select(AdjustmentRow).order_by(AdjustmentRow.adjustment_id)).all()
        session.expunge_all()
    return list(found)


def reverse(floor: Floor, adjustment_id: str, by: str = "lea", **fields) -> str:
    return reversing.reverse_adjustment(
        floor.database,
        SITE,
        adjustment_id,
        floor.person(by),
        reason=ReasonCode.DATA_ENTRY,
        note="",
        rim=floor.rim,
        **fields,
    )


def test_a_transfer_settles_both_bins_whichever_was_counted_first(floor: Floor):
    """One movement, dated by the earlier count: the later one is not held against it.

    bin  | book | counted | at    | then
    A-01 | 10   | 6       | 10:00 | 6
    A-02 | 10   | 14      | 10:30 | 14
    B-01 | 10   | 6       | 11:30 | 6
    B-02 | 10   | 14      | 11:00 | 14
    """
    told = rows(test_a_transfer_settles_both_bins_whichever_was_counted_first.__doc__)
    for row in told:
        floor.stock(row["bin"], quantity=row["book"])
    for row in told:
        floor.count("ana", row["bin"], {"S1": row["counted"]}, at=clock(row["at"]))
    for short, over in (("A-01", "A-02"), ("B-01", "B-02")):
        other = floor.case(bin=over).case_id
        floor.decide(floor.case(bin=short), Action.TRANSFER, other_case_id=other)

    assert {case.state for case in floor.cases()} == {CaseState.TRANSFERRED}
    for row in told:
        assert floor.book(row["bin"]) == {("S1", "available"): Decimal(row["then"])}


def test_a_first_approval_is_void_once_who_gave_it_has_counted(floor: Floor):
    with floor.database.write() as session:
        keep_policy(session, SITE, Policy(second_above=Decimal(10)))
        session.commit()
    floor.stock("A-01", quantity="100")
    agreed(floor, "80")
    floor.approve(floor.case(), "sam")
    floor.count("sam", "A-01", {"S1": "80"}, at=clock("10:20"))
    assert floor.case().state == CaseState.UNDER_REVIEW

    after = floor.approve(floor.case(), "sue")
    assert after.problem == "second-approver"
    assert refusal(floor.approve, floor.case(), "sam") == "approver-counted"
    floor.approve(floor.case(), "lea")

    (posted,) = adjustments(floor)
    assert (posted.approved_by, posted.second_by) == ("sue", "lea")


def test_an_id_that_is_used_again_for_something_else_is_refused(floor: Floor):
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    used = an_id()
    floor.decide(floor.case(), Action.ESCALATE, "lea", decision_id=used)

    again = floor.decide(floor.case(), Action.ESCALATE, "lea", decision_id=used)
    assert again.repeated
    for by, action, fields in (
        ("lea", Action.APPROVE, {"reason": ReasonCode.UNKNOWN_CAUSE}),
        ("lea", Action.ESCALATE, {"note": "another"}),
        ("sue", Action.ESCALATE, {}),
    ):
        code = refusal(floor.decide, floor.case(), action, by, decision_id=used, **fields)
        assert code == "decision-differs", (by, action)
    assert floor.case().state == CaseState.ESCALATED


def test_what_is_approved_is_what_is_posted_when_the_cost_has_changed_meanwhile(floor: Floor):
    floor.stock("A-01", quantity="100")
    agreed(floor, "80")
    with floor.database.write() as session:
        sku = session.get(SkuRow, (SITE, "S1"))
        sku.unit_cost_u = to_u(Decimal(1000))
        session.add(sku)
        session.commit()

    assert refusal(floor.approve, floor.case(), "sue") == "approver-limit"
    floor.approve(floor.case(), "lea")

    told = journal.journal(floor.database, SITE, clock("00:00"), clock("23:00"), rim=floor.rim)
    assert told.totals.shrink == Decimal(20_000)
    assert floor.case().value_u == to_u(Decimal(20_000))


def test_a_reversal_needs_the_authority_of_an_approval(floor: Floor):
    floor.stock("A-01", quantity="1000")
    agreed(floor, "100")
    floor.approve(floor.case(), "lea")
    (posted,) = adjustments(floor)

    assert refusal(reverse, floor, posted.adjustment_id, "sue") == "approver-limit"
    assert refusal(reverse, floor, posted.adjustment_id, "ana") == "role-forbidden"
    undone = reverse(floor, posted.adjustment_id)
    for each in (undone, posted.adjustment_id):
        assert refusal(reverse, floor, each) == "transition-refused"

    assert floor.book("A-01") == {("S1", "available"): Decimal(1000)}
    again = floor.case(is_live=True)
    assert (again.kind, again.standing) == (CaseKind.LATE_CORRECTION, "agreed")


def test_a_reversal_sent_twice_is_done_once(floor: Floor):
    floor.stock("A-01")
    agreed(floor, "4")
    floor.approve(floor.case())
    (posted,) = adjustments(floor)
    name = an_id()

    assert reverse(floor, posted.adjustment_id, identity=name) == name
    assert reverse(floor, posted.adjustment_id, identity=name) == name

    assert len(adjustments(floor)) == 2
    assert floor.book("A-01") == {("S1", "available"): Decimal(10)}


def test_a_transfer_that_is_reversed_opens_both_its_bins_and_can_be_made_again(floor: Floor):
    for place, quantity, at in (("A-01", "6", "10:00"), ("A-02", "14", "10:30")):
        floor.stock(place)
        floor.count("sam" if place == "A-02" else "ana", place, {"S1": quantity}, at=clock(at))
    short, over = floor.cases()
    floor.decide(short, Action.TRANSFER, other_case_id=over.case_id)
    (posted,) = adjustments(floor)

    assert refusal(reverse, floor, posted.adjustment_id, "sam") == "approver-counted"
    reverse(floor, posted.adjustment_id, "sue")

    short, over = floor.cases(is_live=True)
    assert (short.bin, over.bin, short.corrects != "", over.corrects != "") == (
        "A-01",
        "A-02",
        True,
        True,
    )
    floor.decide(short, Action.TRANSFER, other_case_id=over.case_id)
    assert floor.cases(is_live=True) == []
    assert floor.book("A-01") == {("S1", "available"): Decimal(6)}
    assert floor.book("A-02") == {("S1", "available"): Decimal(14)}
    told = journal.journal(floor.database, SITE, clock("00:00"), clock("23:00"), rim=floor.rim)
    assert told.totals.lines == 0


def test_a_transfer_to_a_bin_that_nobody_counted_stays_within_the_limits(floor: Floor):
    floor.bins("B-01")
    floor.stock("A-01", quantity="1000")
    agreed(floor, "100")
    case = floor.case()

    to = {"other_bin": "B-01"}
    assert refusal(floor.decide, case, Action.TRANSFER, "sue", **to) == "approver-limit"
    with floor.database.write() as session:
        keep_policy(session, SITE, Policy(second_above=Decimal(100)))
        session.commit()
    assert refusal(floor.decide, case, Action.TRANSFER, "lea", **to) == "parameter-missing"
    floor.count("cem", "B-01", {"S1": "900"}, at=clock("10:20"))
    floor.decide(case, Action.TRANSFER, "sue", other_case_id=floor.case(bin="B-01").case_id)

    assert floor.book("B-01") == {("S1", "available"): Decimal(900)}


def test_a_book_below_zero_follows_the_ledger_and_is_not_approved_without_a_count(floor: Floor):
    floor.stock("A-01", quantity="2")
    floor.move("5", frm="A-01", at=clock("08:00"))
    floor.move("2", frm="A-01", at=clock("08:10"))
    case = floor.case()
    assert (case.kind, case.variance_low_u, case.title) == (
        CaseKind.NEGATIVE_BOOK,
        5_000_000,
        "The book of S1 in A-01 is -5",
    )

    assert refusal(floor.approve, case, "lea") == "parameter-missing"
    offers = find_detail(
        floor.database, SITE, case.case_id, floor.person("lea"), rim=floor.rim
    ).actions
    assert {o.action: o.enabled for o in offers}[Action.APPROVE] is False
    agreed(floor, "4")
    floor.approve(floor.case())

    assert floor.book("A-01") == {("S1", "available"): Decimal(4)}


def test_a_posting_that_leaves_the_book_below_zero_now_says_so(floor: Floor):
    floor.stock("A-01")
    agreed(floor, "4")
    floor.move("8", frm="A-01", at=clock("10:30"))

    floor.approve(floor.cases(is_live=True)[0])

    case = floor.case(is_live=True)
    assert (case.kind, case.title) == (CaseKind.NEGATIVE_BOOK, "The book of S1 in A-01 is -4")


def test_a_pick_booked_from_the_wrong_bin_is_a_transfer_to_the_one_below_zero(floor: Floor):
    floor.stock("A-01", quantity="2")
    floor.stock("A-02")
    floor.move("5", frm="A-01", at=clock("08:00"))  # they were taken from A-02
    floor.count("ana", "A-02", {"S1": "7"}, at=clock("10:00"))
    short = floor.case(bin="A-02")
    assert short.top_proposal == "offsetting_transfer"
    below = floor.case(bin="A-01").case_id

    assert refusal(floor.decide, short, Action.TRANSFER, other_case_id=below) == "not-agreed"
    floor.count("ben", "A-02", {"S1": "7"}, at=clock("10:10"))
    floor.decide(below, Action.TRANSFER, other_case_id=short.case_id)

    assert floor.cases(is_live=True) == []
    assert floor.book("A-02") == {("S1", "available"): Decimal(7)}
    assert floor.book("A-01") == {}


@pytest.mark.parametrize("first", ["good", "damaged"])
def test_what_is_damaged_is_taken_from_the_good_once_whichever_is_approved_first(
    floor: Floor, first: str
):
    floor.stock("A-01")
    for person, at in (("ana", "10:00"), ("ben", "10:10")):
        floor.count(person, "A-01", [counted("S1", "7"), damaged_of("S1", "2")], at=clock(at))

    floor.approve(floor.case(condition=first))
    rest = floor.case(is_live=True)
    assert rest.kind in (CaseKind.VARIANCE, CaseKind.DAMAGED_FOUND)
    floor.approve(rest)

    assert floor.cases(is_live=True) == []
    assert floor.book("A-01") == {
        ("S1", "available"): Decimal(7),
        ("S1", "damaged"): Decimal(2),
    }
    told = journal.journal(floor.database, SITE, clock("00:00"), clock("23:00"), rim=floor.rim)
    assert told.totals.net == Decimal(-2)


def test_two_serials_that_differ_are_no_transfer(floor: Floor):
    floor.sku("N1", tracking=Tracking.SERIAL.value)
    floor.stock("A-01", "N1", "1", serial="X1")
    floor.bins("A-02")
    floor.count("ana", "A-01", {}, at=clock("10:00"))
    floor.count("ana", "A-02", [counted("N1", "1", serial="Z9")], at=clock("10:10"))

    tops = {case.top_proposal for case in floor.cases(sku="N1", subject="")}

    assert tops == {""}
