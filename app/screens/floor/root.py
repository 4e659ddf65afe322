"""The floor's root: header, camera when it is on, the one question being asked, a sheet above it."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from app.counting.state import Stage, SyncView
from app.screens import theme
from app.screens.floor.camera import CameraPanel
from app.screens.floor.count import CountScreen
from app.screens.floor.desk import FloorDesk, FloorModel, Panel
from app.screens.floor.enrol import EnrolScreen, LoadingScreen
from app.screens.floor.finish import FinishScreen
from app.screens.floor.header import Header
from app.screens.floor.notice import notice
from app.screens.floor.scan_bin import ScanBinScreen
from app.screens.floor.scanner import ScannerScreen
from app.screens.floor.sheets import SheetView
from app.screens.floor.side import (
    BlockedScreen,
    PendingScreen,
    SettingsScreen,
)
from app.screens.floor.sign_in import SignInScreen
from app.screens.floor.tasks import TasksScreen
from app.screens.parts.component import keyed

HOME = (Stage.TASKS, Stage.SCAN_BIN)
"""Between two counts: what can wait is said here, never over a count."""
MINUTE_MS = 60_000
CLOCK_OFF_MS = 2 * MINUTE_MS
"""From here on the clock is wrong by minutes, and people who read times off the device notice."""


@ft.component
def FloorRoot(desk: FloorDesk, model: FloorModel) -> ft.Control:
    """Draws the model; drawn again whenever it changes."""
    state, palette = model.state, desk.palette
    parts: list[ft.Control] = [Header(desk, state, model.panel, model.is_ready)]
    if state.sync.is_room_low and state.stage is not Stage.BLOCKED:
        parts.append(notice(desk, "room.low", key="room_low"))
    elif state.stage in HOME and model.panel is Panel.NONE:
        parts.extend(_mild_notice(desk, state.sync))
    if (model.camera.is_on or model.camera.is_leaving) and desk.camera is not None:
        parts.append(CameraPanel(desk, model.camera))
    parts.append(ft.Container(content=_body(desk, model), expand=True, key="body"))
    layers: list[ft.Control] = [ft.Column(parts, spacing=8, expand=True)]
    if state.sheet is not None and model.panel is Panel.NONE:
        layers.append(
            _sheet(keyed(type(state.sheet).__name__, SheetView, desk, state.sheet), model)
        )
    return ft.SafeArea(
        content=ft.Container(
            content=ft.Container(
                content=ft.Stack(layers, expand=True),
                width=theme.LOW_WIDTH if model.is_low else theme.FLOOR_WIDTH,
                bgcolor=palette.page,
            ),
            alignment=ft.Alignment.TOP_CENTER,
            bgcolor=palette.page,
            expand=True,
        ),
        expand=True,
    )


def _mild_notice(desk: FloorDesk, sync: SyncView) -> list[ft.Control]:
    """What somebody should see to when there is time: nothing stops for it. One at a time, so that a
    small screen keeps its room for the work."""
    off_ms = 0 if sync.clock_off_ms is None else sync.clock_off_ms
    if abs(off_ms) >= CLOCK_OFF_MS:
        count, unit = _spoken(abs(off_ms) // MINUTE_MS)
        side = "ahead" if off_ms > 0 else "behind"
        return [notice(desk, f"clock.{side}.{unit}", key="clock_off", n=count)]
    if sync.is_app_old:
        return [notice(desk, "app.old", key="app_old")]
    return []


def _spoken(minutes: int) -> tuple[int, str]:
    """Two hours or two days are said as such; nobody reads 525,600 minutes."""
    if minutes >= 2 * 24 * 60:
        return minutes // (24 * 60), "days"
    return (minutes // 60, "hours") if minutes >= 2 * 60 else (minutes, "minutes")


def _sheet(sheet: ft.Control, model: FloorModel) -> ft.Control:
    """From below, as high as it needs; on a low screen it scrolls, so that nothing is out of reach."""
    if model.is_low:
        whole = ft.ListView([sheet], reverse=True)
        return ft.Container(content=whole, left=0, right=0, top=0, bottom=0)
    return ft.Container(content=sheet, left=0, right=0, bottom=0)


def _body(desk: FloorDesk, model: FloorModel) -> ft.Control:
    state = model.state
    if state.stage is Stage.BLOCKED:
        return BlockedScreen(desk, state, model.saved)
    drawn: dict[str, Callable[[], ft.Control]] = {
        Panel.PENDING: lambda: PendingScreen(desk, state, model.saved),
        Panel.SETTINGS: lambda: SettingsScreen(desk, state, model.volume),
        Panel.SCANNER_TEST: lambda: ScannerScreen(
            desk, model.last_scan, model.is_ready, model.problem
        ),
        Stage.ENROL: lambda: EnrolScreen(desk, model.problem, model.is_busy, state.salvaged),
        Stage.LOADING: lambda: LoadingScreen(desk),
        Stage.SIGN_IN: lambda: SignInScreen(desk, state, model.is_busy),
        Stage.TASKS: lambda: TasksScreen(desk, state),
        Stage.SCAN_BIN: lambda: ScanBinScreen(desk, state),
        Stage.COUNT: lambda: CountScreen(desk, state),
        Stage.FINISH: lambda: FinishScreen(desk, state),
    }
    return drawn[model.panel or state.stage]()
