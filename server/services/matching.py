"""Saying what an unknown barcode is. Devices learn it; what was noted stays as it was noted."""

from __future__ import annotations

import json

from app.contract.checksums import barcode_id
from app.contract.problems import RefusalError
from app.contract.vocabulary import CaseKind, Unit
from app.contract.wire import RefKind
from server.services.desk import Desk
from server.storage import records
from server.storage.changes import record_changes
from server.storage.tables_casework import ExceptionCaseRow
from server.storage.tables_records import BarcodeRow


def match_barcode(desk: Desk, case: ExceptionCaseRow, sku: str) -> None:
    """The case's barcode stands for one base unit of the SKU from now on.

    A pack's barcode is matched by importing it with its factor instead. Raises unknown-sku, and
    parameter-missing for a case that has no barcode.
    """
    if case.kind != CaseKind.UNKNOWN_BARCODE:
        raise RefusalError("parameter-missing", action="Matching", parameter="an unknown barcode")
    if desk.sku(sku) is None:
        raise RefusalError("unknown-sku", sku=sku)
    raw = str(json.loads(case.evidence)["raw"])
    known = records.find_barcode(desk.session, desk.site_id, raw)
    if any(code.sku == sku for code in known):
        return
    desk.session.add(BarcodeRow(site_id=desk.site_id, barcode=raw, sku=sku, unit=Unit.EACH.value))
    desk.session.flush()
    record_changes(desk.session, desk.site_id, RefKind.BARCODE, [barcode_id(raw, sku)])
