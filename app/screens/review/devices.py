"""The devices that count, and a one-time code for one more."""

from __future__ import annotations

from urllib.parse import urlsplit

import flet as ft

from app.review.answers import DeviceRow, EnrolCode
from app.review.qr import enrolment_picture
from app.review.state import ReviewState
from app.screens import theme
from app.screens.parts.buttons import button
from app.screens.parts.text import code, words
from app.screens.review.desk import ReviewDesk
from app.screens.review.figures import clock, lasting
from app.screens.review.pieces import card, heading, tag, waiting

QR_SIZE = 220
HERE = frozenset({"127.0.0.1", "localhost", "::1"})
"""Addresses that mean "this computer" wherever they are read."""


@ft.component
def DevicesPage(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """The code first when there is one, then the devices."""
    palette, say = desk.palette, desk.say
    parts: list[ft.Control] = [
        ft.Row(
            [
                ft.Container(
                    content=heading(say("review.devices.title"), palette, size=22), expand=True
                ),
                button(
                    say("review.devices.make"),
                    key="make-enrol-code",
                    on_press=lambda: desk.do(desk.service.make_enrol_code()),
                    palette=palette,
                    icon=ft.Icons.QR_CODE_2,
                    height=56,
                    width=220,
                    expand=False,
                ),
            ],
            spacing=8,
        )
    ]
    if state.enrol_code is not None:
        parts.append(_code(desk, state.enrol_code))
    if state.devices is None:
        parts.append(waiting(desk, state, say("review.fetching")))
    elif not state.devices:
        parts.append(words(say("review.devices.none"), size=18, color=palette.muted))
    else:
        parts += [_row(desk, device) for device in state.devices]
    return ft.ListView(parts, spacing=10, padding=20, expand=True)


def spelled(text: str) -> str:
    """The code in two halves, as it is read aloud."""
    half = (len(text) + 1) // 2
    return f"{text[:half]}-{text[half:]}" if len(text) > 6 and "-" not in text else text


def _code(desk: ReviewDesk, made: EnrolCode) -> ft.Control:
    palette, say, url = desk.palette, desk.say, desk.service.url
    left = lasting(made.expires_at - desk.now(), say)
    until = say("review.devices.until", time=clock(made.expires_at, desk.now()), left=left)
    spoken = say("review.devices.code_is", code=spelled(made.code), until=until)
    texts: list[ft.Control] = [
        words(say("review.devices.code"), color=palette.muted),
        ft.Semantics(
            content=code(spelled(made.code), size=34, color=palette.text, key="enrol-code"),
            label=spoken,
            live_region=True,
            exclude_semantics=True,
        ),
        words(until, strong=True, color=palette.text),
        words(say("review.devices.how"), color=palette.text),
        words(say("review.devices.server", url=url), size=14, color=palette.muted),
    ]
    if urlsplit(url).hostname in HERE:
        texts.append(words(say("review.devices.only_here"), size=14, color=palette.text))
    picture = ft.Image(
        src=enrolment_picture(url, made.code),
        width=QR_SIZE,
        height=QR_SIZE,
        fit=ft.BoxFit.CONTAIN,
        semantics_label=say("review.devices.picture"),
        filter_quality=ft.FilterQuality.NONE,
    )
    return card(
        ft.Row(
            [
                ft.Container(content=picture, bgcolor="#FFFFFF", padding=4),
                ft.Container(content=ft.Column(texts, spacing=8, tight=True), width=380),
            ],
            spacing=24,
            wrap=True,
            vertical_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        palette,
        key="enrol-panel",
    )


def _row(desk: ReviewDesk, device: DeviceRow) -> ft.Control:
    palette, say, now = desk.palette, desk.say, desk.now()
    seen = say("review.devices.seen", time=lasting(now - device.seen_at, say))
    is_active = device.state == "active"
    tags: list[ft.Control] = []
    if not is_active:
        tags.append(tag(say(f"review.device.{device.state}"), palette.warn, ft.Icons.BLOCK))
    if device.missing_since is not None:
        gap = say("review.devices.gap", time=clock(device.missing_since, now))
        tags.append(tag(gap, palette.warn, ft.Icons.WARNING_ROUNDED))
    return ft.Container(
        content=ft.Row(
            [
                ft.Icon(ft.Icons.SMARTPHONE, size=24, color=palette.accent),
                words(device.name, size=18, strong=True, color=palette.text, lines=1, expand=True),
                *tags,
                words(seen, size=14, color=palette.muted),
            ],
            spacing=12,
        ),
        bgcolor=palette.surface,
        border=ft.Border.all(1, palette.edge),
        border_radius=theme.RADIUS,
        padding=ft.Padding.symmetric(horizontal=12),
        height=56,
        key=f"device-{device.device_id}",
    )
