"""How right the book was: inventory record accuracy by every basis, each basis in its name.

Pure. Nothing is netted: +5 here and -5 there are ten units of error. An interval counts by its
worse end, because what is not known to be right is not reported as right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from app.contract.vocabulary import Condition
from server.domain.ranges import ZERO, Range

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordResult:
    """One counted record of the book, as the last valid count of its line found it."""

    bin: str
    zone: str
    sku: str
    lot: str
    serial: str
    condition: Condition
    abc_class: str
    person: str
    counted_at: datetime
    book: Range
    counted: Decimal
    variance: Range
    is_inside: bool
    unit_cost: Decimal
    is_confirmed: bool
    """A second person agreed, the count met the book, or a lead decided."""

    @property
    def is_exact(self) -> bool:
        return self.variance.is_zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measure with what it was computed from. `percent` None: nothing was counted."""

    name: str
    hits: Decimal
    of: Decimal

    @property
    def percent(self) -> Decimal | None:
        """100 x hits / of, to two places, halves up; None is "no figure", not 0 %."""
        if self.of == 0:
            return None
        share = HUNDRED * self.hits / self.of
        return share.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """All figures over one set of records, with net and absolute variance side by side."""

    figures: tuple[Figure, ...]
    variance_net_units: Decimal
    variance_absolute_units: Decimal
    variance_net_value: Decimal
    variance_absolute_value: Decimal
    bins_counted: int


def _net(result: RecordResult) -> Decimal:
    """The variance's end that is further from zero; equal to the variance when it is certain."""
    v = result.variance
    return v.low if abs(v.low) >= abs(v.high) else v.high


def _share(
    name: str,
    results: Sequence[RecordResult],
    weight: Callable[[RecordResult], Decimal],
    *,
    forgives: bool = False,
) -> Figure:
    """1 - absolute error / book, by units or money, never below zero (OCA stock_cycle_count).

    `forgives`: what is within its tolerance is no error.
    """
    book = sum((max(ZERO, r.book.high) * weight(r) for r in results), ZERO)
    wrong = [r for r in results if not (forgives and r.is_inside)]
    error = sum((r.variance.largest * weight(r) for r in wrong), ZERO)
    return Figure(name=name, hits=max(ZERO, book - error), of=book)


def _whole(name: str, results: Sequence[RecordResult], of: Callable[[RecordResult], str]) -> Figure:
    """Share of bins or SKUs without a single wrong record."""
    groups: dict[str, bool] = {}
    for result in results:
        groups[of(result)] = groups.get(of(result), True) and result.is_exact
    return Figure(name=name, hits=Decimal(sum(groups.values())), of=Decimal(len(groups)))


def ira_by_record(results: Sequence[RecordResult]) -> Figure:
    """Records whose variance is exactly zero, of records counted."""
    hits = sum(1 for r in results if r.is_exact)
    return Figure(name="ira_by_record_strict", hits=Decimal(hits), of=Decimal(len(results)))


def ira_within_tolerance(results: Sequence[RecordResult]) -> Figure:
    """Records within the tolerance that held for them, of records counted."""
    hits = sum(1 for r in results if r.is_inside)
    return Figure(
        name="ira_by_record_within_tolerance", hits=Decimal(hits), of=Decimal(len(results))
    )


def accuracy(records: Iterable[RecordResult]) -> Accuracy:
    """Every figure over the records given."""
    results = tuple(records)
    return Accuracy(
        figures=(
            ira_by_record(results),
            ira_within_tolerance(results),
            _share("ira_by_unit", results, lambda _: Decimal(1)),
            _share("ira_by_unit_within_tolerance", results, lambda _: Decimal(1), forgives=True),
            _share("ira_by_value", results, lambda r: r.unit_cost),
            _share("ira_by_value_within_tolerance", results, lambda r: r.unit_cost, forgives=True),
            _whole("accuracy_by_bin_strict", results, lambda r: r.bin),
            _whole("accuracy_by_sku_strict", results, lambda r: r.sku),
        ),
        variance_net_units=sum((_net(r) for r in results), ZERO),
        variance_absolute_units=sum((r.variance.largest for r in results), ZERO),
        variance_net_value=sum((_net(r) * r.unit_cost for r in results), ZERO),
        variance_absolute_value=sum((r.variance.largest * r.unit_cost for r in results), ZERO),
        bins_counted=len({r.bin for r in results}),
    )


def by_group(
    records: Iterable[RecordResult], of: Callable[[RecordResult], str]
) -> tuple[Figure, ...]:
    """Strict IRA by record for each zone, class, SKU or person, named after the group."""
    groups: dict[str, list[RecordResult]] = {}
    for record in records:
        groups.setdefault(of(record), []).append(record)
    return tuple(
        Figure(name=name, hits=figure.hits, of=figure.of)
        for name, group in sorted(groups.items())
        for figure in (ira_by_record(group),)
    )
