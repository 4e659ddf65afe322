"""What users of other systems complain about, each played here to the end. Numbers name the complaint.

Told in issues of open-msupply and its mobile app, OCA, OpenBoxes, HotWax, RepairDesk, ERPNext, Odoo.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import get_args

import pytest

from app.contract.events import Payload
from app.contract.problems import RefusalError
from app.contract.review import Action
from app.contract.vocabulary import CaseKind, PhysicalState, ReasonCode, Tracking, Unit
from server.services.count_view import one_count
from server.storage.columns import to_u
from server.storage.tables_records import BarcodeRow
from tests.support.events import counted
from tests.support.floor import Floor, clock
from tests.support.server import SITE
from tests.support.sheets import rows

PAYLOADS = get_args(get_args(Payload)[0])


@pytest.fixture
def floor(sqlite_database):
    made = Floor(sqlite_database)
    made.sku("S1")
    made.sku("S2")
    return made


def test_1_and_2_issuing_stock_after_the_count_neither_blocks_nor_corrupts_it(floor: Floor):
    """Both naive rules (counted minus snapshot, counted minus now) end in a wrong book.

    book | counted | issued after | book now | after posting
    10   | 8       | 3            | 7        | 5
    10   | 12      | 3            | 7        | 9
    10   | 10      | 3            | 7        | 7
    """
    told = rows(test_1_and_2_issuing_stock_after_the_count_neither_blocks_nor_corrupts_it.__doc__)
    for index, row in enumerate(told):
        place = f"A-{index:02}"
        floor.stock(place, quantity=row["book"])
        floor.count("ana", place, {"S1": row["counted"]}, at=clock("10:00"))
        floor.move(row["issued after"], frm=place, at=clock("10:30"))
        assert floor.book(place) == {("S1", "available"): Decimal(row["book now"])}

        for case in floor.cases(bin=place):
            floor.approve(case, "lea")

        assert floor.book(place) == {("S1", "available"): Decimal(row["after posting"])}, row


def test_3_each_line_is_decided_by_itself_although_stock_was_issued_since(floor: Floor):
    """Asked for instead of a block: count this line again, take that one as it was counted.

    SKU | book | counted | issued after | decided | book then
    S1  | 10   | 8       | 3            | recount | 7
    S2  | 10   | 8       | 3            | approve | 5
    """
    told = rows(test_3_each_line_is_decided_by_itself_although_stock_was_issued_since.__doc__)
    for row in told:
        floor.stock("A-01", row["SKU"], row["book"])
    floor.count("ana", "A-01", {row["SKU"]: row["counted"] for row in told}, at=clock("10:00"))
    for row in told:
        floor.move(row["issued after"], frm="A-01", sku=row["SKU"], at=clock("10:30"))

    for row in told:
        case = floor.case(sku=row["SKU"])
        if row["decided"] == "approve":
            floor.approve(case, "lea")
        else:
            floor.decide(case, Action.RECOUNT)

    for row in told:
        assert floor.book("A-01")[(row["SKU"], "available")] == Decimal(row["book then"]), row


def test_4_one_movement_during_the_count_never_stops_the_other_lines(floor: Floor):
    floor.stock("A-01", "S1")
    floor.stock("A-01", "S2")
    floor.move("1", frm="A-01", sku="S1", at=clock("10:00") - timedelta(seconds=50))
    floor.count("ana", "A-01", {"S1": "9", "S2": "4"}, at=clock("10:00"))

    kinds = {c.sku: c.kind for c in floor.cases()}
    floor.approve(floor.case(sku="S2"), "lea")

    assert kinds == {"S1": CaseKind.TIME_AMBIGUOUS, "S2": CaseKind.VARIANCE}
    assert floor.book("A-01")[("S2", "available")] == 4


def test_5_a_transfer_that_was_keyed_but_not_carried_out_wipes_nothing_out(floor: Floor):
    floor.stock("A-01")
    floor.bins("B-01")
    floor.move("10", frm="A-01", to="B-01", at=clock("08:00"))
    floor.count("ana", "B-01", {}, at=clock("10:00"))
    floor.count("ana", "A-01", {"S1": "10"}, at=clock("10:10"))

    short = floor.case(bin="B-01")
    assert short.top_proposal == "offsetting_transfer"
    floor.decide(short, Action.TRANSFER, other_case_id=floor.case(bin="A-01").case_id)

    assert (floor.book("A-01"), floor.book("B-01")) == ({("S1", "available"): Decimal(10)}, {})


def test_6_stock_promised_to_an_order_is_counted_until_its_pick(floor: Floor):
    """Ten on the book: nobody is told to leave out what is allocated, and no bin is closed to counting.

    bin  | allocated | picked | counted | variance
    B-01 | 4         | 0      | 10      | none
    B-02 | 4         | 1      | 9       | none
    B-03 | 4         | 0      | 6       | -4
    """
    for row in rows(test_6_stock_promised_to_an_order_is_counted_until_its_pick.__doc__):
        place, reserved = row["bin"], PhysicalState.RESERVED
        floor.stock(place)
        floor.move(row["allocated"], frm=place, to=place, to_state=reserved, at=clock("08:00"))
        if row["picked"] != "0":
            floor.move(row["picked"], frm=place, from_state=reserved, at=clock("08:30"))
        floor.count("ana", place, {"S1": row["counted"]}, at=clock("10:00"))

        found = [case.variance_low_u // 1_000_000 for case in floor.cases(bin=place)]
        assert found == ([] if row["variance"] == "none" else [int(row["variance"])]), row


def test_7_a_count_off_by_what_was_picked_but_not_posted_names_the_order(floor: Floor):
    floor.stock("A-01")
    floor.document("order/77", "picked", "S1", "3")
    floor.count("ana", "A-01", {"S1": "7"}, at=clock("10:00"))
    case = floor.case()
    assert case.top_proposal == "unposted_movement"
    assert case.next_words == "Explain it: Pick of order 77 is not posted"

    floor.decide(case, Action.EXPLAIN, reason=ReasonCode.PICK_NOT_POSTED)
    floor.move("3", frm="A-01", at=clock("09:00"), document="order/77", kind="pick")

    assert floor.cases(is_live=True) == []
    assert floor.book("A-01") == {("S1", "available"): Decimal(7)}


def test_9_a_reason_is_asked_of_the_reviewer_and_never_of_the_counter(floor: Floor):
    """A reason asked for at entry only where there is a difference tells that there is one."""
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    words = {name for event in PAYLOADS for name in event.model_fields}

    assert {"entered", "mode", "barcode"} & words, "these are the events a device makes"
    assert not words & {"reason", "reason_code", "cause", "difference", "variance"}
    with pytest.raises(RefusalError) as refused:
        floor.decide(floor.case(), Action.APPROVE, "lea")
    assert refused.value.code == "reason-missing"


def test_14_a_bin_counted_on_two_devices_is_two_counts_and_never_a_sum(floor: Floor):
    from server.services import planning

    floor.stock("A-01")
    (task,) = planning.plan_bins(floor.database, SITE, ["A-01"], floor.person("sue"), rim=floor.rim)
    for person in ("ana", "ben"):
        floor.count(person, "A-01", {"S1": "10"}, at=clock("10:00"), task=task.task_id)

    case = floor.case()

    assert (case.kind, case.rounds) == (CaseKind.COUNTED_TWICE, 2)
    assert floor.book("A-01") == {("S1", "available"): Decimal(10)}


def test_15_counted_zero_not_counted_and_confirmed_empty_are_three_facts(floor: Floor):
    floor.stock("A-01", "S1")
    floor.stock("A-01", "S2")
    floor.stock("A-02", "S1")
    zero = floor.count("ana", "A-01", {"S1": "0"}, at=clock("10:00"))
    empty = floor.count("ana", "A-02", {}, at=clock("10:10"))

    told = one_count(floor.database, SITE, zero, rim=floor.rim)
    confirmed = one_count(floor.database, SITE, empty, rim=floor.rim)

    assert [(x["sku"], x["counted"], x["is_counted"]) for x in told["lines"]] == [
        ("S1", "0", True),
        ("S2", "0", False),
    ]
    assert (told["is_empty"], confirmed["is_empty"]) == (False, True)


def test_16_cases_and_eaches_are_counted_side_by_side_and_a_new_pack_size_restates_nothing(
    floor: Floor,
):
    floor.sku("S3", packs={Unit.CASE: "12"})
    floor.stock("A-01", "S3", "40")
    count = floor.count(
        "ana",
        "A-01",
        [counted("S3", "3", unit=Unit.CASE, factor="12"), counted("S3", "4")],
        at=clock("10:00"),
    )

    with floor.database.write() as session:
        session.merge(
            BarcodeRow(
                site_id=SITE,
                barcode="S3-case",
                sku="S3",
                unit="case",
                factor_u=to_u(Decimal(10)),
            )
        )
        session.commit()
    floor.move("1", to="A-01", sku="S3", at=clock("11:00"))

    assert one_count(floor.database, SITE, count, rim=floor.rim)["lines"][0]["counted"] == "40"
    assert floor.cases() == []


def test_20_the_same_lot_on_two_skus_stays_two_lots(floor: Floor):
    for sku in ("L1", "L2"):
        floor.sku(sku, tracking=Tracking.LOT.value)
        floor.stock("A-01", sku, "5", lot="B7")
    floor.count(
        "ana",
        "A-01",
        [counted("L1", "5", lot="B7"), counted("L2", "3", lot="B7")],
        at=clock("10:00"),
    )

    case = floor.case()

    assert (case.sku, case.lot, case.variance_low_u) == ("L2", "B7", -2_000_000)


def test_a_wrong_lot_is_told_from_an_unexpected_item(floor: Floor):
    floor.sku("L1", tracking=Tracking.LOT.value)
    floor.stock("A-01", "L1", "5", lot="B7")
    floor.count(
        "ana",
        "A-01",
        [counted("L1", "3", lot="B7"), counted("L1", "2", lot="B8")],
        at=clock("10:00"),
    )

    assert {c.lot: c.kind for c in floor.cases()} == {
        "B7": CaseKind.VARIANCE,
        "B8": CaseKind.WRONG_LOT,
    }


def test_a_serial_that_the_book_has_elsewhere_is_a_case(floor: Floor):
    floor.sku("N1", tracking=Tracking.SERIAL.value)
    floor.stock("A-01", "N1", "1", serial="X1")
    floor.bins("A-02")
    floor.count("ana", "A-02", [counted("N1", "1", serial="X1")], at=clock("10:00"))

    case = floor.case(kind=CaseKind.DUPLICATE_SERIAL)

    assert "on the book in A-01" in case.title


def test_an_order_that_cannot_be_met_any_more_comes_first(floor: Floor):
    floor.stock("A-01", "S1")
    floor.stock("A-02", "S2", "1000")
    floor.document("order/77", "promised", "S1", "8", promised=clock("20:00"))
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    floor.count("ana", "A-02", {"S2": "100"}, at=clock("10:10"))

    promised, dear = floor.case(sku="S1"), floor.case(sku="S2")

    assert promised.orders_at_risk == 1
    assert promised.rank < dear.rank
    assert promised.value_u < dear.value_u
