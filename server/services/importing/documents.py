"""Orders, purchase orders, shipments, returns and payouts, one row per line:
`kind,number,state,owner,party,promised_at,sku,quantity,price,currency` and `line,refers_to`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlmodel import col, select, tuple_

from app.contract.problems import RefusalError
from server.domain.cells import Cells
from server.domain.records import DOCUMENT_KINDS, STATES, Record, event_between
from server.domain.row_errors import RowCode
from server.host.sources import Row
from server.services.importing.changes import tell_orders
from server.services.importing.job import Columns, Job
from server.services.importing.masters import created
from server.storage.casework_lock import lock_for_casework
from server.storage.columns import to_u, to_us
from server.storage.history import Change, append_history
from server.storage.rows import Row as Fields
from server.storage.rows import insert_rows, read_rows, update_row
from server.storage.tables_records import DocumentLineRow, DocumentRow, SkuRow

COLUMNS = Columns(
    required=("kind", "number", "state"),
    optional=(
        "owner", "party", "promised_at", "sku", "quantity", "price", "currency", "line", "refers_to",
    ),
)  # fmt: skip
_QUERY_CHUNK = 300


class DocumentImporter:
    """Documents into the records. A row's own id is kind, number and line (the SKU without one)."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._seen: set[int] = set()
        """Hashes of the line ids of this file: one line may not be there twice."""
        self._skus: set[str] = set()

    def take(self, rows: list[Row]) -> None:
        """See Importer."""
        cells = [self._job.cells(row) for row in rows]
        known = self._known_skus(cells)
        self._skus |= known
        read = [(cell, self._read(cell, known)) for cell in cells]
        good = [(cell, *both) for cell, both in read if both is not None]
        for start in range(0, len(good), _QUERY_CHUNK):
            self._store(good[start : start + _QUERY_CHUNK])

    def finish(self) -> None:
        """See Importer."""
        lock_for_casework(self._job.session, self._job.site_id)
        tell_orders(self._job, self._skus)

    def _read(self, cells: Cells, skus: set[str]) -> tuple[Fields, Fields] | None:
        """(the document's fields, the line's), or None when a cell is wrong."""
        kind = self._kind(cells)
        number = cells.code("number")
        sku = cells.code("sku", required=kind not in {None, Record.PAYOUT})
        if sku and sku not in skus:
            cells.wrong("sku", RowCode.UNKNOWN_SKU, f"{sku} is not a SKU of this site")
        quantity = cells.number("quantity", default=None if sku else Decimal(0), zero=not sku)
        price = cells.number("price", default=Decimal(0))
        promised_at = cells.time("promised_at", required=False)
        document: Fields = {
            "kind": None if kind is None else kind.value,
            "number": number,
            "state": None if kind is None else cells.choice("state", STATES[kind]),
            "owner": cells.code("owner", required=False),
            "party": cells.text("party"),
            "refers_to": cells.code("refers_to", required=False),
            "currency": cells.code("currency", required=False) or self._job.site.currency,
        }
        line = cells.code("line", required=False) or sku or "1"
        self._refuse_second(cells, (document["kind"], number, line))
        if cells.errors or quantity is None or price is None:
            self._job.failed(cells.errors)
            return None
        return document, {
            "kind": document["kind"],
            "number": number,
            "line": line,
            "sku": sku,
            "quantity_u": to_u(quantity),
            "price_u": to_u(price),
            "promised_us": None if promised_at is None else to_us(promised_at),
        }

    def _kind(self, cells: Cells) -> Record | None:
        text = cells.raw("kind")
        if text in DOCUMENT_KINDS:
            return Record(text)
        listed = ", ".join(kind.value for kind in DOCUMENT_KINDS)
        cells.wrong(
            "kind", RowCode.VALUE_NOT_IN_LIST, f"{text or 'nothing'} is not one of {listed}"
        )
        return None

    def _refuse_second(self, cells: Cells, identity: tuple[Any, ...]) -> None:
        if cells.errors:
            return
        mark = hash(identity)
        if mark in self._seen:
            cells.wrong(
                "line",
                RowCode.ROW_CONFLICT,
                f"{identity[0]}/{identity[1]} has {identity[2]} twice in this file. Tell its lines "
                "apart in a column `line`",
            )
        self._seen.add(mark)

    def _store(self, read: list[tuple[Cells, Fields, Fields]]) -> None:
        job = self._job
        keys = {(document["kind"], document["number"]) for _, document, _ in read}
        documents, lines = self._known_documents(keys), self._known_lines(keys)
        history: list[Change] = []
        new: list[Fields] = []
        for cells, document, line in read:
            before = (job.tally.updated, job.tally.errors_total)
            self._store_document(cells, document, documents, history)
            if job.tally.errors_total != before[1]:
                continue
            known = lines.get((line["kind"], line["number"], line["line"]))
            is_new = self._is_new_line(cells, line, known)
            if job.tally.errors_total != before[1]:
                continue
            if is_new:
                new.append(line)
                job.tally.created += 1
                job.tally.updated = before[0]
            elif job.tally.updated == before[0]:
                job.tally.unchanged += 1
        insert_rows(job.session, job.site_id, DocumentLineRow, new)
        append_history(job.session, job.site_id, history)

    def _store_document(
        self,
        cells: Cells,
        fields: Fields,
        known: dict[tuple[str, str], Fields],
        history: list[Change],
    ) -> None:
        job = self._job
        key = (fields["kind"], fields["number"])
        record, name = Record(key[0]), f"{key[0]}/{key[1]}"
        row = known.get(key)
        if row is None:
            insert_rows(job.session, job.site_id, DocumentRow, [fields])
            known[key] = fields
            history.append(created(job, record, key[1], fields["state"]))
            return
        differing = [n for n in fields if n != "state" and row[n] != fields[n]]
        if differing:
            job.conflict(
                cells.line, "number", name, differing, "A change of terms is a new document"
            )
            return
        if row["state"] != fields["state"]:
            try:
                event = event_between(record, row["state"], fields["state"])
            except RefusalError as refusal:
                cells.wrong("state", RowCode.TRANSITION_REFUSED, f"{name}: {refusal.detail}")
                job.failed(cells.errors)
                return
            history.append(
                Change(
                    history_id=job.new_id(),
                    record=record,
                    record_id=key[1],
                    at=job.now,
                    actor=job.actor,
                    event=event,
                    from_state=row["state"],
                    to_state=fields["state"],
                    via=job.via,
                )
            )
            identity = {"kind": key[0], "number": key[1]}
            update_row(job.session, job.site_id, DocumentRow, identity, {"state": fields["state"]})
            row["state"] = fields["state"]
            job.tally.updated += 1

    def _is_new_line(self, cells: Cells, fields: Fields, known: Fields | None) -> bool:
        """True when the line has to be stored; a contradiction is told to the job."""
        if known is None:
            return True
        differing = [name for name in fields if known[name] != fields[name]]
        if differing:
            shown = [name.removesuffix("_us").removesuffix("_u") for name in differing]
            name = f"{fields['kind']}/{fields['number']} line {fields['line']}"
            self._job.conflict(cells.line, "line", name, shown, "A change of terms is a new line")
        return False

    def _known_skus(self, cells: list[Cells]) -> set[str]:
        wanted = sorted({cell.raw("sku") for cell in cells})
        found: set[str] = set()
        for start in range(0, len(wanted), _QUERY_CHUNK):
            query = select(SkuRow.sku).where(
                col(SkuRow.site_id) == self._job.site_id,
                col(SkuRow.sku).in_(wanted[start : start + _QUERY_CHUNK]),
            )
            found |= set(self._job.session.exec(query))
        return found

    def _known_documents(self, keys: set[tuple[str, str]]) -> dict[tuple[str, str], Fields]:
        rows = read_rows(
            self._job.session,
            DocumentRow,
            col(DocumentRow.site_id) == self._job.site_id,
            tuple_(col(DocumentRow.kind), col(DocumentRow.number)).in_(keys),
        )
        return {(row["kind"], row["number"]): row for row in rows}

    def _known_lines(self, keys: set[tuple[str, str]]) -> dict[tuple[str, str, str], Fields]:
        rows = read_rows(
            self._job.session,
            DocumentLineRow,
            col(DocumentLineRow.site_id) == self._job.site_id,
            tuple_(col(DocumentLineRow.kind), col(DocumentLineRow.number)).in_(keys),
        )
        return {(row["kind"], row["number"], row["line"]): row for row in rows}
