"""What a barcode that nobody knows may be: proposals for its case, each with its evidence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.contract.review import Action, ProposalKind
from app.contract.vocabulary import ReasonCode, Unit, quantity_text
from server.domain.gtin import GTIN_LENGTHS, GtinVerdict, judge_barcode, with_check_digit
from server.domain.proposals import Guess

LONGEST = max(GTIN_LENGTHS)
INDICATORS = "0123456789"
"""GS1 General Specifications 2.1.10.1: the first digit of a GTIN-14 tells packs of one item apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCode:
    """A barcode of the item master that is like the unknown one."""

    barcode: str
    sku: str
    unit: Unit


def codes_of_the_same_item(raw: str) -> frozenset[str]:
    """How the barcodes of other packs of the same item would read; empty unless `raw` is a GTIN."""
    if judge_barcode(raw) is not GtinVerdict.VALID:
        return frozenset()
    body = raw.zfill(LONGEST)[1:-1]
    longest = [with_check_digit(f"{indicator}{body}") for indicator in INDICATORS]
    shorter = [
        longest[0][LONGEST - length :]
        for length in GTIN_LENGTHS
        if longest[0].startswith("0" * (LONGEST - length))
    ]
    return frozenset({*longest, *shorter} - {raw})


def barcode_guesses(
    raw: str,
    quantity: Decimal,
    *,
    alike: Iterable[KnownCode] = (),
    variances: Mapping[str, Decimal] | None = None,
) -> tuple[Guess, ...]:
    """Best first, never empty: at least whether the code was read right.

    0.90 for a known item with the same item number in it, 0.70 for a check digit that does not fit,
    0.60 for a SKU that is short in this bin by just as many, 0.30 for an item nobody has entered.
    `variances`: SKU -> what the same count found, where that is certain.
    """
    guesses = [*_same_item(raw, alike), *_misread(raw), *_short_here(quantity, variances or {})]
    return tuple(sorted(guesses or [_new(raw)], key=lambda g: (-g.score, g.title)))


def _guess(score: float, title: str, *evidence: str, **more: object) -> Guess:
    fields: dict[str, object] = {"action": Action.CLOSE, **more}
    return Guess(
        kind=ProposalKind.MATCH_BARCODE,
        score=score,
        title=title,
        evidence=evidence,
        **fields,  # type: ignore[arg-type]
    )


def _same_item(raw: str, alike: Iterable[KnownCode]) -> Iterable[Guess]:
    for known in sorted(alike, key=lambda k: (k.sku, k.barcode)):
        # The same number with zeros in front is the same pack; another first digit is another pack.
        is_same = raw.zfill(LONGEST) == known.barcode.zfill(LONGEST)
        is_each = is_same and known.unit is Unit.EACH
        yield _guess(
            0.9,
            f"The barcode of {known.sku}, written in full" if is_same else f"A pack of {known.sku}",
            f"{known.barcode} of {known.sku} ({known.unit}) has the same item number in it",
            "it can be matched at once" if is_each else "import it with the units it holds",
            sku=known.sku if is_each else None,
        )


def _misread(raw: str) -> Iterable[Guess]:
    if judge_barcode(raw) is GtinVerdict.CHECK_DIGIT:
        yield _guess(
            0.7,
            "The barcode may have been misread",
            f"the last digit of {raw} does not fit the others",
            action=Action.RECOUNT,
            reason=ReasonCode.LABEL_WRONG,
        )


def _short_here(quantity: Decimal, variances: Mapping[str, Decimal]) -> Iterable[Guess]:
    for sku in sorted(s for s, variance in variances.items() if variance == -quantity):
        yield _guess(
            0.6,
            f"{sku} with a new barcode",
            f"the same count is short of {quantity_text(quantity)} {sku} in this bin",
            sku=sku,
        )


def _new(raw: str) -> Guess:
    is_gtin = judge_barcode(raw) is GtinVerdict.VALID
    return _guess(
        0.3,
        "An item that nobody has entered yet",
        f"the check digit of {raw} fits: it was read right"
        if is_gtin
        else f"{raw[:40]} is no GTIN: a code of somebody's own",
        "no SKU of the item master has this barcode, nor another pack of it",
    )
