"""The past of what the story plants: stock and orders whose book is known to the unit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from app.contract.vocabulary import Unit
from server.story.catalogue import STAGING, StorySku
from server.story.ledger import Past, StoryLine, StoryMovement

OUTAGE_ORDER = "990"
LATE_ORDER = "991"


def plant_past(past: Past, by_name: Mapping[str, StorySku], now: datetime) -> None:
    """Stock and history of the SKUs about which something is planted: no other day touches them."""
    settle = _Settler(past, now)
    for name, target in (
        ("Mug, white", 6), ("Bowl, small white", 4), ("Cocoa tin, 250 g", 21),
        ("Notebook, A5 dotted", 9), ("Candle, amber", 14), ("Candle, pine", 5),
        ("Storage jar, 500 ml", 36), ("Coffee beans, 1 kg", 8), ("Desk lamp, brass", 3),
        ("Lunch box, steel large", 10), ("Phone cable, 2 m C", 7), ("Water bottle, kids", 0),
        ("Hand soap, lavender", 24), ("Hand soap, lime", 36), ("Hand soap, rose", 24),
    ):  # fmt: skip
        settle.sold(by_name[name], target)
    tea, scale = by_name["Green tea, loose 100 g"], by_name["Kitchen scale, 2 kg"]
    settle.sold(tea, 5, lot="L2607T1")
    settle.sold(tea, 4, lot="L2609T2")
    for number in (1, 2):
        past.open(scale.home, scale.sku, 1, serial=f"{scale.sku[3:]}{number:04}")
    settle.promised(by_name["Candle, amber"], LATE_ORDER, 6, "picked", days=2)
    settle.promised(by_name["Mug, white"], OUTAGE_ORDER, 2, "reserved", days=1)


class _Settler:
    """Gives a SKU an opening stock and some sold orders, so that its book is exactly the target."""

    def __init__(self, past: Past, now: datetime) -> None:
        self._past = past
        self._now = now
        self._order = 200

    def sold(self, sku: StorySku, target: int, lot: str = "") -> None:
        """Three orders of one to three, shipped long ago; what is left is the target."""
        sold = (2, 1, 3)
        self._past.open(sku.home, sku.sku, target + sum(sold), lot=lot)
        for index, quantity in enumerate(sold):
            self._order += 1
            at = self._past.start + timedelta(
                days=8 + 11 * index, hours=9, minutes=7 * (self._order % 30)
            )
            self._steps(sku, str(self._order), quantity, at, 4, lot)
            self._line(sku, str(self._order), quantity, "invoiced", at)

    def promised(self, sku: StorySku, order: str, quantity: int, state: str, *, days: int) -> None:
        """An order whose stock is reserved in the bin; what its state says beyond that is not posted."""
        at = (self._now - timedelta(days=days)).replace(hour=8, minute=12, second=0, microsecond=0)
        self._steps(sku, order, quantity, at, 1, "")
        self._line(sku, order, quantity, state, at)

    def _steps(  # noqa: PLR0917  # one order, all of it
        self, sku: StorySku, order: str, quantity: int, at: datetime, steps: int, lot: str
    ) -> None:
        ways = (
            (sku.home, "available", sku.home, "reserved", "reserve"),
            (sku.home, "reserved", STAGING, "picked", "pick"),
            (STAGING, "picked", "R-03-02", "packed", "pack"),
            ("R-03-02", "packed", "@customer", "shipped", "ship"),
        )
        for index, (from_bin, from_state, to_bin, to_state, kind) in enumerate(ways[:steps]):
            self._past.move(
                StoryMovement(
                    occurred_at=at + timedelta(minutes=35 * index),
                    kind=kind,
                    sku=sku.sku,
                    quantity=quantity,
                    unit=Unit.EACH,
                    from_bin=from_bin,
                    from_state=from_state,
                    to_bin=to_bin,
                    to_state=to_state,
                    document=f"order/{order}",
                    lot=lot,
                )
            )

    def _line(self, sku: StorySku, order: str, quantity: int, state: str, at: datetime) -> None:
        self._past.lines.append(
            StoryLine(
                kind="order",
                number=order,
                state=state,
                owner="sales",
                party="Bell" if order == LATE_ORDER else "Okafor",
                promised_at=(at + timedelta(days=4)).replace(hour=18, minute=0),
                sku=sku.sku,
                quantity=quantity,
                price=sku.price,
            )
        )


def pick_of(sku: StorySku, order: str, quantity: int, at: datetime) -> StoryMovement:
    """The pick that an order's reserved stock still waits for."""
    return StoryMovement(
        occurred_at=at,
        kind="pick",
        sku=sku.sku,
        quantity=quantity,
        unit=Unit.EACH,
        from_bin=sku.home,
        from_state="reserved",
        to_bin=STAGING,
        to_state="picked",
        document=f"order/{order}",
    )
