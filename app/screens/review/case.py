"""One case on one page: its face, the evidence below it, and the decision always in reach."""

from __future__ import annotations

import flet as ft

from app.contract.review import CaseDetail, CaseRow
from app.review.state import ReviewState
from app.screens.parts.text import code, words
from app.screens.review.actions import ActionBar
from app.screens.review.desk import Draft, ReviewDesk
from app.screens.review.evidence import ImpactPart, ProposalsPart, TimelinePart
from app.screens.review.look import KIND_ICONS, is_wide, urgency
from app.screens.review.phrases import (
    has_amount,
    has_cost,
    next_words,
    owner_words,
    state_words,
    value_words,
    variance_words,
    what_changed,
    when_words,
)
from app.screens.review.pieces import card, flat_icon, tag
from app.screens.review.rounds import RoundsPart

SIDE_BY_SIDE = 560
"""From this width on the three answers stand beside each other."""


@ft.component
def CasePanel(
    desk: ReviewDesk, state: ReviewState, width: float, draft: Draft, shown_scans: str
) -> ft.Control:
    """The selected case; or what to do when there is none."""
    row = state.case or state.selected_row
    if row is None:
        return _nobody(desk, state)
    case = state.case
    parts: list[ft.Control] = [_face(desk, row, case, width)]
    if case is None:
        parts.append(_loading(desk))
    else:
        parts.append(RoundsPart(desk, case, shown_scans))
        # A bin counted twice or a device's gap is explained by nothing on the book and costs nothing.
        if case.proposals or has_amount(case):
            parts.append(ProposalsPart(desk, case))
        if has_cost(case):
            parts.append(ImpactPart(desk, case))
        parts.append(TimelinePart(desk, case))
    scrolled = ft.ListView(
        parts,
        spacing=12,
        padding=ft.Padding.only(left=16, right=16, top=4, bottom=16),
        expand=True,
        # A fresh list for each case: the next one is read from its top.
        key=f"evidence-{row.case_id}",
    )
    column: list[ft.Control] = [_head(desk, state, row), scrolled]
    if case is not None:
        column.append(ActionBar(desk, case, state, draft, width))
    return ft.Column(column, spacing=8, expand=True)


def _head(desk: ReviewDesk, state: ReviewState, row: CaseRow) -> ft.Control:
    palette, say = desk.palette, desk.say
    parts: list[ft.Control] = []
    if not is_wide(desk.model.width):
        parts.append(
            flat_icon(
                ft.Icons.ARROW_BACK,
                say("review.back"),
                key="back",
                on_press=desk.back_to_list,
                palette=palette,
            )
        )
    names = " ".join(part for part in (row.sku, row.lot) if part)
    title = ft.Column(
        [
            ft.Row(
                [
                    ft.Semantics(
                        content=code(row.bin, size=26, color=palette.text),
                        header=True,
                        container=True,
                    ),
                    tag(say(f"review.kind.{row.kind.value}"), palette.calm, KIND_ICONS[row.kind]),
                    tag(state_words(row.state.value, say), palette.calm),
                ],
                spacing=8,
                wrap=True,
                run_spacing=4,
                vertical_alignment=ft.CrossAxisAlignment.CENTER,
            ),
            ft.Row(
                [
                    *([code(names, size=16, color=palette.muted)] if names else []),
                    words(row.description, size=16, color=palette.text, lines=1, expand=True),
                ],
                spacing=8,
            ),
        ],
        spacing=2,
        tight=True,
        expand=True,
    )
    parts.append(title)
    if has_amount(row):
        parts.append(_amount(desk, row))
    parts.append(_place(desk, state))
    return ft.Container(
        content=ft.Row(parts, spacing=12, vertical_alignment=ft.CrossAxisAlignment.START),
        padding=ft.Padding.only(left=16, right=16, top=12),
    )


def _amount(desk: ReviewDesk, row: CaseRow) -> ft.Control:
    palette, say = desk.palette, desk.say
    shown, value = variance_words(row, say), value_words(row, say)
    return ft.Semantics(
        content=ft.Column(
            [
                words(shown, size=26, strong=True, color=palette.text, lines=1),
                words(value, size=16, color=palette.muted, lines=1),
            ],
            spacing=0,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.END,
        ),
        label=say("review.case.amount", variance=shown, value=value),
        exclude_semantics=True,
    )


