"""Rules as data: exported, imported, edited; every bad cell is named at once and nothing is half done."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.contract.problems import RefusalError
from app.contract.vocabulary import CaseState
from server.domain.tolerance import SEED_RULES
from server.services import ruling
from server.services.reporting import rows_csv
from server.storage.rules import Policy
from tests.support.floor import Floor, clock
from tests.support.server import SITE

NO_LIMITS = dict.fromkeys(ruling.TOLERANCE_COLUMNS, "")


@pytest.fixture
def floor(database):
    made = Floor(database)
    made.sku("S1")
    return made


def set_tolerances(floor: Floor, *rows: dict, replace: bool = True, by: str = "lea") -> int:
    told = [NO_LIMITS | row for row in rows]
    return ruling.set_tolerances(
        floor.database, SITE, told, floor.person(by), replace=replace, rim=floor.rim
    )


def test_a_new_site_has_the_seed_tolerances(floor: Floor):
    rows = ruling.tolerances(floor.database, SITE)

    assert [(r["key"], r["percent_minus"]) for r in rows] == [("A", "1"), ("B", "3"), ("C", "5")]
    assert len(SEED_RULES) == 3


def test_tolerances_come_back_from_csv_as_they_were_exported(floor: Floor):
    set_tolerances(
        floor,
        {"scope": "site", "units_plus": "2", "units_minus": "0.5"},
        {"scope": "sku", "key": "S1", "money_minus": "10"},
    )
    before = ruling.tolerances(floor.database, SITE)
    text = rows_csv(before, ruling.TOLERANCE_COLUMNS)

    set_tolerances(floor, *ruling.rows_of_csv(text, ruling.TOLERANCE_COLUMNS))

    assert ruling.tolerances(floor.database, SITE) == before


def test_a_wider_tolerance_ends_the_open_cases_that_it_covers(floor: Floor):
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "8"}, at=clock("10:00"))
    assert floor.case().is_live

    set_tolerances(floor, {"scope": "sku", "key": "S1", "units_minus": "2"}, replace=False)

    assert floor.case().state == CaseState.EXPLAINED


def test_every_bad_cell_is_named_and_nothing_is_changed(floor: Floor):
    before = ruling.tolerances(floor.database, SITE)

    with pytest.raises(ruling.BadRowsError) as refused:
        set_tolerances(
            floor,
            {"scope": "sku", "key": "S1", "units_minus": "2"},
            {"scope": "shelf"},
            {"scope": "sku", "key": "S9"},
            {"scope": "site", "percent_plus": "-1"},
            {"scope": "site", "percent_plus": "1e3000"},
        )

    assert [(bad.line, bad.column) for bad in refused.value.bad] == [
        (3, "scope"),
        (4, "key"),
        (5, "percent_plus"),
        (6, "percent_plus"),
    ]
    assert ruling.tolerances(floor.database, SITE) == before


def test_only_a_lead_sets_rules_and_nobody_their_own_limit(floor: Floor):
    with pytest.raises(RefusalError) as refused:
        set_tolerances(floor, {"scope": "site"}, by="sue")
    assert refused.value.code == "role-forbidden"

    with pytest.raises(ruling.BadRowsError):
        ruling.set_authorities(
            floor.database,
            SITE,
            [{"user_id": "lea", "approve_limit": "1"}],
            floor.person("lea"),
            rim=floor.rim,
        )


def test_a_limit_that_was_set_holds(floor: Floor):
    ruling.set_authorities(
        floor.database,
        SITE,
        [{"user_id": "sue", "approve_limit": "11.99"}],
        floor.person("lea"),
        rim=floor.rim,
    )

    rows = {r["user_id"]: r["approve_limit"] for r in ruling.authorities(floor.database, SITE)}
    assert rows["sue"] == "11.99"


def test_two_people_approve_above_the_sites_limit(floor: Floor):
    ruling.set_policy(floor.database, SITE, Policy(second_above=Decimal(10)), floor.person("lea"))
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    floor.count("ben", "A-01", {"S1": "4"}, at=clock("11:00"))

    first = floor.approve(floor.case(), "sue")
    again = floor.approve(floor.case(), "sue")
    second = floor.approve(floor.case(), "sam")

    assert (first.done, first.problem) == (False, "second-approver")
    assert again.problem == "second-approver"
    assert second.done
    assert floor.case().state == CaseState.POSTED


def test_an_approval_is_void_when_the_variance_changes_before_the_second(floor: Floor):
    ruling.set_policy(floor.database, SITE, Policy(second_above=Decimal(5)), floor.person("lea"))
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    floor.count("ben", "A-01", {"S1": "4"}, at=clock("11:00"))
    floor.approve(floor.case(), "sue")

    floor.move("1", frm="A-01", at=clock("09:00"))

    case = floor.case()
    assert (case.state, case.approved_by) == (CaseState.UNDER_REVIEW, "")
    assert case.variance_low_u == -5_000_000


def test_cases_go_to_the_owner_that_the_rules_name_and_overdue_ones_to_the_lead(floor: Floor):
    from server.services.casework import escalate_overdue

    ruling.set_owners(
        floor.database,
        SITE,
        [{"zone": "A", "kind": "", "value_from": "0", "owner": "sam", "lead": "lea"}],
        floor.person("lea"),
        rim=floor.rim,
    )
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    assert floor.case().owner_id == "sam"
    assert escalate_overdue(floor.database, SITE, rim=floor.rim) == 0

    floor.time.advance(days=6)

    assert escalate_overdue(floor.database, SITE, rim=floor.rim) == 1
    assert (floor.case().owner_id, floor.case().state) == ("lea", CaseState.ESCALATED)
    assert escalate_overdue(floor.database, SITE, rim=floor.rim) == 0
