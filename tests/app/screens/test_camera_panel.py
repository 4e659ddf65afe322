"""The camera's picture: what a person can do to it, and being asked which of several labels is meant."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import flet as ft

from app.i18n.words import load_words
from app.screens.floor.camera import LABELS_SHOWN
from app.screens.floor.desk import FloorDesk
from app.screens.floor.root import FloorRoot
from app.screens.floor.sight import CameraView
from tests.app.screens.test_app_page import Link
from tests.support.headless import Headless
from tests.support.site import Floor


class Hands:
    """Notes what is done to the camera."""

    def __init__(self) -> None:
        self.done: list[object] = []

    async def toggle_camera(self) -> None:
        self.done.append("camera")

    async def toggle_torch(self) -> None:
        self.done.append("torch")

    async def toggle_zoom(self) -> None:
        self.done.append("zoom")

    async def touch_picture(self, x: float, y: float) -> None:
        self.done.append((x, y))

    async def choose_label(self, text: str) -> None:
        self.done.append(text)


def on_camera(
    tmp_path: Path, view: CameraView, act: Callable[[Headless], Awaitable[None]]
) -> list[object]:
    """The picture is open in a bin; what was done to the camera."""

    async def run() -> list[object]:
        floor, page, hands = Floor(tmp_path), Headless(), Hands()
        floor.open_bin()
        desk = FloorDesk(
            service=floor.service,
            say=load_words(),
            rim=Link(),
            camera=ft.Container(key="eye"),
            hands=hands,
        )
        await page.draw(FloorRoot, desk, desk.model)
        desk.model.camera = view
        await page.settle()
        await act(page)
        await page.settle()
        return hands.done

    return asyncio.run(run())


def test_the_label_that_is_meant_is_tapped(tmp_path: Path):
    view = CameraView(is_on=True, key="camera.which_one", texts=("A-12-03", "4006381333931"))

    async def act(page: Headless) -> None:
        assert "Several labels. Tap one, or move closer." in page.spoken()
        await page.press("label-1")

    assert on_camera(tmp_path, view, act) == ["4006381333931"]


def test_one_clear_label_asks_nothing_and_a_crowd_asks_about_the_first(tmp_path: Path):
    async def none(page: Headless) -> None:
        assert not page.has("label-0")

    async def some(page: Headless) -> None:
        assert page.has(f"label-{LABELS_SHOWN - 1}")
        assert not page.has(f"label-{LABELS_SHOWN}")

    on_camera(tmp_path / "one", CameraView(is_on=True), none)
    on_camera(tmp_path / "many", CameraView(is_on=True, texts=tuple("ABCDEF")), some)


def test_light_zoom_and_close_are_on_the_picture(tmp_path: Path):
    async def act(page: Headless) -> None:
        for key in ("torch", "zoom", "camera_close"):
            await page.press(key)

    assert on_camera(tmp_path, CameraView(is_on=True), act) == ["torch", "zoom", "camera"]


def test_a_tap_on_the_picture_says_where(tmp_path: Path):
    async def act(page: Headless) -> None:
        touch = page.find("touch")
        at = {"l": {"x": 120.0, "y": 50.0}}
        await page.session.dispatch_event(touch._i, "tap_down", at)

    ((x, y),) = on_camera(tmp_path, CameraView(is_on=True), act)  # type: ignore[misc]

    assert (0 < x < 1, y) == (True, 0.25)
