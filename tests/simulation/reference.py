"""Reference data seen from both ends: what a device has, and what it must have by the records alone."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from app.contract.checksums import barcode_id
from app.contract.wire import RefKind
from server.storage.engine import Database
from server.storage.tables_casework import CountTaskRow
from server.storage.tables_records import BarcodeRow, BinRow, SkuRow
from server.storage.tasks import OPEN_TASKS

if TYPE_CHECKING:
    from tests.simulation.sim_device import Process


def records_there_are(database: Database) -> dict[RefKind, set[str]]:
    """The ids of what a device is to have. Asked of the records, not of the list of changes that
    pulls are made of: what never came into that list, nobody hears of. People are left out: who
    reaches a device depends on their roles."""
    with database.read() as session:
        codes = session.exec(select(BarcodeRow.barcode, BarcodeRow.sku)).all()
        tasks = select(CountTaskRow.task_id).where(col(CountTaskRow.state).in_(OPEN_TASKS))
        return {
            RefKind.BIN: set(session.exec(select(BinRow.bin))),
            RefKind.SKU: set(session.exec(select(SkuRow.sku))),
            RefKind.BARCODE: {barcode_id(barcode, sku) for barcode, sku in codes},
            RefKind.TASK: set(session.exec(tasks)),
        }


def reference_rows(process: Process) -> dict[RefKind, dict[str, Any]]:
    """Every row of the device's reference data, as it was sent."""
    reference = process.reference

    def plain(row: Any) -> dict[str, Any]:
        return dict(row.model_dump(mode="json", exclude_defaults=True))

    barcodes = {}
    with sqlite3.connect(reference._file.path) as connection:
        skus = [r[0] for r in connection.execute("SELECT sku FROM sku")]
        bins = [r[0] for r in connection.execute("SELECT bin FROM bin")]
        tasks = [r[0] for r in connection.execute("SELECT task_id FROM task")]
        codes = [r[0] for r in connection.execute("SELECT DISTINCT sku FROM barcode")]
    connection.close()
    for sku in codes:
        for barcode in reference.barcodes_of(sku):
            barcodes[f"{barcode.barcode}\x1f{barcode.sku}"] = plain(barcode)
    return {
        RefKind.BIN: {b: plain(reference.bin(b)) for b in bins},
        RefKind.SKU: {s: plain(reference.sku(s)) for s in skus},
        RefKind.BARCODE: barcodes,
        RefKind.TASK: {t: plain(reference.task(t)) for t in tasks},
        RefKind.USER: {u.user_id: plain(u) for u in reference.users()},
    }
