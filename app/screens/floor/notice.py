"""A warning that stays until its cause is gone: something about the device, not about the last step."""

from __future__ import annotations

import flet as ft

from app.screens import theme
from app.screens.floor.desk import FloorDesk
from app.screens.parts.band import live
from app.screens.parts.text import words


def notice(desk: FloorDesk, words_key: str, *, key: str, **figures: int) -> ft.Control:
    """What happened, what it means, what to do, on the colour of warnings; read out when it comes."""
    pair = desk.palette.warn
    sentence = desk.say(words_key, **figures)
    row = ft.Row(
        [
            ft.Icon(ft.Icons.WARNING_ROUNDED, size=28, color=pair.front),
            words(sentence, size=16, strong=True, color=pair.front, expand=True),
        ],
        spacing=12,
    )
    return ft.Container(
        content=live(row, sentence),
        bgcolor=pair.back,
        padding=12,
        border_radius=theme.RADIUS,
        margin=ft.Margin.symmetric(horizontal=8),
        key=key,
    )
