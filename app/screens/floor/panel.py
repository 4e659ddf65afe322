"""The frame that all panels from below share."""

from __future__ import annotations

import flet as ft

from app.screens.floor.desk import FloorDesk
from app.screens.parts.buttons import icon_button
from app.screens.parts.text import words


def panel(desk: FloorDesk, title: str, body: list[ft.Control]) -> ft.Control:
    """A panel with its title and a way back."""
    palette = desk.palette
    head = ft.Row(
        [
            ft.Semantics(
                content=words(title, size=20, strong=True, color=palette.text, lines=2),
                header=True,
                expand=True,
            ),
            icon_button(
                ft.Icons.CLOSE,
                desk.say("sheet.close"),
                key="close_sheet",
                on_press=desk.service.close_sheet,
                palette=palette,
            ),
        ]
    )
    return ft.Container(
        content=ft.Column(
            [head, *body],
            spacing=8,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        bgcolor=palette.surface,
        padding=ft.Padding.only(left=12, right=8, top=8, bottom=16),
        border_radius=ft.BorderRadius.only(top_left=16, top_right=16),
    )
