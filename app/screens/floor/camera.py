"""The camera's picture with what it is doing, in words. The picture itself is one lasting control."""

from __future__ import annotations

import flet as ft

from app.screens import theme
from app.screens.floor.desk import CameraView, FloorDesk
from app.screens.parts.band import live
from app.screens.parts.buttons import icon_button
from app.screens.parts.component import remembered
from app.screens.parts.text import words
from app.screens.theme import Pair

PICTURE_HEIGHT = 200


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
    return [aim, told, torch, close]
