"""Opening stock: `site,bin,sku,lot,serial,state,quantity,as_of`.

A row says how much of a key there was at an instant from which movements follow. It becomes one
movement from @found, whose id is made of the key: the same row twice is the same movement.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal

from sqlmodel import col, select

from app.contract.vocabulary import OutsidePlace, PhysicalState
from server.domain.row_errors import RowCode, RowError
from server.domain.stock import OUTSIDE
from server.host.sources import Row
from server.services.importing.job import Columns, Job
from server.services.importing.movements import (
    ONE_U,
    known_places,
    known_skus,
    read_stocked,
)
from server.services.importing.posting import Posting
from server.storage.bulk import MovementTuple
from server.storage.columns import to_u, to_us
from server.storage.ledger import contents_of
from server.storage.tables_ledger import MovementRow

COLUMNS = Columns(required=("bin", "sku", "quantity", "as_of"), optional=("lot", "serial", "state"))
KIND = "opening"
_QUERY_CHUNK = 300

_Key = tuple[str, str, str, str, str]
"""(bin, sku, lot, serial, state)."""


def opening_id(key: _Key) -> str:
    """The id of a key's opening movement: the same for the same key, whatever its quantity."""
    return "opening-" + hashlib.sha256("\x1f".join(key).encode()).hexdigest()[:40]


class StockImporter:
    """Opening stock into the ledger. A row's own id is its key: bin, SKU, lot, serial and state."""

    def __init__(self, job: Job, posting: Posting, names: dict[str, str]) -> None:
        self._job = job
        self._posting = posting
        self._names = names
        """Opening id -> the key in words, for the chunk at hand: what a conflict is named by."""
        self._skus = known_skus(job)
        self._bins = known_places(job) - OUTSIDE

    def take(self, rows: list[Row]) -> None:
        """See Importer."""
        read = [both for both in map(self._read, rows) if both is not None]
        ids = [opening_id(key) for _, key, _ in read]
        opened = contents_of(self._job.session, self._job.site_id, ids)
        moved = self._moved_before([key for _, key, _ in read if opening_id(key) not in opened])
        self._names.clear()
        lines: list[int] = []
        good: list[MovementTuple] = []
        for line, key, movement in read:
            words = " ".join(part for part in key if part)
            if key in moved and opening_id(key) not in opened:
                self._refuse(line, words)
                continue
            self._names[opening_id(key)] = f"the stock of {words}"
            lines.append(line)
            good.append(movement)
        self._posting.take(lines, good)

    def finish(self) -> None:
        """See Importer."""
        self._posting.finish()

    def _read(self, row: Row) -> tuple[int, _Key, MovementTuple] | None:
        job, cells = self._job, self._job.cells(row)
        place = cells.code("bin")
        if place is not None and place not in self._bins:
            reason = f"{place} is not a bin of this site"
            cells.unknown("bin", RowCode.UNKNOWN_BIN, reason, self._bins)
        sku, lot, serial = read_stocked(cells, self._skus)
        state = cells.choice("state", PhysicalState, PhysicalState.AVAILABLE)
        quantity = cells.number("quantity")
        as_of = job.not_in_future(cells, "as_of", cells.time("as_of"))
        if serial and quantity not in {None, Decimal(0), Decimal(1)}:
            cells.wrong("quantity", RowCode.TRACKING_MISMATCH, "a serial number is one unit")
        if cells.errors or state is None or quantity is None or as_of is None:
            job.failed(cells.errors)
            return None
        if quantity == 0:
            job.tally.unchanged += 1  # nothing there: nothing to open
            return None
        key = (place or "", sku or "", lot, serial, state.value)
        return cells.line, key, (
            job.site_id, opening_id(key), to_us(as_of), to_us(job.now), KIND, sku or "", lot,
            serial, to_u(quantity), "each", ONE_U, OutsidePlace.FOUND.value, state.value,
            place or "", state.value, "", job.via,
        )  # fmt: skip

    def _moved_before(self, keys: list[_Key]) -> set[_Key]:
        """Those of the keys that movements, not an opening, have touched already."""
        wanted = sorted({key[0] for key in keys})
        moved: set[_Key] = set()
        row = MovementRow
        for start in range(0, len(wanted), _QUERY_CHUNK):
            bins = wanted[start : start + _QUERY_CHUNK]
            for place, state in ((row.to_bin, row.to_state), (row.from_bin, row.from_state)):
                query = (
                    select(place, row.sku, row.lot, row.serial, state)  # type: ignore[call-overload]
                    .where(
                        col(row.site_id) == self._job.site_id,
                        col(place).in_(bins),
                        col(row.kind) != KIND,
                    )
                    .distinct()
                )
                moved |= {tuple(found) for found in self._job.session.exec(query)}
        return moved

    def _refuse(self, line: int, words: str) -> None:
        reason = (
            f"the book of {words} has movements already: an opening would count twice. Post a "
            "movement, or count the bin"
        )
        self._job.failed(
            [RowError(line=line, column="bin", code=RowCode.STOCK_KNOWN, reason=reason)]
        )
