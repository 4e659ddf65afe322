"""The top line of every floor screen: back, where we are, scanner ready, what is not sent yet."""

from __future__ import annotations

import flet as ft

from app.counting.state import FloorState, Reach, Stage, SyncView
from app.screens import theme
from app.screens.floor.desk import FloorDesk, Panel
from app.screens.parts.buttons import Press, icon_button
from app.screens.parts.text import code, words
from app.screens.theme import Pair

AMBER_AFTER_MS = 4 * 3600 * 1000
"""A count that has waited this long turns the pill amber; a shift has eight hours."""


@ft.component
def Header(desk: FloorDesk, state: FloorState, panel: Panel, is_ready: bool) -> ft.Control:
    """Back, title, scanner, pill."""
    palette = desk.palette
    parts: list[ft.Control] = []
    back = _back(desk, state, panel)
    parts.append(back if back is not None else ft.Container(width=8))
    parts.append(_title(desk, state, panel))
    if state.user is not None:
        parts.append(_scanner(desk, is_ready))
    if state.stage not in (Stage.ENROL, Stage.BLOCKED):
        parts.append(_pill(desk, state.sync))
    return ft.Container(
        content=ft.Row(parts, spacing=0, vertical_alignment=ft.CrossAxisAlignment.CENTER),
        height=theme.TARGET,
        bgcolor=palette.surface,
    )


def _back(desk: FloorDesk, state: FloorState, panel: Panel) -> ft.Control | None:
    service = desk.service
    press: Press | None = None
    if panel is not Panel.NONE:
        press = desk.back
    elif state.stage is Stage.SIGN_IN and state.chosen is not None:
        press = lambda: service.choose(None)  # noqa: E731
    elif state.stage is Stage.SCAN_BIN:
        press = service.to_tasks
    elif state.stage is Stage.COUNT:
        press = service.ask_leave
    elif state.stage is Stage.FINISH:
        press = service.keep_counting
    if press is None:
        return None
    return icon_button(
        ft.Icons.ARROW_BACK,
        desk.say("header.back"),
        key="back",
        on_press=press,
        palette=desk.palette,
    )


def _title(desk: FloorDesk, state: FloorState, panel: Panel) -> ft.Control:
    palette = desk.palette
    if panel is not Panel.NONE:
        text = desk.say(f"header.{panel.value}")
    elif state.stage in (Stage.COUNT, Stage.FINISH) and state.count is not None:
        shown = code(state.count.bin, size=theme.BIN, color=palette.text, expand=True, key="bin")
        return ft.Semantics(content=shown, header=True, expand=True)
    elif state.stage is Stage.SCAN_BIN:
        text = desk.say("header.scan_bin")
    elif state.user is not None:
        text = desk.say("header.tasks", name=state.user.name)
    else:
        text = state.site_name or desk.say("app.name")
    shown = words(text, size=20, strong=True, color=palette.text, lines=1, expand=True)
    return ft.Semantics(content=shown, header=True, expand=True)


def _scanner(desk: FloorDesk, is_ready: bool) -> ft.Control:
    palette = desk.palette
    name = desk.say("scanner.ready" if is_ready else "scanner.tap")
    front = "#4ADE80" if is_ready else theme.DARK.warn.back
    return icon_button(
        ft.Icons.BARCODE_READER if is_ready else ft.Icons.TOUCH_APP,
        name,
        key="scanner",
        on_press=desk.focus_scanner,
        palette=palette,
        pair=Pair(back=palette.surface, front=front),
    )


def _pill(desk: FloorDesk, sync: SyncView) -> ft.Control:
    """Offline is normal: quiet until something has waited long."""
    palette = desk.palette
    is_offline = sync.reach in (Reach.OFFLINE, Reach.REFUSED)
    waited = 0 if sync.oldest_ms is None else desk.now().timestamp() * 1000 - sync.oldest_ms
    pair = palette.warn if waited > AMBER_AFTER_MS or sync.held else palette.calm
    icon = ft.Icons.CLOUD_OFF if is_offline else ft.Icons.CLOUD_DONE
    if (sync.unsent or sync.unsent_bins) and not is_offline:
        icon = ft.Icons.CLOUD_UPLOAD
    parts: list[ft.Control] = [ft.Icon(icon, size=22, color=pair.front)]
    if sync.unsent_bins:
        parts.append(words(str(sync.unsent_bins), size=18, strong=True, color=pair.front))
    return ft.Container(
        content=ft.FilledButton(
            content=ft.Semantics(
                content=ft.Row(parts, spacing=4, tight=True),
                label=pill_words(desk, sync),
                exclude_semantics=True,
            ),
            key="pill",
            on_click=lambda: desk.show(Panel.PENDING),
            style=ft.ButtonStyle(
                bgcolor=pair.back,
                shape=ft.RoundedRectangleBorder(radius=24),
                padding=ft.Padding.symmetric(horizontal=12),
                elevation=0,
            ),
            height=48,
        ),
        margin=ft.Margin.only(right=8, left=4),
    )


def pill_words(desk: FloorDesk, sync: SyncView) -> str:
    """The pill in words: connection first, then what waits."""
    reach = desk.say(f"reach.{sync.reach.value}")
    waiting = desk.say("pill.bins", n=sync.unsent_bins) if sync.unsent_bins else ""
    return f"{reach} {waiting}".strip()
