"""The story's warehouse, counted: its planned bins as the first counters really enter them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from app.contract.events import Payload
from app.contract.review import Action
from app.contract.vocabulary import CaseKind, Condition
from server.domain.people import Person
from server.services import planning
from server.storage.engine import Database
from server.storage.tables_casework import ExceptionCaseRow
from server.story.build import Story
from server.story.load import load_story
from server.story.truths import Planted, Seen
from tests.support.events import counted
from tests.support.floor import Floor, an_unknown
from tests.support.rim import ServerTime, a_rim
from tests.support.server import SITE

TOP_PROPOSALS = {
    "miscount": "slipped_digit",
    "unposted_pick": "unposted_movement",
    "cases_as_eaches": "wrong_unit",
    "loss": "",
    "misplaced_carton": "offsetting_transfer",
    "damaged_unit": "damage_not_marked",
    "unknown_item": "match_barcode",
}
"""Planted truth -> the proposal that must stand on top of its case; "" where nothing explains it."""


def planted_cases(story: Story) -> tuple[Planted, ...]:
    """What must be a case each. The torn bag is missing among the good and over among the damaged:
    two lines, one case."""
    return tuple(
        p for p in story.planted if (p.name, p.condition) != ("damaged_unit", Condition.GOOD)
    )


@dataclass
class StoryFloor(Floor):
    """The story's warehouse and people instead of an empty one."""

    story: Story | None = None

    def __post_init__(self) -> None:
        self.rim = a_rim(self.time, self.seed)

    @property
    def told(self) -> Story:
        assert self.story is not None, "a story floor has a story"
        return self.story

    def person(self, user_id: str) -> Person:
        found = next(p for p in self.told.people if p.user_id == user_id)
        return Person(
            user_id=found.user_id,
            name=found.name,
            role=found.role,
            approve_limit=Decimal(found.approve_limit or 0),
        )

    def planted(self, name: str, index: int = 0) -> ExceptionCaseRow:
        """The case of a planted truth; the second half of one by its index."""
        return self.case_of([p for p in planted_cases(self.told) if p.name == name][index])

    def case_of(self, truth: Planted) -> ExceptionCaseRow:
        """The only case of the line that a planted truth is about."""
        if not truth.sku:
            return self.case(bin=truth.bin, kind=CaseKind.UNKNOWN_BARCODE)
        return self.case(bin=truth.bin, sku=truth.sku, condition=truth.condition.value)

    def recounted(self, case: ExceptionCaseRow, by: str) -> None:
        """Ask for the recount and have it done, truthfully."""
        self.decide(case, Action.RECOUNT, "maria", assign_to=by)
        task = next(
            t
            for t in planning.list_tasks(self.database, SITE, ["assigned"])
            if t.bin == case.bin and t.assigned_to == by
        )
        self.count(by, case.bin, payloads(self.told.truth[case.bin].seen), task=task.task_id)


def payloads(packs: Iterable[Seen]) -> list[Payload]:
    """What a counter enters for what is seen."""
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


def a_counted_story(
    database: Database, story: Story, folder: Path, later: datetime | None = None
) -> StoryFloor:
    """The story loaded, its bins planned, each counted by Ana as the story says, and sent.

    `later`: the server's time from then on; two hours after the story's now unless it is given.
    """
    made = StoryFloor(database, ServerTime(story.now), story=story)
    load_story(database, story, folder, made.rim)
    maria = made.person("maria")
    for task in story.tasks:
        (row,) = planning.plan_bins(database, SITE, [task.bin], maria, rim=made.rim)
        truth = story.truth[task.bin]
        packs = truth.seen if truth.first_count is None else truth.first_count
        made.count("ana", task.bin, payloads(packs), task=row.task_id, push=False)
    made.push("ana")
    made.time.at = later or story.now + timedelta(hours=2)
    return made
