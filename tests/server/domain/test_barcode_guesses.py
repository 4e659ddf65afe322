"""What a barcode that nobody knows may be, on a sheet a supervisor can read."""

from __future__ import annotations

from decimal import Decimal

from app.contract.review import Action
from app.contract.vocabulary import Unit
from server.domain.barcode_guesses import KnownCode, barcode_guesses, codes_of_the_same_item
from tests.support.sheets import rows

EACH = KnownCode(barcode="9521101530018", sku="S1", unit=Unit.EACH)
"""GS1's example prefix; 1 9521101530 015 is the GTIN-14 of a case of it."""


def test_what_explains_an_unknown_barcode():
    """One SKU is known: S1, 9521101530018 (each). The same count may be short of S2.

    barcode        | seen | S2 is | on top                                | score | to do
    19521101530015 | 2    | 0     | A pack of S1                          | 0.9   | close
    09521101530018 | 2    | 0     | The barcode of S1, written in full    | 0.9   | close
    9521101530017  | 2    | -2    | The barcode may have been misread     | 0.7   | recount
    9529999000422  | 2    | -2    | S2 with a new barcode                 | 0.6   | close
    9529999000422  | 2    | -3    | An item that nobody has entered yet   | 0.3   | close
    SHELF-7        | 1    | 0     | An item that nobody has entered yet   | 0.3   | close
    """
    for row in rows(test_what_explains_an_unknown_barcode.__doc__):
        raw = row["barcode"]
        alike = [EACH] if EACH.barcode in codes_of_the_same_item(raw) else []

        found = barcode_guesses(
            raw, Decimal(row["seen"]), alike=alike, variances={"S2": Decimal(row["S2 is"])}
        )

        assert (found[0].title, found[0].score, found[0].action) == (
            row["on top"],
            float(row["score"]),
            Action(row["to do"]),
        ), row


def test_only_what_is_one_each_can_be_matched_at_once():
    full, pack = (
        barcode_guesses(raw, Decimal(1), alike=[EACH])[0]
        for raw in ("09521101530018", "19521101530015")
    )

    assert (full.sku, pack.sku) == ("S1", None)


def test_packs_of_an_item_are_found_whatever_is_scanned_first():
    for known, scanned in (
        ("9521101530018", "19521101530015"),
        ("19521101530015", "9521101530018"),
    ):
        assert known in codes_of_the_same_item(scanned)
    assert codes_of_the_same_item("SHELF-7") == frozenset()
