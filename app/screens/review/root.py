"""The review's root: rail, list and case side by side; in a narrow window the list, then the case."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from app.review.state import Page, Reach, ReviewState, ToastKind
from app.screens import theme
from app.screens.parts.band import live
from app.screens.parts.component import pressed
from app.screens.parts.text import words
from app.screens.review.accuracy import AccuracyPage
from app.screens.review.case import CasePanel
from app.screens.review.desk import Asks, ReviewDesk, ReviewModel
from app.screens.review.devices import DevicesPage
from app.screens.review.look import LARGE, LIST, LIST_NARROW, MEDIUM, RAIL, case_width, is_wide
from app.screens.review.phrases import outage_words, trouble_words
from app.screens.review.pieces import quiet_button
from app.screens.review.queue import QueueList
from app.screens.review.reason import reason_sheet
from app.screens.review.sign_in import ReviewSignIn
from app.screens.review.tasks import TasksPage

PLACES = (
    (Page.QUEUE, ft.Icons.RULE),
    (Page.TASKS, ft.Icons.CHECKLIST),
    (Page.ACCURACY, ft.Icons.INSIGHTS),
    (Page.DEVICES, ft.Icons.PHONELINK_SETUP),
)


@ft.component
def ReviewRoot(desk: ReviewDesk, model: ReviewModel) -> ft.Control:
    """Draws the model; drawn again whenever it changes."""
    state, palette = model.state, desk.palette
    if state.person is None:
        content: ft.Control = ReviewSignIn(desk, state)
    else:
        rail = _rail(desk, state, model.width)
        body = ft.Column([*_banner(desk, state), _body(desk, model)], spacing=0, expand=True)
        if model.width < MEDIUM:
            content = ft.Column([body, rail], spacing=0, expand=True)
        else:
            content = ft.Row([rail, body], spacing=0, expand=True)
    # A dialogue: who hears the screen hears it alone, and nothing under it can be pressed.
    ft.use_dialog(_reasons(desk, model))
    layers: list[ft.Control] = [content]
    if state.toast is not None:
        layers.append(_toast(desk, state, model.width))
    return ft.SafeArea(
        content=ft.Container(
            content=ft.Stack(layers, expand=True, fit=ft.StackFit.EXPAND),
            bgcolor=palette.page,
            expand=True,
        ),
        expand=True,
    )


def _body(desk: ReviewDesk, model: ReviewModel) -> ft.Control:
    state = model.state
    if state.page is Page.QUEUE:
        return _queue(desk, model)
    pages = {
        Page.TASKS: lambda: TasksPage(desk, state, model.width),
        Page.ACCURACY: lambda: AccuracyPage(desk, state),
        Page.DEVICES: lambda: DevicesPage(desk, state),
    }
    parts: list[ft.Control] = []
    if state.trouble is not None:
        parts.append(_strip(desk, trouble_words(state.trouble, desk.say), key="trouble"))
    parts.append(ft.Container(content=pages[state.page](), expand=True, key=state.page.value))
    return ft.Column(parts, spacing=0, expand=True)


def _reasons(desk: ReviewDesk, model: ReviewModel) -> ft.AlertDialog | None:
    """All reasons, while one is asked for and what it is for is still there."""
    state = model.state
    if state.person is None or state.page is not Page.QUEUE:
        return None
    is_there = {
        Asks.NOTHING: False,
        Asks.CASE: state.case is not None and state.pending is None,
        Asks.MANY: state.is_marking,
    }
    return reason_sheet(desk, model) if is_there[model.asks_reason] else None


def _queue(desk: ReviewDesk, model: ReviewModel) -> ft.Control:
    state, width = model.state, model.width

    def case() -> ft.Control:
        room = case_width(width)
        return CasePanel(desk, state, room, desk.draft, model.shown_scans)

    if not is_wide(width):
        shown = case() if model.is_detail_open and state.selected else QueueList(desk, state)
        return ft.Container(content=shown, expand=True)
    palette = desk.palette
    return ft.Row(
        [
            ft.Container(
                content=QueueList(desk, state),
                width=LIST if width >= LARGE else LIST_NARROW,
                border=ft.Border.only(right=ft.BorderSide(1, palette.edge)),
            ),
            ft.Container(content=case(), expand=True),
        ],
        spacing=0,
        expand=True,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _rail(desk: ReviewDesk, state: ReviewState, width: float) -> ft.Control:
    """The places, each with its word: an icon alone is a riddle."""
    palette, say = desk.palette, desk.say
    places = [_place(desk, page, icon, page is state.page) for page, icon in PLACES]
    places += _count(desk, state)
    leave = _rail_button(
        desk,
        ft.Icons.LOGOUT,
        say("review.rail.leave"),
        key="sign-out",
        press=lambda: desk.do(desk.service.sign_out()),
    )
    if width < MEDIUM:
        return ft.Container(
            content=ft.Row([ft.Container(each, expand=1) for each in (*places, leave)], spacing=0),
            bgcolor=palette.surface,
            border=ft.Border.only(top=ft.BorderSide(1, palette.edge)),
            height=72,
        )
    return ft.Container(
        content=ft.Column(
            [*places, ft.Container(expand=True), leave],
            spacing=8,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        width=RAIL,
        bgcolor=palette.surface,
        border=ft.Border.only(right=ft.BorderSide(1, palette.edge)),
        padding=ft.Padding.symmetric(vertical=12),
    )


def _count(desk: ReviewDesk, state: ReviewState) -> list[ft.Control]:
    """To the scanner, for those who may count on this device."""
    person = state.person
    if person is None or not desk.rim.may_count(person.user_id):
        return []
    user_id = person.user_id
    button = _rail_button(
        desk,
        ft.Icons.QR_CODE_SCANNER,
        desk.say("review.rail.count"),
        key="rail-count",
        press=lambda: desk.do(desk.go_counting(user_id)),
    )
    return [button]


def _place(desk: ReviewDesk, page: Page, icon: ft.IconData, is_here: bool) -> ft.Control:
    name = desk.say(f"review.rail.{page.value}")
    return _rail_button(
        desk,
        icon,
        name,
        key=f"rail-{page.value}",
        press=lambda: desk.go(page),
        is_here=is_here,
    )


def _rail_button(
    desk: ReviewDesk,
    icon: ft.IconData,
    name: str,
    *,
    key: str,
    press: Callable[[], None],
    is_here: bool = False,
) -> ft.Control:
    """A place or the way out."""
    palette = desk.palette
    pair = palette.primary if is_here else theme.Pair(back="transparent", front=palette.text)
    face = ft.Column(
        [
            ft.Icon(icon, size=24, color=pair.front),
            words(name, size=14, strong=is_here, color=pair.front, lines=1),
        ],
        spacing=2,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        alignment=ft.MainAxisAlignment.CENTER,
    )
    return ft.TextButton(
        content=face,
        key=key,
        on_click=pressed(press),
        style=ft.ButtonStyle(
            bgcolor=pair.back,
            shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
            padding=0,
        ),
        width=RAIL - 6 if desk.model.width >= MEDIUM else None,
        height=64,
    )


def _banner(desk: ReviewDesk, state: ReviewState) -> list[ft.Control]:
    """No connection: quiet, what it means, and a way to try at once."""
    if state.reach is not Reach.OFFLINE:
        return []
    return [_strip(desk, outage_words(state, desk.say), key="offline", retry=True)]


def _strip(desk: ReviewDesk, sentence: str, *, key: str, retry: bool = False) -> ft.Control:
    palette = desk.palette
    pair = palette.calm if retry else palette.warn

    def again() -> None:
        desk.service.try_again()
        if desk.model.state.pending is None:
            desk.do(desk.service.show(desk.model.state.page))

    parts: list[ft.Control] = [
        ft.Icon(
            ft.Icons.CLOUD_OFF if retry else ft.Icons.WARNING_ROUNDED, size=24, color=pair.front
        ),
        ft.Container(
            content=live(words(sentence, strong=True, color=pair.front), sentence), expand=True
        ),
    ]
    if retry:
        parts.append(
            quiet_button(desk.say("review.again"), key="try-again", on_press=again, palette=palette)
        )
    return ft.Container(
        content=ft.Row(parts, spacing=12),
        bgcolor=pair.back,
        padding=ft.Padding.symmetric(horizontal=16, vertical=6),
        key=key,
    )


def _toast(desk: ReviewDesk, state: ReviewState, width: float) -> ft.Control:
    """What just happened, over the list's end, read out once; never over the decision's buttons."""
    toast, palette = state.toast, desk.palette
    assert toast is not None, "there is something to say"
    pair = palette.ok if toast.kind is ToastKind.DONE else palette.info
    icon = ft.Icons.CHECK_CIRCLE if toast.kind is ToastKind.DONE else ft.Icons.INFO
    sentence = desk.say(toast.key, **toast.params)
    box = ft.Container(
        content=ft.Row(
            [
                ft.Icon(icon, size=24, color=pair.front),
                words(sentence, strong=True, color=pair.front, expand=True),
            ],
            spacing=12,
        ),
        bgcolor=pair.back,
        border_radius=theme.RADIUS,
        padding=ft.Padding.symmetric(horizontal=16, vertical=12),
        width=368,
        key="toast",
    )
    spoken = live(box, sentence)
    if is_wide(width) and not state.is_marking:
        return ft.Container(content=spoken, left=RAIL + 16, bottom=16)
    if is_wide(width):
        return ft.Container(content=spoken, right=16, top=8)
    return ft.Container(content=spoken, top=8, left=0, right=0, alignment=ft.Alignment.TOP_CENTER)
