"""What the site knows, in the shape in which the label reader asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from app.contract.vocabulary import Unit
from app.contract.wire import RefBarcode, RefBin, RefSku, RefTask, RefUser
from app.scanner.label import BarcodeHit


class SiteReference(Protocol):
    """The part of the reference data that counting reads. It holds no expected quantity."""

    @property
    def is_ready(self) -> bool: ...
    def bin(self, code: str) -> RefBin | None: ...
    def bin_by_barcode(self, text: str) -> RefBin | None: ...
    def sku(self, code: str) -> RefSku | None: ...
    def barcodes(self, text: str) -> list[RefBarcode]: ...
    def barcodes_of(self, sku: str) -> list[RefBarcode]: ...
    def search_skus(self, text: str, limit: int = 20) -> list[RefSku]: ...
    def tasks_for(self, user_id: str) -> list[RefTask]: ...
    def users(self) -> list[RefUser]: ...


class SiteDirectory:
    """Answers the label reader from the reference data; a typed bin or SKU code counts as read."""

    def __init__(self, reference: SiteReference) -> None:
        self._reference = reference

    def lookup_bin(self, barcode: str) -> str | None:
        """The bin whose label carries this text, or whose code it is."""
        found = self._reference.bin_by_barcode(barcode)
        return found.bin if found else None

    def lookup_barcode(self, text: str) -> Sequence[BarcodeHit]:
        """Every pack that carries this barcode; a SKU's own code stands for one piece."""
        hits = [
            BarcodeHit(sku=b.sku, unit=b.unit, factor=int(Decimal(b.factor)))
            for b in self._reference.barcodes(text)
            if Decimal(b.factor) >= 1
        ]
        if not hits and self._reference.sku(text) is not None:
            hits = [BarcodeHit(sku=text, unit=Unit.EACH, factor=1)]
        return hits
