"""Files of rows for tests of imports, and a small site to import into."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from server.clock import Rim
from server.host.mapping import ImportMapping
from server.services.importing.report import ImportReport
from server.services.importing.service import ImportKind, ImportRequest, import_file
from server.storage.engine import Database
from tests.support.server import NOW, SITE

HEADERS = {
    "bins": "site,zone,aisle,bay,level,bin,barcode,kind,walk_order",
    "skus": "sku,description,barcode,unit,factor,tracking,abc_class,unit_cost,price,currency",
    "stock": "site,bin,sku,lot,serial,state,quantity,as_of",
    "movements": "movement_id,occurred_at,kind,sku,lot,serial,quantity,unit,from_bin,from_state,"
    "to_bin,to_state,document",
    "documents": "kind,number,state,owner,party,promised_at,sku,quantity,price,currency",
}
BINS = "main,A,01,01,1,A-01-01,A-01-01,pick,1", "main,A,01,02,1,A-01-02,A-01-02,pick,2"
SKUS = (
    "S-1,Cocoa tin,4006381333931,each,1,none,A,2.50,4.99,EUR",
    "S-1,Cocoa tin,14006381333938,case,12,none,A,2.50,4.99,EUR",
    "S-2,Tea box,,each,1,lot,B,1.25,2.99,EUR",
    "S-3,Scale,,each,1,serial,C,80,129,EUR",
)
RECEIPT = "m-1,2026-11-20T08:00:00+01:00,receipt,S-1,,,24,each,@supplier,inbound,A-01-01,available,"
PICK = "m-2,2026-11-21T09:00:00Z,pick,S-1,,,3,each,A-01-01,available,@customer,shipped,order/991"


class Clock:
    """A rim whose time stands still and whose ids count up."""

    def __init__(self) -> None:
        self._number = 0

    def rim(self) -> Rim:
        return Rim(now=lambda: NOW, random=self._random)

    def _random(self, size: int) -> bytes:
        self._number += 1
        return self._number.to_bytes(size, "big")


CLOCK = Clock()


def write_rows(path: Path, kind: str, rows: Sequence[str], header: str | None = None) -> Path:
    """A CSV file of the kind with these rows."""
    path.write_text("\n".join([header or HEADERS[kind], *rows, ""]), encoding="utf-8")
    return path


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """A CSV file of cells, quoted where needed."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def import_path(
    database: Database,
    kind: str,
    path: Path,
    *,
    mapping: ImportMapping | None = None,
    is_dry_run: bool = False,
    is_update: bool = False,
) -> ImportReport:
    """Import a file into the tests' site at the tests' now."""
    request = ImportRequest(
        kind=ImportKind(kind),
        path=path,
        name=path.name,
        actor="erp",
        mapping=mapping or ImportMapping(),
        is_dry_run=is_dry_run,
        is_update=is_update,
    )
    return import_file(database, SITE, request, CLOCK.rim())


def import_rows(
    database: Database, tmp_path: Path, kind: str, *rows: str, **options: Any
) -> ImportReport:
    """Import rows in the standard columns."""
    return import_path(database, kind, write_rows(tmp_path / f"{kind}.csv", kind, rows), **options)


def make_site(database: Database, tmp_path: Path) -> None:
    """Two bins, three SKUs (one by lot, one by serial, one with a case of twelve)."""
    for kind, rows in (("bins", BINS), ("skus", SKUS)):
        report = import_rows(database, tmp_path, kind, *rows)
        assert report.errors_total == 0, report.errors
