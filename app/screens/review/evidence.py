"""What the server makes of a case: proposals with their evidence, money at stake, one timeline."""

from __future__ import annotations

from datetime import datetime

import flet as ft

from app.contract.review import (
    Action,
    CaseDetail,
    MovementView,
    OrderAtRisk,
    Proposal,
    TimelineEntry,
)
from app.contract.vocabulary import CaseKind
from app.screens.parts.text import code, words
from app.screens.review.desk import ReviewDesk, offer_of
from app.screens.review.figures import clock, is_zero, money, plain, signed
from app.screens.review.phrases import action_words, history_words, why_words
from app.screens.review.pieces import card, fact, heading, quiet_button, tag

TIMELINE_ICONS: dict[str, ft.IconData] = {
    "count": ft.Icons.FACT_CHECK,
    "movement": ft.Icons.SWAP_HORIZ,
    "decision": ft.Icons.GAVEL,
    "clock": ft.Icons.SCHEDULE,
    "fact": ft.Icons.INFO_OUTLINE,
}


@ft.component
def ProposalsPart(desk: ReviewDesk, case: CaseDetail) -> ft.Control:
    """What may have happened, best evidence first, each with the decision that follows from it."""
    palette, say = desk.palette, desk.say
    title = heading(say("review.proposals.title"), palette)
    if not case.proposals:
        return ft.Column(
            [title, words(say("review.proposals.none"), color=palette.muted)],
            spacing=4,
            tight=True,
        )
    found = sorted(case.proposals, key=lambda p: -p.score)
    return ft.Column(
        [title, *(_proposal(desk, case, p, i) for i, p in enumerate(found))], spacing=6, tight=True
    )


def _proposal(desk: ReviewDesk, case: CaseDetail, proposal: Proposal, index: int) -> ft.Control:
    palette, say = desk.palette, desk.say
    offer = offer_of(case, proposal.action)
    is_off = offer is None or not offer.enabled or desk.model.state.pending is not None
    sure = say("review.proposals.score", n=round(proposal.score * 100))
    act = action_words(case, proposal.action, say)
    if proposal.sku is not None:
        act = say("review.act.match", sku=proposal.sku)
    label = say("review.proposals.do", action=act)
    if proposal.reason is not None and proposal.action is not Action.RECOUNT:
        label = f"{label} ({say(f'reason.{proposal.reason.value}')})"
    return card(
        ft.Column(
            [
                ft.Row(
                    [
                        ft.Icon(ft.Icons.LIGHTBULB_OUTLINE, size=20, color=palette.accent),
                        words(proposal.title, strong=True, color=palette.text, expand=True),
                        tag(sure, palette.calm),
                    ],
                    spacing=8,
                ),
                *(
                    words(f"\u2022 {line}", size=14, color=palette.text)
                    for line in proposal.evidence
                ),
                ft.Row(
                    [
                        quiet_button(
                            label,
                            key=f"proposal-{index}",
                            on_press=lambda: desk.follow(case, proposal),
                            palette=palette,
                            disabled=is_off,
                            tooltip=offer.why_not if offer is not None and offer.why_not else None,
                        )
                    ]
                ),
            ],
            spacing=6,
            tight=True,
        ),
        palette,
    )


@ft.component
def ImpactPart(desk: ReviewDesk, case: CaseDetail) -> ft.Control:
    """What the variance costs, and which promises it breaks."""
    palette, say, impact = desk.palette, desk.say, case.impact

    def shown(text: str) -> str:
        return money(text, case.currency)

    figures = [
        ("inventory", shown(impact.inventory_net)),
        ("absolute", shown(impact.inventory_absolute)),
        ("margin", shown(impact.margin_at_risk)),
        # What is damaged ties up no cash that could be had back: it is there and cannot be sold.
        (
            "damaged" if case.kind is CaseKind.DAMAGED_FOUND else "cash",
            shown(impact.cash_tied_up),
        ),
    ]
    cells: list[ft.Control] = [
        ft.Container(
            content=fact(say(f"review.impact.{name}"), value, palette, strong=True),
            col={"xs": 6, "md": 3},
        )
        for name, value in figures
    ]
    cost = say(
        "review.impact.cost",
        cost=shown(impact.unit_cost),
        price=shown(impact.price),
        time=clock(impact.cost_at, desk.now()),
    )
    body: list[ft.Control] = [
        ft.ResponsiveRow(cells, spacing=8, run_spacing=8),
        words(cost, size=14, color=palette.muted),
    ]
    body += [_order(desk, case, order) for order in impact.orders]
    return ft.Column(
        [
            heading(say("review.impact.title"), palette),
            card(ft.Column(body, spacing=8, tight=True), palette),
        ],
        spacing=6,
        tight=True,
    )


