"""What a variance costs: inventory value, margin, promises to customers, and how urgent that is.

Pure. Money is Decimal in the site's currency, rounded to cents only by `cents`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from app.contract.vocabulary import CaseKind
from server.domain.ranges import ZERO, Range
from server.domain.rounds import Standing

CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Money to the cent, halves away from zero: the way a ledger rounds an invoice line."""
    rounded = amount.quantize(CENT, rounding=ROUND_HALF_UP)
    return rounded if rounded != 0 else Decimal("0.00")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedLine:
    """An order line that has stock of the SKU promised to it."""

    number: str
    promised_at: datetime | None
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPromise:
    """An order line that cannot be met in full if the variance is true."""

    number: str
    promised_at: datetime | None
    quantity: Decimal
    short: Decimal
    value: Decimal
    """Price of what is short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseImpact:
    """The price of a case at its worst end; `cost_at` is the day the unit cost is of."""

    unit_cost: Decimal
    price: Decimal
    inventory_net: Range
    inventory_absolute: Decimal
    margin_at_risk: Decimal
    cash_tied_up: Decimal
    cost_at: datetime
    orders: tuple[BrokenPromise, ...]


def broken_promises(on_hand: Decimal, lines: Iterable[PromisedLine]) -> tuple[BrokenPromise, ...]:
    """Serve promises by date from what is really there; what is left unserved is broken.

    An order without a date waits longest. The same date: by order number, so it is always the same.
    """
    ordered = sorted(
        lines,
        key=lambda x: (
            x.promised_at is None,
            0.0 if x.promised_at is None else x.promised_at.timestamp(),
            x.number,
        ),
    )
    left = max(on_hand, ZERO)
    broken = []
    for line in ordered:
        served = min(left, line.quantity)
        left -= served
        if served < line.quantity:
            short = line.quantity - served
            broken.append(
                BrokenPromise(
                    number=line.number,
                    promised_at=line.promised_at,
                    quantity=line.quantity,
                    short=short,
                    value=cents(short * line.price),
                )
            )
    return tuple(broken)


def case_impact(
    parts: Mapping[str, Range],
    *,
    unit_cost: Decimal,
    price: Decimal,
    cost_at: datetime,
    on_hand_elsewhere: Decimal,
    book_here: Decimal,
    promises: Iterable[PromisedLine] = (),
) -> CaseImpact:
    """The impact of a line's variance, given per serial ("" when there is none).

    Absolute value adds up serial by serial: one missing and one over is two errors, not none.
    Orders are at risk by the worst possible shortage; an overage endangers none.
    """
    net = Range(ZERO, ZERO)
    for part in parts.values():
        net = net.plus(part)
    absolute = sum((part.largest for part in parts.values()), ZERO)
    short = max(ZERO, -net.low)
    over = max(ZERO, net.high)
    on_hand = book_here + on_hand_elsewhere
    lines = tuple(promises)
    # Promises that could not be kept anyway are not this variance's doing.
    before = by_order(broken_promises(on_hand, lines))
    orders = by_order(broken_promises(on_hand - short, lines)) if short else {}
    return CaseImpact(
        unit_cost=unit_cost,
        price=price,
        inventory_net=Range(cents(net.low * unit_cost), cents(net.high * unit_cost)),
        inventory_absolute=cents(absolute * unit_cost),
        margin_at_risk=cents(short * max(ZERO, price - unit_cost)),
        cash_tied_up=cents(over * unit_cost),
        cost_at=cost_at,
        orders=tuple(newly_broken(before, orders)),
    )


def newly_broken(
    before: Mapping[str, BrokenPromise], after: Mapping[str, BrokenPromise]
) -> list[BrokenPromise]:
    """Orders that lack more than they did; those that could not be met anyway are left out."""
    return [b for b in after.values() if number_short(before, b.number) < b.short]


def number_short(broken: Mapping[str, BrokenPromise], number: str) -> Decimal:
    """How much an order lacks; 0 for one that can be met."""
    return broken[number].short if number in broken else ZERO


def order_impact(
    broken: BrokenPromise, *, unit_cost: Decimal, price: Decimal, cost_at: datetime
) -> CaseImpact:
    """The impact of an order that cannot be met: no stock is in doubt any more, only the promise."""
    return CaseImpact(
        unit_cost=unit_cost,
        price=price,
        inventory_net=Range(ZERO, ZERO),
        inventory_absolute=cents(ZERO),
        margin_at_risk=cents(broken.short * max(ZERO, price - unit_cost)),
        cash_tied_up=cents(ZERO),
        cost_at=cost_at,
        orders=(broken,),
    )


def by_order(broken: Iterable[BrokenPromise]) -> dict[str, BrokenPromise]:
    """Broken lines of the same order put together, by its number."""
    found: dict[str, BrokenPromise] = {}
    for line in broken:
        known = found.get(line.number)
        found[line.number] = (
            line
            if known is None
            else replace(
                known,
                quantity=known.quantity + line.quantity,
                short=known.short + line.short,
                value=known.value + line.value,
            )
        )
    return found


PROBABILITY: dict[Standing, float] = {
    Standing.FIRST: 0.5,
    Standing.APART: 0.6,
    Standing.EXHAUSTED: 0.8,
    Standing.AGREED: 1.0,
    Standing.HIT: 0.0,
}
"""How likely the money is really gone. Half of first variances are miscounts; agreed ones are not."""

URGENCY: dict[CaseKind, int] = {
    CaseKind.HELD_EVENT: 40,
    CaseKind.DUPLICATE_SERIAL: 45,
    CaseKind.EXPIRED_LOT: 45,
    CaseKind.NEGATIVE_BOOK: 35,
    CaseKind.DEVICE_GAP: 35,
    CaseKind.UNKNOWN_BIN: 30,
    CaseKind.UNKNOWN_BARCODE: 25,
    CaseKind.ORDER_AT_RISK: 60,
    CaseKind.LATE_CORRECTION: 15,
    CaseKind.COUNTED_TWICE: 5,
}
"""Least priority of kinds that matter even when no money can be put on them."""

MONEY_TOP = 59
"""Priority that money alone can reach: promises to customers always come first."""
MONEY_SCALE = Decimal(10_000)
"""Money at risk that reaches it, in the site's currency."""


