"""The smaller tools of the floor: an icon with its word below it."""

from __future__ import annotations

import flet as ft

from app.screens import theme
from app.screens.floor.desk import FloorDesk
from app.screens.parts.component import pressed
from app.screens.parts.text import words


def tool(
    desk: FloorDesk,
    icon: ft.IconData,
    words_key: str,
    key: str,
    press: object,
    *,
    disabled: bool = False,
) -> ft.Control:
    """One tool; greyed when there is nothing to use it on."""
    assert callable(press)
    palette = desk.palette
    front = palette.muted if disabled else palette.calm.front
    return ft.FilledButton(
        content=ft.Column(
            [
                ft.Icon(icon, size=24, color=front),
                words(desk.say(words_key), size=14, color=front, lines=1),
            ],
            spacing=0,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        key=key,
        on_click=pressed(press),
        style=ft.ButtonStyle(
            bgcolor=palette.calm.back if not disabled else palette.surface,
            shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
            padding=4,
            elevation=0,
        ),
        height=theme.KEY_HEIGHT,
        expand=True,
        disabled=disabled,
    )
