"""Bins: `site,zone,aisle,bay,level,bin,barcode,kind,walk_order` and, if there, `state,owner`."""

from __future__ import annotations

from sqlmodel import col, or_

from app.contract.vocabulary import BinKind, RecordState
from app.contract.wire import RefKind
from server.domain.cells import Cells
from server.domain.records import Record
from server.domain.row_errors import RowCode
from server.domain.stock import OUTSIDE
from server.host.sources import Row
from server.services.importing.changes import tell_devices
from server.services.importing.job import Columns, Job
from server.services.importing.masters import changed, created
from server.storage.history import Change, append_history
from server.storage.rows import Row as Fields
from server.storage.rows import insert_rows, read_rows, update_row
from server.storage.tables_records import BinRow

COLUMNS = Columns(
    required=("bin",),
    optional=(
        "zone", "aisle", "bay", "level", "barcode", "kind", "walk_order", "state", "owner",
    ),
)  # fmt: skip
_QUERY_CHUNK = 400
_NEW = {"state": RecordState.ACTIVE.value}


class BinImporter:
    """Bins into the records. A row's own id is its bin code."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def take(self, rows: list[Row]) -> None:
        """See Importer."""
        read = [(cells, self._read(cells)) for cells in map(self._job.cells, rows)]
        good = [(cells, fields) for cells, fields in read if fields is not None]
        for start in range(0, len(good), _QUERY_CHUNK):
            self._store(good[start : start + _QUERY_CHUNK])

    def finish(self) -> None:
        """See Importer."""

    def _read(self, cells: Cells) -> Fields | None:
        code = cells.code("bin")
        barcode = cells.code("barcode", required=False)
        kind = cells.choice("kind", BinKind, BinKind.PICK)
        walk_order = cells.whole("walk_order", 0)
        # An empty state leaves a known bin as it is; a new one is active.
        state = cells.choice("state", RecordState, RecordState.ACTIVE)
        fields: Fields = {
            name: cells.code(name, required=False)
            for name in ("zone", "aisle", "bay", "level", "owner")
        }
        if code in OUTSIDE:
            cells.wrong("bin", RowCode.VALUE_NOT_IN_LIST, f"{code} is an outside place, no bin")
        if cells.errors:
            self._job.failed(cells.errors)
            return None
        assert kind is not None and state is not None  # noqa: PT018  # None means an error
        return fields | {
            "bin": code,
            "barcode": barcode or code,
            "kind": kind.value,
            "walk_order": walk_order,
            "state": state.value if cells.raw("state") else "",
        }

    def _store(self, read: list[tuple[Cells, Fields]]) -> None:
        job = self._job
        by_code, by_barcode = self._known(read)
        history: list[Change] = []
        new: dict[str, Fields] = {}
        touched: list[str] = []
        for cells, fields in read:
            code, barcode = fields["bin"], fields["barcode"]
            if by_barcode.get(barcode, code) != code:
                cells.wrong(
                    "barcode",
                    RowCode.BARCODE_TAKEN,
                    f"{barcode} is the label of bin {by_barcode[barcode]}",
                )
                job.failed(cells.errors)
                continue
            before = by_code.get(code)
            fields["state"] = fields["state"] or (before or _NEW)["state"]
            if before == fields:
                job.tally.unchanged += 1
                continue
            if before is None:
                new[code] = fields
                history.append(created(job, Record.BIN, code, fields["state"]))
                job.tally.created += 1
            else:
                change = changed(job, cells, Record.BIN, code, before=before, after=fields)
                if change is None:
                    continue
                history.append(change)
                self._change(new, code, fields)
                by_barcode.pop(before["barcode"], None)
            by_code[code], by_barcode[barcode] = fields, code
            touched.append(code)
        insert_rows(job.session, job.site_id, BinRow, list(new.values()))
        append_history(job.session, job.site_id, history)
        tell_devices(job, RefKind.BIN, touched)

    def _change(self, new: dict[str, Fields], code: str, fields: Fields) -> None:
        if code in new:
            new[code] = fields
        else:
            update_row(self._job.session, self._job.site_id, BinRow, {"bin": code}, fields)
        self._job.tally.updated += 1

    def _known(self, read: list[tuple[Cells, Fields]]) -> tuple[dict[str, Fields], dict[str, str]]:
        codes = [fields["bin"] for _, fields in read]
        barcodes = [fields["barcode"] for _, fields in read]
        rows = read_rows(
            self._job.session,
            BinRow,
            col(BinRow.site_id) == self._job.site_id,
            or_(col(BinRow.bin).in_(codes), col(BinRow.barcode).in_(barcodes)),
        )
        return {row["bin"]: row for row in rows}, {row["barcode"]: row["bin"] for row in rows}
