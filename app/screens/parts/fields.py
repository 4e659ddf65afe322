"""Fields for typing. What is typed is kept by reference: drawing anew never races with the keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from app.screens import theme
from app.screens.theme import Palette


def field(
    label: str,
    *,
    key: str,
    into: dict[str, str],
    name: str,
    palette: Palette,
    on_submit: Callable[[], Any] | None = None,
    on_change: Callable[[str], Any] | None = None,
    autofocus: bool = False,
    lines: int = 1,
    is_number: bool = False,
    is_secret: bool = False,
    expand: bool = False,
) -> ft.Control:
    """A labelled field whose text is kept in `into[name]`. Nothing is capitalised or corrected."""

    def changed(event: ft.Event[ft.TextField]) -> None:
        into[name] = event.control.value or ""
        if on_change is not None:
            on_change(into[name])

    def submitted(event: ft.Event[ft.TextField]) -> None:
        into[name] = event.control.value or ""
        if on_submit is not None:
            on_submit()

    return ft.TextField(
        label=label,
        key=key,
        value=into.get(name, ""),
        on_change=changed,
        on_submit=submitted if on_submit is not None else None,
        autofocus=autofocus,
        autocorrect=False,
        enable_suggestions=False,
        smart_dashes_type=False,
        smart_quotes_type=False,
        keyboard_type=ft.KeyboardType.NUMBER if is_number else ft.KeyboardType.TEXT,
        password=is_secret,
        multiline=lines > 1,
        min_lines=lines,
        max_lines=lines,
        text_size=18,
        color=palette.text,
        label_style=ft.TextStyle(color=palette.muted, size=16),
        cursor_color=palette.accent,
        bgcolor=palette.surface,
        expand=expand,
        border=ft.OutlineInputBorder(
            border_radius=theme.RADIUS, side=ft.BorderSide(1, palette.edge)
        ),
    )
