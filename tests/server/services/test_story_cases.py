"""Each planted truth of the story becomes the right case, with the right proposal on top, and ends right."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.contract.review import Action
from app.contract.vocabulary import CaseKind, CaseState, ReasonCode
from server.services import journal, planning, reporting
from server.services.importing.report import ImportKind
from server.services.reporting import AccuracyFilter
from server.story.build import build
from server.story.ledger import StoryMovement
from server.story.load import import_csv
from server.story.planting import pick_of
from tests.support.server import NOW, SITE
from tests.support.story_floor import TOP_PROPOSALS, StoryFloor, a_counted_story, planted_cases

STORY = build(7, NOW, SITE)
LATER = NOW.replace(hour=14)
CASES = planted_cases(STORY)


@pytest.fixture
def floor(database, tmp_path):
    return a_counted_story(database, STORY, tmp_path / "story", LATER)


def test_every_planted_truth_is_the_case_it_should_be_and_nothing_else_is_one(floor: StoryFloor):
    expected = sorted((p.bin, p.sku, p.condition.value, p.kind.value) for p in CASES)

    found = sorted((c.bin, c.sku, c.condition, c.kind) for c in floor.cases())

    assert found == expected


def test_the_right_proposal_stands_on_top_of_each(floor: StoryFloor):
    tops = {name: floor.planted(name).top_proposal for name in TOP_PROPOSALS}

    assert tops == TOP_PROPOSALS
    assert {p.name for p in CASES} == set(TOP_PROPOSALS), (
        "every kind of truth has its proposal here"
    )
    assert floor.planted("unknown_item").title.startswith("2 × unknown barcode")


def test_each_ends_as_it_should_and_the_book_is_the_truth(floor: StoryFloor, tmp_path):
    for name in ("miscount", "cases_as_eaches"):
        floor.recounted(floor.planted(name), "ben")
        assert floor.planted(name).state == CaseState.COUNT_ERROR

    for name in ("loss", "damaged_unit"):
        floor.recounted(floor.planted(name), "cho")
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
