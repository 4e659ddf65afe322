"""The questions that come up inside a bin, as panels from below: the scanner stays ready behind."""

from __future__ import annotations

import flet as ft

from app.counting.state import (
    ChooseSheet,
    EditSheet,
    EmptySheet,
    KeypadSheet,
    LeaveSheet,
    LotSheet,
    OtherBinSheet,
    SearchSheet,
    Sheet,
    SwitchUserSheet,
    TypeSheet,
)
from app.screens import theme
from app.screens.floor.desk import FloorDesk
from app.screens.floor.entry import LotPanel, SearchPanel, TypePanel
from app.screens.floor.keypad import KeypadPanel
from app.screens.floor.panel import panel
from app.screens.parts.buttons import Press, button, row_button
from app.screens.parts.text import code, words
from app.screens.theme import Pair


@ft.component
def SheetView(desk: FloorDesk, sheet: Sheet) -> ft.Control:
    """The panel of a sheet."""
    drawn: ft.Control
    match sheet:
        case KeypadSheet():
            drawn = KeypadPanel(desk, sheet)
        case SearchSheet():
            drawn = SearchPanel(desk, sheet)
        case TypeSheet():
            drawn = TypePanel(desk)
        case LotSheet():
            drawn = LotPanel(desk, sheet)
        case _:
            title, body = _question(desk, sheet)
            drawn = panel(desk, title, body)
    return drawn


def _question(desk: FloorDesk, sheet: Sheet) -> tuple[str, list[ft.Control]]:
    say = desk.say
    asked: tuple[str, list[ft.Control]]
    match sheet:
        case EditSheet():
            asked = sheet.title, _edit(desk, sheet)
        case EmptySheet():
            asked = say("empty.title"), _empty(desk)
        case OtherBinSheet():
            asked = say("other_bin.title", bin=sheet.bin), _other_bin(desk, sheet)
        case ChooseSheet():
            asked = say("choose.title"), _choose(desk, sheet)
        case SwitchUserSheet():
            asked = say("switch.title", name=sheet.name), _switch(desk, sheet)
        case LeaveSheet():
            asked = say("leave.title"), _leave(desk)
        case _:
            raise TypeError(f"no panel for {sheet!r}")
    return asked


def _wide(
    desk: FloorDesk, text: str, key: str, press: Press, pair: Pair | None = None
) -> ft.Control:
    palette = desk.palette
    made = button(text, key=key, on_press=press, palette=palette, pair=pair or palette.calm)
    return ft.Row([made])


def _edit(desk: FloorDesk, sheet: EditSheet) -> list[ft.Control]:
    say, palette, service = desk.say, desk.palette, desk.service
    step = ft.Row(
        [
            button(
                "\u2212",
                key="minus",
                on_press=lambda: service.change_by(-1),
                palette=palette,
                pair=palette.calm,
                size=32,
                name=say("edit.minus"),
                disabled=sheet.quantity == "0",
            ),
            ft.Container(
                content=code(sheet.quantity, size=44, color=palette.text, key="edit_quantity"),
                alignment=ft.Alignment.CENTER,
                expand=True,
            ),
            button(
                "+",
                key="plus",
                on_press=lambda: service.change_by(1),
                palette=palette,
                pair=palette.calm,
                size=32,
                name=say("edit.plus"),
            ),
        ],
        spacing=8,
    )
    if sheet.is_deleting:
        return [
            words(say("edit.delete_means"), size=18, color=palette.text),
            _wide(desk, say("edit.delete_yes"), "delete_yes", service.delete_line, palette.reject),
            _wide(desk, say("edit.delete_no"), "delete_no", service.close_sheet),
        ]
    ways = ft.Row(
        [
            button(
                say("tool.damaged"),
                key="edit_damaged",
                on_press=service.open_damaged,
                palette=palette,
                pair=palette.calm,
            ),
            button(
                say("edit.delete"),
                key="delete_line",
                on_press=service.ask_delete,
                palette=palette,
                pair=palette.calm,
            ),
        ],
        spacing=8,
    )
    typed = _wide(desk, say("count.keypad"), "edit_keypad", service.open_keypad, palette.primary)
    return [step, ways, typed]


def _empty(desk: FloorDesk) -> list[ft.Control]:
    say, palette, service = desk.say, desk.palette, desk.service
    # The second tap is in another place than the first: two taps by accident do not meet.
    return [
        _wide(desk, say("empty.yes"), "confirm_empty", service.confirm_empty, palette.warn),
        words(say("empty.means"), size=18, color=palette.muted),
        ft.Container(height=theme.BUTTON),
        _wide(desk, say("empty.no"), "not_empty", service.close_sheet),
    ]


def _other_bin(desk: FloorDesk, sheet: OtherBinSheet) -> list[ft.Control]:
    say, palette, service = desk.say, desk.palette, desk.service
    count = service.state.count
    here = count.bin if count else ""
    body: list[ft.Control] = []
    if sheet.can_finish:
        text = say("other_bin.finish", bin=here, other=sheet.bin)
        body.append(_wide(desk, text, "finish_and_open", service.finish_and_open, palette.primary))
    else:
        text = say("other_bin.leave", bin=here, other=sheet.bin)
        body.append(_wide(desk, text, "leave_and_open", service.leave_and_open, palette.primary))
    body.append(_wide(desk, say("other_bin.stay", bin=here), "stay", service.close_sheet))
    return body


def _choose(desk: FloorDesk, sheet: ChooseSheet) -> list[ft.Control]:
    palette, say = desk.palette, desk.say
    rows: list[ft.Control] = []
    for at, choice in enumerate(sheet.choices):
        detail = choice.sku if choice.factor == "1" else f"{choice.sku} \u00d7{choice.factor}"
        if choice.lot:
            detail += f" \u00b7 {choice.lot}"
        rows.append(
            row_button(
                ft.Column(
                    [
                        words(choice.title, size=18, strong=True, color=palette.text, lines=1),
                        code(detail or say("choose.bin"), size=16, color=palette.muted),
                    ],
                    spacing=0,
                    tight=True,
                ),
                key=f"choice-{at}",
                on_press=lambda at=at: desk.service.choose_item(at),  # type: ignore[misc]
                palette=palette,
                height=72,
                pair=Pair(back=palette.raised, front=palette.text),
            )
        )
    return rows


def _switch(desk: FloorDesk, sheet: SwitchUserSheet) -> list[ft.Control]:
    say, palette, service = desk.say, desk.palette, desk.service
    text = say("switch.yes", name=sheet.name)
    return [
        words(say("switch.means"), size=18, color=palette.muted),
        _wide(desk, text, "switch_user", service.switch_user, palette.primary),
        _wide(desk, say("switch.no"), "switch_no", service.close_sheet),
    ]


def _leave(desk: FloorDesk) -> list[ft.Control]:
    say, palette, service = desk.say, desk.palette, desk.service
    return [
        _wide(desk, say("leave.keep"), "keep_counting", service.close_sheet, palette.primary),
        _wide(desk, say("leave.later"), "leave_later", service.to_tasks),
        words(say("leave.give_up"), size=16, color=palette.muted),
        ft.Row(
            [
                button(
                    say("leave.cannot_reach"),
                    key="leave_cannot_reach",
                    on_press=lambda: service.leave("cannot_reach"),
                    palette=palette,
                    pair=palette.calm,
                    size=16,
                ),
                button(
                    say("leave.wrong_bin"),
                    key="leave_wrong_bin",
                    on_press=lambda: service.leave("wrong_bin"),
                    palette=palette,
                    pair=palette.calm,
                    size=16,
                ),
            ],
            spacing=8,
        ),
    ]
