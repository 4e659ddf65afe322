"""One question: go to this bin and scan its label."""

from __future__ import annotations

import flet as ft

from app.counting.state import Band, FloorState, TaskView
from app.screens import theme
from app.screens.floor.desk import FloorDesk
from app.screens.floor.tasks import zone_block
from app.screens.floor.tools import tool
from app.screens.parts.band import message_band
from app.screens.parts.buttons import button
from app.screens.parts.split import split
from app.screens.parts.text import code, words


@ft.component
def ScanBinScreen(desk: FloorDesk, state: FloorState) -> ft.Control:
    """The bin's code as large as fits, where it is, and what to do when it cannot be scanned."""
    task = state.task
    assert task is not None, "asked for by next_bin"
    parts: list[ft.Control] = []
    if state.band is not None:
        parts.append(_answer(desk, state.band))
    parts.append(_where(desk, task))
    return split(parts, [_ways_out(desk)], low=desk.model.is_low)


def _answer(desk: FloorDesk, band: Band) -> ft.Control:
    say, palette = desk.say, desk.palette
    actions: list[ft.Control] = []
    if band.offer is not None:
        actions.append(
            button(
                say("bin.count_instead", bin=band.offer.bin),
                key="count_instead",
                on_press=desk.service.count_instead,
                palette=palette,
                pair=palette.calm,
                height=theme.TARGET,
            )
        )
    return message_band(band, say(band.key, **band.params), palette, actions=actions)


def _where(desk: FloorDesk, task: TaskView) -> ft.Control:
    palette, say = desk.palette, desk.say
    place = [
        say(f"place.{name}", code=value)
        for name, value in (("aisle", task.aisle), ("bay", task.bay), ("level", task.level))
        if value
    ]
    size = 56 if len(task.bin) <= 9 else 40 if len(task.bin) <= 13 else 28
    shown = code(task.bin, size=size, color=palette.text, lines=2, key="wanted_bin")
    shown.text_align = ft.TextAlign.CENTER
    lines: list[ft.Control] = [
        words(say("bin.scan"), size=22, color=palette.muted, align=ft.TextAlign.CENTER),
        ft.Semantics(content=shown, header=True),
    ]
    if task.zone or place:
        lines.append(
            ft.Row(
                [
                    zone_block(task.zone),
                    words(" \u00b7 ".join(place), size=20, color=palette.text),
                ],
                spacing=12,
                alignment=ft.MainAxisAlignment.CENTER,
            )
        )
    if task.sku:
        text = say("bin.one_item", item=desk.service.title_of(task.sku))
        lines.append(words(text, size=18, color=palette.accent, align=ft.TextAlign.CENTER))
    return ft.Container(
        content=ft.Column(
            lines,
            spacing=16,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        alignment=ft.Alignment.CENTER,
        padding=16,
        expand=True,
    )


def _ways_out(desk: FloorDesk) -> ft.Control:
    say, palette, service = desk.say, desk.palette, desk.service
    tools = [tool(desk, ft.Icons.KEYBOARD, "tool.type", "type_code", service.type_code)]
    if desk.hands is not None:
        tools.append(tool(desk, ft.Icons.PHOTO_CAMERA, "tool.camera", "camera", desk.press_camera))
    ways = ft.Row(
        [
            button(
                say("bin.label_missing"),
                key="label_missing",
                on_press=service.open_without_label,
                palette=palette,
                pair=palette.calm,
            ),
            button(
                say("bin.cannot_reach"),
                key="cannot_reach",
                on_press=lambda: service.skip("cannot_reach"),
                palette=palette,
                pair=palette.calm,
            ),
        ],
        spacing=8,
    )
    return ft.Container(
        content=ft.Column([ft.Row(tools, spacing=8), ways], spacing=8, tight=True),
        padding=ft.Padding.only(left=8, right=8, bottom=12),
    )
