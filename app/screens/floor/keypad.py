"""The keypad: 18 mm keys, a live sum, SET and ADD. It covers the list and leaves the band visible."""

from __future__ import annotations

from decimal import Decimal

import flet as ft

from app.contract.vocabulary import quantity_text
from app.counting.state import KeypadPurpose, KeypadSheet, Pack
from app.screens import theme
from app.screens.floor.desk import FloorDesk
from app.screens.parts.band import live
from app.screens.parts.buttons import button, chip, icon_button
from app.screens.parts.text import code, words

KEYS = ("7", "8", "9", "4", "5", "6", "1", "2", "3", "back", "0", "clear")


@ft.component
def KeypadPanel(desk: FloorDesk, sheet: KeypadSheet) -> ft.Control:
    """Digits for one line."""
    palette = desk.palette
    rows: list[ft.Control] = [
        ft.Row([_key(desk, name) for name in KEYS[at : at + 3]], spacing=6)
        for at in range(0, len(KEYS), 3)
    ]
    parts: list[ft.Control] = [_head(desk, sheet), _display(desk, sheet)]
    if len(sheet.packs) > 1:
        parts.append(_packs(desk, sheet))
    return ft.Container(
        content=_halves(parts, rows, _enter(desk, sheet), low=desk.model.is_low),
        bgcolor=palette.surface,
        padding=8,
        border_radius=ft.BorderRadius.only(top_left=16, top_right=16),
    )


def _halves(
    said: list[ft.Control], keys: list[ft.Control], enter: ft.Control, *, low: bool
) -> ft.Control:
    if not low:
        return ft.Column([*said, *keys, enter], spacing=6, tight=True)
    halves = ([*said, enter], keys)
    return ft.Row(
        [ft.Column(half, spacing=6, tight=True, expand=True) for half in halves],
        spacing=6,
        vertical_alignment=ft.CrossAxisAlignment.END,
    )


def _head(desk: FloorDesk, sheet: KeypadSheet) -> ft.Control:
    palette, say = desk.palette, desk.say
    is_damaged = sheet.purpose is KeypadPurpose.DAMAGED
    text = say("keypad.damaged", item=sheet.title) if is_damaged else sheet.title
    return ft.Row(
        [
            words(text, size=18, strong=True, color=palette.text, lines=2, expand=True),
            icon_button(
                ft.Icons.CLOSE,
                say("sheet.close"),
                key="close_sheet",
                on_press=desk.service.close_sheet,
                palette=palette,
            ),
        ]
    )


def _display(desk: FloorDesk, sheet: KeypadSheet) -> ft.Control:
    palette = desk.palette
    return ft.Row(
        [
            ft.Container(
                content=live(
                    words(_sum(desk, sheet), size=16, color=palette.muted, lines=2),
                    _sum(desk, sheet),
                ),
                expand=True,
            ),
            code(
                sheet.digits or "0",
                size=40,
                color=palette.text if sheet.digits else palette.muted,
                key="digits",
            ),
        ],
        spacing=8,
    )


def _sum(desk: FloorDesk, sheet: KeypadSheet) -> str:
    """What SET would make of it, and what stands now."""
    say = desk.say
    now = say("keypad.now", n=quantity_text(sheet.total))
    typed = Decimal(sheet.digits.rstrip(".")) if sheet.digits.strip(".") else None
    if typed is None or sheet.pack.factor == 1:
        return now
    return say(
        "keypad.sum",
        typed=quantity_text(typed),
        factor=quantity_text(sheet.pack.factor),
        total=quantity_text(typed * sheet.pack.factor),
        now=now,
    )


def pack_words(desk: FloorDesk, pack: Pack) -> str:
    """The unit's name, with how many pieces it holds."""
    name = desk.say(f"unit.{pack.unit.value}")
    return name if pack.factor == 1 else f"{name} \u00d7{quantity_text(pack.factor)}"


def _packs(desk: FloorDesk, sheet: KeypadSheet) -> ft.Control:
    return ft.Row(
        [
            chip(
                pack_words(desk, pack),
                key=f"unit-{pack.unit.value}-{quantity_text(pack.factor)}",
                on_press=lambda pack=pack: desk.service.use_pack(pack),  # type: ignore[misc]
                palette=desk.palette,
                selected=pack == sheet.pack,
                expand=True,
            )
            for pack in sheet.packs
        ],
        spacing=6,
    )


def _key(desk: FloorDesk, name: str) -> ft.Control:
    say = desk.say
    shown = {"back": "", "clear": say("keypad.clear")}.get(name, name)
    return button(
        shown,
        key=f"key-{name}",
        on_press=lambda: desk.service.press(name),
        palette=desk.palette,
        pair=desk.palette.calm,
        height=theme.TARGET,
        size=26 if name.isdigit() else 18,
        icon=ft.Icons.BACKSPACE if name == "back" else None,
        name=say("keypad.back") if name == "back" else None,
    )


def _enter(desk: FloorDesk, sheet: KeypadSheet) -> ft.Control:
    palette, say, service = desk.palette, desk.say, desk.service
    typed = Decimal(sheet.digits.rstrip(".")) if sheet.digits.strip(".") else Decimal(0)
    number = quantity_text(typed * sheet.pack.factor)
    if sheet.purpose is KeypadPurpose.DAMAGED:
        return ft.Row(
            [
                button(
                    say("keypad.mark", n=number),
                    key="keypad_set",
                    on_press=lambda: service.enter("set"),
                    palette=palette,
                    pair=palette.warn,
                    disabled=not sheet.digits,
                )
            ]
        )
    yes = sheet.large != ""
    return ft.Row(
        [
            button(
                say("keypad.set_yes" if yes and sheet.large == "set" else "keypad.set", n=number),
                key="keypad_set",
                on_press=lambda: service.enter("set"),
                palette=palette,
                pair=palette.warn if yes else palette.primary,
                expand=2,
                disabled=not sheet.digits,
            ),
            button(
                say("keypad.add", n=number),
                key="keypad_add",
                on_press=lambda: service.enter("add"),
                palette=palette,
                pair=palette.calm,
                expand=1,
                disabled=not sheet.digits,
            ),
        ],
        spacing=6,
    )
