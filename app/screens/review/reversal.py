"""Taking a posting back: the offer on a case that was posted, and the one question before it."""

from __future__ import annotations

import flet as ft

from app.contract.review import CaseDetail
from app.screens.parts.buttons import button
from app.screens.parts.text import words
from app.screens.review.desk import Asks, ReviewDesk
from app.screens.review.figures import money, negated, signed
from app.screens.review.pieces import guarded_field, quiet_button
from app.screens.review.reason import reason_button


def reversal_offer(desk: ReviewDesk, case: CaseDetail) -> list[ft.Control]:
    """The button, or why this person may not. Nothing where nothing was posted."""
    made, say, palette = case.adjustment, desk.say, desk.palette
    if made is None:
        return []
    press = quiet_button(
        say("review.reversal.ask"),
        key="act-reverse",
        on_press=desk.ask_reversal,
        palette=palette,
        icon=ft.Icons.UNDO,
        disabled=not made.can_reverse,
    )
    if made.can_reverse:
        return [ft.Row([press])]
    why = words(made.why_not_reverse, size=14, color=palette.muted, expand=True, key="why-reverse")
    return [ft.Row([press, why], spacing=8)]


def reversal_form(desk: ReviewDesk, case: CaseDetail) -> list[ft.Control]:
    """What it does, why it is done, and the way out."""
    made, say, palette = case.adjustment, desk.say, desk.palette
    assert made is not None, "only a posting is taken back"
    units, back = signed(made.quantity), signed(negated(made.quantity))
    means = say(
        "review.reversal.means", units=back, value=money(negated(made.value), case.currency)
    )
    reason = desk.draft.reason
    asked: list[ft.Control] = [
        reason_button(desk, Asks.CASE, reason, expand=2),
        guarded_field(desk, say("review.note"), key="note", name="note", expand=3),
    ]
    return [
        words(means, color=palette.text),
        ft.Row(asked, spacing=8),
        ft.Row(
            [
                quiet_button(
                    say("review.form.cancel"),
                    key="reversal-cancel",
                    on_press=lambda: desk.change_draft(reversal_id=""),
                    palette=palette,
                ),
                button(
                    say("review.reversal.do", units=units),
                    key="reversal-do",
                    on_press=desk.take_back,
                    palette=palette,
                    icon=ft.Icons.UNDO,
                    height=56,
                    width=280,
                    expand=False,
                ),
            ],
            spacing=8,
            alignment=ft.MainAxisAlignment.END,
        ),
    ]
