"""Several cases at once: marking them in the list, and the one decision for all that are marked."""

from __future__ import annotations

from decimal import Decimal

import flet as ft

from app.contract.review import Action, CaseRow
from app.review.state import ReviewState
from app.review.steps import AllMarked, MarkingChosen
from app.screens.parts.band import live
from app.screens.parts.text import words
from app.screens.review.desk import Asks, ReviewDesk
from app.screens.review.figures import money
from app.screens.review.look import OWNERS
from app.screens.review.pieces import choice, flat_icon, quiet_button
from app.screens.review.reason import reason_button


def marking_switch(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """On and off, beside the list's name."""
    is_on = state.is_marking
    return flat_icon(
        ft.Icons.CLOSE if is_on else ft.Icons.LIBRARY_ADD_CHECK_OUTLINED,
        desk.say("review.many.stop" if is_on else "review.many.start"),
        key="marking",
        on_press=lambda: desk.service.mark(MarkingChosen(not is_on)),
        palette=desk.palette,
    )


def mark_of(desk: ReviewDesk, *, is_marked: bool) -> ft.Control:
    """The box before a row; the row itself is what is pressed."""
    icon = ft.Icons.CHECK_BOX if is_marked else ft.Icons.CHECK_BOX_OUTLINE_BLANK
    palette = desk.palette
    return ft.Icon(icon, size=24, color=palette.accent if is_marked else palette.muted)


def value_of(rows: tuple[CaseRow, ...]) -> Decimal:
    """Money in question in these cases: plus and minus added up."""
    return sum(
        (max(abs(Decimal(r.value.low)), abs(Decimal(r.value.high))) for r in rows), Decimal(0)
    )


def many_bar(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """How many and how much, why, and what: below the list, where the thumb is."""
    palette, say = desk.palette, desk.say
    rows = state.marked_rows
    shown = say("review.many.marked", n=len(rows), value=money(str(value_of(rows)), state.currency))
    missing = desk.model.many_missing
    top = ft.Row(
        [
            ft.Container(
                content=live(words(shown, strong=True, color=palette.text), shown), expand=True
            ),
            quiet_button(
                say("review.many.all"),
                key="mark-all",
                on_press=lambda: desk.service.mark(AllMarked()),
                palette=palette,
            ),
        ],
        spacing=8,
    )
    parts: list[ft.Control] = [top]
    if missing:
        parts.append(live(words(say(missing), strong=True, color=palette.text), say(missing)))
    parts += [_reason_and_owner(desk, state), _decisions(desk, is_any=bool(rows))]
    return ft.Container(
        content=ft.Column(parts, spacing=8, tight=True),
        bgcolor=palette.surface,
        border=ft.Border.only(top=ft.BorderSide(1, palette.edge)),
        padding=ft.Padding.symmetric(horizontal=4, vertical=8),
        key="many",
    )


def _reason_and_owner(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    say, palette = desk.say, desk.palette
    reason = desk.model.many_reason
    people = [(p.user_id, p.name) for p in state.people if p.role in OWNERS]
    return ft.Row(
        [
            reason_button(desk, Asks.MANY, reason),
            choice(
                say("review.many.give"),
                "",
                people,
                key="many-owner",
                on_choose=lambda who: desk.decide_many(Action.REASSIGN, assign_to=who),
                palette=palette,
                expand=1,
                disabled=not state.marked,
            ),
        ],
        spacing=6,
    )


def _decisions(desk: ReviewDesk, *, is_any: bool) -> ft.Control:
    return ft.Row(
        [
            quiet_button(
                desk.say(f"review.many.{action.value}"),
                key=f"many-{action.value}",
                on_press=lambda action=action: desk.decide_many(action),  # type: ignore[misc]
                palette=desk.palette,
                disabled=not is_any,
                expand=1,
            )
            for action in (Action.RECOUNT, Action.REJECT, Action.APPROVE)
        ],
        spacing=6,
    )
