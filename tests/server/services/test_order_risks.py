"""A posted shortage that breaks a promise is a case of its own, until stock comes or the order goes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.contract.review import Action
from app.contract.vocabulary import CaseKind, CaseState, ReasonCode
from server.services.case_view import find_detail
from server.services.reversing import reverse_adjustment
from tests.support.events import counted
from tests.support.floor import Floor, clock, damaged_of
from tests.support.imports import import_rows
from tests.support.server import NOW, SITE


@pytest.fixture
def floor(database):
    made = Floor(database)
    made.sku("S1")
    made.stock("A-01")
    made.document("order/77", "promised", "S1", "8", promised=clock("20:00"))
    return made


def posted_shortage(floor: Floor, counted_quantity: str = "4"):
    floor.count("ana", "A-01", {"S1": counted_quantity}, at=clock("10:00"))
    case = floor.case(kind=CaseKind.VARIANCE)
    floor.approve(case, "lea")
    return case


def receive(floor: Floor, tmp_path, quantity: int, name: str = "r1") -> None:
    at = (NOW - timedelta(minutes=5)).isoformat()
    row = f"{name},{at},receipt,S1,,,{quantity},each,@supplier,inbound,A-01,available,"
    assert import_rows(floor.database, tmp_path, "movements", row).errors_total == 0


def order_is(floor: Floor, tmp_path, state: str) -> None:
    promised = clock("20:00").isoformat()
    row = f"order,77,{state},,,{promised},S1,8,5,EUR"
    report = import_rows(floor.database, tmp_path, "documents", row)
    assert report.errors_total == 0, report.errors


def test_while_nothing_is_posted_the_variance_carries_the_order(floor: Floor):
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))

    assert [(c.kind, c.orders_at_risk) for c in floor.cases()] == [(CaseKind.VARIANCE, 1)]


def test_a_posted_shortage_leaves_a_case_for_the_order_it_breaks(floor: Floor):
    cause = posted_shortage(floor)

    case = floor.case(kind=CaseKind.ORDER_AT_RISK)

    assert (case.state, case.orders_at_risk, case.zone, case.bin) == ("open", 1, cause.zone, "")
    assert case.owner_id == cause.owner_id
    assert case.title == "Order 77 lacks 4 of 8 × S1"
    assert case.next_words.startswith("Bring 4 × S1 by ")
    assert case.priority_why == "1 order at risk, first promised in 8 h; 20.00 EUR of sales"
    assert 100 - case.rank == 85
    detail = find_detail(floor.database, SITE, case.case_id, floor.person("sue"), rim=floor.rim)
    assert [(o.number, o.short, o.value) for o in detail.impact.orders] == [("77", "4", "20.00")]
    assert (detail.impact.margin_at_risk, detail.impact.inventory_absolute) == ("12.00", "0.00")
    assert {a.action for a in detail.actions if a.enabled} >= {Action.CLOSE, Action.REASSIGN}


@pytest.mark.parametrize(("counted_quantity", "wanted"), [("8", 0), ("9", 0), ("7", 1)])
def test_an_order_that_can_still_be_met_has_none(floor: Floor, counted_quantity: str, wanted: int):
    posted_shortage(floor, counted_quantity)

    assert len(floor.cases(kind=CaseKind.ORDER_AT_RISK)) == wanted


def test_an_order_that_was_oversold_before_is_no_finding_of_the_count(floor: Floor):
    floor.document("order/90", "promised", "S1", "50", promised=clock("23:00"))
    posted_shortage(floor, "9")

    told = [c.title for c in floor.cases(kind=CaseKind.ORDER_AT_RISK)]

    # 90 lacked 48 and lacks 49 now: that one is news, the 48 were not.
    assert told == ["Order 90 lacks 49 of 50 × S1"]


def test_stock_in_another_bin_keeps_the_promise(floor: Floor):
    floor.stock("A-02", quantity="4")

    posted_shortage(floor)

    assert floor.cases(kind=CaseKind.ORDER_AT_RISK) == []


def test_damaged_units_break_a_promise_as_well(floor: Floor):
    seen = [counted("S1", "7"), damaged_of("S1", "3")]
    floor.count("ana", "A-01", seen, at=clock("10:00"))
    floor.approve(floor.case(), "lea", reason=ReasonCode.DAMAGED)

    assert floor.case(kind=CaseKind.ORDER_AT_RISK).title == "Order 77 lacks 1 of 8 × S1"


def test_part_of_the_stock_changes_the_figure_and_all_of_it_ends_the_case(floor: Floor, tmp_path):
    posted_shortage(floor)

    receive(floor, tmp_path, 3)
    assert floor.case(kind=CaseKind.ORDER_AT_RISK).title == "Order 77 lacks 1 of 8 × S1"

    receive(floor, tmp_path, 1, "r2")
    case = floor.case(kind=CaseKind.ORDER_AT_RISK)
    assert (case.state, case.is_live, case.next_words) == (CaseState.EXPLAINED, False, "")


def test_a_cancelled_order_ends_its_case(floor: Floor, tmp_path):
    posted_shortage(floor)

    order_is(floor, tmp_path, "cancelled")

    assert floor.case(kind=CaseKind.ORDER_AT_RISK).state == CaseState.EXPLAINED


def test_a_reversal_gives_the_promise_back_and_posting_again_breaks_it_again(floor: Floor):
    cause = posted_shortage(floor)
    found = find_detail(floor.database, SITE, cause.case_id, floor.person("lea"), rim=floor.rim)
    assert found.adjustment is not None
    reverse_adjustment(
        floor.database,
        SITE,
        found.adjustment.adjustment_id,
        floor.person("lea"),
        reason=ReasonCode.DATA_ENTRY,
        note="",
        rim=floor.rim,
    )
    assert floor.case(kind=CaseKind.ORDER_AT_RISK).state == CaseState.EXPLAINED

    floor.approve(floor.case(kind=CaseKind.LATE_CORRECTION), "lea")

    again = floor.case(kind=CaseKind.ORDER_AT_RISK)
    assert (again.state, again.is_live, again.next_action) == (CaseState.OPEN, True, Action.CLOSE)


def test_what_a_person_closed_stays_closed_unless_a_posting_breaks_more(floor: Floor, tmp_path):
    posted_shortage(floor)
    case = floor.case(kind=CaseKind.ORDER_AT_RISK)
    floor.decide(case, Action.CLOSE, note="told them")

    receive(floor, tmp_path, 1)
    assert floor.case(kind=CaseKind.ORDER_AT_RISK).state == CaseState.CLOSED

    floor.count("ben", "A-01", {"S1": "2"}, at=NOW + timedelta(hours=1))
    floor.time.advance(hours=2)
    floor.approve(floor.case(kind=CaseKind.VARIANCE, is_live=True), "lea")
    states = {c.state: c.title for c in floor.cases(kind=CaseKind.ORDER_AT_RISK)}
    assert states == {
        CaseState.CLOSED: "Order 77 lacks 4 of 8 × S1",
        CaseState.OPEN: "Order 77 lacks 6 of 8 × S1",
    }
