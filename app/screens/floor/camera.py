"""The camera's picture with what it is doing, in words. The picture itself is one lasting control."""

from __future__ import annotations

import flet as ft

from app.screens import theme
from app.screens.floor.desk import FloorDesk
from app.screens.floor.sight import CameraView
from app.screens.parts.band import live
from app.screens.parts.buttons import chip, icon_button
from app.screens.parts.component import remembered
from app.screens.parts.text import words
from app.screens.theme import Pair

PICTURE_HEIGHT = 200
LABELS_SHOWN = 2
"""Labels to choose from at once; with more in view, move closer."""


@remembered
def Picture(desk: FloorDesk) -> ft.Control:
    """The one camera control, in a component of its own.

    Flet forgets the parent of a control that is handed over unchanged to a parent drawn anew; only a
    remembered component's own body has it set again.
    """
    assert desk.camera is not None, "only where there is a camera"
    return desk.camera


@ft.component
def CameraPanel(desk: FloorDesk, view: CameraView) -> ft.Control:
    """Picture, a frame to aim with, the light. While it leaves: the picture alone, one pixel high."""
    assert desk.camera is not None, "only where there is a camera"
    picture = ft.Container(content=Picture(desk), left=0, right=0, top=0, bottom=0, key="picture")
    return ft.Container(
        content=ft.Stack([picture] if view.is_leaving else [picture, *_tools(desk, view)]),
        height=1 if view.is_leaving else PICTURE_HEIGHT,
        bgcolor="#000000",
        key="camera_panel",
    )


def _tools(desk: FloorDesk, view: CameraView) -> list[ft.Control]:
    """What lies over the picture."""
    palette, say = desk.palette, desk.say
    sentence = say(view.key) if view.key else ""
    white = Pair(back="#99000000", front="#FFFFFF")
    aim = ft.Container(
        border=ft.Border.all(3, palette.accent),
        border_radius=theme.RADIUS,
        left=40,
        right=40,
        top=48,
        bottom=48,
    )
    told = ft.Container(
        content=live(words(sentence, size=16, strong=True, color=white.front), sentence),
        bgcolor=white.back,
        padding=ft.Padding.symmetric(horizontal=12, vertical=6),
        left=0,
        right=0,
        bottom=0,
    )
    close = ft.Container(
        content=icon_button(
            ft.Icons.CLOSE,
            say("camera.close"),
            key="camera_close",
            on_press=desk.press_camera,
            palette=palette,
            pair=white,
        ),
        right=4,
        top=4,
    )
    torch = ft.Container(
        content=icon_button(
            ft.Icons.FLASHLIGHT_ON if view.has_torch else ft.Icons.FLASHLIGHT_OFF,
            say("camera.torch"),
            key="torch",
            on_press=desk.press_torch,
            palette=palette,
            pair=white,
        ),
        left=4,
        top=4,
    )
    zoom = ft.Container(
        content=icon_button(
            ft.Icons.ZOOM_OUT if view.is_near else ft.Icons.ZOOM_IN,
            say("camera.zoom"),
            key="zoom",
            on_press=desk.press_zoom,
            palette=palette,
            pair=white,
        ),
        left=4,
        top=8 + theme.TARGET,
    )
    touch = ft.GestureDetector(
        content=ft.Container(),
        on_tap_down=lambda event: _touched(desk, event),
        left=0,
        right=0,
        top=0,
        bottom=0,
        key="touch",
    )
    return [aim, touch, told, *_labels(desk, view), torch, zoom, close]


def _touched(desk: FloorDesk, event: ft.TapEvent[ft.GestureDetector]) -> None:
    """The panel is as wide as the screen, and no wider than the floor's pages."""
    page, at = event.page, event.local_position
    wide = page.width if isinstance(page, ft.Page) and page.width else theme.FLOOR_WIDTH
    if at is not None:
        desk.touch_picture(at.x / min(wide, theme.FLOOR_WIDTH), at.y / PICTURE_HEIGHT)


def _labels(desk: FloorDesk, view: CameraView) -> list[ft.Control]:
    """The labels in view, to tap the one that is meant."""
    if not view.texts:
        return []
    chips: list[ft.Control] = [
        chip(
            text,
            key=f"label-{number}",
            on_press=lambda text=text: desk.choose_label(text),  # type: ignore[misc]
            palette=desk.palette,
            expand=True,
        )
        for number, text in enumerate(view.texts[:LABELS_SHOWN])
    ]
    return [ft.Container(ft.Row(chips, spacing=8), left=72, right=8, bottom=44)]
