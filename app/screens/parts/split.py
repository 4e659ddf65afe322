"""Two halves of a screen: one above the other, or side by side on a screen that is low and wide."""

from __future__ import annotations

import flet as ft

LOW_HEIGHT = 600
"""Below this, dp, the PIN pad and the keypad do not fit under their headings (they need 550)."""
LOW_WIDTH = 520
"""Two halves need this much, dp: three keys of 80 in each."""


def is_low(width: float, height: float) -> bool:
    """Whether the screen is a phone on its side, or a low one on a truck. Zero is not known yet."""
    return 0 < height < LOW_HEIGHT and width >= LOW_WIDTH


def split(upper: list[ft.Control], lower: list[ft.Control], *, low: bool) -> ft.Control:
    """`upper` above `lower`; beside it where the screen is low, each half as high as the screen."""
    if not low:
        return ft.Column([*upper, *lower], spacing=8, expand=True)
    below = ft.Column(lower, spacing=8, expand=True, alignment=ft.MainAxisAlignment.END)
    return ft.Row(
        [ft.Column(upper, spacing=8, expand=True), below],
        spacing=0,
        expand=True,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
    )
