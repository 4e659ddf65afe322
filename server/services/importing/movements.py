"""Movements: `movement_id,occurred_at,kind,sku,lot,serial,quantity,unit,from_bin,from_state,to_bin,
to_state,document` and, in our own exports, `factor,recorded_at`.

A million rows come through here, so the common row is read by `_quick`, which accepts only what is
plainly right; every other row goes to `_careful`, which is the rule, and says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter

from sqlalchemy import RowMapping
from sqlmodel import col, select

from app.contract.vocabulary import OutsidePlace, PhysicalState, Tracking, Unit
from server.domain.cells import CODE_LENGTH_MAX, Cells
from server.domain.records import DOCUMENT_KINDS, STOCK_MOVES
from server.domain.row_errors import RowCode, RowError
from server.domain.spreadsheets import MONTH_STARTS, defused
from server.domain.stock import OUTSIDE, is_reversal, movement_problem
from server.host.sources import Row
from server.services.importing.job import AHEAD_MAX, Columns, Job
from server.services.importing.posting import Posting
from server.storage.bulk import MovementTuple
from server.storage.columns import MILLION, to_u, to_us
from server.storage.ledger import contents_of, movements_of_document
from server.storage.tables_records import BarcodeRow, BinRow, SkuRow

COLUMNS = Columns(
    required=(
        "movement_id", "occurred_at", "kind", "sku", "quantity",
        "from_bin", "from_state", "to_bin", "to_state",
    ),
    optional=("lot", "serial", "unit", "document", "factor", "recorded_at"),
)  # fmt: skip
ONE_U = int(MILLION)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUICK_DIGITS = 9
"""A whole number of so many digits is within QUANTITY_MAX."""
CAUSES = frozenset({*(kind.value for kind in DOCUMENT_KINDS), "case", "movement"})
"""What a movement may name as its cause: a document, an exception case, the movement it reverses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocked:
    """What an import has to know of a SKU: a few words each, because there may be 100,000."""

    tracking: Tracking
    factors_u: Mapping[str, frozenset[int]]
    """Unit -> the factors its barcodes have; one, unless pack sizes differ."""


def known_skus(job: Job) -> dict[str, Stocked]:
    """Every SKU of the site with its packs."""
    factors: dict[str, dict[str, frozenset[int]]] = {}
    packs = select(BarcodeRow.sku, BarcodeRow.unit, BarcodeRow.factor_u).where(
        col(BarcodeRow.site_id) == job.site_id, col(BarcodeRow.unit) != Unit.EACH.value
    )
    for sku, unit, factor_u in job.session.exec(packs):
        units = factors.setdefault(sku, {})
        units[unit] = units.get(unit, frozenset()) | {factor_u}
    skus = select(SkuRow.sku, SkuRow.tracking).where(col(SkuRow.site_id) == job.site_id)
    no_packs: Mapping[str, frozenset[int]] = {}
    return {
        sku: Stocked(tracking=Tracking(tracking), factors_u=factors.get(sku, no_packs))
        for sku, tracking in job.session.exec(skus)
    }


def known_places(job: Job) -> set[str]:
    """Every bin of the site, and the outside places."""
    bins = select(BinRow.bin).where(col(BinRow.site_id) == job.site_id)
    return {*job.session.exec(bins), *(place.value for place in OutsidePlace)}


