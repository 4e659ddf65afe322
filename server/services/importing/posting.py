"""Rows into the ledger, for movements and for opening stock: insert, tell known from contradicting."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from server.domain.stock import OUTSIDE
from server.services.importing.changes import bins_with_casework, tell_cases, tell_orders
from server.services.importing.job import Job
from server.services.importing.report import NEGATIVE_LISTED_MAX
from server.storage.bulk import COLUMNS, BulkPoster, MovementTuple
from server.storage.casework_lock import lock_for_casework
from server.storage.ledger import CONTENT, contents_of, drop_checkpoints, lock_for_posting
from server.storage.touched import BelowZeroBook, below_zero

_ID = COLUMNS.index("movement_id")
_AT = COLUMNS.index("occurred_us")
_SKU = COLUMNS.index("sku")
_FROM = COLUMNS.index("from_bin")
_TO = COLUMNS.index("to_bin")
_CONTENT = tuple((name, COLUMNS.index(name)) for name in CONTENT)


class Posting:
    """Posts checked tuples of one import. Memory grows with bins and SKUs, not with rows."""

    def __init__(self, job: Job, poster: BulkPoster, name_of: Callable[[str], str]) -> None:
        self._job = job
        self._poster = poster
        self._name_of = name_of
        self.earliest: dict[str, int] = {}
        """Bin -> the first instant at which this import changed its book."""
        self._pairs: set[tuple[str, str]] = set()
        self.negative = BelowZeroBook(total=0, listed=(), bins=frozenset())
        lock_for_posting(job.session)

    def take(self, lines: Sequence[int], rows: Sequence[MovementTuple]) -> None:
        """Post a chunk; an id that is known is passed over, or refused when its content differs."""
        if not rows:
            return
        inserted = self._poster.insert(rows)
        self._job.tally.created += inserted
        if inserted != len(rows):
            self._compare(lines, rows, inserted)
        self._note(rows)

    def all_are_in(self) -> None:
        """The last row was taken: the ledger can be searched again."""
        self._poster.all_are_in()

    def finish(self) -> None:
        """Drop what is no longer true, find what is below zero, tell open cases."""
        session, site_id = self._job.session, self._job.site_id
        lock_for_casework(session, site_id)
        drop_checkpoints(session, site_id, self.earliest)
        self.negative = below_zero(session, site_id, self.earliest, NEGATIVE_LISTED_MAX)
        concerned = self.negative.bins | bins_with_casework(self._job)
        pairs = {pair for pair in self._pairs if pair[0] in concerned}
        tell_cases(self._job, pairs, self.earliest)
        tell_orders(self._job, {sku for _, sku in self._pairs})

    def _compare(self, lines: Sequence[int], rows: Sequence[MovementTuple], inserted: int) -> None:
        known = contents_of(self._job.session, self._job.site_id, [str(row[_ID]) for row in rows])
        conflicts = 0
        for line, row in zip(lines, rows, strict=True):
            before = known[str(row[_ID])]
            differing = [name for name, place in _CONTENT if before[name] != row[place]]
            if differing:
                conflicts += 1
                shown = [name.removesuffix("_us").removesuffix("_u") for name in differing]
                self._job.conflict(
                    line,
                    "movement_id",
                    self._name_of(str(row[_ID])),
                    shown,
                    "A movement is never changed: reverse it by a counter-entry with an id of its own",
                )
        self._job.tally.unchanged += len(rows) - inserted - conflicts

    def _note(self, rows: Sequence[MovementTuple]) -> None:
        earliest, pairs = self.earliest, self._pairs
        for row in rows:
            at_us, sku = row[_AT], row[_SKU]
            for place in (row[_FROM], row[_TO]):
                if place in OUTSIDE:
                    continue
                if at_us < earliest.get(place, _LATEST):  # type: ignore[operator,arg-type]
                    earliest[place] = at_us  # type: ignore[index,assignment]
                pairs.add((place, sku))  # type: ignore[arg-type]


_LATEST = 1 << 62
