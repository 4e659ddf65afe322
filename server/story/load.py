"""The story into a database, through the imports that everybody else uses and no other way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from server.clock import Rim
from server.services.access import add_people, people_from_csv
from server.services.importing.report import ImportKind, ImportReport
from server.services.importing.service import ImportRequest, import_file
from server.storage.engine import Database
from server.story.build import Story

ORDER = (
    ImportKind.BINS,
    ImportKind.SKUS,
    ImportKind.DOCUMENTS,
    ImportKind.STOCK,
    ImportKind.MOVEMENTS,
)
"""What names something is imported after what it names."""


class StoryError(RuntimeError):
    """The story could not be imported: a defect of the story or of the imports."""


def write_story(story: Story, folder: Path) -> dict[str, Path]:
    """Write the story's CSV files into a folder; their paths by name."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / name for name in story.files}
    for name, path in paths.items():
        path.write_text(story.files[name], encoding="utf-8", newline="")
    return paths


def load_story(
    database: Database,
    story: Story,
    folder: Path,
    rim: Rim,
    *,
    on_step: Callable[[str], None] = lambda _words: None,
) -> list[ImportReport]:
    """Write the story's files into a folder and import them; twice changes nothing.

    The database is migrated and has the story's site. Count tasks are planned by whoever calls: see
    `Story.tasks`. Raises StoryError naming the first wrong row.
    """
    paths = write_story(story, folder)
    reports = []
    for kind in ORDER:
        on_step(f"importing {kind.value}")
        report = import_csv(database, story.site_id, kind, paths[f"{kind.value}.csv"], rim)
        reports.append(report)
    on_step("adding people")
    people = people_from_csv(story.files["people.csv"])
    add_people(database, story.site_id, people, rim=rim, actor="story")
    return reports


def import_csv(
    database: Database, site_id: str, kind: ImportKind, path: Path, rim: Rim
) -> ImportReport:
    """Import one of the story's files. StoryError naming the first wrong row."""
    request = ImportRequest(kind=kind, path=path, name=path.name, actor="story")
    report = import_file(database, site_id, request, rim)
    if report.errors:
        first = report.errors[0]
        raise StoryError(f"{path.name}, line {first.line}, {first.column}: {first.reason}")
    return report
