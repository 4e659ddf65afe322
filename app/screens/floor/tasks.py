"""The walk: what to count next, what waits to be sent, what is done."""

from __future__ import annotations

import flet as ft

from app.counting.state import FinishedView, FloorState, TaskView
from app.screens import theme
from app.screens.floor.desk import FloorDesk, Panel
from app.screens.parts.band import message_band
from app.screens.parts.buttons import button, chip, icon_button, row_button
from app.screens.parts.text import code, words
from app.screens.theme import Pair

ZONES = ("#2E6FD8", "#8A4FD0", "#C05A10", "#1F7F6B", "#A83263", "#5B6B1E")
"""Grounds of the zone letter. The letter tells the zone; the colour only helps to find it."""


@ft.component
def TasksScreen(desk: FloorDesk, state: FloorState) -> ft.Control:
    """One big line: the next bin. The list is below it for those who want to choose."""
    tab, set_tab = ft.use_state("todo")
    say, palette = desk.say, desk.palette
    unsent = [f for f in state.finished if f.unsent]
    done = [f for f in state.finished if not f.unsent]
    parts: list[ft.Control] = []
    if state.band is not None:
        parts.append(message_band(state.band, say(state.band.key, **state.band.params), palette))
    tabs = [("todo", len(state.tasks)), ("waiting", len(unsent)), ("done", len(done))]
    parts.append(
        ft.Container(
            content=ft.Row(
                [
                    chip(
                        say(f"tasks.{name}", n=number),
                        key=f"tab-{name}",
                        on_press=lambda name=name: set_tab(name),  # type: ignore[misc]
                        palette=palette,
                        selected=tab == name,
                        expand=True,
                    )
                    for name, number in tabs
                ],
                spacing=8,
            ),
            padding=ft.Padding.symmetric(horizontal=8),
        )
    )
    if tab == "todo":
        parts.append(_todo(desk, state))
    else:
        parts.append(_finished(desk, unsent if tab == "waiting" else done, tab))
    parts.append(_foot(desk, state))
    return ft.Column(parts, spacing=8, expand=True)


def _todo(desk: FloorDesk, state: FloorState) -> ft.Control:
    if not state.tasks:
        return _nothing(desk, "tasks.none")
    rows = [_task_row(desk, task) for task in state.tasks]
    return ft.ListView(rows, spacing=8, padding=ft.Padding.symmetric(horizontal=8), expand=True)


def _task_row(desk: FloorDesk, task: TaskView) -> ft.Control:
    palette, say = desk.palette, desk.say
    note = ""
    if task.is_open_by_me:
        note = say("tasks.open_by_me")
    elif task.open_by:
        note = say("tasks.open_by", name=task.open_by)
    elif task.sku:
        note = say("tasks.one_item", sku=task.sku)
    place = " \u00b7 ".join(
        say(f"place.{name}", code=value)
        for name, value in (("aisle", task.aisle), ("bay", task.bay), ("level", task.level))
        if value
    )
    lines: list[ft.Control] = [code(task.bin, size=24, color=palette.text)]
    if note or place:
        strong = palette.accent if note else palette.muted
        lines.append(words(note or place, size=14, color=strong, lines=1))
    is_taken = bool(task.open_by) and not task.is_open_by_me
    icon = ft.Icons.LOCK_CLOCK if is_taken else ft.Icons.CHEVRON_RIGHT
    return row_button(
        ft.Row(
            [
                zone_block(task.zone),
                ft.Column(lines, spacing=0, tight=True, expand=True),
                ft.Icon(icon, size=28, color=palette.muted),
            ],
            spacing=12,
        ),
        key=f"task-{task.bin}",
        on_press=lambda: desk.service.go_to(task.task_id),
        palette=palette,
        height=None,
    )


def zone_block(zone: str) -> ft.Control:
    """The zone as a coloured block with its letter."""
    ground = ZONES[sum(map(ord, zone)) % len(ZONES)] if zone else theme.DARK.edge
    block = ft.Container(
        content=ft.Text(zone[:2], size=20, weight=ft.FontWeight.W_700, color="#FFFFFF"),
        bgcolor=ground,
        width=44,
        height=44,
        border_radius=8,
        alignment=ft.Alignment.CENTER,
    )
    # Not spoken: the bin's code begins with it, and a row is found by its code.
    return ft.Semantics(content=block, exclude_semantics=True)


def _finished(desk: FloorDesk, views: list[FinishedView], tab: str) -> ft.Control:
    palette, say = desk.palette, desk.say
    if not views:
        return _nothing(desk, f"tasks.none_{tab}")
    rows: list[ft.Control] = []
    for view in views:
        what = say("finished.empty") if view.is_empty else say("finished.lines", n=view.lines)
        held = f" \u00b7 {say('finished.held')}" if view.held else ""
        icon = ft.Icons.CLOUD_UPLOAD if view.unsent else ft.Icons.CLOUD_DONE
        rows.append(
            ft.Container(
                content=ft.Row(
                    [
                        ft.Icon(icon, size=28, color=palette.accent),
                        ft.Column(
                            [
                                code(view.bin, size=20, color=palette.text),
                                words(
                                    f"{view.by} \u00b7 {what}{held}",
                                    size=14,
                                    color=palette.muted,
                                    lines=1,
                                ),
                            ],
                            spacing=0,
                            tight=True,
                            expand=True,
                        ),
                    ],
                    spacing=12,
                ),
                bgcolor=palette.surface,
                border_radius=theme.RADIUS,
                padding=ft.Padding.symmetric(horizontal=12, vertical=6),
                height=theme.ROW,
                key=f"finished-{view.bin}",
            )
        )
    return ft.ListView(rows, spacing=8, padding=ft.Padding.symmetric(horizontal=8), expand=True)


def _nothing(desk: FloorDesk, key: str) -> ft.Control:
    sentence = desk.say(key)
    return ft.Container(
        content=words(sentence, size=20, color=desk.palette.muted, align=ft.TextAlign.CENTER),
        alignment=ft.Alignment.CENTER,
        padding=24,
        expand=True,
    )


def _foot(desk: FloorDesk, state: FloorState) -> ft.Control:
    palette, say, service = desk.palette, desk.say, desk.service
    mine = next((t for t in state.tasks if t.is_open_by_me), None)
    if mine is not None:
        main = button(
            say("tasks.continue", bin=mine.bin),
            key="next_bin",
            on_press=service.resume_open,
            palette=palette,
            icon=ft.Icons.PLAY_ARROW,
        )
    else:
        main = button(
            say("tasks.next"),
            key="next_bin",
            on_press=service.next_bin,
            palette=palette,
            icon=ft.Icons.ARROW_FORWARD,
            disabled=not state.tasks,
        )
    settings = icon_button(
        ft.Icons.SETTINGS,
        say("header.settings"),
        key="settings",
        on_press=lambda: desk.show(Panel.SETTINGS),
        palette=palette,
        size=theme.BUTTON,
        pair=Pair(back=palette.calm.back, front=palette.calm.front),
    )
    return ft.Container(
        content=ft.Row([settings, main], spacing=8),
        padding=ft.Padding.only(left=8, right=8, bottom=12),
    )
