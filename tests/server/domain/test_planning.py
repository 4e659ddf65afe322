"""Which bins are counted next, and who recounts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.contract.problems import RefusalError
from app.contract.vocabulary import Role
from server.domain.planning import (
    BinToPlan,
    Candidate,
    OwnerRule,
    choose_recounter,
    owner_for,
    plan_day,
)
from tests.support.sheets import NINE


def place(name: str, walk: int, *, days: int | None = 10, **fields) -> BinToPlan:
    last = None if days is None else NINE - timedelta(days=days)
    given = {"best_class": "C", "records": 2}
    return BinToPlan(bin=name, walk_order=walk, last_counted_at=last, **(given | fields))


def planned(*bins: BinToPlan, minutes: float = 60) -> list[tuple[str, str]]:
    return [(p.bin, p.why) for p in plan_day(bins, now=NINE, minutes=minutes)]


def test_a_day_is_planned_in_walking_order_and_only_what_is_due():
    assert planned(
        place("late-c", 5, days=400),
        place("due-a", 4, days=91, best_class="A"),
        place("fresh-a", 3, days=89, best_class="A"),
        place("negative", 9, has_negative_book=True),
        place("empty", 2, became_empty=True),
        place("open", 1, days=999, has_open_task=True),
        place("never", 7, days=None),
    ) == [
        ("empty", "zero confirmation"),
        ("due-a", "due by class"),
        ("late-c", "due by class"),
        ("never", "never counted"),
        ("negative", "negative book"),
    ]


def test_when_labour_is_short_wrong_books_come_before_old_ones():
    bins = [place("old", 1, days=4000), place("negative", 2, has_negative_book=True)]

    assert planned(*bins, minutes=3.5) == [("negative", "negative book")]
    assert planned(*bins, minutes=1) == []


PEOPLE = [
    Candidate(user_id="ana", role=Role.COUNTER, open_tasks=0),
    Candidate(user_id="ben", role=Role.COUNTER, open_tasks=2),
    Candidate(user_id="cem", role=Role.COUNTER, open_tasks=1),
    Candidate(user_id="sue", role=Role.SUPERVISOR),
    Candidate(user_id="fin", role=Role.FINANCE),
]


def chosen(*counted: str, wanted: str | None = None) -> str:
    return choose_recounter(
        PEOPLE, bin="A-01", have_counted=set(counted), approver="sue", wanted=wanted
    )


def test_the_least_busy_counter_who_has_not_counted_recounts_and_the_approver_last():
    assert chosen("ana") == "cem"
    assert chosen("ana", "cem") == "ben"
    assert chosen("ana", "ben", "cem") == "sue"
    assert chosen("ana", wanted="ben") == "ben"


@pytest.mark.parametrize(
    ("counted", "wanted", "code"),
    [
        (("ana",), "ana", "recounter-counted"),
        ((), "fin", "unknown-user"),
        ((), "zoe", "unknown-user"),
        (("ana", "ben", "cem", "sue"), None, "no-recounter"),
    ],
)
def test_who_may_not_recount_is_refused_by_name(counted, wanted, code: str):
    with pytest.raises(RefusalError) as refused:
        chosen(*counted, wanted=wanted)

    assert refused.value.code == code


def test_the_most_particular_owner_rule_wins():
    rules = [
        OwnerRule(owner="all", lead="lea"),
        OwnerRule(owner="zone", lead="lea", zone="A"),
        OwnerRule(owner="kind", lead="lea", kind="held_event"),
        OwnerRule(owner="big", lead="lea", zone="A", value_from=1000),
    ]

    def owner(zone: str, kind: str, value: float) -> str | None:
        found = owner_for(rules, zone=zone, kind=kind, value=value)
        return found.owner if found else None

    assert owner("B", "variance", 5) == "all"
    assert owner("A", "variance", 5) == "zone"
    assert owner("A", "variance", 1000) == "big"
    assert owner("A", "held_event", 5000) == "kind"
    assert owner_for([], zone="A", kind="variance", value=0) is None
