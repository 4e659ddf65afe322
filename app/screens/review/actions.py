"""The decision: reason, who recounts and a note; the proposed action big, the others beside it."""

from __future__ import annotations

import flet as ft

from app.contract.review import Action, ActionOffer, CaseDetail
from app.contract.vocabulary import Role
from app.review.reasons import likely_reasons
from app.review.state import ReviewState
from app.screens.parts.band import live
from app.screens.parts.buttons import button
from app.screens.parts.component import pressed
from app.screens.parts.text import words
from app.screens.review.desk import Asks, Draft, ReviewDesk, best_proposal, offer_of
from app.screens.review.figures import clock, signed
from app.screens.review.look import OWNERS, TARGET
from app.screens.review.phrases import action_words, trouble_words
from app.screens.review.pieces import choice, guarded_field, quiet_button
from app.screens.review.reason import likely_row, reason_button
from app.screens.review.reversal import reversal_form, reversal_offer

BESIDE = (Action.RECOUNT, Action.APPROVE, Action.TRANSFER, Action.REJECT)
"""Alternatives that have a button of their own; the rarer ones are one press further."""
MORE = (Action.EXPLAIN, Action.ESCALATE, Action.REASSIGN, Action.CLOSE)
ANYONE = ""
SNUG = 480
"""Below this width of the case they stand in twos."""
ROOMY = 720
"""From this width of the case on, the alternatives stand beside the proposed action."""


@ft.component
def ActionBar(
    desk: ReviewDesk, case: CaseDetail, state: ReviewState, draft: Draft, width: float
) -> ft.Control:
    """Always at the bottom of the case."""
    palette = desk.palette
    rows: list[ft.Control] = []
    if state.trouble is not None:
        rows.append(_said(desk, trouble_words(state.trouble, desk.say), "trouble"))
    if draft.missing:
        rows.append(_said(desk, desk.say(draft.missing), "missing"))
    if draft.reversal_id:
        rows += reversal_form(desk, case)
    elif not case.actions:
        rows += [
            words(desk.say("review.act.none"), color=palette.muted),
            *reversal_offer(desk, case),
        ]
    elif state.pending is not None:
        rows.append(_waiting(desk, state))
    elif draft.form is not None:
        rows += _form(desk, case, state, draft)
    else:
        rows += [
            _inputs(desk, case, state, width),
            _buttons(desk, case, width),
            *_reasons(desk, case),
            *reversal_offer(desk, case),
        ]
    return ft.Container(
        content=ft.Column(rows, spacing=8, tight=True),
        bgcolor=palette.surface,
        border=ft.Border.only(top=ft.BorderSide(1, palette.edge)),
        padding=ft.Padding.only(left=16, right=16, top=10, bottom=12),
    )


def _said(desk: ReviewDesk, sentence: str, key: str) -> ft.Control:
    pair = desk.palette.warn
    return live(
        ft.Container(
            content=ft.Row(
                [
                    ft.Icon(ft.Icons.WARNING_ROUNDED, size=22, color=pair.front),
                    words(sentence, strong=True, color=pair.front, expand=True),
                ],
                spacing=8,
            ),
            bgcolor=pair.back,
            border_radius=8,
            padding=ft.Padding.symmetric(horizontal=12, vertical=8),
            key=key,
        ),
        sentence,
    )


