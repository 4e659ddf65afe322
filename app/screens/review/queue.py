"""The queue: what is open and what it is worth, and one row for each case, by how urgent it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import flet as ft

from app.contract.review import CaseRow
from app.review.state import ReviewState
from app.screens import theme
from app.screens.parts.component import keyed, pressed, remembered
from app.screens.parts.text import code, words
from app.screens.review.desk import ReviewDesk
from app.screens.review.figures import lasting, money
from app.screens.review.filters import filter_bar
from app.screens.review.look import KIND_ICONS, ROW, is_wide, urgency, urgency_key
from app.screens.review.marking import many_bar, mark_of, marking_switch
from app.screens.review.phrases import (
    item_words,
    next_words,
    nothing_words,
    owner_words,
    row_name,
    title_key,
    value_words,
    variance_words,
    when_words,
)
from app.screens.review.pieces import quiet_button, waiting


@ft.component
def QueueList(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """Totals, filters, rows."""
    parts = [_totals(desk, state), filter_bar(desk, state), _rows(desk, state)]
    if state.is_marking:
        parts.append(many_bar(desk, state))
    elif is_wide(desk.model.width):
        parts.append(words(desk.say("review.keys"), size=14, color=desk.palette.muted, lines=1))
    return ft.Container(
        content=ft.Column(
            parts,
            spacing=8,
            expand=True,
        ),
        padding=ft.Padding.only(left=8, right=8, top=12, bottom=6),
        expand=True,
    )


def _totals(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """How much is open, in cases and in money. Absolute: plus and minus do not cancel."""
    palette, say = desk.palette, desk.say
    title = ft.Semantics(
        content=words(say(title_key(state)), size=22, strong=True, color=palette.text),
        header=True,
    )
    if not state.is_queue_known:
        return ft.Container(
            content=title,
            padding=ft.Padding.symmetric(horizontal=4),
            height=48,
            alignment=ft.Alignment.CENTER_LEFT,
        )
    value = money(state.value_open, state.currency)
    spoken = say("review.queue.totals", n=state.total_open, value=value)
    shown = ft.Semantics(
        content=ft.Column(
            [
                words(say("review.queue.open", n=state.total_open), strong=True, lines=1),
                words(
                    say("review.queue.value", value=value), size=14, color=palette.muted, lines=1
                ),
            ],
            spacing=0,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.END,
        ),
        label=spoken,
        exclude_semantics=True,
    )
    named: list[ft.Control] = [title]
    if not state.filters.is_ended and (state.rows or state.is_marking):
        named.append(marking_switch(desk, state))
    names = ft.Row(named, spacing=4, tight=True)
    return ft.Container(
        content=ft.Row([names, shown], alignment=ft.MainAxisAlignment.SPACE_BETWEEN),
        padding=ft.Padding.symmetric(horizontal=4),
        height=48,
    )


def _rows(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    if not state.rows:
        return _nothing(desk, state)
    # Ages are drawn anew each minute, not with each key.
    now = desk.now().replace(second=0, microsecond=0)
    rows: list[ft.Control] = []
    for group, cases in groupby(state.rows, key=urgency_key):
        if not state.filters.is_ended:
            rows.append(_group_name(desk, group))
        rows += [keyed(c.case_id, CaseLine, desk, c, _look(state, c), now) for c in cases]
    if state.next_cursor is not None:
        rows.append(
            quiet_button(
                desk.say("review.queue.more"),
                key="load-more",
                on_press=lambda: desk.do(desk.service.load_more()),
                palette=desk.palette,
                disabled=state.is_queue_loading,
            )
        )
    return ft.ListView(rows, spacing=6, expand=True)


def _group_name(desk: ReviewDesk, key: str) -> ft.Control:
    """How urgent those below are: in words, for whom a colour says nothing."""
    return ft.Container(
        content=ft.Semantics(
            content=words(desk.say(key), size=14, strong=True, color=desk.palette.muted),
            header=True,
            container=True,
        ),
        padding=ft.Padding.only(left=4, top=4),
        key=key,
    )


@dataclass(frozen=True, slots=True)
class Look:
    """How a row stands in the list."""

    is_selected: bool
    is_marked: bool | None
    """None while nothing is marked."""
    refused: str
    """Why it was not decided with the others."""


def _look(state: ReviewState, row: CaseRow) -> Look:
    return Look(
        is_selected=row.case_id == state.selected,
        is_marked=row.case_id in state.marked if state.is_marking else None,
        refused=state.refused.get(row.case_id, ""),
    )


@remembered
def CaseLine(desk: ReviewDesk, row: CaseRow, look: Look, now: datetime) -> ft.Control:
    """One case, 72 high: where, what, how much, how urgent, whose, until when, and what is next."""
    palette, say = desk.palette, desk.say
    is_selected = look.is_selected
    mark: ft.Control = ft.Container(
        width=4,
        height=ROW - 16,
        border_radius=2,
        bgcolor=palette.accent if is_selected else "transparent",
    )
    if look.is_marked is not None:
        mark = mark_of(desk, is_marked=look.is_marked)
    face = ft.Row(
        [mark, _urgency(row, desk, now), _lines(row, desk, now, look.refused)],
        spacing=8,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )
    edge = palette.accent if is_selected else palette.edge
    return ft.OutlinedButton(
        content=ft.Semantics(
            content=face,
            label=row_name(
                row, now, say, is_shown=is_selected, is_marked=look.is_marked, refused=look.refused
            ),
            exclude_semantics=True,
        ),
        key=f"case-{row.case_id}",
        on_click=pressed(lambda: desk.select(row.case_id)),
        style=ft.ButtonStyle(
            bgcolor=palette.raised if is_selected else palette.surface,
            side=ft.BorderSide(2 if is_selected else 1, edge),
            shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
            padding=ft.Padding.only(left=4, right=10),
            animation_duration=0,
            alignment=ft.Alignment.CENTER_LEFT,
        ),
        height=ROW,
    )


def _urgency(row: CaseRow, desk: ReviewDesk, now: datetime) -> ft.Control:
    """How urgent, and for how long it has been open; or how and how long ago it ended."""
    pair, icon = urgency(row, desk.palette)
    parts: list[ft.Control] = [ft.Icon(icon, size=16, color=pair.front)]
    if row.ended_at is None:
        number = words(str(row.priority), size=14, strong=True, color=pair.front)
        # Never in two lines: of 84 an 8 would be left to read.
        number.no_wrap, number.overflow = True, ft.TextOverflow.VISIBLE
        parts.append(number)
    priority = ft.Container(
        content=ft.Row(
            parts,
            spacing=0,
            tight=True,
            alignment=ft.MainAxisAlignment.CENTER,
        ),
        bgcolor=pair.back,
        border_radius=8,
        width=46,
        height=26,
        alignment=ft.Alignment.CENTER,
    )
    age = lasting(now - (row.ended_at or row.opened_at), desk.say)
    return ft.Column(
        [priority, words(age, size=14, color=desk.palette.muted, lines=1)],
        spacing=4,
        tight=True,
        width=50,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
    )


def _lines(row: CaseRow, desk: ReviewDesk, now: datetime, refused: str) -> ft.Control:
    """Where, what and how many; what is next, or why it was refused; whose, until when and how much."""
    palette, say = desk.palette, desk.say
    is_late = row.ended_at is None and row.due_at < now
    whose = f"{owner_words(row, say)} \u00b7 {when_words(row, now, say)}"
    return ft.Column(
        [
            ft.Row(
                [
                    code(row.bin, size=16, color=palette.text),
                    ft.Icon(KIND_ICONS[row.kind], size=16, color=palette.muted),
                    words(item_words(row, say), size=14, color=palette.text, lines=1, expand=True),
                    words(variance_words(row, say), size=18, strong=True, color=palette.text),
                ],
                spacing=6,
            ),
            words(
                refused or next_words(row, say),
                size=14,
                strong=True,
                color=palette.text if refused else palette.accent,
                lines=1,
            ),
            ft.Row(
                [
                    words(
                        whose,
                        size=14,
                        color=palette.text if is_late else palette.muted,
                        lines=1,
                        expand=True,
                    ),
                    words(value_words(row, say), size=14, color=palette.text),
                ],
                spacing=6,
            ),
        ],
        spacing=0,
        tight=True,
        expand=True,
    )


def _nothing(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """Loading, or nothing to decide: which of the two is always said."""
    palette, say = desk.palette, desk.say
    if not state.is_queue_known:
        return waiting(desk, state, say("review.queue.loading"))
    parts: list[ft.Control] = [
        ft.Icon(ft.Icons.TASK_ALT, size=48, color=palette.accent),
        words(
            nothing_words(state.filters, say),
            size=18,
            color=palette.text,
            align=ft.TextAlign.CENTER,
        ),
    ]
    if not state.filters.is_everything:
        parts.append(
            quiet_button(
                say("review.filter.clear"),
                key="filter-clear",
                on_press=desk.show_all,
                palette=palette,
            )
        )
    return ft.Container(
        content=ft.Column(
            parts,
            spacing=16,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        alignment=ft.Alignment.CENTER,
        padding=24,
        expand=True,
    )