def priority(
    kind: CaseKind,
    *,
    value: Decimal,
    currency: str,
    standing: Standing | None,
    orders: int,
    first_promise: timedelta | None,
) -> tuple[int, str]:
    """Priority 0 to 100 and why, in words. The queue is sorted by it.

    Money: 59 x log(1 + value x probability) / log(1 + 10,000), at most 59. Orders at risk: 60, plus
    5 for each order (at most 20), plus 20 when the first is promised within a day, 10 within three.
    Time to the first promise comes in as an argument: priority is set when facts change.
    """
    likely = float(value) * (1.0 if standing is None else PROBABILITY[standing])
    money = round(MONEY_TOP * math.log1p(likely) / math.log1p(float(MONEY_SCALE)))
    score = max(min(MONEY_TOP, money), URGENCY.get(kind, 0))
    if orders == 0:
        if standing is None or value == 0:
            return score, "no money is known to be at risk"
        share = round(100 * PROBABILITY[standing])
        return score, f"{cents(value)} {currency} at risk, {share} % likely"
    soon = 0
    when = "no date promised"
    if first_promise is not None:
        hours = first_promise.total_seconds() / 3600
        soon = 20 if hours <= 24 else 10 if hours <= 72 else 0
        when = "promise overdue" if hours < 0 else f"first promised in {hours:.0f} h"
    plural = "order" if orders == 1 else "orders"
    total = 60 + min(20, 5 * orders) + soon
    return min(
        100, max(total, score)
    ), f"{orders} {plural} at risk, {when}; {cents(value)} {currency} in stock"


def due_after(priority_now: int) -> timedelta:
    """How long a case may wait: 4 h from 80, 8 h from 60, 2 days from 30, else 5 days."""
    for least, wait in ((80, 4), (60, 8), (30, 48)):
        if priority_now >= least:
            return timedelta(hours=wait)
    return timedelta(days=5)
