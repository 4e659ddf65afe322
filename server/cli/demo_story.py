"""The story in a folder: imported once, remembered by seed and time, so that a second start is quick."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.contract.vocabulary import Role
from server.clock import Rim
from server.domain.people import Person
from server.services.enrolment import make_enrol_code
from server.services.planning import plan_bins
from server.settings import Settings
from server.storage.access import all_people
from server.storage.engine import Database
from server.storage.opening import open_database
from server.story.build import DEFAULT_SEED, Story, StoryPerson, build
from server.story.load import load_story
from server.story.paper import story_sheet

MARK = "story.json"
SHEET = "barcodes.pdf"
ENROL_MINUTES = 12 * 60
"""A demo's code is on the screen of the one who types it; ten minutes would only annoy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStory:
    """The story as it stands in a folder, and what a person needs to enter it."""

    story: Story
    floor_code: str
    review_code: str
    sheet: Path
    is_new: bool

    @property
    def counters(self) -> tuple[StoryPerson, ...]:
        return tuple(p for p in self.story.people if p.role is Role.COUNTER)

    @property
    def supervisors(self) -> tuple[StoryPerson, ...]:
        return tuple(p for p in self.story.people if p.role in (Role.SUPERVISOR, Role.LEAD))

    def person(self, user_id: str) -> StoryPerson:
        """Somebody of the story by id. KeyError for anybody else."""
        return {p.user_id: p for p in self.story.people}[user_id]


def prepare_story(
    folder: Path,
    database_url: str,
    site_id: str,
    *,
    on_step: Callable[[str], None] = lambda _words: None,
) -> DemoStory:
    """Load the story into the folder's database unless it is there; new enrolment codes each time."""
    rim = Rim()
    mark = folder / MARK
    is_new = not mark.exists()
    if is_new:
        seed, now = DEFAULT_SEED, rim.now().replace(microsecond=0)
    else:
        kept = json.loads(mark.read_text(encoding="utf-8"))
        seed, now = int(kept["seed"]), datetime.fromisoformat(kept["now"])
    story = build(seed=seed, now=now, site_id=site_id)
    settings = Settings(
        database_url=database_url, site_id=site_id, site_name=story.site_name, currency="EUR"
    )
    database = open_database(settings, rim.now())
    try:
        if is_new:
            _load(database, story, folder, rim, on_step)
            mark.write_text(json.dumps({"seed": seed, "now": now.isoformat()}), encoding="utf-8")
        codes = [
            make_enrol_code(database, site_id, rim=rim, minutes=ENROL_MINUTES, actor="demo").code
            for _ in range(2)
        ]
    finally:
        database.close()
    return DemoStory(
        story=story,
        floor_code=codes[0],
        review_code=codes[1],
        sheet=folder / SHEET,
        is_new=is_new,
    )


def _first_supervisor(database: Database, site_id: str) -> Person:
    with database.read() as session:
        people = all_people(session, site_id)
    return next(person for person in people if person.role is Role.SUPERVISOR)


def _load(
    database: Database, story: Story, folder: Path, rim: Rim, on_step: Callable[[str], None]
) -> None:
    load_story(database, story, folder / "csv", rim, on_step=on_step)
    on_step("planning the count")
    supervisor = _first_supervisor(database, story.site_id)
    plan_bins(database, story.site_id, [task.bin for task in story.tasks], supervisor, rim=rim)
    on_step("drawing the barcodes")
    (folder / SHEET).write_bytes(story_sheet(story))