def _waiting(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """The decision was made here; the server has not answered yet."""
    palette, say = desk.palette, desk.say
    assert state.pending is not None, "something waits"
    is_away = state.pending.tries > 0
    sentence = say("review.pending.waits" if is_away else "review.pending.sending")
    parts: list[ft.Control] = [
        ft.ProgressRing(width=24, height=24, color=palette.accent),
        words(sentence, strong=True, color=palette.text, expand=True),
    ]
    return live(ft.Row(parts, spacing=12), sentence)


def _inputs(desk: ReviewDesk, case: CaseDetail, state: ReviewState, width: float) -> ft.Control:
    say = desk.say
    parts: list[ft.Control] = []
    above: list[ft.Control] = []
    if _is_on(case, Action.APPROVE):
        reason = desk.reason_of(case)
        if width >= SNUG:
            above.append(likely_row(desk, likely_reasons(case), reason, width))
        else:
            above.append(ft.Row([reason_button(desk, Asks.CASE, reason)]))
    if _is_on(case, Action.RECOUNT):
        parts.append(_recounter(desk, case, state))
    note = guarded_field(desk, say("review.note"), key="note", name="note", expand=3)
    rows: list[ft.Control] = [*above, ft.Row([*parts, note], spacing=8)]
    return ft.Column(rows, spacing=8, tight=True)


def _recounter(desk: ReviewDesk, case: CaseDetail, state: ReviewState) -> ft.Control:
    """Who counts again: only people who have not counted this line, or whoever of them comes by."""
    say = desk.say
    counted = {view.counted_by for view in case.round_views}
    people = [p for p in state.people if p.role is Role.COUNTER and p.user_id not in counted]
    return choice(
        say("review.recounter"),
        desk.draft.assign_to or ANYONE,
        [(ANYONE, say("review.recounter.anyone")), *((p.user_id, p.name) for p in people)],
        key="recounter",
        on_choose=lambda who: desk.change_draft(assign_to=who or None),
        palette=desk.palette,
        height=56,
        expand=4,
    )


def _buttons(desk: ReviewDesk, case: CaseDetail, width: float) -> ft.Control:
    """The proposed action at the right end, where the thumb is; the alternatives before it."""
    big = _proposed(case)
    beside: list[ft.Control] = []
    for action in BESIDE:
        offer = offer_of(case, action)
        if offer is not None and action is not big:
            beside.append(
                quiet_button(
                    desk.say(f"review.act.{action.value}"),
                    key=f"act-{action.value}",
                    on_press=lambda action=action: desk.act(action),  # type: ignore[misc]
                    palette=desk.palette,
                    disabled=not offer.enabled,
                    tooltip=offer.why_not or None,
                )
            )
    more = [offer for a in MORE if a is not big and (offer := offer_of(case, a)) is not None]
    if more:
        beside.append(_more(desk, more))
    if big is None:
        return ft.Row(beside, spacing=8)
    proposed = _big(desk, case, big, is_alone=width < ROOMY)
    if width >= ROOMY:
        side = ft.Row(beside, spacing=8, expand=True)
        return ft.Row([side, proposed], spacing=8)
    at_once = len(beside) if width >= SNUG else 2
    rows: list[ft.Control] = [
        ft.Row(beside[at : at + at_once], spacing=8) for at in range(0, len(beside), at_once)
    ]
    return ft.Column([ft.Row([proposed]), *rows], spacing=8, tight=True)


def _big(desk: ReviewDesk, case: CaseDetail, action: Action, *, is_alone: bool) -> ft.Control:
    text = action_words(case, action, desk.say)
    icons = {Action.APPROVE: ft.Icons.CHECK, Action.RECOUNT: ft.Icons.REPLAY}
    return button(
        text,
        key=f"act-{action.value}",
        on_press=lambda: desk.act(action),
        palette=desk.palette,
        icon=icons.get(action, ft.Icons.ARROW_FORWARD),
        height=56,
        expand=is_alone,
        width=None if is_alone else 280,
    )


def _more(desk: ReviewDesk, offers: list[ActionOffer]) -> ft.Control:
    """The rarer decisions; one that is not possible says why, in the list."""
    palette, say = desk.palette, desk.say
    items = []
    for offer in offers:
        text = say(f"review.act.{offer.action.value}")
        lines: list[ft.Control] = [
            words(text, strong=True, color=palette.text if offer.enabled else palette.muted)
        ]
        if not offer.enabled:
            lines.append(words(offer.why_not, size=14, color=palette.muted))
        items.append(
            ft.PopupMenuItem(
                content=ft.Column(lines, spacing=0, tight=True),
                height=TARGET,
                disabled=not offer.enabled,
                key=f"act-{offer.action.value}",
                on_click=pressed(lambda action=offer.action: desk.act(action)),  # type: ignore[misc]
            )
        )
    face = ft.Container(
        content=ft.Row(
            [
                words(say("review.act.more"), strong=True, color=palette.text, lines=1),
                ft.Icon(ft.Icons.ARROW_DROP_DOWN, size=24, color=palette.text),
            ],
            spacing=2,
            tight=True,
        ),
        border=ft.Border.all(1, palette.edge),
        border_radius=12,
        padding=ft.Padding.only(left=12, right=6),
        height=TARGET,
    )
    return ft.PopupMenuButton(
        content=ft.Semantics(
            content=face, label=say("review.act.more"), button=True, exclude_semantics=True
        ),
        items=items,
        key="act-more",
        bgcolor=palette.surface,
        tooltip="",
        padding=0,
    )


def _reasons(desk: ReviewDesk, case: CaseDetail) -> list[ft.Control]:
    """Why an action that everybody looks for is not possible."""
    palette, say = desk.palette, desk.say
    lines: list[ft.Control] = []
    for action in BESIDE:
        offer = offer_of(case, action)
        if offer is not None and not offer.enabled and offer.why_not:
            act = say(f"review.act.{action.value}")
            lines.append(
                ft.Row(
                    [
                        ft.Icon(ft.Icons.LOCK_OUTLINE, size=16, color=palette.muted),
                        words(
                            say("review.act.why_not", action=act, why=offer.why_not),
                            size=14,
                            color=palette.muted,
                            expand=True,
                            key=f"why-{action.value}",
                        ),
                    ],
                    spacing=6,
                )
            )
    return [ft.Column(lines, spacing=2, tight=True)] if lines else []


def _form(desk: ReviewDesk, case: CaseDetail, state: ReviewState, draft: Draft) -> list[ft.Control]:
    """The one thing more that a decision needs."""
    say, palette, form = desk.say, desk.palette, draft.form
    assert form is not None, "a form is open"
    asked: list[ft.Control] = []
    if form is Action.TRANSFER:
        asked.append(
            guarded_field(
                desk,
                say("review.form.bin"),
                key="other_bin",
                name="other_bin",
                expand=2,
                autofocus=True,
                on_submit=lambda: desk.act(form),
            )
        )
    elif form is Action.CLOSE:
        asked.append(guarded_field(desk, say("review.form.sku"), key="sku", name="sku", expand=2))
    elif form is Action.EXPLAIN and case.movements:
        asked.append(_movement(desk, case, draft))
    elif form is Action.REASSIGN:
        people = [(p.user_id, p.name) for p in state.people if p.role in OWNERS]
        asked.append(
            choice(
                say("review.form.person"),
                draft.assign_to or "",
                people,
                key="new-owner",
                on_choose=lambda who: desk.change_draft(assign_to=who),
                palette=palette,
                height=56,
                expand=2,
            )
        )
    asked.append(guarded_field(desk, say("review.note"), key="note", name="note", expand=3))
    return [
        words(say(f"review.form.{form.value}"), strong=True, color=palette.text),
        ft.Row(asked, spacing=8),
        ft.Row(
            [
                quiet_button(
                    say("review.form.cancel"),
                    key="form-cancel",
                    on_press=lambda: desk.change_draft(form=None),
                    palette=palette,
                ),
                button(
                    action_words(case, form, say),
                    key="form-do",
                    on_press=lambda: desk.act(form),
                    palette=palette,
                    height=56,
                    width=280,
                    expand=False,
                ),
            ],
            spacing=8,
            alignment=ft.MainAxisAlignment.END,
        ),
    ]


def _movement(desk: ReviewDesk, case: CaseDetail, draft: Draft) -> ft.Control:
    say, now = desk.say, desk.now()
    options = [
        (
            m.movement_id,
            say(
                "review.form.movement_of",
                kind=m.kind,
                delta=signed(m.delta),
                time=clock(m.occurred_at, now),
                document=m.document,
            ),
        )
        for m in case.movements
    ]
    proposal = best_proposal(case, Action.EXPLAIN)
    known = proposal.movement_id if proposal is not None else None
    return choice(
        say("review.form.movement"),
        draft.movement_id or known or "",
        options,
        key="movement",
        on_choose=lambda movement: desk.change_draft(movement_id=movement),
        palette=desk.palette,
        height=56,
        expand=3,
    )


def _is_on(case: CaseDetail, action: Action) -> bool:
    offer = offer_of(case, action)
    return offer is not None and offer.enabled


def _proposed(case: CaseDetail) -> Action | None:
    """The server's next action if it is possible, else the first that is; none for an ended case."""
    if case.ended_at is not None:
        return None
    if case.next_action is not None and _is_on(case, case.next_action):
        return case.next_action
    order = (Action.RECOUNT, Action.APPROVE, Action.CLOSE, Action.ESCALATE)
    return next((action for action in order if _is_on(case, action)), None)
