"""Pages beside the counting: what waits to be sent, settings, a blocked device."""

from __future__ import annotations

from datetime import UTC, datetime

import flet as ft

from app.counting.state import FloorState, SyncView
from app.screens import theme
from app.screens.floor.desk import FloorDesk, Panel
from app.screens.floor.header import pill_words
from app.screens.parts.band import live
from app.screens.parts.buttons import button, chip
from app.screens.parts.text import code, words
from app.screens.theme import Pair


@ft.component
def PendingScreen(desk: FloorDesk, state: FloorState, saved: str) -> ft.Control:
    """What waits, how old it is, when it was sent last, what went wrong, in words."""
    say, palette, sync = desk.say, desk.palette, state.sync
    sentence = pill_words(desk, sync)
    parts: list[ft.Control] = [
        live(words(sentence, size=22, strong=True, color=palette.text), sentence)
    ]
    if sync.problem:
        parts.append(box(desk, say(sync.problem), sync.code))
    parts += [fact(desk, say(name), value) for name, value in _facts(desk, sync)]
    parts += [
        fact(desk, view.bin, say("pending.bin", by=view.by, n=view.unsent))
        for view in state.finished
        if view.unsent
    ]
    send = button(
        say("pending.busy" if sync.is_busy else "pending.send"),
        key="send_now",
        on_press=desk.send_now,
        palette=palette,
        disabled=sync.is_busy,
        icon=ft.Icons.CLOUD_UPLOAD,
    )
    parts.append(words(say("rescue.why"), size=16, color=palette.muted))
    if saved:
        parts.insert(0, live(box(desk, saved), saved))
    listed = ft.ListView(parts, spacing=12, padding=16, expand=True)
    foot = ft.Container(
        ft.Row([_save(desk), send], spacing=8), padding=ft.Padding.only(left=8, right=8, bottom=12)
    )
    return ft.Column([listed, foot], spacing=0, expand=True)


def _save(desk: FloorDesk) -> ft.Control:
    palette = desk.palette
    return button(
        desk.say("rescue.save"),
        key="save_rescue",
        on_press=desk.save_rescue,
        palette=palette,
        pair=palette.calm,
        icon=ft.Icons.SAVE_ALT,
    )


def _facts(desk: FloorDesk, sync: SyncView) -> list[tuple[str, str]]:
    say = desk.say
    facts = [
        ("pending.server", sync.server_url or "\u2013"),
        ("pending.unsent", say("pending.entries", n=sync.unsent)),
        ("pending.oldest", _ago(desk, sync.oldest_ms)),
        ("pending.last", _ago(desk, sync.last_success_ms)),
    ]
    if sync.next_try_s is not None:
        facts.append(("pending.next", say("pending.seconds", n=sync.next_try_s)))
    if sync.held:
        facts.append(("pending.held", say("pending.entries", n=sync.held)))
    if sync.clock_off_ms is not None:
        off = abs(round(sync.clock_off_ms / 1000))
        words_ = say("pending.clock_off", n=off) if off else say("pending.clock_right")
        facts.append(("pending.clock", words_))
    return facts


def _ago(desk: FloorDesk, at_ms: int | None) -> str:
    if at_ms is None:
        return "\u2013"
    minutes = max(0, int((desk.now() - datetime.fromtimestamp(at_ms / 1000, UTC)).total_seconds()))
    if minutes < 60:
        return desk.say("ago.now")
    if minutes < 7200:
        return desk.say("ago.minutes", n=minutes // 60)
    return desk.say("ago.hours", n=minutes // 3600)


def fact(desk: FloorDesk, name: str, value: str) -> ft.Control:
    """A value below its name."""
    palette = desk.palette
    return ft.Column(
        [
            words(name, size=14, color=palette.muted),
            words(value, size=18, color=palette.text),
        ],
        spacing=0,
        tight=True,
    )


def box(desk: FloorDesk, sentence: str, small: str = "", pair: Pair | None = None) -> ft.Control:
    """A sentence that must not be overlooked."""
    pair = pair or desk.palette.warn
    inside: list[ft.Control] = [words(sentence, size=18, color=pair.front)]
    if small:
        inside.append(code(small, size=14, color=pair.front, lines=2))
    return ft.Container(
        content=ft.Column(inside, spacing=4, tight=True),
        bgcolor=pair.back,
        padding=16,
        border_radius=theme.RADIUS,
    )


@ft.component
def SettingsScreen(desk: FloorDesk, state: FloorState, volume: int) -> ft.Control:
    """Sound, scanner test, review, signing out."""
    say, palette = desk.say, desk.palette

    def set_volume(level: int) -> None:
        desk.model.volume = level
        desk.play("accept")

    levels = ft.Row(
        [
            chip(
                say(f"volume.{level}"),
                key=f"volume-{level}",
                on_press=lambda level=level: set_volume(level),  # type: ignore[misc]
                palette=palette,
                selected=volume == level,
                expand=True,
            )
            for level in (0, 4, 10)
        ],
        spacing=8,
    )
    wide = [
        ("settings.scanner", "scanner_test", lambda: desk.show(Panel.SCANNER_TEST)),
        ("settings.pending", "show_pending", lambda: desk.show(Panel.PENDING)),
        ("settings.review", "open_review", desk.open_review),
    ]
    buttons: list[ft.Control] = [
        ft.Row([button(say(k), key=key, on_press=do, palette=palette, pair=palette.calm)])
        for k, key, do in wide
    ]
    if state.user is not None:

        def leave() -> None:
            desk.show(Panel.NONE)
            desk.service.sign_out()

        out = button(
            say("settings.sign_out", name=state.user.name),
            key="sign_out",
            on_press=leave,
            palette=palette,
            pair=palette.warn,
        )
        buttons.append(ft.Row([out]))
    return ft.ListView(
        [words(say("settings.volume"), size=16, color=palette.muted), levels, *buttons],
        spacing=12,
        padding=16,
        expand=True,
    )


@ft.component
def BlockedScreen(desk: FloorDesk, state: FloorState, saved: str) -> ft.Control:
    """The disk refuses: nothing is shown as counted until it works again; what is there can be saved."""
    say, palette = desk.say, desk.palette
    sentence = say(state.blocked)
    pair = palette.reject
    return ft.Container(
        content=ft.Column(
            [
                ft.Icon(ft.Icons.REPORT, size=72, color=pair.front),
                live(words(sentence, size=24, strong=True, color=pair.front), sentence),
                words(say("blocked.safe"), size=18, color=pair.front),
                *([live(box(desk, saved), saved)] if saved else []),
                ft.Container(expand=True),
                ft.Row(
                    [
                        _save(desk),
                        button(
                            say("blocked.retry"),
                            key="retry",
                            on_press=desk.service.retry,
                            palette=palette,
                            pair=palette.calm,
                        ),
                    ],
                    spacing=8,
                ),
            ],
            spacing=16,
            expand=True,
        ),
        bgcolor=pair.back,
        padding=24,
        expand=True,
    )
