"""What an open case puts at risk follows the orders, the stock elsewhere and the costs that are imported."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from app.contract.review import Action
from app.contract.vocabulary import CaseState
from server.services.importing.report import ImportKind
from server.services.importing.service import ImportRequest, import_file
from server.storage.columns import to_u
from tests.support.floor import Floor, clock
from tests.support.server import SITE


@pytest.fixture
def floor(database):
    made = Floor(database)
    made.sku("S1")
    made.stock("A-01")
    made.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    return made


def told(floor: Floor, tmp_path: Path, kind: ImportKind, text: str) -> None:
    path = tmp_path / f"{kind.value}.csv"
    path.write_text(text, encoding="utf-8")
    request = ImportRequest(kind=kind, path=path, name=path.name, actor="erp", is_update=True)
    report = import_file(floor.database, SITE, request, floor.rim)
    assert report.imported, report.errors


def order(state: str, quantity: str = "8") -> str:
    promised = clock("20:00").isoformat()
    return (
        "kind,number,state,owner,party,promised_at,sku,quantity,price,currency\n"
        f"order,77,{state},,,{promised},S1,{quantity},5,EUR\n"
    )


def test_an_order_that_comes_in_later_makes_its_shortage_urgent(floor: Floor, tmp_path: Path):
    before = floor.case()
    assert before.orders_at_risk == 0

    told(floor, tmp_path, ImportKind.DOCUMENTS, order("promised"))

    after = floor.case()
    assert (after.orders_at_risk, after.rank < before.rank) == (1, True)
    assert after.due_us < before.due_us


def test_stock_that_comes_in_elsewhere_ends_the_risk_but_not_the_case(floor: Floor, tmp_path: Path):
    told(floor, tmp_path, ImportKind.DOCUMENTS, order("promised"))
    floor.bins("B-01")
    told(
        floor,
        tmp_path,
        ImportKind.MOVEMENTS,
        "movement_id,occurred_at,kind,sku,lot,serial,quantity,unit,from_bin,from_state,to_bin,"
        f"to_state,document\nr1,{clock('10:30').isoformat()},receipt,S1,,,50,each,@supplier,"
        "available,B-01,available,\n",
    )

    after = floor.case()
    assert (after.orders_at_risk, after.is_live, after.variance_low_u) == (0, True, -6_000_000)


def test_a_document_that_explains_a_case_is_proposed_when_it_arrives(floor: Floor, tmp_path: Path):
    assert floor.case().next_action == Action.RECOUNT

    told(floor, tmp_path, ImportKind.DOCUMENTS, order("picked", "6"))

    after = floor.case()
    assert (after.top_proposal, after.next_action) == ("unposted_movement", Action.EXPLAIN)


def test_a_new_cost_prices_open_cases_anew_and_a_new_class_judges_them(
    floor: Floor, tmp_path: Path
):
    header = "sku,description,barcode,unit,factor,tracking,abc_class,unit_cost,price,currency\n"
    told(floor, tmp_path, ImportKind.SKUS, f"{header}S1,Thing S1,S1-each,each,1,none,C,70,99,EUR\n")
    assert floor.case().value_u == to_u(Decimal(420))
    floor.stock("A-02", quantity="100")
    floor.count("ana", "A-02", {"S1": "96"}, at=clock("10:30"))
    assert floor.cases(bin="A-02") == []  # within the 5 % of class C
    floor.count("ben", "A-02", {"S1": "90"}, at=clock("11:00"))
    wrong = floor.case(bin="A-02")

    told(floor, tmp_path, ImportKind.SKUS, f"{header}S1,Thing S1,S1-each,each,1,none,A,70,99,EUR\n")

    assert (wrong.rounds, floor.case(bin="A-02").rounds) == (1, 2)  # the 96 missed the 1 % of A
    assert floor.case(bin="A-02").state == CaseState.RECOUNTED
