"""Each planted truth of the story becomes the right case, with the right proposal on top, and ends right."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pytest

from app.contract.events import Payload
from app.contract.review import Action
from app.contract.vocabulary import CaseKind, CaseState, Condition, ReasonCode
from server.domain.people import Person
from server.services import journal, planning, reporting
from server.services.importing.report import ImportKind
from server.services.reporting import AccuracyFilter
from server.story.build import build
from server.story.ledger import StoryMovement
from server.story.load import import_csv, load_story
from server.story.planting import pick_of
from server.story.truths import Seen
from tests.support.events import counted
from tests.support.floor import Floor, an_unknown
from tests.support.server import NOW, SITE

STORY = build(7, NOW, SITE)
LATER = NOW.replace(hour=14)
CASES = [p for p in STORY.planted if (p.name, p.condition) != ("damaged_unit", Condition.GOOD)]
"""The torn bag is missing among the good and over among the damaged: two lines, one case."""


class StoryFloor(Floor):
    """The story's warehouse and people instead of an empty one."""

    def __post_init__(self) -> None:
        from tests.support.rim import a_rim

        self.rim = a_rim(self.time, self.seed)

    def person(self, user_id: str) -> Person:
        found = next(p for p in STORY.people if p.user_id == user_id)
        return Person(
            user_id=found.user_id,
            name=found.name,
            role=found.role,
            approve_limit=Decimal(found.approve_limit or 0),
        )

    def planted(self, name: str, index: int = 0):
        truth = [p for p in CASES if p.name == name][index]
        return (
            self.case(bin=truth.bin, sku=truth.sku, condition=truth.condition.value)
            if truth.sku
            else self.case(bin=truth.bin, kind=CaseKind.UNKNOWN_BARCODE)
        )


def payloads(packs: Iterable[Seen]) -> list[Payload]:
    return [
        an_unknown(p.barcode, str(p.quantity))
        if not p.sku
        else counted(
            p.sku,
            str(p.quantity),
            unit=p.unit,
            factor=str(p.factor),
            condition=p.condition,
            lot=p.lot,
            serial=p.serial,
        )
        for p in packs
    ]


@pytest.fixture
def floor(database, tmp_path):
    made = StoryFloor(database)
    load_story(database, STORY, tmp_path / "story", made.rim)
    for task in STORY.tasks:
        (row,) = planning.plan_bins(database, SITE, [task.bin], made.person("maria"), rim=made.rim)
        truth = STORY.truth[task.bin]
        packs = truth.seen if truth.first_count is None else truth.first_count
        made.count("ana", task.bin, payloads(packs), task=row.task_id, push=False)
    made.push("ana")
    made.time.at = LATER
    return made


def recounted(floor: StoryFloor, case, by: str) -> None:
    """Ask for the recount and have it done, truthfully."""
    floor.decide(case, Action.RECOUNT, "maria", assign_to=by)
    task = next(
        t
        for t in planning.list_tasks(floor.database, SITE, ["assigned"])
        if t.bin == case.bin and t.assigned_to == by
    )
    floor.count(by, case.bin, payloads(STORY.truth[case.bin].seen), task=task.task_id)


def test_every_planted_truth_is_the_case_it_should_be_and_nothing_else_is_one(floor: StoryFloor):
    expected = sorted((p.bin, p.sku, p.condition.value, p.kind.value) for p in CASES)

    found = sorted((c.bin, c.sku, c.condition, c.kind) for c in floor.cases())

    assert found == expected


def test_the_right_proposal_stands_on_top_of_each(floor: StoryFloor):
    tops = {
        name: floor.planted(name).top_proposal
        for name in (
            "miscount",
            "unposted_pick",
            "cases_as_eaches",
            "loss",
            "misplaced_carton",
            "damaged_unit",
        )
    }

    assert tops == {
        "miscount": "slipped_digit",
        "unposted_pick": "unposted_movement",
        "cases_as_eaches": "wrong_unit",
        "loss": "",
        "misplaced_carton": "offsetting_transfer",
        "damaged_unit": "damage_not_marked",
    }
    assert floor.planted("unknown_item").title.startswith("2 × unknown barcode")


def test_each_ends_as_it_should_and_the_book_is_the_truth(floor: StoryFloor, tmp_path):
    for name in ("miscount", "cases_as_eaches"):
        recounted(floor, floor.planted(name), "ben")
        assert floor.planted(name).state == CaseState.COUNT_ERROR

    for name in ("loss", "damaged_unit"):
        recounted(floor, floor.planted(name), "cho")
        reason = ReasonCode.DAMAGED if name == "damaged_unit" else ReasonCode.UNKNOWN_CAUSE
        floor.approve(floor.planted(name), "maria", reason=reason)
        assert floor.planted(name).state == CaseState.POSTED

    short, over = (floor.planted("misplaced_carton", index) for index in (0, 1))
    floor.decide(short, Action.TRANSFER, "maria", other_case_id=over.case_id)
    assert floor.planted("misplaced_carton").state == CaseState.TRANSFERRED

    floor.decide(
        floor.planted("unposted_pick"),
        Action.EXPLAIN,
        "maria",
        reason=ReasonCode.PICK_NOT_POSTED,
    )
    floor.decide(floor.planted("unknown_item"), Action.CLOSE, "maria")
    _post_the_pick(floor, tmp_path)

    assert floor.cases(is_live=True) == []
    assert [c.state for c in floor.cases(kind=CaseKind.LATE_CORRECTION)] == []
    for truth in STORY.planted:
        if truth.sku:
            assert _visible(floor, truth.bin, truth.sku, truth.condition.value) == truth.physical
    states = {t.state for t in planning.list_tasks(floor.database, SITE, [])}
    assert states == {"reconciled"}
    since = NOW.replace(hour=0)
    told = journal.journal(floor.database, SITE, since, LATER.replace(hour=15), rim=floor.rim)
    loss = next(p for p in STORY.planted if p.name == "loss")
    cost = next(s.unit_cost for s in STORY.skus if s.sku == loss.sku)
    assert [(line.part.sku, line.part.quantity) for line in told.lines] == [(loss.sku, -2)]
    assert told.totals.net == -(2 * cost).quantize(Decimal("0.01"))
    report = reporting.accuracy_report(
        floor.database, SITE, since, LATER.replace(hour=15), AccuracyFilter(), rim=floor.rim
    )
    assert report.bins_counted == len(STORY.tasks)
    assert all(f.percent is not None for f in report.figures)


def _post_the_pick(floor: StoryFloor, tmp_path) -> None:
    truth = next(p for p in STORY.planted if p.name == "unposted_pick")
    sku = next(s for s in STORY.skus if s.sku == truth.sku)
    pick: StoryMovement = pick_of(sku, "991", 6, NOW.replace(hour=8))
    from server.story.build import movements_csv

    path = tmp_path / "late.csv"
    path.write_text(movements_csv([pick], start=990_001), encoding="utf-8")
    import_csv(floor.database, SITE, ImportKind.MOVEMENTS, path, floor.rim)


def _visible(floor: StoryFloor, bin: str, sku: str, condition: str) -> int:
    states = {"good": ("available", "reserved"), "damaged": ("damaged",)}[condition]
    return int(sum(q for (s, state), q in floor.book(bin).items() if s == sku and state in states))