def _place(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """Where in the list we are, and the way to its neighbours for those without a keyboard."""
    palette, say = desk.palette, desk.say
    at = state.position
    where = "" if at is None else say("review.case.place", at=at + 1, of=len(state.rows))

    def step(by: int) -> None:
        desk.do(desk.service.step(by))

    arrows: list[ft.Control] = [
        flat_icon(
            icon,
            say(f"review.case.{name}"),
            key=f"case-{name}",
            on_press=lambda by=by: step(by),  # type: ignore[misc]
            palette=palette,
        )
        for name, icon, by in (
            ("previous", ft.Icons.KEYBOARD_ARROW_UP, -1),
            ("next", ft.Icons.KEYBOARD_ARROW_DOWN, 1),
        )
    ]
    return ft.Column(
        [
            ft.Row(arrows, spacing=0, tight=True),
            words(where, size=14, color=palette.muted, lines=1),
        ],
        spacing=0,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
    )


def _face(desk: ReviewDesk, row: CaseRow, case: CaseDetail | None, width: float) -> ft.Control:
    """Who owns it, what changed, what happens next: the three answers every case must give."""
    palette, say, now = desk.palette, desk.say, desk.now()
    pair, icon = urgency(row, palette)
    priority = say("review.priority", n=row.priority)
    owns: list[ft.Control] = [
        words(owner_words(row, say), size=18, strong=True, color=palette.text, lines=1),
        ft.Row(
            [
                tag(str(row.priority), pair, icon, spoken=priority),
                words(when_words(row, now, say), size=14, color=palette.text, lines=1, expand=True),
            ],
            spacing=8,
        ),
    ]
    if row.priority_why and row.ended_at is None:
        owns.append(words(row.priority_why, size=14, color=palette.muted))
    changed = what_changed(case, now, say) if case is not None else say("review.case.loading")
    next_step = next_words(row, say) if row.ended_at is None else say("review.next.none")
    answers: list[tuple[str, ft.IconData, list[ft.Control]]] = [
        ("owner", ft.Icons.PERSON, owns),
        ("changed", ft.Icons.HISTORY, [words(changed, size=16, color=palette.text)]),
        (
            "next",
            ft.Icons.ARROW_FORWARD,
            [words(next_step, size=16, strong=True, color=palette.accent)],
        ),
    ]
    cells = [
        card(
            ft.Column(
                [
                    ft.Row(
                        [
                            ft.Icon(shape, size=18, color=palette.muted),
                            ft.Semantics(
                                content=words(
                                    say(f"review.face.{name}"), size=14, color=palette.muted
                                ),
                                header=True,
                                container=True,
                            ),
                        ],
                        spacing=6,
                    ),
                    *body,
                ],
                spacing=4,
                tight=True,
            ),
            palette,
            key=f"face-{name}",
            expand=1,
        )
        for name, shape, body in answers
    ]
    if width < SIDE_BY_SIDE:
        return ft.Column([ft.Row([cell]) for cell in cells], spacing=8, tight=True, key="face")
    return ft.Row(
        cells,
        spacing=8,
        intrinsic_height=True,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
        key="face",
    )


def _loading(desk: ReviewDesk) -> ft.Control:
    palette = desk.palette
    return ft.Container(
        content=ft.Row(
            [
                ft.ProgressRing(width=24, height=24, color=palette.accent),
                words(desk.say("review.case.loading"), color=palette.muted),
            ],
            spacing=12,
        ),
        padding=24,
    )


def _nobody(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    if not state.is_queue_known:
        return ft.Container(expand=True)
    return ft.Container(
        content=words(
            desk.say("review.case.none"),
            size=18,
            color=desk.palette.muted,
            align=ft.TextAlign.CENTER,
        ),
        alignment=ft.Alignment.CENTER,
        padding=32,
        expand=True,
    )
