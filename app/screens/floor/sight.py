"""The camera as a floor page shows it, and what a person can do to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class CameraHands(Protocol):
    """What a person does to the camera."""

    async def toggle_camera(self) -> None:
        """Open the picture and look, or close both."""
        ...

    async def toggle_torch(self) -> None: ...

    async def toggle_zoom(self) -> None:
        """Twice as large, or as it was."""
        ...

    async def touch_picture(self, x: float, y: float) -> None:
        """Focus there (0 to 1 from the top left), and scan again what is in view."""
        ...

    async def choose_label(self, text: str) -> None:
        """One of several labels in view is meant."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraView:
    """The camera as a page shows it."""

    is_on: bool = False
    is_leaving: bool = False
    """Closed for the person; the control stays mounted, unseen, until its last answer has come."""
    key: str = ""
    """i18n key of what it is doing."""
    has_torch: bool = False
    is_near: bool = False
    """Zoomed in."""
    texts: tuple[str, ...] = ()
    """The labels to choose from, while it asks which one is meant."""
