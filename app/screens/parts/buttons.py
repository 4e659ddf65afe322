"""Things to press. Each has a key for tests and a name for those who hear the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from app.screens import theme
from app.screens.parts.component import pressed
from app.screens.parts.text import words
from app.screens.theme import Pair, Palette

Press = Callable[[], Any]


def _style(
    pair: Pair, palette: Palette, *, radius: int = theme.RADIUS, is_narrow: bool = False
) -> ft.ButtonStyle:
    return ft.ButtonStyle(
        bgcolor={
            ft.ControlState.DISABLED: palette.raised,
            ft.ControlState.DEFAULT: pair.back,
        },
        color={
            ft.ControlState.DISABLED: palette.muted,
            ft.ControlState.DEFAULT: pair.front,
        },
        shape=ft.RoundedRectangleBorder(radius=radius),
        padding=ft.Padding.symmetric(
            horizontal=6 if is_narrow else 12, vertical=0 if is_narrow else 4
        ),
        elevation=0,
        animation_duration=0,
    )


def button(
    text: str,
    *,
    key: str,
    on_press: Press,
    palette: Palette,
    pair: Pair | None = None,
    icon: ft.IconData | None = None,
    height: int = theme.BUTTON,
    size: float = 18,
    expand: bool | int = True,
    width: float | None = None,
    disabled: bool = False,
    name: str | None = None,
) -> ft.Control:
    """A wide button with words, and an icon where it helps to find it.

    With a `name` only the icon or sign is shown, and the name is what is spoken.
    """
    pair = pair or palette.primary
    front = palette.muted if disabled else pair.front
    parts: list[ft.Control] = []
    if icon is not None:
        spoken = name if not text else None
        parts.append(ft.Icon(icon, size=26, color=front, semantics_label=spoken))
    if text:
        parts.append(_label(text, size, front, name, is_beside_icon=icon is not None))
    # Words alone are not in a row: there they would be cut off instead of going on in a second line.
    row = ft.Row(parts, alignment=ft.MainAxisAlignment.CENTER, spacing=8)
    return ft.FilledButton(
        content=row if icon is not None else parts[0],
        key=key,
        on_click=pressed(on_press),
        style=_style(pair, palette),
        height=height,
        width=width,
        expand=expand,
        disabled=disabled,
    )


def _label(
    text: str, size: float, color: str, name: str | None, *, is_beside_icon: bool
) -> ft.Control:
    made = words(text, size=size, strong=True, color=color, lines=2, align=ft.TextAlign.CENTER)
    made.semantics_label = name
    if not is_beside_icon:
        return made
    return ft.Container(made, expand=True, alignment=ft.Alignment.CENTER)


def icon_button(
    icon: ft.IconData,
    name: str,
    *,
    key: str,
    on_press: Press,
    palette: Palette,
    size: int = theme.TARGET,
    pair: Pair | None = None,
) -> ft.Control:
    """A square button that shows only an icon; its name is spoken and shown on hover."""
    pair = pair or Pair(back=palette.surface, front=palette.text)
    return ft.FilledButton(
        content=ft.Icon(icon, size=28, color=pair.front, semantics_label=name),
        key=key,
        on_click=pressed(on_press),
        style=ft.ButtonStyle(
            bgcolor=pair.back,
            color=pair.front,
            shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
            padding=0,
            elevation=0,
        ),
        width=size,
        height=size,
    )


def row_button(
    content: ft.Control,
    *,
    key: str,
    on_press: Press,
    palette: Palette,
    height: float | None = theme.ROW,
    pair: Pair | None = None,
    disabled: bool = False,
    radius: int = theme.RADIUS,
) -> ft.Control:
    """A list row that can be pressed; its texts together are its name.

    `height` None: as high as its texts, which a person may have set large.
    """
    pair = pair or Pair(back=palette.surface, front=palette.text)
    return ft.FilledButton(
        content=content,
        key=key,
        on_click=pressed(on_press),
        style=ft.ButtonStyle(
            bgcolor=pair.back,
            color=pair.front,
            shape=ft.RoundedRectangleBorder(radius=radius),
            padding=ft.Padding.symmetric(horizontal=12, vertical=6 if height else 14),
            elevation=0,
            alignment=ft.Alignment.CENTER_LEFT,
        ),
        height=height,
        disabled=disabled,
    )


def chip(
    text: str,
    *,
    key: str,
    on_press: Press,
    palette: Palette,
    selected: bool = False,
    icon: ft.IconData | None = None,
    expand: bool = False,
    disabled: bool = False,
    height: int = theme.TARGET,
    name: str | None = None,
) -> ft.Control:
    """A smaller choice; the chosen one is filled and carries a check mark. `name`: what is spoken."""
    pair = palette.primary if selected else palette.calm
    front = palette.muted if disabled else pair.front
    shown = ft.Icons.CHECK if selected else icon
    label = words(text, size=16, strong=True, color=front, lines=2, align=ft.TextAlign.CENTER)
    label.semantics_label = name
    # Large letters go on in a second line, inside the chip.
    parts: list[ft.Control] = [ft.Container(label, expand=True, expand_loose=True)]
    if shown is not None:
        parts.insert(0, ft.Icon(shown, size=20, color=front))
    return ft.FilledButton(
        content=ft.Row(parts, spacing=6, tight=True, alignment=ft.MainAxisAlignment.CENTER),
        key=key,
        on_click=pressed(on_press),
        style=_style(pair, palette, is_narrow=expand),
        height=height,
        expand=expand,
        disabled=disabled,
    )