def _order(desk: ReviewDesk, case: CaseDetail, order: OrderAtRisk) -> ft.Control:
    palette, say = desk.palette, desk.say
    promised = clock(order.promised_at, desk.now()) if order.promised_at else ""
    key = "review.impact.order" if promised else "review.impact.order_undated"
    sentence = say(
        key,
        number=order.number,
        short=plain(order.short),
        quantity=plain(order.quantity),
        value=money(order.value, case.currency),
        time=promised,
    )
    return ft.Row(
        [
            ft.Icon(ft.Icons.LOCAL_SHIPPING, size=20, color=palette.text),
            words(sentence, size=16, color=palette.text, expand=True),
        ],
        spacing=8,
    )


@ft.component
def TimelinePart(desk: ReviewDesk, case: CaseDetail) -> ft.Control:
    """Counts, movements, decisions and clocks in one line of time, newest last."""
    palette, say = desk.palette, desk.say
    entries = sorted(case.timeline, key=lambda entry: entry.at)
    late = {m.occurred_at: m for m in case.movements if m.is_late or m.during_count}
    rows: list[ft.Control] = [_entry(desk, e, late.get(e.at)) for e in entries]
    if not rows:
        rows = [words(say("review.timeline.none"), color=palette.muted)]
    rows.append(
        words(say("review.timeline.book_now", book=plain(case.book_now)), size=14, strong=True)
    )
    return ft.Column(
        [
            heading(say("review.timeline.title"), palette),
            card(ft.Column(rows, spacing=10, tight=True), palette),
            *_history(desk, case, desk.now()),
        ],
        spacing=6,
        tight=True,
    )


def _entry(desk: ReviewDesk, entry: TimelineEntry, movement: MovementView | None) -> ft.Control:
    palette, say = desk.palette, desk.say
    texts: list[ft.Control] = [words(entry.title, size=16, color=palette.text)]
    if entry.detail:
        detail = why_words(entry.detail, say) if entry.kind == "decision" else entry.detail
        texts.append(words(detail, size=14, color=palette.muted))
    tags: list[ft.Control] = []
    if movement is not None and entry.kind == "movement":
        if movement.during_count:
            tags.append(tag(say("review.timeline.during"), palette.info, ft.Icons.SCHEDULE))
        if movement.is_late:
            tags.append(tag(say("review.timeline.late"), palette.warn, ft.Icons.HISTORY))
    if tags:
        texts.append(ft.Row(tags, spacing=6, wrap=True, run_spacing=4))
    kind = f"review.timeline.{entry.kind}"
    parts: list[ft.Control] = [
        ft.Container(
            content=words(clock(entry.at, desk.now()), size=14, color=palette.muted),
            width=76,
        ),
        ft.Icon(
            TIMELINE_ICONS.get(entry.kind, ft.Icons.CIRCLE),
            size=20,
            color=palette.accent,
            semantics_label=say(kind) if say.has(kind) else None,
        ),
        ft.Column(texts, spacing=2, tight=True, expand=True),
    ]
    if entry.delta:
        parts.append(code(signed(entry.delta), size=18, color=palette.text))
    return ft.Row(parts, spacing=8, vertical_alignment=ft.CrossAxisAlignment.START)


def _history(desk: ReviewDesk, case: CaseDetail, now: datetime) -> list[ft.Control]:
    """Every change of the case itself, and what was posted."""
    palette, say = desk.palette, desk.say
    lines = [history_words(entry, now, say) for entry in sorted(case.history, key=lambda e: e.at)]
    made = case.adjustment
    if made is not None and not is_zero(made.quantity):
        lines.append(
            say(
                "review.history.posted",
                units=signed(made.quantity),
                value=money(made.value, case.currency),
                reason=say(f"reason.{made.reason.value}"),
                time=clock(made.dated_at, now),
            )
        )
    if made is not None and made.state == "reversed":
        lines.append(say("review.history.reversed"))
    if not lines:
        return []
    return [
        heading(say("review.history.title"), palette),
        card(
            ft.Column([words(line, size=14, color=palette.text) for line in lines], spacing=6),
            palette,
        ),
    ]
