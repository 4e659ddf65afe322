"""Before a count is sent: what was counted, and nothing about what should have been."""

from __future__ import annotations

import flet as ft

from app.contract.vocabulary import quantity_text
from app.counting.session import damaged_of, units_of
from app.counting.state import FloorState
from app.screens import theme
from app.screens.floor.count import LineRow, _row_key
from app.screens.floor.desk import FloorDesk
from app.screens.parts.band import message_band
from app.screens.parts.buttons import button
from app.screens.parts.component import keyed
from app.screens.parts.split import split
from app.screens.parts.text import code, words


@ft.component
def FinishScreen(desk: FloorDesk, state: FloorState) -> ft.Control:
    """Four figures, the lines, and one button."""
    say, palette = desk.say, desk.palette
    count = state.count
    assert count is not None, "only inside a bin"
    fold = count.fold
    figures = [
        ("finish.lines", str(len(fold.lines))),
        ("finish.units", quantity_text(units_of(fold))),
        ("finish.damaged", quantity_text(damaged_of(fold))),
        ("finish.unknown", str(len(fold.unknown))),
    ]
    parts: list[ft.Control] = []
    if state.band is not None:
        parts.append(message_band(state.band, say(state.band.key, **state.band.params), palette))
    parts.append(
        ft.Container(
            content=words(say("finish.title"), size=22, strong=True, color=palette.text),
            padding=ft.Padding.symmetric(horizontal=16),
        )
    )
    parts.append(
        ft.Container(
            content=ft.Row([_figure(desk, say(k), v) for k, v in figures], spacing=8),
            padding=ft.Padding.symmetric(horizontal=8),
        )
    )
    rows: list[ft.Control] = [keyed(_row_key(v), LineRow, desk, v) for v in state.lines[:60]]
    parts.append(
        ft.ListView(rows, spacing=8, padding=ft.Padding.symmetric(horizontal=8), expand=True)
    )
    return split(parts, [_foot(desk)], low=desk.model.is_low)


def _foot(desk: FloorDesk) -> ft.Control:
    say, palette, service = desk.say, desk.palette, desk.service
    send = button(
        say("finish.send"),
        key="send_count",
        on_press=service.send,
        palette=palette,
        icon=ft.Icons.DONE_ALL,
        size=20,
    )
    keep = button(
        say("finish.keep"),
        key="keep_counting",
        on_press=service.keep_counting,
        palette=palette,
        pair=palette.calm,
        height=theme.TARGET,
    )
    return ft.Container(
        content=ft.Column([ft.Row([send]), ft.Row([keep])], spacing=8, tight=True),
        padding=ft.Padding.only(left=8, right=8, bottom=12),
    )


def _figure(desk: FloorDesk, name: str, figure: str) -> ft.Control:
    palette = desk.palette
    size = 28 if len(figure) < 5 else 20
    return ft.Container(
        content=ft.Column(
            [
                code(figure, size=size, color=palette.text),
                words(name, size=14, color=palette.muted, lines=1),
            ],
            spacing=0,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        bgcolor=palette.surface,
        border_radius=theme.RADIUS,
        padding=ft.Padding.symmetric(vertical=8),
        alignment=ft.Alignment.CENTER,
        expand=True,
    )