class MovementImporter:
    """Movements into the ledger. A row's own id is its movement id."""

    def __init__(self, job: Job, posting: Posting) -> None:
        self._job = job
        self._posting = posting
        self._skus = known_skus(job)
        self._places = known_places(job)
        self._written = {defused(place): place for place in self._places} | {
            place: place for place in self._places
        }
        """A place as it may be written, defused for spreadsheets or not -> the place."""
        self._plain = {
            sku: sku
            for sku, stocked in self._skus.items()
            if stocked.tracking is Tracking.NONE and sku == defused(sku)
        }
        """SKUs that `_quick` may take: nothing to check beside them."""
        self._moves = {(a.value, b.value) for a, b in STOCK_MOVES}
        self._states = frozenset(state.value for state in PhysicalState)
        self._now_us = to_us(job.now)
        self._latest_us = to_us(job.now + AHEAD_MAX)
        self._is_plain_file = not (job.rules.words or job.rules.zone or job.defaults)
        place = {name: number for number, name in enumerate(job.header)}
        self._width = len(job.header)
        self._required = itemgetter(*(place.get(name, 0) for name in COLUMNS.required))
        # A column that is not there is read from an empty cell put behind the row's last.
        self._optional = itemgetter(*(place.get(name, -1) for name in COLUMNS.optional))
        self._site = place.get("site")
        self._reversals: dict[str, int] = {}
        """Counter-entries of this file -> their line; looked at when all rows are in."""

    def take(self, rows: list[Row]) -> None:
        """See Importer."""
        lines: list[int] = []
        good: list[MovementTuple] = []
        for row in rows:
            read = self._quick(row[1]) if self._is_plain_file else None
            if read is None:
                read = self._careful(row)
            if read is not None:
                lines.append(row[0])
                good.append(read)
        self._posting.take(lines, good)

    def finish(self) -> None:
        """See Importer."""
        self._posting.all_are_in()
        check_reversals(self._job, self._reversals)
        self._posting.finish()

    def _quick(self, cells: Sequence[str]) -> MovementTuple | None:
        """The common row: whole eaches of a SKU without lots, times with a zone. None: look closer."""
        if len(cells) != self._width:
            return None
        id_, at, kind, sku, quantity, from_, from_state, to, to_state = self._required(cells)
        lot, serial, unit, document, factor, recorded = self._optional([*cells, ""])
        from_bin, to_bin = self._written.get(from_), self._written.get(to)
        if (
            from_bin is None
            or to_bin is None
            or sku not in self._plain
            or lot
            or serial
            or recorded
            or unit not in _EACH
            or factor not in _ONE
            or len(quantity) > _QUICK_DIGITS
            or not (quantity.isascii() and quantity.isdigit())
            or _PLAIN_CODE(id_) is None
            or _PLAIN_CODE(kind) is None
            or (self._site is not None and cells[self._site] not in {"", self._job.site_id})
            or from_state not in self._states
            or to_state not in self._states
            or not self._is_plain_way(from_bin, from_state, to_bin, to_state)
            or (document and _PLAIN_CAUSE(document) is None)
        ):
            return None
        try:
            since = datetime.fromisoformat(at) - _EPOCH
        except (ValueError, TypeError):
            return None
        at_us = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        quantity_u = int(quantity) * ONE_U
        if not 0 <= at_us <= self._latest_us or quantity_u == 0:
            return None
        return (
            self._job.site_id, id_, at_us, self._now_us, kind, sku, "", "", quantity_u,
            "each", ONE_U, from_bin, from_state, to_bin, to_state, document, self._job.via,
        )  # fmt: skip

    def _is_plain_way(self, from_bin: str, from_state: str, to_bin: str, to_state: str) -> bool:
        if from_bin in OUTSIDE or to_bin in OUTSIDE:
            return not (from_bin in OUTSIDE and to_bin in OUTSIDE)
        is_somewhere_else = from_bin != to_bin or from_state != to_state
        return is_somewhere_else and (from_state, to_state) in self._moves

    def _careful(self, row: Row) -> MovementTuple | None:
        """The rule: every cell checked, every error told."""
        job, cells = self._job, self._job.cells(row)
        movement_id = cells.code("movement_id")
        at = job.not_in_future(cells, "occurred_at", cells.time("occurred_at"))
        recorded_at = cells.time("recorded_at", required=False)
        kind = cells.code("kind")
        sku, lot, serial = read_stocked(cells, self._skus)
        quantity = cells.number("quantity", zero=False)
        unit, factor_u = read_unit(cells, self._skus, sku)
        from_bin, to_bin = self._place(cells, "from_bin"), self._place(cells, "to_bin")
        from_state = cells.choice("from_state", PhysicalState)
        to_state = cells.choice("to_state", PhysicalState)
        document = self._cause(cells)
        base_u = base_quantity(cells, quantity, factor_u)
        if serial and base_u not in {None, ONE_U}:
            cells.wrong("quantity", RowCode.TRACKING_MISMATCH, "a serial number is one unit")
        if from_bin and to_bin and from_state and to_state:
            self._check_ends(cells, from_bin, from_state, to_bin, to_state)
        if cells.errors or at is None or base_u is None:
            job.failed(cells.errors)
            return None
        assert from_state and to_state and unit  # noqa: PT018  # None means an error
        if is_reversal(document):
            self._reversals[movement_id or ""] = cells.line
        recorded_us = self._now_us if recorded_at is None else min(to_us(recorded_at), self._now_us)
        return (
            job.site_id, movement_id or "", to_us(at), recorded_us, kind or "", sku or "",
            lot, serial, base_u, unit.value, factor_u or ONE_U, from_bin or "", from_state.value,
            to_bin or "", to_state.value, document, job.via,
        )  # fmt: skip

    def _place(self, cells: Cells, column: str) -> str | None:
        place = cells.code(column)
        if place is not None and place not in self._places:
            outside = ", ".join(sorted(OUTSIDE))
            reason = f"{place} is not a bin of this site, nor one of {outside}"
            cells.unknown(column, RowCode.UNKNOWN_BIN, reason, self._places)
            return None
        return place

    def _cause(self, cells: Cells) -> str:
        text = cells.raw("document")
        kind, slash, number = text.partition("/")
        if text and (kind not in CAUSES or not slash or not number.strip() or len(text) > 128):
            cells.wrong(
                "document",
                RowCode.DOCUMENT_UNREADABLE,
                f"{text[:40]} is not like order/991; before the slash: {', '.join(sorted(CAUSES))}",
            )
        return text

    def _check_ends(
        self,
        cells: Cells,
        from_bin: str,
        from_state: PhysicalState,
        to_bin: str,
        to_state: PhysicalState,
    ) -> None:
        problem = movement_problem(from_bin, from_state, to_bin, to_state)
        if problem is not None:
            cells.wrong("to_bin", RowCode.MOVEMENT_IMPOSSIBLE, problem)
            return
        inside = from_bin not in OUTSIDE and to_bin not in OUTSIDE
        if (
            inside
            and (from_state, to_state) not in STOCK_MOVES
            and not is_reversal(cells.raw("document"))
        ):
            cells.wrong(
                "to_state",
                RowCode.TRANSITION_REFUSED,
                f"stock that is {from_state} cannot become {to_state} at once",
            )


