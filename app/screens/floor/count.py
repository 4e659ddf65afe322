"""Inside a bin: the answer to the last scan, the lines, and the two big buttons."""

from __future__ import annotations

import flet as ft

from app.contract.vocabulary import Condition
from app.counting.state import Band, FloorState, LineView, Tone
from app.screens import theme
from app.screens.floor.desk import FloorDesk
from app.screens.floor.tools import tool
from app.screens.parts.band import ICONS, frame, live, message_band
from app.screens.parts.buttons import button, row_button
from app.screens.parts.component import keyed, remembered
from app.screens.parts.split import split
from app.screens.parts.text import code, words
from app.screens.theme import Pair

BAND_HEIGHT = 132
ROWS_SHOWN = 60
"""Rows drawn at once; a longer count shows the newest and says how many more there are."""


@ft.component
def CountScreen(desk: FloorDesk, state: FloorState) -> ft.Control:
    """Band, lines, tools, keypad and finish."""
    current = next((line for line in state.lines if line.is_current), None)
    return split(
        [
            BandView(desk, state.band, current),
            Lines(desk, state.lines[::-1][:ROWS_SHOWN], len(state.lines), _unknown(state)),
        ],
        [
            Tools(desk, current is not None, state.lines != () or _unknown(state) > 0),
            Foot(desk, state.lines == () and _unknown(state) == 0),
        ],
        low=desk.model.is_low,
    )


def _unknown(state: FloorState) -> int:
    return len(state.count.fold.unknown) if state.count else 0


@remembered
def BandView(desk: FloorDesk, band: Band | None, current: LineView | None) -> ft.Control:
    """The item just counted, or the sentence that says what to do."""
    counted = band is None or band.key in ("band.counted", "band.set_to")
    if counted and current is not None:
        return _item_band(desk, band, current)
    if band is not None:
        sentence = desk.say(band.key, **band.params)
        return message_band(band, sentence, desk.palette, actions=_actions(desk, band))
    quiet = Band(tone=Tone.QUIET, key="count.start")
    return message_band(quiet, desk.say("count.start"), desk.palette)


def _actions(desk: FloorDesk, band: Band) -> list[ft.Control]:
    if band.unknown is None:
        return []
    palette, say, service = desk.palette, desk.say, desk.service
    return [
        button(
            say("unknown.find"),
            key="unknown_find",
            on_press=service.search,
            palette=palette,
            pair=palette.calm,
            height=theme.TARGET,
            size=16,
            icon=ft.Icons.SEARCH,
        ),
        button(
            say("unknown.undo"),
            key="unknown_undo",
            on_press=service.undo,
            palette=palette,
            pair=palette.calm,
            height=theme.TARGET,
            size=16,
            icon=ft.Icons.UNDO,
        ),
    ]


def _item_band(desk: FloorDesk, band: Band | None, line: LineView) -> ft.Control:
    palette, say = desk.palette, desk.say
    tone = band.tone if band is not None else Tone.QUIET
    pair = palette.tone(tone)
    added = band.added if band is not None else ""
    name = ft.Column(
        [
            words(line.title, size=18, strong=True, color=pair.front, lines=2),
            ft.Row(
                [
                    code(line.key.sku, size=theme.SKU, color=pair.front),
                    *_marks(desk, line, pair),
                ],
                spacing=8,
            ),
            words(
                " \u00b7 ".join(t for t in (*_label_facts(desk, line), line.packs) if t),
                size=16,
                color=pair.front,
                lines=2,
            ),
        ],
        spacing=2,
        tight=True,
        expand=True,
    )
    size = theme.QUANTITY if len(line.quantity) < 4 else 40 if len(line.quantity) < 6 else 28
    figure = ft.Column(
        [
            code(line.quantity, size=size, color=pair.front, key="quantity"),
            *([code(added, size=20, color=pair.front)] if added else []),
        ],
        spacing=0,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.END,
    )
    row = ft.Row(
        [ft.Icon(ICONS[tone], size=36, color=pair.front), name, figure],
        spacing=12,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )
    spoken = say(
        "count.spoken", item=line.title, sku=line.key.sku, quantity=line.quantity, added=added
    )
    spoken = ", ".join([spoken.strip(), *_label_facts(desk, line)])
    return frame(live(row, spoken), pair, height=BAND_HEIGHT)


def _label_facts(desk: FloorDesk, line: LineView) -> list[str]:
    """What a label said beside the item: its lot or serial, and until when it is good."""
    facts = [line.key.lot or line.key.serial]
    if line.expiry:
        facts.append(desk.say("count.expires", date=line.expiry))
    return [fact for fact in facts if fact]


def _marks(desk: FloorDesk, line: LineView, pair: Pair) -> list[ft.Control]:
    if line.key.condition is Condition.GOOD:
        return []
    text = desk.say(f"condition.{line.key.condition.value}")
    return [
        ft.Icon(ft.Icons.BROKEN_IMAGE, size=18, color=pair.front),
        words(text, size=14, strong=True, color=pair.front),
    ]


