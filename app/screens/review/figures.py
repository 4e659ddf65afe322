"""Numbers, money and times as people read them. Pure: the instant "now" is an argument.

Never netted, never rounded away: quantities keep their digits, money two places, halves to even.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from app.contract.review import Interval
from app.i18n.words import Words

MINUS = "\u2212"
"""The true minus: as wide as a plus, and never broken off its number."""
SYMBOLS = {"EUR": "\u20ac", "USD": "$", "GBP": "\u00a3"}
CENT = Decimal("0.01")


def signed(text: str) -> str:
    """A variance with its sign: "+14", "−6", "0"."""
    value = _number(text)
    if value is None:
        return text
    shown = f"{abs(value):,f}"
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    if value == 0:
        return "0"
    return f"{MINUS if value < 0 else '+'}{shown}"


def plain(text: str) -> str:
    """A quantity: sign only when it is negative."""
    return signed(text).removeprefix("+")


def money(text: str, currency: str) -> str:
    """An amount with two places: "€1,204.50", "−CHF 84.00"."""
    value = _number(text)
    if value is None:
        return text
    shown = f"{abs(value).quantize(CENT, rounding=ROUND_HALF_EVEN):,f}"
    symbol = SYMBOLS.get(currency, f"{currency} ")
    return f"{MINUS if value < 0 else ''}{symbol}{shown}"


def span(interval: Interval, shown: Callable[[str], str], say: Words) -> str:
    """One value, or "from … to …" when stock moved during the count."""
    low, high = shown(interval.low), shown(interval.high)
    return low if low == high else say("review.span", low=low, high=high)


def negated(text: str) -> str:
    """The same amount the other way."""
    value = _number(text)
    return text if value is None else str(-value)


def is_zero(text: str) -> bool:
    """Whether an amount is nothing."""
    return _number(text) == 0


def clock(at: datetime, now: datetime) -> str:
    """The local time; with its date when it is not today's."""
    local, today = at.astimezone(), now.astimezone().date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


def day(at: datetime) -> str:
    """The local date."""
    return f"{at.astimezone():%Y-%m-%d}"


def lasting(gap: timedelta, say: Words) -> str:
    """A length of time in its largest whole unit: "12 min", "3 h", "2 d"."""
    minutes = max(0, int(gap.total_seconds() // 60))
    if minutes < 60:
        return say("review.for.minutes", n=minutes)
    if minutes < 48 * 60:
        return say("review.for.hours", n=minutes // 60)
    return say("review.for.days", n=minutes // (24 * 60))


def due(at: datetime, now: datetime, say: Words) -> str:
    """When it must be done, or for how long it has been overdue."""
    if at >= now:
        return say("review.due.in", time=lasting(at - now, say))
    return say("review.due.late", time=lasting(now - at, say))


def percent(text: str | None, say: Words) -> str:
    """A share; without anything counted there is no figure, which is not 0 %."""
    return say("review.no_figure") if text is None else f"{text} %"


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
