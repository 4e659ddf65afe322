"""The answer to the last step, full width: colour, shape and words say the same thing."""

from __future__ import annotations

import flet as ft

from app.counting.state import Band, Tone
from app.screens import theme
from app.screens.parts.text import code, words
from app.screens.theme import Pair, Palette

ICONS: dict[Tone, ft.IconData] = {
    Tone.ACCEPT: ft.Icons.CHECK_CIRCLE,
    Tone.CASE: ft.Icons.CHECK_CIRCLE,
    Tone.DONE: ft.Icons.TASK_ALT,
    Tone.ATTENTION: ft.Icons.WARNING_ROUNDED,
    Tone.REJECT: ft.Icons.CANCEL,
    Tone.UNDO: ft.Icons.UNDO,
    Tone.QUIET: ft.Icons.INFO_OUTLINE,
}


def band_sentence(band: Band, say: object) -> str:
    """The whole sentence of a band, as it is read and spoken."""
    assert callable(say)
    return str(say(band.key, **band.params))


def message_band(
    band: Band,
    sentence: str,
    palette: Palette,
    *,
    actions: list[ft.Control] | None = None,
    height: float | None = None,
) -> ft.Control:
    """A band that says something: what happened, what it means, what to do."""
    pair = palette.tone(band.tone)
    texts: list[ft.Control] = [words(sentence, size=18, strong=True, color=pair.front)]
    if band.raw:
        texts.append(code(band.raw, size=18, color=pair.front, lines=2))
    spoken = f"{sentence} {band.raw}".strip()
    top = ft.Row(
        [
            ft.Icon(ICONS[band.tone], size=40, color=pair.front),
            ft.Column(texts, spacing=4, expand=True, tight=True),
        ],
        spacing=12,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )
    body: list[ft.Control] = [live(top, spoken)]
    if actions:
        body.append(ft.Row(actions, spacing=8))
    return frame(ft.Column(body, spacing=12, tight=True), pair, height=height)


def live(content: ft.Control, spoken: str) -> ft.Control:
    """A region that is read out when it changes."""
    return ft.Semantics(
        content=content,
        label=spoken,
        live_region=True,
        container=True,
        exclude_semantics=True,
    )


def frame(content: ft.Control, pair: Pair, *, height: float | None = None) -> ft.Control:
    """The band's coloured ground."""
    return ft.Container(
        content=content,
        bgcolor=pair.back,
        padding=ft.Padding.symmetric(horizontal=16, vertical=12),
        border_radius=theme.RADIUS,
        margin=ft.Margin.symmetric(horizontal=8),
        height=height,
        alignment=ft.Alignment.CENTER_LEFT,
    )