@remembered
def Lines(desk: FloorDesk, lines: tuple[LineView, ...], total: int, unknown: int) -> ft.Control:
    """What was counted so far, newest line first."""
    palette, say = desk.palette, desk.say
    if not lines and not unknown:
        return ft.Container(
            content=words(
                say("count.hint"), size=20, color=palette.muted, align=ft.TextAlign.CENTER
            ),
            alignment=ft.Alignment.CENTER,
            padding=24,
            expand=True,
        )
    rows: list[ft.Control] = [keyed(_row_key(line), LineRow, desk, line) for line in lines]
    if unknown:
        rows.insert(0, _note(desk, say("count.unknown", n=unknown), ft.Icons.HELP))
    if total > len(lines):
        rows.append(_note(desk, say("count.more", n=total - len(lines)), ft.Icons.MORE_HORIZ))
    return ft.ListView(rows, spacing=8, padding=ft.Padding.symmetric(horizontal=8), expand=True)


def _row_key(line: LineView) -> str:
    key = line.key
    return f"line-{key.sku}-{key.lot}-{key.serial}-{key.condition.value}"


def _note(desk: FloorDesk, sentence: str, icon: ft.IconData) -> ft.Control:
    palette = desk.palette
    return ft.Container(
        content=ft.Row(
            [
                ft.Icon(icon, size=24, color=palette.warn.back),
                words(sentence, size=16, color=palette.text, expand=True),
            ],
            spacing=12,
        ),
        padding=ft.Padding.symmetric(horizontal=12, vertical=8),
        bgcolor=palette.surface,
        border_radius=theme.RADIUS,
    )


@remembered
def LineRow(desk: FloorDesk, line: LineView) -> ft.Control:
    """One line; press it to change it."""
    palette = desk.palette
    back = palette.raised if line.is_current else palette.surface
    pair = Pair(back=back, front=palette.text)
    under: list[ft.Control] = [
        code(line.key.sku, size=16, color=palette.muted),
        *_marks(desk, line, Pair(back=back, front=palette.warn.back)),
    ]
    lines: list[ft.Control] = [
        words(line.title, size=16, color=palette.text, lines=1),
        ft.Row(under, spacing=8),
    ]
    facts = " \u00b7 ".join(_label_facts(desk, line))
    if facts:
        lines.append(code(facts, size=14, color=palette.accent))
    figure: list[ft.Control] = [code(line.quantity, size=24, color=palette.text)]
    if line.packs:
        figure.append(words(line.packs, size=14, color=palette.muted))
    return row_button(
        ft.Row(
            [
                ft.Column(lines, spacing=0, tight=True, expand=True),
                ft.Column(
                    figure,
                    spacing=0,
                    tight=True,
                    horizontal_alignment=ft.CrossAxisAlignment.END,
                ),
            ],
            spacing=12,
        ),
        key=f"row-{line.key.sku}-{line.key.condition.value}",
        on_press=lambda: desk.service.select(line.key),
        palette=palette,
        height=None,
        pair=pair,
    )


@remembered
def Tools(desk: FloorDesk, has_current: bool, has_entries: bool) -> ft.Control:
    """Four smaller tools: undo, damaged, type a code, camera."""
    service = desk.service
    tools = [
        tool(desk, ft.Icons.UNDO, "tool.undo", "undo", service.undo, disabled=not has_entries),
        tool(
            desk,
            ft.Icons.BROKEN_IMAGE,
            "tool.damaged",
            "damaged",
            service.open_damaged,
            disabled=not has_current,
        ),
        tool(desk, ft.Icons.KEYBOARD, "tool.type", "type_code", service.type_code),
    ]
    if desk.hands is not None:
        tools.append(tool(desk, ft.Icons.PHOTO_CAMERA, "tool.camera", "camera", desk.press_camera))
    else:
        tools.append(tool(desk, ft.Icons.SEARCH, "tool.search", "search", service.search))
    return ft.Container(
        content=ft.Row(tools, spacing=8), padding=ft.Padding.symmetric(horizontal=8)
    )


@remembered
def Foot(desk: FloorDesk, is_untouched: bool) -> ft.Control:
    """Keypad and finish; in an untouched bin the second one says that it is empty."""
    say, palette, service = desk.say, desk.palette, desk.service
    keypad = button(
        say("count.keypad"),
        key="keypad",
        on_press=service.open_keypad,
        palette=palette,
        pair=palette.calm,
        icon=ft.Icons.DIALPAD,
    )
    if is_untouched:
        finish = button(
            say("count.empty"),
            key="bin_empty",
            on_press=service.ask_empty,
            palette=palette,
            pair=palette.warn,
        )
    else:
        finish = button(
            say("count.finish"),
            key="finish",
            on_press=service.finish,
            palette=palette,
            icon=ft.Icons.DONE_ALL,
        )
    return ft.Container(
        content=ft.Row([keypad, finish], spacing=8),
        padding=ft.Padding.only(left=8, right=8, bottom=12),
    )
