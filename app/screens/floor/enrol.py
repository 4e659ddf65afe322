"""Once in a device's life: which server it belongs to. And the short wait for the first load."""

from __future__ import annotations

import flet as ft

from app.screens import theme
from app.screens.floor.desk import FloorDesk
from app.screens.floor.notice import notice
from app.screens.parts.band import live
from app.screens.parts.buttons import button
from app.screens.parts.component import kept_texts, remembered
from app.screens.parts.fields import field
from app.screens.parts.text import words


@remembered
def EnrolScreen(
    desk: FloorDesk, problem: str, is_busy: bool, is_salvaged: bool = False
) -> ft.Control:
    """Scan the supervisor's code, or type address and code."""
    say, palette, defaults = desk.say, desk.palette, desk.rim.defaults
    kept = kept_texts(url=defaults.server_url, code=defaults.code, name=defaults.device_name)

    def submit() -> None:
        desk.enrol(kept["url"], kept["code"], kept["name"])

    parts: list[ft.Control] = [
        *([notice(desk, "salvage.words", key="salvaged")] if is_salvaged else []),
        words(say("enrol.title"), size=26, strong=True, color=palette.text),
        words(say("enrol.how"), size=18, color=palette.muted),
        field(say("enrol.server"), key="server_url", into=kept, name="url", palette=palette),
        field(
            say("enrol.code"),
            key="enrol_code",
            into=kept,
            name="code",
            palette=palette,
            on_submit=submit,
        ),
        field(say("enrol.name"), key="device_name", into=kept, name="name", palette=palette),
    ]
    if problem:
        shown = ft.Container(
            content=words(problem, size=18, strong=True, color=palette.reject.front),
            bgcolor=palette.reject.back,
            padding=16,
            border_radius=theme.RADIUS,
        )
        parts.append(live(shown, problem))
    parts.append(
        ft.Row(
            [
                button(
                    say("enrol.busy" if is_busy else "enrol.do"),
                    key="enrol",
                    on_press=submit,
                    palette=palette,
                    disabled=is_busy,
                )
            ]
        )
    )
    parts.append(
        ft.Row(
            [
                button(
                    say("enrol.review"),
                    key="open_review",
                    on_press=desk.open_review,
                    palette=palette,
                    pair=palette.calm,
                    height=theme.TARGET,
                    size=16,
                )
            ]
        )
    )
    return ft.ListView(parts, spacing=16, padding=16, expand=True)


@ft.component
def LoadingScreen(desk: FloorDesk) -> ft.Control:
    """The first download of bins, items and people."""
    sentence = desk.say("loading.words")
    return ft.Container(
        content=ft.Column(
            [
                ft.ProgressRing(color=desk.palette.accent, width=56, height=56),
                live(
                    words(sentence, size=20, color=desk.palette.text, align=ft.TextAlign.CENTER),
                    sentence,
                ),
            ],
            spacing=24,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        alignment=ft.Alignment.CENTER,
        padding=24,
        expand=True,
    )
