"""Why the stock was wrong: the reasons that fit the case in one row, and all of them in groups.

Nothing scrolls on a tablet: all 24 stand on one sheet, each at a place of its own, so that a supervisor
who has looked once knows where it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from app.contract.review import CaseDetail
from app.contract.vocabulary import ReasonCode
from app.review.reasons import GROUPS, TAKEN_BACK, likely_for_all, likely_reasons
from app.screens import theme
from app.screens.parts.buttons import chip
from app.screens.parts.component import pressed
from app.screens.parts.text import words
from app.screens.review.desk import Asks, ReviewDesk, ReviewModel
from app.screens.review.look import MEDIUM, TARGET
from app.screens.review.pieces import choice_face, flat_icon, heading

HEIGHT = 56
GAP = 6
SHEET = 1080
"""Widest sheet; wider, the eye loses the row."""
BESIDE, PADDING = 8, 16
ONE_ROW = 660
"""From this width of a case on, the likely reasons stand in one row; below it in two."""


def likely_row(
    desk: ReviewDesk, likely: Sequence[ReasonCode], chosen: ReasonCode | None, width: float
) -> ft.Control:
    """The likely reasons, one press each, and the way to all; another chosen one stands there."""
    cells = [_reason(desk, r, f"reason-{r.value}", is_chosen=r is chosen) for r in likely]
    is_other = chosen is not None and chosen not in likely
    text = desk.say(f"reason.{chosen.value}" if is_other and chosen else "review.reason.other")
    cells.append(
        chip(
            text,
            key="reason",
            on_press=lambda: desk.ask_reason(Asks.CASE),
            palette=desk.palette,
            selected=is_other,
            expand=True,
            height=HEIGHT,
            name=_other_name(desk, text, is_other=is_other),
        )
    )
    title = desk.say("review.reason")
    return ft.Semantics(
        content=_grid(cells, 6 if width >= ONE_ROW else 3), label=title, container=True
    )


def _other_name(desk: ReviewDesk, text: str, *, is_other: bool) -> str | None:
    return desk.say("review.reason.chosen", reason=text) if is_other else None


def reason_button(
    desk: ReviewDesk, asks: Asks, chosen: ReasonCode | None, *, expand: int = 1
) -> ft.Control:
    """Where there is no room for a row: what is chosen, and the way to all of them."""
    label = desk.say("review.reason")
    shown = desk.say(f"reason.{chosen.value}") if chosen is not None else ""
    height = TARGET if asks is Asks.MANY else HEIGHT
    face = choice_face(label, shown, desk.palette, height=height, expand=True)
    return ft.TextButton(
        content=face,
        key="many-reason" if asks is Asks.MANY else "reason",
        on_click=pressed(lambda: desk.ask_reason(asks)),
        style=ft.ButtonStyle(padding=0, shape=ft.RoundedRectangleBorder(radius=theme.RADIUS)),
        expand=expand,
    )


def reason_sheet(desk: ReviewDesk, model: ReviewModel) -> ft.AlertDialog:
    """All reasons, those that fit first, over the page; a press beside it closes it."""
    palette, say = desk.palette, desk.say

    def close() -> None:
        desk.ask_reason(Asks.NOTHING)

    is_narrow = model.width < MEDIUM
    groups = [("fits", _fitting(desk, model)), *GROUPS]
    title = ft.Container(content=heading(say("review.reason.title"), palette, size=20), expand=True)
    leave = flat_icon(
        ft.Icons.CLOSE, say("sheet.close"), key="reasons-close", on_press=close, palette=palette
    )
    chosen = _chosen(desk, model)
    rows = [_group(desk, name, reasons, chosen, is_narrow=is_narrow) for name, reasons in groups]
    return ft.AlertDialog(
        # A low screen scrolls; a tablet has room for all of it.
        content=ft.Container(
            content=ft.Column([ft.Row([title, leave]), *rows], spacing=8, tight=True),
            width=min(SHEET, model.width - 2 * BESIDE) - 2 * PADDING,
            key="reasons",
        ),
        scrollable=True,
        on_dismiss=close,
        bgcolor=palette.surface,
        shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
        content_padding=ft.Padding.only(left=PADDING, right=PADDING, top=8, bottom=PADDING),
        inset_padding=BESIDE,
        semantics_label=say("review.reason.title"),
    )


def _fitting(desk: ReviewDesk, model: ReviewModel) -> tuple[ReasonCode, ...]:
    case = model.state.case
    if model.asks_reason is Asks.MANY:
        return likely_for_all(model.state.marked_rows)
    if desk.draft.reversal_id or case is None:
        return TAKEN_BACK
    return likely_reasons(case)


def _chosen(desk: ReviewDesk, model: ReviewModel) -> ReasonCode | None:
    case: CaseDetail | None = model.state.case
    if model.asks_reason is Asks.MANY:
        return model.many_reason
    if desk.draft.reversal_id or case is None:
        return desk.draft.reason
    return desk.reason_of(case)


def _group(
    desk: ReviewDesk,
    name: str,
    reasons: Sequence[ReasonCode],
    chosen: ReasonCode | None,
    *,
    is_narrow: bool,
) -> ft.Control:
    """A heading and its reasons beside it; in a narrow window below it, in twos."""
    palette = desk.palette
    title = ft.Semantics(
        content=words(desk.say(f"review.reason.group.{name}"), strong=True, color=palette.muted),
        header=True,
        container=True,
    )
    cells = [_reason(desk, r, f"{name}-{r.value}", is_chosen=r is chosen) for r in reasons]
    grid = _grid(cells, 2 if is_narrow else 5)
    if is_narrow:
        return ft.Column([title, grid], spacing=4, tight=True)
    grid.expand = True
    return ft.Row([ft.Container(content=title, width=120), grid], spacing=8)


def _reason(
    desk: ReviewDesk,
    reason: ReasonCode,
    key: str,
    *,
    is_chosen: bool,
) -> ft.Control:
    text = desk.say(f"reason.{reason.value}")
    return chip(
        text,
        key=key,
        on_press=lambda: desk.choose_reason(reason),
        palette=desk.palette,
        selected=is_chosen,
        expand=True,
        height=HEIGHT,
        name=desk.say("review.reason.chosen", reason=text) if is_chosen else None,
    )


def _grid(cells: Sequence[ft.Control], columns: int) -> ft.Column:
    """Equal cells, so many in a row; the last row is filled with nothing."""
    rows: list[ft.Control] = []
    for at in range(0, len(cells), columns):
        row = list(cells[at : at + columns])
        row += [ft.Container(expand=True) for _ in range(columns - len(row))]
        rows.append(ft.Row(row, spacing=GAP))
    return ft.Column(rows, spacing=GAP, tight=True)
