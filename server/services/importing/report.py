"""What came of an import, as it is answered, printed and kept."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from server.domain.row_errors import RowCode

ERRORS_LISTED_MAX = 10_000
"""Errors kept in one report. All are counted; the command line writes all of them to a file."""
NEGATIVE_LISTED_MAX = 1000


class ImportKind(StrEnum):
    BINS = "bins"
    SKUS = "skus"
    STOCK = "stock"
    MOVEMENTS = "movements"
    DOCUMENTS = "documents"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class ErrorLine(Frozen):
    """One thing wrong in one row."""

    line: int
    column: str
    code: RowCode
    reason: str


class NegativeBook(Frozen):
    """A key whose book is below zero after the import: posted out before it was posted in, or wrong."""

    bin: str
    sku: str
    lot: str
    serial: str
    state: str
    quantity: str


class ImportReport(Frozen):
    """The whole outcome. Nothing was kept when `errors_total` is not 0 or `dry_run` is true."""

    import_id: str
    kind: ImportKind
    name: str
    dry_run: bool
    imported: bool
    """True when the rows are in the records now (or were there already)."""
    started_at: datetime
    finished_at: datetime
    rows: int
    created: int
    updated: int
    unchanged: int
    """Rows that were there already with the same content."""
    ignored_columns: tuple[str, ...]
    errors_total: int
    errors: tuple[ErrorLine, ...]
    negative_total: int = 0
    negative: tuple[NegativeBook, ...] = ()
