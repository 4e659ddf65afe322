"""Small pieces of the review pages: cards, chips, a choice from a list, a field that guards the keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flet as ft

from app.review.state import Reach, ReviewState
from app.screens import theme
from app.screens.parts.component import pressed
from app.screens.parts.text import words
from app.screens.review.desk import ReviewDesk
from app.screens.review.look import TARGET
from app.screens.theme import Pair, Palette


def card(
    content: ft.Control, palette: Palette, *, key: str | None = None, **more: Any
) -> ft.Control:
    """A white ground with an edge."""
    # A group of its own: else a screen reader runs the texts of neighbouring cards together.
    return ft.Container(
        content=ft.Semantics(content=content, container=True),
        bgcolor=palette.surface,
        border=ft.Border.all(1, palette.edge),
        border_radius=theme.RADIUS,
        padding=12,
        key=key,
        **more,
    )


def heading(text: str, palette: Palette, *, size: float = 16) -> ft.Control:
    """The title of a part, found by those who walk by headings."""
    return ft.Semantics(
        content=words(text, size=size, strong=True, color=palette.text),
        header=True,
        container=True,
    )


def tag(
    text: str, pair: Pair, icon: ft.IconData | None = None, *, spoken: str | None = None
) -> ft.Control:
    """A word on a coloured ground; it cannot be pressed. `spoken` says it in full."""
    shown = words(text, size=14, strong=True, color=pair.front, lines=1)
    shown.semantics_label = spoken
    parts: list[ft.Control] = [shown]
    if icon is not None:
        parts.insert(0, ft.Icon(icon, size=18, color=pair.front))
    return ft.Container(
        content=ft.Row(parts, spacing=4, tight=True),
        bgcolor=pair.back,
        border_radius=8,
        padding=ft.Padding.symmetric(horizontal=8, vertical=3),
    )


def waiting(desk: ReviewDesk, state: ReviewState, fetching: str) -> ft.Control:
    """Nothing came yet: it is being fetched (`fetching` says what), or the server does not answer."""
    palette = desk.palette
    is_away = state.reach is Reach.OFFLINE
    sentence = desk.say("review.waiting") if is_away else fetching
    sign: ft.Control = ft.ProgressRing(width=32, height=32, color=palette.accent)
    if is_away:
        sign = ft.Icon(ft.Icons.CLOUD_OFF, size=48, color=palette.muted)
    return ft.Container(
        content=ft.Column(
            [sign, words(sentence, color=palette.muted, align=ft.TextAlign.CENTER)],
            spacing=16,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        alignment=ft.Alignment.CENTER,
        padding=24,
        expand=True,
        key="waiting",
    )


def fact(name: str, value: str, palette: Palette, *, strong: bool = False) -> ft.Control:
    """A named figure."""
    return ft.Column(
        [
            words(name, size=14, color=palette.muted),
            words(value, size=20 if strong else 16, strong=True, color=palette.text),
        ],
        spacing=0,
        tight=True,
    )


def choice(
    label: str,
    value: str,
    options: Sequence[tuple[str, str]],
    *,
    key: str,
    on_choose: Callable[[str], Any],
    palette: Palette,
    height: int = TARGET,
    expand: bool | int = False,
    marked: bool = False,
    disabled: bool = False,
) -> ft.Control:
    """One of a list: a button that says what is chosen and opens the list. Options: (value, words)."""
    shown = next((text for option, text in options if option == value), "")
    spoken = f"{label}: {shown}" if shown else label
    face = choice_face(label, shown, palette, height=height, expand=bool(expand), marked=marked)
    return ft.PopupMenuButton(
        content=ft.Semantics(content=face, label=spoken, button=True, exclude_semantics=True),
        items=[
            ft.PopupMenuItem(
                content=words(text, size=16, color=palette.text),
                checked=option == value,
                height=TARGET,
                on_click=pressed(lambda option=option: on_choose(option)),  # type: ignore[misc]
                key=f"{key}-{option or 'any'}",
            )
            for option, text in options
        ],
        key=key,
        bgcolor=palette.surface,
        tooltip="",
        menu_position=ft.PopupMenuPosition.UNDER,
        padding=0,
        expand=expand,
        disabled=disabled,
    )


def choice_face(
    label: str,
    shown: str,
    palette: Palette,
    *,
    height: int = TARGET,
    expand: bool = False,
    marked: bool = False,
) -> ft.Control:
    """What a choice looks like while it is closed: its label, and what is chosen ("" for nothing)."""
    pair = palette.primary if marked else Pair(back=palette.surface, front=palette.text)
    texts: list[ft.Control] = [
        words(shown or label, size=16, strong=True, color=pair.front, lines=1),
    ]
    if shown and not marked:
        texts.insert(0, words(label, size=14, color=palette.muted, lines=1))
    return ft.Container(
        content=ft.Row(
            [
                ft.Column(
                    texts,
                    spacing=0,
                    tight=True,
                    expand=expand,
                    alignment=ft.MainAxisAlignment.CENTER,
                ),
                ft.Icon(ft.Icons.ARROW_DROP_DOWN, size=24, color=pair.front),
            ],
            spacing=4,
            tight=not expand,
        ),
        bgcolor=pair.back,
        border=ft.Border.all(1, palette.edge),
        border_radius=theme.RADIUS,
        padding=ft.Padding.only(left=12, right=6),
        height=height,
        alignment=ft.Alignment.CENTER_LEFT,
    )


def quiet_button(
    text: str,
    *,
    key: str,
    on_press: Callable[[], Any],
    palette: Palette,
    disabled: bool = False,
    icon: ft.IconData | None = None,
    tooltip: str | None = None,
    expand: bool | int = False,
) -> ft.Control:
    """An alternative: outlined, 48 high."""
    front = palette.muted if disabled else palette.text
    parts: list[ft.Control] = [words(text, size=16, strong=True, color=front, lines=1)]
    if icon is not None:
        parts.insert(0, ft.Icon(icon, size=20, color=front))
    return ft.OutlinedButton(
        content=ft.Row(parts, spacing=6, tight=True, alignment=ft.MainAxisAlignment.CENTER),
        key=key,
        on_click=pressed(on_press),
        height=TARGET,
        disabled=disabled,
        tooltip=tooltip,
        expand=expand,
        style=ft.ButtonStyle(
            bgcolor=palette.raised if disabled else palette.surface,
            side=ft.BorderSide(1, palette.edge),
            shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
            padding=ft.Padding.symmetric(horizontal=12),
        ),
    )


def flat_icon(
    icon: ft.IconData, name: str, *, key: str, on_press: Callable[[], Any], palette: Palette
) -> ft.Control:
    """An icon without a ground, 48 square; its name is spoken."""
    return ft.TextButton(
        content=ft.Icon(icon, size=28, color=palette.text, semantics_label=name),
        key=key,
        on_click=pressed(on_press),
        width=TARGET,
        height=TARGET,
        style=ft.ButtonStyle(
            shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
            padding=0,
        ),
    )


def guarded_field(
    desk: ReviewDesk,
    label: str,
    *,
    key: str,
    name: str,
    expand: bool | int = False,
    into: dict[str, str] | None = None,
    on_submit: Callable[[], Any] | None = None,
    is_secret: bool = False,
    autofocus: bool = False,
    height: int | None = None,
) -> ft.Control:
    """A field during whose typing J, K, A and R are only letters."""
    kept = desk.typed if into is None else into
    palette = desk.palette

    def changed(event: ft.Event[ft.TextField]) -> None:
        kept[name] = event.control.value or ""

    def submitted(event: ft.Event[ft.TextField]) -> None:
        kept[name] = event.control.value or ""
        if on_submit is not None:
            on_submit()

    def focused(is_typing: bool) -> Callable[[], None]:
        def set_typing() -> None:
            desk.is_typing = is_typing

        return set_typing

    return ft.TextField(
        label=label,
        key=key,
        value=kept.get(name, ""),
        on_change=changed,
        on_submit=submitted,
        on_focus=focused(True),
        on_blur=focused(False),
        autofocus=autofocus,
        autocorrect=False,
        password=is_secret,
        text_size=16,
        height=height,
        content_padding=ft.Padding.symmetric(horizontal=14, vertical=18),
        color=palette.text,
        label_style=ft.TextStyle(color=palette.muted, size=16),
        cursor_color=palette.accent,
        bgcolor=palette.surface,
        expand=expand,
        border=ft.OutlineInputBorder(
            border_radius=theme.RADIUS, side=ft.BorderSide(1, palette.edge)
        ),
    )
