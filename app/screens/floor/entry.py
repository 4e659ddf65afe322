"""Panels with a field to type in: a code, a lot, words to find an item by."""

from __future__ import annotations

import flet as ft

from app.counting.state import LotSheet, SearchSheet
from app.screens import theme
from app.screens.floor.desk import FloorDesk
from app.screens.floor.panel import panel
from app.screens.parts.buttons import button, row_button
from app.screens.parts.component import kept_texts, remembered
from app.screens.parts.fields import field
from app.screens.parts.text import code, words
from app.screens.theme import Pair


@remembered
def TypePanel(desk: FloorDesk) -> ft.Control:
    """A code typed by hand: a bin, an item, a barcode."""
    kept = kept_texts(code="")
    say, palette = desk.say, desk.palette

    def submit() -> None:
        desk.typed(kept["code"], desk.now())

    return panel(
        desk,
        say("type.title"),
        [
            words(say("type.how"), size=16, color=palette.muted),
            field(
                say("type.code"),
                key="typed_code",
                into=kept,
                name="code",
                palette=palette,
                on_submit=submit,
                autofocus=True,
            ),
            ft.Row([button(say("type.do"), key="typed_enter", on_press=submit, palette=palette)]),
        ],
    )


@remembered
def LotPanel(desk: FloorDesk, sheet: LotSheet) -> ft.Control:
    """The lot or serial number of the item just scanned."""
    kept = kept_texts(lot="")
    say, palette, service = desk.say, desk.palette, desk.service
    what = "serial" if sheet.wants_serial else "lot"

    def submit() -> None:
        if kept["lot"].strip():
            service.give_lot(kept["lot"])

    body: list[ft.Control] = [
        words(sheet.title, size=18, color=palette.text, lines=1),
        field(
            say(f"lot.{what}"),
            key="lot",
            into=kept,
            name="lot",
            palette=palette,
            on_submit=submit,
            autofocus=True,
        ),
        ft.Row([button(say("lot.do"), key="lot_enter", on_press=submit, palette=palette)]),
    ]
    if sheet.last_lot:
        same = button(
            say("lot.same", lot=sheet.last_lot),
            key="lot_same",
            on_press=lambda: service.give_lot(sheet.last_lot),
            palette=palette,
            pair=palette.calm,
        )
        body.append(ft.Row([same]))
    none = button(
        say(f"lot.no_{what}"),
        key="lot_none",
        on_press=lambda: service.give_lot(""),
        palette=palette,
        pair=palette.calm,
    )
    body.append(ft.Row([none]))
    return panel(desk, say(f"lot.title_{what}"), body)


@ft.component
def SearchPanel(desk: FloorDesk, sheet: SearchSheet) -> ft.Control:
    """Find an item on the device's own list; no network is asked."""
    say, palette, service = desk.say, desk.palette, desk.service
    body: list[ft.Control] = []
    if sheet.scan is not None:
        body.append(code(sheet.scan.raw, size=18, color=palette.accent, lines=2))
    body.append(SearchField(desk, sheet.query))
    if sheet.can_keep:
        keep = button(
            say("search.keep"),
            key="keep_unknown",
            on_press=service.keep_unknown,
            palette=palette,
            pair=palette.calm,
            height=theme.TARGET,
        )
        body.append(ft.Row([keep]))
    rows: list[ft.Control] = [
        row_button(
            ft.Column(
                [
                    words(hit.title, size=18, strong=True, color=palette.text, lines=1),
                    code(hit.sku, size=16, color=palette.muted),
                ],
                spacing=0,
                tight=True,
            ),
            key=f"hit-{hit.sku}",
            on_press=lambda sku=hit.sku: service.pick(sku),  # type: ignore[misc]
            palette=palette,
            pair=Pair(back=palette.raised, front=palette.text),
        )
        for hit in sheet.hits
    ]
    if not rows and len(sheet.query) > 1:
        rows = [words(say("search.none"), size=18, color=palette.muted)]
    body.append(ft.Container(content=ft.ListView(rows, spacing=8, expand=True), height=296))
    return panel(desk, say("search.title"), body)


@remembered
def SearchField(desk: FloorDesk, query: str) -> ft.Control:
    """Looks while one types; Enter takes the text as a code."""
    kept = kept_texts(query=query)
    service = desk.service
    return field(
        desk.say("search.what"),
        key="search_text",
        into=kept,
        name="query",
        palette=desk.palette,
        on_change=service.search,
        on_submit=lambda: service.search(kept["query"]),
        autofocus=True,
    )
