"""The counts of a line side by side, each with the book as it stood then and what was entered."""

from __future__ import annotations

import flet as ft

from app.contract.review import CaseDetail, RoundView, ScanRow
from app.contract.vocabulary import ScanSource
from app.screens.parts.text import code, words
from app.screens.review.desk import ReviewDesk
from app.screens.review.figures import clock, lasting, plain, signed, span
from app.screens.review.look import VERDICT_ICONS, verdict_pair
from app.screens.review.pieces import card, fact, heading, quiet_button, tag

SOURCE_ICONS: dict[ScanSource | None, ft.IconData] = {
    ScanSource.CAMERA: ft.Icons.PHOTO_CAMERA,
    ScanSource.WEDGE: ft.Icons.BARCODE_READER,
    ScanSource.TYPED: ft.Icons.KEYBOARD,
    None: ft.Icons.EDIT,
}


@ft.component
def RoundsPart(desk: ReviewDesk, case: CaseDetail, shown_scans: str) -> ft.Control:
    """Every round, oldest first."""
    palette, say = desk.palette, desk.say
    title = heading(say("review.rounds.title"), palette)
    if not case.round_views:
        return ft.Column([title, words(say("review.rounds.none"), color=palette.muted)], spacing=4)
    rounds = sorted(case.round_views, key=lambda view: view.index)
    return ft.Column(
        [
            title,
            ft.ResponsiveRow(
                [
                    ft.Container(
                        content=_round(desk, case, view, is_open=shown_scans == view.count_id),
                        col={"xs": 12, "md": 12 if len(rounds) == 1 else 6},
                        key=f"round-{view.index}",
                    )
                    for view in rounds
                ],
                spacing=8,
                run_spacing=8,
            ),
        ],
        spacing=6,
        tight=True,
    )


def _round(desk: ReviewDesk, case: CaseDetail, view: RoundView, *, is_open: bool) -> ft.Control:
    palette, say, now = desk.palette, desk.say, desk.now()
    name = say("review.rounds.first") if view.index == 0 else say("review.rounds.re", n=view.index)
    when = say(
        "review.rounds.when",
        opened=clock(view.opened_at, now),
        closed=clock(view.closed_at, now),
        lasted=lasting(view.closed_at - view.opened_at, say),
    )
    pair = verdict_pair(view.verdict, palette)
    # A case without an item (a barcode nobody knows) has nothing to compare.
    is_compared = bool(case.sku)
    top: list[ft.Control] = [
        words(
            f"{name} \u00b7 {view.counted_by_name or view.counted_by}",
            strong=True,
            lines=1,
            expand=True,
        )
    ]
    if is_compared:
        verdict = say(f"review.verdict.{view.verdict.value}")
        top.append(tag(verdict, pair, VERDICT_ICONS[view.verdict]))
    figures = ft.Row(
        [
            fact(say("review.rounds.counted"), plain(view.counted), palette, strong=True),
            fact(say("review.rounds.book"), span(view.book, plain, say), palette, strong=True),
            fact(
                say("review.rounds.variance"),
                span(view.variance, signed, say),
                palette,
                strong=True,
            ),
        ],
        alignment=ft.MainAxisAlignment.SPACE_BETWEEN,
    )
    body: list[ft.Control] = [ft.Row(top, spacing=8)]
    if is_compared:
        body.append(figures)
        body.append(
            words(
                say("review.rounds.entered", entered=view.entered or "\u2013"), color=palette.text
            )
        )
    body.append(words(f"{when} \u00b7 {view.device}", size=14, color=palette.muted))
    if view.book.low != view.book.high:
        body.append(words(say("review.rounds.moved"), size=14, color=palette.text))
    if not view.used:
        body.append(
            words(say("review.rounds.not_used", why=view.why_not_used), size=14, color=palette.text)
        )
    if view.scans:
        key = "review.rounds.hide" if is_open else "review.rounds.show"
        body.append(
            quiet_button(
                say(key, n=len(view.scans)),
                key=f"scans-{view.index}",
                on_press=lambda: desk.toggle_scans(view.count_id),
                palette=palette,
                icon=ft.Icons.EXPAND_LESS if is_open else ft.Icons.EXPAND_MORE,
            )
        )
    if is_open:
        body += [_scan(desk, scan) for scan in view.scans]
    return card(ft.Column(body, spacing=6, tight=True), palette)


def _scan(desk: ReviewDesk, scan: ScanRow) -> ft.Control:
    palette, say, now = desk.palette, desk.say, desk.now()
    shown = say("review.rounds.undone", what=scan.words) if scan.undone else scan.words
    parts: list[ft.Control] = [
        words(f"{scan.at.astimezone():%H:%M:%S}", size=14, color=palette.muted),
        ft.Icon(
            ft.Icons.UNDO if scan.undone else SOURCE_ICONS[scan.source],
            size=18,
            color=palette.muted,
            semantics_label=say(f"source.{scan.source.value}") if scan.source else None,
            tooltip=clock(scan.at, now),
        ),
        words(shown, size=14, color=palette.muted if scan.undone else palette.text),
    ]
    if scan.raw:
        parts.append(code(scan.raw, size=14, color=palette.muted, lines=1, expand=True))
    return ft.Row(parts, spacing=8)
