"""What probably happened, with a score and its evidence: shown to a supervisor, never to a counter.

Every proposal explains the *whole* variance; half an explanation is not offered. Scores are 0 to 1
and only rank: they are not probabilities. docs/reconciliation.md lists each formula with an example.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from app.contract.review import Action, ProposalKind
from app.contract.vocabulary import Condition, ReasonCode, Unit, quantity_text
from server.domain.stock import Movement

NEAR = timedelta(days=14)
"""How far back a movement is looked for: a counting fortnight. Older ones rarely explain a new miss."""

SCORE_SHOWN = 0.2
"""Below it a proposal would be noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One explanation of a variance."""

    kind: ProposalKind
    score: float
    title: str
    evidence: tuple[str, ...]
    action: Action
    reason: ReasonCode | None = None
    other_case_id: str | None = None
    other_bin: str | None = None
    movement_id: str | None = None
    sku: str | None = None
    """What an unknown barcode stands for, where that is the explanation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """Another open variance that may be the other half of this one."""

    case_id: str
    bin: str
    sku: str
    variance: Decimal
    distance: int
    """Steps on the walk between the two bins; 0 is the same bin."""
    condition: Condition = Condition.GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDocument:
    """A document that says stock should have moved, though no movement says it did.

    `effect` is what its posting would do to this bin and SKU: picks are negative, receipts positive.
    """

    name: str
    """"order/991", "purchase_order/17"."""
    kind: str
    """pick, receipt or return: chooses the words and the reason."""
    effect: Decimal
    at: datetime | None = None
    names_bin: bool = False
    """The document says this very bin."""
    is_told: bool = True
    """The document's own state says that the goods moved; False: they were only promised to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Puzzle:
    """All that proposals are made from. Quantities in base units, times as of the deciding round."""

    bin: str
    sku: str
    variance: Decimal
    counted: Decimal
    book: Decimal
    counted_at: datetime
    condition: Condition = Condition.GOOD
    has_agreed: bool = False
    """Two people found the same variance: miscounts are out of the question."""
    factors: Mapping[Unit, Decimal] | None = None
    """Base units per pack of this SKU."""
    movements: Sequence[Movement] = ()
    """Movements of the SKU in and out of the bin before the count."""
    documents: Sequence[OpenDocument] = ()
    siblings: Sequence[Sibling] = ()


def proposals(puzzle: Puzzle) -> tuple[Guess, ...]:
    """Every explanation worth showing, best first; empty for a variance of zero."""
    if puzzle.variance == 0:
        return ()
    guesses: list[Guess] = []
    for rule in _RULES:
        guesses += [g for g in rule(puzzle) if g.score >= SCORE_SHOWN]
    order = list(ProposalKind)
    return tuple(sorted(guesses, key=lambda g: (-g.score, order.index(g.kind), g.title)))


def _signed(quantity: Decimal) -> str:
    text = quantity_text(abs(quantity))
    return f"+{text}" if quantity > 0 else f"−{text}"


def spoken(document: str) -> str:
    """A document as people say it: "order/991" is order 991."""
    kind, _, number = document.partition("/")
    return f"{kind.replace('_', ' ')} {number}".strip()


def _unposted(puzzle: Puzzle) -> Iterator[Guess]:
    """0.75 for a document of exactly the variance that says the goods moved, 0.90 when it names the bin.

    0.35 less while the goods were only promised to it, 0.4 less when it is older than a fortnight.
    """
    for document in puzzle.documents:
        if document.effect != puzzle.variance:
            continue
        reasons = {
            "pick": ReasonCode.PICK_NOT_POSTED,
            "receipt": ReasonCode.RECEIPT_NOT_POSTED,
            "return": ReasonCode.RETURN_NOT_POSTED,
        }
        score = 0.9 if document.names_bin else 0.75
        if document.at is not None and abs(puzzle.counted_at - document.at) > NEAR:
            score -= 0.4
        if not document.is_told:
            score -= 0.35
        yield Guess(
            kind=ProposalKind.UNPOSTED_MOVEMENT,
            score=score,
            title=f"{document.kind.capitalize()} of {spoken(document.name)} is not posted",
            evidence=(
                f"{spoken(document.name)} accounts for {_signed(document.effect)}, "
                f"the variance is {_signed(puzzle.variance)}",
                f"{spoken(document.name)} names bin {puzzle.bin}"
                if document.names_bin
                else f"{spoken(document.name)} does not say which bin",
            ),
            action=Action.EXPLAIN,
            reason=reasons.get(document.kind, ReasonCode.DATA_ENTRY),
        )


def _effect(movement: Movement, bin: str) -> Decimal:
    return (movement.quantity if movement.to_bin == bin else Decimal(0)) - (
        movement.quantity if movement.from_bin == bin else Decimal(0)
    )


def _double_posted(puzzle: Puzzle) -> Iterator[Guess]:
    """0.90 for two alike movements of one document within a day; 0.55 when they name no document."""
    near = sorted(
        (m for m in puzzle.movements if puzzle.counted_at - NEAR <= m.occurred_at),
        key=lambda m: (m.occurred_at, m.movement_id),
    )
    for index, later in enumerate(near):
        if _effect(later, puzzle.bin) != -puzzle.variance:
            continue
        earlier = next((m for m in near[:index] if _alike(m, later)), None)
        if earlier is None:
            continue
        kind = later.kind.lower()
        reason = (
            ReasonCode.RECEIPT_POSTED_TWICE if puzzle.variance < 0 else ReasonCode.PICK_POSTED_TWICE
        )
        yield Guess(
            kind=ProposalKind.DOUBLE_POSTED_MOVEMENT,
            score=0.9 if later.document else 0.55,
            title=f"{kind.capitalize()} of {quantity_text(later.quantity)} was posted twice",
            evidence=(
                f"{earlier.movement_id} and {later.movement_id}: same {kind}, quantity and places"
                + (f", both for {spoken(later.document)}" if later.document else ""),
                f"without the second one the variance of {_signed(puzzle.variance)} is gone",
            ),
            action=Action.APPROVE,
            reason=reason,
            movement_id=later.movement_id,
        )


def _alike(one: Movement, other: Movement) -> bool:
    return (
        (one.kind, one.quantity, one.from_bin, one.to_bin, one.lot, one.serial, one.document)
        == (
            other.kind,
            other.quantity,
            other.from_bin,
            other.to_bin,
            other.lot,
            other.serial,
            other.document,
        )
        and abs(other.occurred_at - one.occurred_at) <= timedelta(days=1)
        and not one.document.startswith("case/")
    )


def _transfer(puzzle: Puzzle) -> Iterator[Guess]:
    """0.95 for an equal and opposite variance of the SKU next door, 0.02 less per step, at least 0.5."""
    for other in puzzle.siblings:
        if other.sku != puzzle.sku or other.bin == puzzle.bin:
            continue
        if other.variance != -puzzle.variance or other.condition is not puzzle.condition:
            continue
        short, over = (puzzle.bin, other.bin) if puzzle.variance < 0 else (other.bin, puzzle.bin)
        yield Guess(
            kind=ProposalKind.OFFSETTING_TRANSFER,
            score=max(0.5, 0.95 - 0.02 * other.distance),
            title=f"{quantity_text(abs(puzzle.variance))} moved from {short} to {over}, not posted",
            evidence=(
                f"{puzzle.bin} is {_signed(puzzle.variance)}, {other.bin} is "
                f"{_signed(other.variance)} of the same SKU",
                _apart(other.distance),
            ),
            action=Action.TRANSFER,
            reason=ReasonCode.TRANSFER_NOT_POSTED,
            other_case_id=other.case_id,
            other_bin=other.bin,
        )


def _apart(steps: int) -> str:
    if steps == 1:
        return "the bins are next to each other on the walk"
    return f"the bins are {steps} steps apart on the walk"


def _condition(puzzle: Puzzle) -> Iterator[Guess]:
    """0.92 when the same bin is off by the opposite in another condition of the SKU."""
    for other in puzzle.siblings:
        if (other.sku, other.bin) != (puzzle.sku, puzzle.bin):
            continue
        if other.variance != -puzzle.variance or other.condition is puzzle.condition:
            continue
        worse = puzzle if puzzle.condition is not Condition.GOOD else other
        found = worse.variance > 0
        amount = quantity_text(abs(puzzle.variance))
        yield Guess(
            kind=ProposalKind.DAMAGE_NOT_MARKED,
            score=0.92,
            title=f"{amount} {worse.condition} in the bin, still good on the book"
            if found
            else f"{amount} on the book as {worse.condition} were counted as good",
            evidence=(
                f"{puzzle.condition} is {_signed(puzzle.variance)}, "
                f"{other.condition} is {_signed(other.variance)}",
                "the number of units is right; their condition is not",
            ),
            action=Action.APPROVE if found else Action.RECOUNT,
            reason=ReasonCode.DAMAGED if found else None,
            other_case_id=other.case_id or None,
        )


def _wrong_unit(puzzle: Puzzle) -> Iterator[Guess]:
    """0.88 when the book is the count times a pack factor, or the count the book times it.

    0.45 when only the variance is a whole number of packs, and falling with how many.
    """
    if puzzle.has_agreed:
        return
    for unit, factor in sorted((puzzle.factors or {}).items()):
        if factor <= 1:
            continue
        as_eaches = puzzle.counted > 0 and puzzle.counted * factor == puzzle.book
        as_packs = puzzle.book > 0 and puzzle.book * factor == puzzle.counted
        packs = abs(puzzle.variance) / (factor - 1)
        some_packs = packs == packs.to_integral_value() and 0 < packs <= puzzle.counted
        whole = abs(puzzle.variance) % factor == 0
        if as_eaches or as_packs:
            score = 0.88
            how = f"{unit}s counted as eaches" if as_eaches else f"eaches counted as {unit}s"
        elif puzzle.variance < 0 and some_packs:
            # Some packs entered as one each: every one of them hides factor - 1 units.
            score, how = 0.5, f"{quantity_text(packs)} {unit}(s) counted as eaches"
        elif whole:
            score = 0.45 - 0.05 * min(4, int(abs(puzzle.variance) / factor) - 1)
            how = f"the variance is {quantity_text(abs(puzzle.variance) / factor)} {unit}(s)"
        else:
            continue
        yield Guess(
            kind=ProposalKind.WRONG_UNIT,
            score=score,
            title=how[0].upper() + how[1:],
            evidence=(
                f"counted {quantity_text(puzzle.counted)}, book {quantity_text(puzzle.book)}, "
                f"one {unit} holds {quantity_text(factor)}",
            ),
            action=Action.RECOUNT,
            reason=ReasonCode.WRONG_UNIT,
        )


def _slipped_digit(puzzle: Puzzle) -> Iterator[Guess]:
    """0.70 for swapped neighbours, 0.65 for a zero too many or too few, 0.5 for one doubled digit."""
    if puzzle.has_agreed or puzzle.counted == puzzle.book:
        return
    counted, book = quantity_text(puzzle.counted), quantity_text(puzzle.book)
    if puzzle.book < 10 and puzzle.counted < 10:
        return
    if sorted(counted) == sorted(book) and _neighbours_swapped(counted, book):
        score, how = 0.7, "two digits swapped"
    elif counted in (book + "0", book[:-1] if book.endswith("0") else None):
        score, how = 0.65, "a zero too many or too few"
    elif _one_more(counted, book) or _one_more(book, counted):
        score, how = 0.5, "a digit typed twice or left out"
    else:
        return
    yield Guess(
        kind=ProposalKind.SLIPPED_DIGIT,
        score=score,
        title=f"{how.capitalize()}: {counted} for {book}",
        evidence=(f"counted {counted}, book {book}",),
        action=Action.RECOUNT,
        reason=ReasonCode.COUNT_ERROR,
    )


def _neighbours_swapped(one: str, other: str) -> bool:
    places = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    return len(places) == 2 and places[1] == places[0] + 1


def _one_more(longer: str, shorter: str) -> bool:
    """Whether leaving one digit out of the longer gives the shorter, and they share a beginning."""
    if len(longer) != len(shorter) + 1 or len(shorter) < 2:
        return False
    return any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))


def _swapped_labels(puzzle: Puzzle) -> Iterator[Guess]:
    """0.80 when another SKU of the same bin is off by exactly the opposite."""
    for other in puzzle.siblings:
        if other.bin != puzzle.bin or other.sku == puzzle.sku:
            continue
        if other.variance != -puzzle.variance or other.condition is not puzzle.condition:
            continue
        yield Guess(
            kind=ProposalKind.SWAPPED_LABELS,
            score=0.8 if abs(puzzle.variance) > 1 else 0.6,
            title=f"Labels of {puzzle.sku} and {other.sku} may be swapped",
            evidence=(
                f"in {puzzle.bin}, {puzzle.sku} is {_signed(puzzle.variance)} and "
                f"{other.sku} is {_signed(other.variance)}",
            ),
            action=Action.RECOUNT,
            reason=ReasonCode.LABEL_SWAPPED,
            other_case_id=other.case_id or None,
        )


def _counts_agree(puzzle: Puzzle) -> Iterator[Guess]:
    """0.60: two people found the same; every more particular explanation goes above it."""
    if puzzle.has_agreed:
        yield Guess(
            kind=ProposalKind.COUNTS_AGREE,
            score=0.6,
            title=f"Two people found {_signed(puzzle.variance)}",
            evidence=("two consecutive counts by different people have the same variance",),
            action=Action.APPROVE,
            reason=ReasonCode.UNKNOWN_CAUSE,
        )


_RULES = (
    _unposted,
    _double_posted,
    _transfer,
    _condition,
    _wrong_unit,
    _slipped_digit,
    _swapped_labels,
    _counts_agree,
)


def acceptance(
    followed: Iterable[tuple[ProposalKind, bool]],
) -> dict[ProposalKind, tuple[int, int]]:
    """Per kind: how often it was on top when somebody decided, and how often they followed it."""
    counts: dict[ProposalKind, tuple[int, int]] = {}
    for kind, was_followed in followed:
        shown, taken = counts.get(kind, (0, 0))
        counts[kind] = (shown + 1, taken + int(was_followed))
    return counts
