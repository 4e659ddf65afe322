"""How far a count may be off before somebody has to look. Limits are data, looked up by rule.

Percent, units and money, plus and minus apart; any breach trips; a limit that is not given does
not judge. Boundaries are inclusive: a variance equal to its limit is within it. A rule that gives
no limit at all tolerates nothing, because an empty row must not switch the control off.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.contract.vocabulary import AbcClass
from server.domain.ranges import Range

HUNDRED = Decimal(100)


class ToleranceScope(StrEnum):
    """What a rule is about, most particular first: the first that matches is the whole answer."""

    SKU = "sku"
    ABC_CLASS = "abc_class"
    BIN = "bin"
    ZONE = "zone"
    SITE = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Largest variance accepted unseen. None: this measure does not judge. Never negative.

    `percent` is of the book quantity as of the count; `money` is variance times unit cost, in the
    site's currency; `units` are base units. plus = more was found, minus = less.
    """

    percent_plus: Decimal | None = None
    percent_minus: Decimal | None = None
    units_plus: Decimal | None = None
    units_minus: Decimal | None = None
    money_plus: Decimal | None = None
    money_minus: Decimal | None = None

    def __post_init__(self) -> None:
        for limit in self._all():
            if limit is not None and limit < 0:
                raise ValueError(f"a tolerance is never negative: {limit}")

    def _all(self) -> tuple[Decimal | None, ...]:
        return (*self.side(is_plus=True), *self.side(is_plus=False))

    def side(self, *, is_plus: bool) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        """(percent, units, money) of one direction."""
        if is_plus:
            return self.percent_plus, self.units_plus, self.money_plus
        return self.percent_minus, self.units_minus, self.money_minus


NO_TOLERANCE = Limits(units_plus=Decimal(0), units_minus=Decimal(0))
"""What holds where no rule says otherwise: every difference is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToleranceRule:
    """One row of the tolerance table. `key` names the SKU, class, bin or zone; "" for the site."""

    scope: ToleranceScope
    key: str = ""
    limits: Limits

    def __post_init__(self) -> None:
        if (self.scope is ToleranceScope.SITE) != (self.key == ""):
            raise ValueError(f"a {self.scope} rule {'has no' if self.key else 'needs a'} key")


def _percent(both_ways: str) -> Limits:
    percent = Decimal(both_ways)
    return Limits(percent_plus=percent, percent_minus=percent)


SEED_RULES: tuple[ToleranceRule, ...] = (
    ToleranceRule(scope=ToleranceScope.ABC_CLASS, key=AbcClass.A, limits=_percent("1")),
    ToleranceRule(scope=ToleranceScope.ABC_CLASS, key=AbcClass.B, limits=_percent("3")),
    ToleranceRule(scope=ToleranceScope.ABC_CLASS, key=AbcClass.C, limits=_percent("5")),
)
"""What a new site starts with: 1, 3 and 5 % of the book (ProActionGroup at inventoryturns.com)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToleranceSubject:
    """What a tolerance is looked up for."""

    sku: str
    abc_class: str
    bin: str
    zone: str


class ToleranceTable:
    """All rules of a site, asked in the order SKU, ABC class, bin, zone, site."""

    def __init__(self, rules: Iterable[ToleranceRule]) -> None:
        self._rules = {(rule.scope, rule.key): rule.limits for rule in rules}

    def limits_for(self, subject: ToleranceSubject) -> Limits:
        """The first rule that matches, whole; NO_TOLERANCE when none does."""
        for scope, key in (
            (ToleranceScope.SKU, subject.sku),
            (ToleranceScope.ABC_CLASS, subject.abc_class),
            (ToleranceScope.BIN, subject.bin),
            (ToleranceScope.ZONE, subject.zone),
            (ToleranceScope.SITE, ""),
        ):
            found = self._rules.get((scope, key))
            if found is not None:
                return found
        return NO_TOLERANCE


def percent_of_book(variance: Decimal, book: Decimal) -> Decimal:
    """The variance as a percentage of the book, unsigned. A book of zero or less makes it 100.

    Source of the 100: IBM Sterling's monthly report; 0 there lets "system 0, found 500" pass unseen.
    """
    if variance == 0:
        return Decimal(0)
    return HUNDRED if book <= 0 else abs(variance) / book * HUNDRED


def breached(
    variance: Decimal, *, book: Decimal, unit_cost: Decimal, limits: Limits
) -> tuple[str, ...]:
    """Which measures one certain variance breaks: any of "percent", "units", "money"."""
    if variance == 0:
        return ()
    percent, units, money = limits.side(is_plus=variance > 0)
    if percent is None and units is None and money is None:
        return ("units",)
    size = abs(variance)
    checks = (
        ("percent", percent, percent_of_book(variance, book)),
        ("units", units, size),
        ("money", money, size * unit_cost),
    )
    return tuple(name for name, limit, value in checks if limit is not None and value > limit)


def is_within(counted: Decimal, book: Range, *, unit_cost: Decimal, limits: Limits) -> bool:
    """Whether every variance that is possible lies within the limits, so nobody needs to look.

    The two ends of the book decide: on each side of the counted quantity, the share of the book
    grows with the distance from it, so nothing between the ends is worse than both.
    """
    return not any(
        breached(counted - end, book=end, unit_cost=unit_cost, limits=limits)
        for end in (book.low, book.high)
    )
