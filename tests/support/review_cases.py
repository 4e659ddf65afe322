"""Exception cases for tests of the review pages: plausible, all kinds, as many as asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.contract.review import (
    Action,
    ActionOffer,
    AdjustmentView,
    CaseDetail,
    CaseRow,
    HistoryEntry,
    Impact,
    Interval,
    MovementView,
    OrderAtRisk,
    Proposal,
    ProposalKind,
    RoundView,
    ScanRow,
    TimelineEntry,
)
from app.contract.vocabulary import CaseKind, CaseState, ReasonCode, ScanSource, Verdict

NOW = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
ITEMS = (
    ("48213", "Chain lube 400 ml", "14.00"),
    ("51007", "Brake pad set, organic, front and rear, 4 pieces", "21.50"),
    ("30022", "Inner tube 28/47-622", "3.20"),
    ("77310", "Hydraulic brake hose 2000 mm", "18.90"),
    ("10455", "Saddle Comfort Wide", "39.00"),
)
KINDS = (
    CaseKind.VARIANCE,
    CaseKind.VARIANCE,
    CaseKind.UNEXPECTED_ITEM,
    CaseKind.TIME_AMBIGUOUS,
    CaseKind.DAMAGED_FOUND,
    CaseKind.UNKNOWN_BARCODE,
)
OWNERS = (("olga", "Olga Rey"), ("max", "Max Winter"))


def ago(minutes: float) -> datetime:
    """So many minutes before NOW."""
    return NOW - timedelta(minutes=minutes)


def exactly(value: str) -> Interval:
    """An interval of one value."""
    return Interval(low=value, high=value)


def make_row(number: int, **changes: object) -> CaseRow:
    """The n-th case of the queue; each is less urgent than the one before."""
    sku, description, cost = ITEMS[number % len(ITEMS)]
    kind = KINDS[number % len(KINDS)]
    units = Decimal((-6, 14, 3, -2, 2, 1)[number % 6])
    value = units * Decimal(cost)
    is_unsure = kind is CaseKind.TIME_AMBIGUOUS
    owner_id, owner_name = OWNERS[number % 2]
    is_unknown = kind is CaseKind.UNKNOWN_BARCODE
    variance = Interval(low=str(units - 4), high=str(units)) if is_unsure else exactly(str(units))
    money = (
        Interval(low=str(value - 4 * Decimal(cost)), high=str(value))
        if is_unsure
        else exactly(str(value))
    )
    made = CaseRow(
        case_id=f"case-{number:03}",
        kind=kind,
        state=CaseState.UNDER_REVIEW if number == 0 else CaseState.ASSIGNED,
        bin=f"{'ABC'[number % 3]}-{number // 6 + 1:02}-{number % 6 + 1:02}",
        zone="ABC"[number % 3],
        sku="" if is_unknown else sku,
        description="4006381333931" if is_unknown else description,
        verdict=Verdict.AMBIGUOUS if is_unsure else Verdict.OUT_OF_TOLERANCE,
        variance=variance,
        value=money,
        currency="EUR",
        priority=max(3, 96 - 3 * number),
        priority_why="Two orders promised today cannot be met" if number == 0 else "Value at risk",
        owner_id=owner_id,
        owner_name=owner_name,
        opened_at=ago(25 + 40 * number),
        due_at=NOW + timedelta(minutes=95 - 30 * number),
        orders_at_risk=2 if number == 0 else 0,
        rounds=2 if number == 0 else 1,
        next_action=Action.APPROVE if number == 0 else Action.RECOUNT,
        next_words="Approve -6 (reason: pick not posted)"
        if number == 0
        else "Ask for a recount by somebody else",
        version=3,
    )
    return made.model_copy(update=changes)


def make_case(row: CaseRow, **changes: object) -> CaseDetail:
    """The whole evidence of a row."""
    is_first = row.case_id == "case-000"
    rounds = (_round(row, 0, "ana", "Ana Costa", 150),)
    if row.rounds > 1:
        rounds = (*rounds, _round(row, 1, "ben", "Ben Okafor", 65))
    made = CaseDetail(
        **row.model_dump(),
        book_now="20",
        round_views=rounds,
        movements=_movements(row),
        timeline=_timeline(row),
        impact=_impact(row, is_first),
        proposals=_proposals(row, is_first),
        actions=_actions(is_first),
        history=_history(row),
    )
    return made.model_copy(update=changes)


def make_posting(row: CaseRow, adjustment_id: str, *, is_reversed: bool) -> AdjustmentView:
    """What was posted of a row."""
    return AdjustmentView(
        adjustment_id=adjustment_id,
        state="reversed" if is_reversed else "posted",
        quantity=row.variance.low,
        value=row.value.low,
        reason=ReasonCode.PICK_NOT_POSTED,
        posted_at=NOW,
        dated_at=ago(60),
        can_reverse=not is_reversed,
        why_not_reverse="It has been taken back." if is_reversed else "",
    )


def _round(row: CaseRow, index: int, who: str, name: str, minutes: float) -> RoundView:
    counted = Decimal(20) + Decimal(row.variance.high)
    return RoundView(
        index=index,
        count_id=f"count-{row.case_id}-{index}",
        counted_by=who,
        counted_by_name=name,
        device=f"Handheld {index + 1}",
        opened_at=ago(minutes),
        closed_at=ago(minutes - 3),
        received_at=ago(minutes - 4),
        counted=str(counted),
        entered="1 case x 12 + 2 each" if index == 0 else f"{counted} each",
        book=Interval(low="20", high="24") if row.verdict is Verdict.AMBIGUOUS else exactly("20"),
        variance=row.variance,
        verdict=row.verdict or Verdict.OUT_OF_TOLERANCE,
        scans=(
            ScanRow(
                at=ago(minutes - 1),
                words="1 case x 12",
                raw="4006381333931",
                source=ScanSource.CAMERA,
            ),
            ScanRow(at=ago(minutes - 2), words="2 each", source=ScanSource.TYPED),
            ScanRow(at=ago(minutes - 2.5), words="3 each", source=ScanSource.TYPED, undone=True),
        ),
    )


def _movements(row: CaseRow) -> tuple[MovementView, ...]:
    return (
        MovementView(
            movement_id="m-1",
            kind="pick",
            occurred_at=ago(149),
            recorded_at=ago(20),
            delta="-4",
            from_place=row.bin,
            to_place="PACK-01",
            document="order 991",
            during_count=True,
            is_late=True,
        ),
    )


def _timeline(row: CaseRow) -> tuple[TimelineEntry, ...]:
    return (
        TimelineEntry(
            at=ago(600),
            kind="movement",
            title="Receipt of 24",
            detail="PO 17, from @supplier, by import",
            delta="+24",
        ),
        TimelineEntry(
            at=ago(150), kind="count", title="Ana Costa counted", detail="Handheld 1, 3 minutes"
        ),
        TimelineEntry(
            at=ago(149),
            kind="movement",
            title="Pick of 4",
            detail="Order 991, to PACK-01. Recorded after the count arrived",
            delta="-4",
        ),
        TimelineEntry(at=ago(146), kind="clock", title="Clock of Handheld 1 was 14 s behind"),
        TimelineEntry(
            at=ago(90), kind="decision", title="Olga Rey asked for a recount", detail="by Ben"
        ),
        TimelineEntry(at=ago(65), kind="count", title="Ben Okafor counted", detail="Handheld 2"),
    )


def _impact(row: CaseRow, is_first: bool) -> Impact:
    orders = (
        OrderAtRisk(
            number="991",
            promised_at=NOW + timedelta(hours=5),
            quantity="8",
            short="4",
            value="116.00",
        ),
        OrderAtRisk(
            number="1004",
            promised_at=NOW + timedelta(days=1),
            quantity="2",
            short="2",
            value="58.00",
        ),
    )
    return Impact(
        unit_cost="14.00",
        price="29.00",
        inventory_net=row.value.low,
        inventory_absolute=str(abs(Decimal(row.value.low))),
        margin_at_risk="90.00" if is_first else "0",
        cash_tied_up="0" if Decimal(row.variance.high) < 0 else row.value.high,
        cost_at=ago(1440),
        orders=orders if is_first else (),
    )


def _proposals(row: CaseRow, is_first: bool) -> tuple[Proposal, ...]:
    if not is_first:
        return ()
    return (
        Proposal(
            kind=ProposalKind.COUNTS_AGREE,
            score=0.95,
            title="Two people found -6",
            evidence=("two consecutive counts by different people have the same variance",),
            action=Action.APPROVE,
            reason=ReasonCode.PICK_NOT_POSTED,
        ),
        Proposal(
            kind=ProposalKind.OFFSETTING_TRANSFER,
            score=0.62,
            title=f"6 moved from {row.bin} to A-01-04, not posted",
            evidence=(
                f"{row.bin} is -6, A-01-04 is +6 of the same SKU",
                "the bins are 1 step apart",
            ),
            action=Action.TRANSFER,
            other_bin="A-01-04",
            other_case_id="case-006",
        ),
    )


def _actions(is_first: bool) -> tuple[ActionOffer, ...]:
    approve = ActionOffer(
        action=Action.APPROVE,
        enabled=is_first,
        why_not="" if is_first else "Two people must find the same variance, or a lead decides.",
    )
    rest = (Action.RECOUNT, Action.TRANSFER, Action.EXPLAIN, Action.REJECT, Action.ESCALATE)
    offers = [ActionOffer(action=action, enabled=True) for action in rest]
    reassign = ActionOffer(action=Action.REASSIGN, enabled=True)
    close = ActionOffer(
        action=Action.CLOSE, enabled=False, why_not="There is stock to post or to explain."
    )
    return (approve, *offers, reassign, close)


def _history(row: CaseRow) -> tuple[HistoryEntry, ...]:
    return (
        HistoryEntry(
            at=row.opened_at,
            who="system",
            event="opened",
            from_state="",
            to_state="open",
            why="count of Ana Costa",
        ),
        HistoryEntry(
            at=ago(20), who="system", event="assign", from_state="open", to_state="assigned"
        ),
    )