def check_reversals(job: Job, lines: Mapping[str, int]) -> None:
    """A counter-entry must undo the movement it names, exactly and once: it is let past the states."""
    ids = sorted(lines)
    entries = contents_of(job.session, job.site_id, ids)
    originals = contents_of(
        job.session,
        job.site_id,
        [row["document"].removeprefix("movement/") for row in entries.values()],
    )
    for movement_id, row in entries.items():
        original = originals.get(row["document"].removeprefix("movement/"))
        problem = None if original is None else reversal_problem(row, original)
        if original is None:
            problem = f"{row['document']} is not in the ledger"
        elif len(movements_of_document(job.session, job.site_id, row["document"])) > 1:
            problem = f"{row['document']} has been reversed already"
        if problem is not None:
            error = RowError(
                line=lines[movement_id],
                column="document",
                code=RowCode.MOVEMENT_IMPOSSIBLE,
                reason=problem,
            )
            job.failed([error])


def reversal_problem(entry: RowMapping, original: RowMapping) -> str | None:
    """Why a row is not the counter-entry of another; None when it is."""
    same = ("sku", "lot", "serial", "quantity_u")
    swapped = (("from_bin", "to_bin"), ("from_state", "to_state"))
    differing = [name for name in same if entry[name] != original[name]]
    differing += [a for a, b in swapped if entry[a] != original[b]]
    differing += [b for a, b in swapped if entry[b] != original[a]]
    if not differing:
        return None
    shown = ", ".join(name.removesuffix("_u") for name in differing)
    return f"it does not undo {original['movement_id']}: {shown} differ"


def read_stocked(cells: Cells, skus: Mapping[str, Stocked]) -> tuple[str | None, str, str]:
    """(SKU, lot, serial), checked against how the SKU is tracked."""
    sku = cells.code("sku")
    lot = cells.code("lot", required=False) or ""
    serial = cells.code("serial", required=False) or ""
    stocked = None if sku is None else skus.get(sku)
    if stocked is None:
        if sku is not None:
            cells.unknown("sku", RowCode.UNKNOWN_SKU, f"{sku} is not a SKU of this site", skus)
        return None, lot, serial
    tracked = stocked.tracking
    if (tracked is Tracking.LOT) != bool(lot):
        words = "needs a lot" if tracked is Tracking.LOT else "is not tracked by lot"
        cells.wrong("lot", RowCode.TRACKING_MISMATCH, f"{sku} {words}")
    if (tracked is Tracking.SERIAL) != bool(serial):
        words = "needs a serial number" if tracked is Tracking.SERIAL else "has no serial numbers"
        cells.wrong("serial", RowCode.TRACKING_MISMATCH, f"{sku} {words}")
    return sku, lot, serial


def read_unit(
    cells: Cells, skus: Mapping[str, Stocked], sku: str | None
) -> tuple[Unit | None, int | None]:
    """(unit, base units in one of it in millionths): the factor column's, else that of its barcode."""
    unit = cells.choice("unit", Unit, Unit.EACH)
    factor = cells.number("factor", default=Decimal(0))
    if unit is None or factor is None or sku is None:
        return unit, None
    if factor != 0:
        return unit, to_u(factor)
    if unit is Unit.EACH:
        return unit, ONE_U
    factors = skus[sku].factors_u.get(unit.value, frozenset())
    if len(factors) != 1:
        words = "has no pack" if not factors else "has packs of several sizes"
        cells.wrong("unit", RowCode.UNIT_UNKNOWN, f"{sku} {words} called {unit.value}")
        return unit, None
    return unit, next(iter(factors))


def base_quantity(cells: Cells, quantity: Decimal | None, factor_u: int | None) -> int | None:
    """Base units in millionths; None and an error when there is no such whole number of them."""
    if quantity is None or factor_u is None:
        return None
    base_u = quantity * factor_u
    if base_u != int(base_u):
        cells.wrong(
            "quantity", RowCode.NUMBER_TOO_PRECISE, f"{quantity} packs are no millionths of a unit"
        )
        return None
    return int(base_u)


_PLAIN_CODE = re.compile(
    rf"(?!(?i:{'|'.join(sorted(MONTH_STARTS))}))[A-Za-z][A-Za-z0-9_-]{{0,{CODE_LENGTH_MAX - 1}}}"
).fullmatch
"""Letters, digits, dashes, underscores, from a letter on, and not begun like a spreadsheet's date."""
_PLAIN_CAUSE = re.compile(
    rf"(?:{'|'.join(sorted(CAUSES - {'movement'}))})/[A-Za-z0-9-]{{1,{CODE_LENGTH_MAX}}}"
).fullmatch
_EACH = frozenset({"", "each"})
_ONE = frozenset({"", "1"})
