"""Digits that stand on the keypad, as text that survives a kill. Pure; the store keeps it as a draft."""

from __future__ import annotations

import json
from decimal import Decimal

from app.contract.count_fold import LineKey
from app.contract.vocabulary import Condition, quantity_text
from app.counting.state import KeypadPurpose, KeypadSheet


def typed_text(sheet: KeypadSheet) -> str:
    """What is needed to show the same digits for the same line again."""
    return json.dumps(
        {
            "line": sheet.key._asdict(),
            "purpose": sheet.purpose.value,
            "unit": sheet.pack.unit.value,
            "factor": quantity_text(sheet.pack.factor),
            "digits": sheet.digits,
        }
    )


def typed_line(text: str) -> LineKey:
    """The line the digits belong to. Raises ValueError, KeyError or TypeError for another program's text."""
    line = json.loads(text)["line"]
    return LineKey(**(line | {"condition": Condition(line["condition"])}))


def with_typed(sheet: KeypadSheet, text: str) -> KeypadSheet:
    """The keypad of that line with the digits on it; a pack that is gone leaves it as it is.

    `sheet` is the line's fresh keypad. Raises ValueError or KeyError like typed_line.
    """
    kept = json.loads(text)
    pack = next(
        (
            p
            for p in (sheet.pack, *sheet.packs)
            if (p.unit.value, p.factor) == (kept["unit"], Decimal(kept["factor"]))
        ),
        None,
    )
    if pack is None:
        return sheet
    return KeypadSheet(
        key=sheet.key,
        title=sheet.title,
        packs=sheet.packs,
        pack=pack,
        digits=str(kept["digits"]),
        purpose=KeypadPurpose(kept["purpose"]),
        total=sheet.total,
    )
