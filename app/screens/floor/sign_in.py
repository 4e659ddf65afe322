"""Who is there: scan a badge or tap a name, then the PIN on keys for gloves."""

from __future__ import annotations

import asyncio

import flet as ft

from app.counting.state import FloorState, Person
from app.screens import theme
from app.screens.floor.desk import FloorDesk
from app.screens.floor.notice import notice
from app.screens.parts.band import message_band
from app.screens.parts.buttons import button, row_button
from app.screens.parts.component import kept_texts, keyed
from app.screens.parts.split import split
from app.screens.parts.text import words

PIN_MAX = 12
PIN_MIN = 4
KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "back", "0", "enter")


@ft.component
def SignInScreen(desk: FloorDesk, state: FloorState, is_busy: bool) -> ft.Control:
    """Names first; the pad when somebody was chosen."""
    if state.chosen is not None:
        return keyed(f"pad-{state.chosen.user_id}", PinPad, desk, state, state.chosen, is_busy)
    return ft.Column([*_said(desk, state), _names(desk, state.people)], spacing=8, expand=True)


def _said(desk: FloorDesk, state: FloorState) -> list[ft.Control]:
    said: list[ft.Control] = []
    if state.salvaged:
        said.append(notice(desk, "salvage.words", key="salvaged"))
    if state.band is not None:
        sentence = desk.say(state.band.key, **state.band.params)
        said.append(message_band(state.band, sentence, desk.palette))
    return said


def _names(desk: FloorDesk, people: tuple[Person, ...]) -> ft.Control:
    palette, say = desk.palette, desk.say
    title = ft.Container(
        content=words(say("sign_in.who"), size=24, strong=True, color=palette.text),
        padding=ft.Padding.only(left=16, right=16, top=16),
    )
    hint = ft.Container(
        content=words(say("sign_in.badge"), size=16, color=palette.muted),
        padding=ft.Padding.symmetric(horizontal=16),
    )
    rows = [
        row_button(
            ft.Row(
                [
                    ft.Icon(ft.Icons.PERSON, size=28, color=palette.accent),
                    words(p.name, size=20, strong=True, color=palette.text, lines=1, expand=True),
                    words(say(f"role.{p.role.value}"), size=14, color=palette.muted),
                ],
                spacing=12,
            ),
            key=f"person-{p.user_id}",
            on_press=lambda user_id=p.user_id: desk.service.choose(user_id),  # type: ignore[misc]
            palette=palette,
        )
        for p in people
    ]
    listed = ft.ListView(
        rows, spacing=8, padding=ft.Padding.only(left=8, right=8, bottom=16), expand=True
    )
    return ft.Column([title, hint, listed], spacing=8, expand=True)


@ft.component
def PinPad(desk: FloorDesk, state: FloorState, person: Person, is_busy: bool) -> ft.Control:
    """Twelve keys. The digits are never shown; how many there are is."""
    # Kept beside what is drawn: Enter may come before the last digit was drawn.
    kept = kept_texts(pin="")
    digits, set_digits = ft.use_state(0)
    palette, say = desk.palette, desk.say

    def press(name: str) -> None:
        pin = kept["pin"]
        if name == "enter":
            kept["pin"] = ""
            if len(pin) >= PIN_MIN:
                asyncio.get_running_loop().create_task(desk.enter_pin(pin))
        else:
            kept["pin"] = pin[:-1] if name == "back" else (pin + name)[:PIN_MAX]
        set_digits(len(kept["pin"]))

    title = words(
        say("sign_in.hello", name=person.name), size=24, strong=True, color=palette.text, lines=1
    )
    shown = say("sign_in.checking") if is_busy else "\u2022 " * digits
    dots = ft.Semantics(
        content=ft.Container(
            content=words(
                shown or say("sign_in.pin"), size=28 if digits else 24, color=palette.accent
            ),
            height=48,
            alignment=ft.Alignment.CENTER,
        ),
        label=say("sign_in.digits", n=digits),
        exclude_semantics=True,
    )
    low = desk.model.is_low
    rows: list[ft.Control] = [
        ft.Row([_key(desk, name, press, is_busy, low) for name in KEYS[at : at + 3]], spacing=8)
        for at in range(0, len(KEYS), 3)
    ]
    hello = ft.Column(
        [title, dots], spacing=8, horizontal_alignment=ft.CrossAxisAlignment.CENTER, tight=True
    )
    keys = ft.Container(
        content=ft.Column(rows, spacing=8, tight=True),
        padding=ft.Padding.symmetric(horizontal=16, vertical=8 if low else 16),
    )
    said = ft.Container(content=hello, padding=16, expand=True, alignment=ft.Alignment.TOP_CENTER)
    return split([*_said(desk, state), said], [keys], low=low)


def _key(desk: FloorDesk, name: str, press: object, is_busy: bool, low: bool) -> ft.Control:
    assert callable(press)
    palette, say = desk.palette, desk.say
    labels = {"back": "", "enter": say("sign_in.enter")}
    pair = palette.primary if name == "enter" else palette.calm
    return button(
        labels.get(name, name),
        key=f"pin-{name}",
        on_press=lambda: press(name),
        palette=palette,
        pair=pair,
        size=28 if name.isdigit() else 20,
        disabled=is_busy,
        height=theme.TARGET if low else theme.BUTTON,
        icon=ft.Icons.BACKSPACE if name == "back" else None,
        name=say("keypad.back") if name == "back" else None,
    )
