"""One import under way: what every importer needs, and what it tallies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sqlmodel import Session

from server.domain.cells import CellRules, Cells
from server.domain.row_errors import RowCode, RowError
from server.host.sources import Row
from server.storage.records import Site

AHEAD_MAX = timedelta(minutes=5)
"""How far a host's clock may be ahead of ours before a time counts as in the future."""


@dataclass(slots=True)
class Tally:
    """What has become of the rows so far."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors_total: int = 0


@dataclass(slots=True)
class Job:
    """An import's fixed parts and its tally. `on_error` is told every error once, as it is found."""

    session: Session
    site: Site
    header: Sequence[str]
    defaults: dict[str, str]
    rules: CellRules
    now: datetime
    new_id: Callable[[], str]
    actor: str
    via: str
    is_update: bool
    """True: bins and SKUs that are known may change. False: other content is refused by name."""
    on_error: Callable[[RowError], None]
    tally: Tally = field(default_factory=Tally)

    @property
    def site_id(self) -> str:
        return self.site.site_id

    def cells(self, row: Row) -> Cells:
        """A reader of the row. The site, where it is named, is checked here for every kind."""
        line, values = row
        named = dict(zip(self.header, values, strict=False))
        for column, default in self.defaults.items():
            if not named.get(column, "").strip():
                named[column] = default
        cells = Cells(line=line, values=named, rules=self.rules)
        if len(values) != len(self.header) and any(values[len(self.header) :] or [True]):
            cells.wrong(
                "",
                RowCode.CELLS_WRONG,
                f"{len(values)} cells where the header has {len(self.header)}",
            )
        site = cells.raw("site")
        if site not in {"", self.site_id}:
            cells.wrong(
                "site",
                RowCode.SITE_OTHER,
                f"{site} is another site; this server has {self.site_id}",
            )
        return cells

    def failed(self, errors: Iterable[RowError]) -> None:
        """Tell errors on."""
        for error in errors:
            self.tally.errors_total += 1
            self.on_error(error)

    def conflict(self, line: int, column: str, name: str, fields: Sequence[str], hint: str) -> None:
        """The row's id is known with other content."""
        reason = f"{name} is known with other {', '.join(fields)}. {hint}"
        self.failed([RowError(line=line, column=column, code=RowCode.ROW_CONFLICT, reason=reason)])

    def not_in_future(self, cells: Cells, column: str, at: datetime | None) -> datetime | None:
        """The time, or None and an error when it has not come yet."""
        if at is not None and at > self.now + AHEAD_MAX:
            cells.wrong(
                column,
                RowCode.TIME_IN_FUTURE,
                f"{at.isoformat()} has not come yet (it is {self.now.isoformat()} here)",
            )
            return None
        return at


class Importer(Protocol):
    """Takes an import's rows, a chunk at a time, into the records."""

    def take(self, rows: list[Row]) -> None:
        """Check a chunk and write what is good. Wrong rows are told to the job."""

    def finish(self) -> None:
        """All rows were taken: what can only be done once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns a kind of import has. `site` may always be there."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    def missing(self, header: Sequence[str], defaults: Iterable[str]) -> list[str]:
        """Required columns that neither the file nor the mapping's defaults have."""
        there = {*header, *defaults}
        return [name for name in self.required if name not in there]

    def ignored(self, header: Sequence[str]) -> tuple[str, ...]:
        """Columns of the file that are not read."""
        known = {"site", *self.required, *self.optional}
        return tuple(name for name in header if name not in known)
