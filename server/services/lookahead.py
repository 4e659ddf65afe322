"""What pricing and explaining the cases of many bins needs, asked for once for all of them.

Lives for one judgement only (services/reconciling.py): nothing is posted meanwhile, so that what was
looked up stays true; what the judgement itself changes (rounds, live cases) is kept up here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from server.domain.stock import Movement
from server.storage import bin_books, casework_stock, records
from server.storage import cases as case_rows
from server.storage.case_rounds import CaseRound
from server.storage.records import DocumentLine
from server.storage.tables_casework import ExceptionCaseRow

Spans = Mapping[str, tuple[datetime, datetime]]


@dataclass(slots=True)
class LookAhead:
    """Answers for some SKUs and bins; None means: not looked up, ask the database."""

    rounds: dict[str, list[CaseRound]] = field(default_factory=dict)
    """By case; complete for every case that is in it."""
    _skus: frozenset[str] = frozenset()
    _orders: dict[str, list[DocumentLine]] = field(default_factory=dict)
    _documents: dict[str, list[DocumentLine]] = field(default_factory=dict)
    _live: dict[str, dict[str, ExceptionCaseRow]] = field(default_factory=dict)
    _spans: Spans = field(default_factory=dict)
    _moves: dict[tuple[str, str], list[Movement]] = field(default_factory=dict)

    def load(self, session: Session, site_id: str, skus: Collection[str], spans: Spans) -> None:
        """Look up everything about the SKUs; their movements in the bins within each bin's span."""
        self._skus = frozenset(skus)
        self._orders = records.open_orders_for_skus(session, site_id, skus)
        self._documents = casework_stock.documents_that_may_hide(session, site_id, skus)
        for sku, cases in case_rows.live_cases_of_skus(session, site_id, skus).items():
            self._live[sku] = {case.case_id: case for case in cases}
        self._spans = spans
        for place, found in bin_books.movements_of_bins(
            session, site_id, spans, skus=self._skus
        ).items():
            for move in found:
                self._moves.setdefault((place, move.sku), []).append(move)

    def places(self) -> set[str]:
        """Bins in which the SKUs have open cases: the other half of a variance may be there."""
        return {case.bin for cases in self._live.values() for case in cases.values()}

    def open_orders(self, sku: str) -> list[DocumentLine] | None:
        """Lines of orders that wait for the SKU."""
        return self._orders.get(sku, []) if sku in self._skus else None

    def documents(self, sku: str) -> list[DocumentLine] | None:
        """Lines of the SKU in documents whose goods have moved, or may have."""
        return self._documents.get(sku, []) if sku in self._skus else None

    def live_cases(self, sku: str) -> list[ExceptionCaseRow] | None:
        """Open line cases of the SKU, as they stand in this judgement."""
        if sku not in self._skus:
            return None
        live = [case for case in self._live.get(sku, {}).values() if case.is_live]
        return sorted(live, key=lambda case: case.case_id)[: case_rows.LIVE_MAX]

    def note_live(self, case: ExceptionCaseRow) -> None:
        """The case is open now: it was opened, or opened again."""
        if case.sku in self._skus and not case.subject:
            self._live.setdefault(case.sku, {})[case.case_id] = case

    def movements(
        self, place: str, sku: str, since: datetime, until: datetime
    ) -> list[Movement] | None:
        """Movements of a SKU in a bin between two instants, both included, by time."""
        span = self._spans.get(place)
        if span is None or sku not in self._skus or since < span[0] or until > span[1]:
            return None
        return [m for m in self._moves.get((place, sku), ()) if since <= m.occurred_at <= until]
