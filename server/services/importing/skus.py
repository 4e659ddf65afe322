"""SKUs and their barcodes, one row per barcode:
`sku,description,barcode,unit,factor,tracking,abc_class,unit_cost,price,currency` and `state,owner`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from sqlmodel import col

from app.contract.checksums import barcode_id
from app.contract.vocabulary import AbcClass, RecordState, Tracking, Unit
from app.contract.wire import RefKind
from server.domain.cells import Cells
from server.domain.records import Record
from server.domain.row_errors import RowCode
from server.host.sources import Row
from server.services.importing.changes import tell_devices, tell_judges
from server.services.importing.job import Columns, Job
from server.services.importing.masters import UPDATE_HINT, changed, created
from server.storage.casework_lock import lock_for_casework
from server.storage.columns import from_u, to_u, to_us
from server.storage.history import Change, append_history
from server.storage.rows import Row as Fields
from server.storage.rows import insert_rows, read_rows, update_row
from server.storage.tables_records import BarcodeRow, BinRow, SkuRow

COLUMNS = Columns(
    required=("sku",),
    optional=(
        "description", "barcode", "unit", "factor", "tracking", "abc_class", "unit_cost", "price",
        "currency", "state", "owner",
    ),
)  # fmt: skip
_QUERY_CHUNK = 300
_PRICED = ("unit_cost_u", "price_u", "abc_class")
"""What a case of the SKU is judged and priced by."""


class SkuImporter:
    """SKUs into the records. A row's own id is its SKU and barcode."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._repriced: set[str] = set()
        """Known SKUs whose cost, price or class was changed."""

    def take(self, rows: list[Row]) -> None:
        """See Importer."""
        read = [(cells, self._read(cells)) for cells in map(self._job.cells, rows)]
        good = [(cells, *both) for cells, both in read if both is not None]
        for start in range(0, len(good), _QUERY_CHUNK):
            self._store(good[start : start + _QUERY_CHUNK])

    def finish(self) -> None:
        """See Importer."""
        if self._repriced:
            lock_for_casework(self._job.session, self._job.site_id)
            tell_judges(self._job, self._repriced)

    def _read(self, cells: Cells) -> tuple[Fields, Fields] | None:
        """(the SKU's fields, the barcode's), or None when a cell is wrong."""
        unit = cells.choice("unit", Unit, Unit.EACH)
        factor = cells.number("factor", default=Decimal(1), zero=False)
        if unit is Unit.EACH and factor not in {None, Decimal(1)}:
            cells.wrong("factor", RowCode.UNIT_UNKNOWN, "an each is one base unit: its factor is 1")
        barcode: Fields = {
            "barcode": cells.barcode("barcode", required=False),
            "sku": cells.code("sku"),
            "unit": unit,
            "factor_u": factor,
        }
        tracking = cells.choice("tracking", Tracking, Tracking.NONE)
        abc_class = cells.choice("abc_class", AbcClass, AbcClass.C)
        cost = cells.number("unit_cost", default=Decimal(0))
        price = cells.number("price", default=Decimal(0))
        state = cells.choice("state", RecordState, RecordState.ACTIVE)
        currency = cells.code("currency", required=False)
        sku = {
            "sku": barcode["sku"],
            "description": cells.text("description"),
            "owner": cells.code("owner", required=False),
            "currency": currency or self._job.site.currency,
        }
        if currency not in {None, "", self._job.site.currency}:
            cells.wrong(
                "currency",
                RowCode.CURRENCY_OTHER,
                f"{currency}: costs and prices are kept in {self._job.site.currency} here",
            )
        if cells.errors or cost is None or price is None or factor is None:
            self._job.failed(cells.errors)
            return None
        assert tracking and abc_class and state and unit  # noqa: PT018  # None means an error
        sku |= {
            "tracking": tracking.value,
            "abc_class": abc_class.value,
            "state": state.value if cells.raw("state") else "",
        }
        barcode |= {"unit": unit.value, "factor_u": to_u(factor)}
        return sku | {"unit_cost_u": to_u(cost), "price_u": to_u(price)}, barcode

    def _store(self, read: list[tuple[Cells, Fields, Fields]]) -> None:
        job = self._job
        batch = _Batch(
            skus=self._known_skus([sku["sku"] for _, sku, _ in read]),
            barcodes=self._known_barcodes([code["barcode"] for _, _, code in read]),
        )
        labels = self._bin_labels([code["barcode"] for _, _, code in read])
        for cells, sku, code in read:
            if code["barcode"] in labels:
                cells.wrong(
                    "barcode",
                    RowCode.BARCODE_TAKEN,
                    f"{code['barcode']} is the label of bin {labels[code['barcode']]}",
                )
                job.failed(cells.errors)
                continue
            before = (job.tally.created, job.tally.updated, job.tally.errors_total)
            self._store_sku(cells, sku, batch)
            if job.tally.errors_total == before[2]:
                self._store_barcode(cells, code, batch)
            if job.tally.errors_total == before[2]:
                self._tally_row(before)
        insert_rows(job.session, job.site_id, SkuRow, list(batch.new_skus.values()))
        insert_rows(job.session, job.site_id, BarcodeRow, list(batch.new_barcodes.values()))
        append_history(job.session, job.site_id, batch.history)
        tell_devices(job, RefKind.SKU, sorted(batch.touched_skus))
        tell_devices(job, RefKind.BARCODE, sorted(batch.touched_barcodes))

    def _tally_row(self, before: tuple[int, int, int]) -> None:
        """A row counts once, whether it made a SKU, a barcode or both."""
        tally = self._job.tally
        created_now, updated_now = tally.created > before[0], tally.updated > before[1]
        tally.created = before[0] + (1 if created_now else 0)
        tally.updated = before[1] + (1 if updated_now and not created_now else 0)
        tally.unchanged += 0 if created_now or updated_now else 1

    def _store_sku(self, cells: Cells, fields: Fields, batch: _Batch) -> None:
        job, code = self._job, fields["sku"]
        known = batch.skus.get(code)
        before = {} if known is None else {n: v for n, v in known.items() if n != "cost_set_us"}
        fields["state"] = fields["state"] or before.get("state", RecordState.ACTIVE.value)
        if before == fields:
            return
        stored = fields | {"cost_set_us": to_us(job.now)}
        if known is None:
            batch.new_skus[code] = stored
            batch.history.append(created(job, Record.SKU, code, fields["state"]))
            job.tally.created += 1
        else:
            change = changed(
                job, cells, Record.SKU, code, before=_shown(before), after=_shown(fields)
            )
            if change is None:
                return
            if known["unit_cost_u"] == fields["unit_cost_u"]:
                stored["cost_set_us"] = known["cost_set_us"]
            batch.history.append(change)
            job.tally.updated += 1
            if any(known[name] != fields[name] for name in _PRICED):
                self._repriced.add(code)
            if code in batch.new_skus:
                batch.new_skus[code] = stored
            else:
                update_row(job.session, job.site_id, SkuRow, {"sku": code}, stored)
        batch.skus[code] = stored
        batch.touched_skus.add(code)

    def _store_barcode(self, cells: Cells, fields: Fields, batch: _Batch) -> None:
        job, key = self._job, (fields["barcode"], fields["sku"])
        before = batch.barcodes.get(key)
        if not fields["barcode"] or before == fields:
            return
        if before is None:
            batch.new_barcodes[key] = fields
            job.tally.created += 1
        elif not job.is_update:
            shown = [name.removesuffix("_u") for name in fields if before[name] != fields[name]]
            job.conflict(cells.line, "barcode", fields["barcode"], shown, UPDATE_HINT)
            return
        else:
            job.tally.updated += 1
            if key in batch.new_barcodes:
                batch.new_barcodes[key] = fields
            else:
                identity = {"barcode": key[0], "sku": key[1]}
                update_row(job.session, job.site_id, BarcodeRow, identity, fields)
        batch.barcodes[key] = fields
        batch.touched_barcodes.add(barcode_id(*key))

    def _known_skus(self, codes: list[str]) -> dict[str, Fields]:
        is_here = col(SkuRow.site_id) == self._job.site_id
        rows = read_rows(self._job.session, SkuRow, is_here, col(SkuRow.sku).in_(set(codes)))
        return {row["sku"]: row for row in rows}

    def _known_barcodes(self, codes: list[str]) -> dict[tuple[str, str], Fields]:
        is_here = col(BarcodeRow.site_id) == self._job.site_id
        named = col(BarcodeRow.barcode).in_(set(codes))
        rows = read_rows(self._job.session, BarcodeRow, is_here, named)
        return {(row["barcode"], row["sku"]): row for row in rows}

    def _bin_labels(self, codes: list[str]) -> dict[str, str]:
        is_here = col(BinRow.site_id) == self._job.site_id
        rows = read_rows(self._job.session, BinRow, is_here, col(BinRow.barcode).in_(set(codes)))
        return {row["barcode"]: row["bin"] for row in rows}


@dataclass(slots=True, kw_only=True)
class _Batch:
    """What is known of the SKUs and barcodes of some rows, and what the rows make of it."""

    skus: dict[str, Fields]
    barcodes: dict[tuple[str, str], Fields]
    new_skus: dict[str, Fields] = field(default_factory=dict)
    new_barcodes: dict[tuple[str, str], Fields] = field(default_factory=dict)
    history: list[Change] = field(default_factory=list)
    touched_skus: set[str] = field(default_factory=set)
    touched_barcodes: set[str] = field(default_factory=set)


def _shown(fields: Fields) -> Fields:
    """Money as people read it, for the history."""
    plain = {name: value for name, value in fields.items() if not name.endswith("_u")}
    return plain | {
        name.removesuffix("_u"): str(from_u(value))
        for name, value in fields.items()
        if name.endswith("_u")
    }
