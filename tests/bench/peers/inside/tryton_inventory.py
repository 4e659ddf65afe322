"""Runs inside Tryton's own environment: counts one location in Tryton, by two routes, and times it.

    python tryton_inventory.py DATABASE_NAME LINES DIFFERENT ROUNDS

The database (SQLite, a file: TRYTOND_DATABASE_URI, path in TRYTOND_CONFIG) exists, with the module
`stock` active. What is filled and what is checked is not timed: only entering the inventory and
confirming it, which makes the stock moves. Prints one JSON object.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal

from proteus import Model
from proteus import config as proteus_config
from trytond.pool import Pool
from trytond.transaction import Transaction

BOOK = 40
"""Units of each product on the shelf at first."""


class Shelf:
    """A company, one storage location and its products, opened for both routes."""

    def __init__(self, database: str, lines: int) -> None:
        self.config = proteus_config.set_trytond(database)
        self.in_one_transaction(self._found_company)
        self.config._context = Model.get("res.user").get_preferences(True, {})
        (self.location,) = Model.get("stock.location").find([("code", "=", "STO")])
        self.date = dt.date.today()  # noqa: DTZ011 - Tryton's book is kept by its own local date
        self.products = self.in_one_transaction(lambda pool: self._fill(pool, lines))
        self.book = dict.fromkeys(self.products, BOOK)

    def in_one_transaction(self, work: Callable[[Pool], object]):
        """Call Tryton's models as its server does, and commit once."""
        with Transaction().start(
            self.config.database_name, self.config.user, context=self.config.context
        ) as transaction:
            answer = work(Pool(self.config.database_name))
            transaction.commit()
        return answer

    def _found_company(self, pool: Pool) -> None:
        """The company that owns the stock, with the person logged in working for it."""
        currency_model, user_model = pool.get("currency.currency"), pool.get("res.user")
        (currency,) = currency_model.create([{"name": "Euro", "symbol": "€", "code": "EUR"}])
        (party,) = pool.get("party.party").create([{"name": "Northgate Supply"}])
        (company,) = pool.get("company.company").create(
            [{"party": party.id, "currency": currency.id}]
        )
        user_model.write(
            [user_model(self.config.user)],
            {"companies": [("add", [company.id])], "company": company.id},
        )

    def _fill(self, pool: Pool, lines: int) -> list[int]:
        """The products and, as done moves from the supplier, what the book says is there."""
        (unit,) = pool.get("product.uom").search([("name", "=", "Unit")])
        template = {
            "default_uom": unit.id,
            "type": "goods",
            "list_price": Decimal("12.50"),
            "cost_price_method": "fixed",
            "products": [("create", [{"cost_price": Decimal("5.00")}])],
        }
        templates = pool.get("product.template").create(
            [{**template, "name": f"SKU {number:05}"} for number in range(lines)]
        )
        products = [template.products[0].id for template in templates]
        (supplier,) = pool.get("stock.location").search([("code", "=", "SUP")])
        (company,) = pool.get("company.company").search([])
        move = {
            "unit": unit.id,
            "quantity": BOOK,
            "from_location": supplier.id,
            "to_location": self.location.id,
            "effective_date": self.date,
            "unit_price": Decimal("5.00"),
            "currency": company.currency.id,
            "company": company.id,
        }
        moves = pool.get("stock.move").create([{**move, "product": p} for p in products])
        pool.get("stock.move").do(moves)
        return products

    def on_hand(self) -> dict[int, float]:
        """What Tryton's book says now."""

        def ask(pool: Pool) -> dict[int, float]:
            with Transaction().set_context(stock_date_end=self.date):
                found = pool.get("product.product").products_by_location(
                    [self.location.id], grouping=("product",)
                )
            return {product: quantity for (_, product), quantity in found.items()}

        return self.in_one_transaction(ask)


def by_server_models(shelf: Shelf, counted: dict[int, int]) -> None:
    """The fastest route there is: the server's models, inventory with all lines, one transaction."""

    def work(pool: Pool) -> None:
        inventory_model = pool.get("stock.inventory")
        lines = [{"product": product, "quantity": n} for product, n in counted.items()]
        inventories = inventory_model.create(
            [
                {
                    "location": shelf.location.id,
                    "date": shelf.date,
                    "empty_quantity": "keep",
                    "lines": [("create", lines)],
                }
            ]
        )
        inventory_model.confirm(inventories)

    shelf.in_one_transaction(work)


def by_proteus(shelf: Shelf, counted: dict[int, int]) -> None:
    """Tryton's client library, steps as in Tryton's own scenario: complete, fill in, save, confirm."""
    inventory = Model.get("stock.inventory")()
    inventory.location = shelf.location
    inventory.empty_quantity = "keep"
    inventory.save()
    inventory.click("complete_lines")
    for line in inventory.lines:
        line.quantity = counted[line.product.id]
    inventory.save()
    inventory.click("confirm")


def timed_round(shelf: Shelf, route, different: int, number: int) -> float:
    """Seconds of one inventory, every `different`-th share off by 3; checks what Tryton made of it."""
    start = number * different % len(shelf.products)
    off = set(shelf.products[start : start + different])
    counted = {p: n - 3 if p in off else n for p, n in shelf.book.items()}
    began = time.perf_counter()
    route(shelf, counted)
    seconds = time.perf_counter() - began
    if shelf.on_hand() != counted or len(off) != different:
        sys.exit("Tryton's stock after confirming is not what was counted: this run is no measure.")
    shelf.book = counted
    return seconds


def main() -> None:
    """One round of each route to warm up, then the rounds, routes in turn."""
    database, lines, different, rounds = sys.argv[1], *map(int, sys.argv[2:5])
    shelf = Shelf(database, lines)
    routes = {"server_models": by_server_models, "proteus": by_proteus}
    seconds: dict[str, list[float]] = {name: [] for name in routes}
    number = 0
    for turn in range(rounds + 1):
        for name, route in routes.items():
            taken = timed_round(shelf, route, different, number)
            number += 1
            sys.stderr.write(f"  {name}: {lines / taken:.0f} lines/s\n")
            if turn > 0:
                seconds[name].append(taken)
    sys.stdout.write(json.dumps(seconds) + "\n")


if __name__ == "__main__":
    main()
