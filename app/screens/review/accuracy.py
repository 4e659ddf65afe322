"""How right the book is: every figure with its basis in its name, and the variance never netted away."""

from __future__ import annotations

from decimal import Decimal

import flet as ft

from app.contract.review import AccuracyFigure, AccuracyReport
from app.review.state import ReviewState
from app.screens.parts.text import words
from app.screens.review.desk import ReviewDesk
from app.screens.review.figures import day, money, percent, plain, signed
from app.screens.review.pieces import card, fact, heading


@ft.component
def AccuracyPage(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """Figures, variance, coverage, zones."""
    report, say, palette = state.accuracy, desk.say, desk.palette
    if report is None:
        return ft.Container(
            content=ft.ProgressRing(width=32, height=32, color=palette.accent),
            alignment=ft.Alignment.CENTER,
            expand=True,
        )
    since = say("review.accuracy.since", since=day(report.since), until=day(report.until))
    parts: list[ft.Control] = [
        heading(say("review.accuracy.title"), palette, size=22),
        words(since, color=palette.muted),
        ft.ResponsiveRow(
            [_figure(desk, figure, report) for figure in report.figures],
            spacing=8,
            run_spacing=8,
        ),
        heading(say("review.accuracy.variance"), palette),
        _variance(desk, report),
        heading(say("review.accuracy.coverage"), palette),
        _coverage(desk, report),
    ]
    if report.by_zone:
        parts.append(heading(say("review.accuracy.by_zone"), palette))
        parts.append(
            card(
                ft.Column([_zone(desk, zone) for zone in report.by_zone], spacing=8, tight=True),
                palette,
            )
        )
    return ft.ListView(parts, spacing=12, padding=20, expand=True)


def _name(figure: AccuracyFigure, desk: ReviewDesk) -> tuple[str, str]:
    """The figure's name in plain words, and what exactly it says."""
    key = f"review.figure.{figure.name}"
    if not desk.say.has(key):
        return figure.name, ""
    return desk.say(key), desk.say(f"{key}.means")


def _base(figure: AccuracyFigure, report: AccuracyReport, desk: ReviewDesk) -> str:
    """The two numbers a percentage was made of."""
    is_money = figure.name.endswith("_value")
    hits = money(figure.hits, report.currency) if is_money else plain(figure.hits)
    of = money(figure.of, report.currency) if is_money else plain(figure.of)
    return desk.say("review.accuracy.base", hits=hits, of=of)


def _figure(desk: ReviewDesk, figure: AccuracyFigure, report: AccuracyReport) -> ft.Control:
    palette, say = desk.palette, desk.say
    name, means = _name(figure, desk)
    shown, base = percent(figure.percent, say), _base(figure, report, desk)
    spoken = say("review.accuracy.spoken", name=name, percent=shown, base=base, means=means)
    body = ft.Semantics(
        content=ft.Column(
            [
                words(name, strong=True, color=palette.text),
                words(shown, size=30, strong=True, color=palette.accent),
                words(base, size=14, color=palette.text),
                words(means, size=14, color=palette.muted),
            ],
            spacing=2,
            tight=True,
        ),
        label=spoken,
        container=True,
        exclude_semantics=True,
    )
    return ft.Container(
        content=card(body, palette, key=f"figure-{figure.name}", height=172),
        col={"xs": 12, "sm": 6, "lg": 4},
    )


def _variance(desk: ReviewDesk, report: AccuracyReport) -> ft.Control:
    palette, say = desk.palette, desk.say
    facts = [
        ("absolute_units", plain(report.variance_absolute_units)),
        ("net_units", signed(report.variance_net_units)),
        ("absolute_value", money(report.variance_absolute_value, report.currency)),
        ("net_value", money(report.variance_net_value, report.currency)),
    ]
    cells: list[ft.Control] = [
        ft.Container(
            content=fact(say(f"review.accuracy.{name}"), value, palette, strong=True),
            col={"xs": 6, "md": 3},
        )
        for name, value in facts
    ]
    return card(
        ft.Column(
            [
                ft.ResponsiveRow(cells, spacing=8, run_spacing=8),
                words(say("review.accuracy.never_netted"), size=14, color=palette.muted),
            ],
            spacing=8,
            tight=True,
        ),
        palette,
    )


def _coverage(desk: ReviewDesk, report: AccuracyReport) -> ft.Control:
    palette = desk.palette
    counted, total = report.bins_counted, report.bins_total
    sentence = desk.say("review.accuracy.bins", counted=counted, total=total)
    return card(
        ft.Column(
            [
                ft.ProgressBar(
                    value=counted / total if total else 0,
                    color=palette.accent,
                    bgcolor=palette.raised,
                    bar_height=12,
                    border_radius=6,
                    semantics_label=sentence,
                ),
                words(sentence, color=palette.text),
            ],
            spacing=8,
            tight=True,
        ),
        palette,
    )


def _zone(desk: ReviewDesk, figure: AccuracyFigure) -> ft.Control:
    """One zone: its name, a bar, and the number beside it."""
    palette, say = desk.palette, desk.say
    share = 0.0 if figure.percent is None else float(Decimal(figure.percent)) / 100
    base = say("review.accuracy.base", hits=plain(figure.hits), of=plain(figure.of))
    return ft.Row(
        [
            ft.Container(content=words(figure.name, strong=True, lines=1), width=72),
            ft.ProgressBar(
                value=share,
                color=palette.accent,
                bgcolor=palette.raised,
                bar_height=10,
                border_radius=5,
                expand=True,
            ),
            ft.Container(
                content=words(percent(figure.percent, say), strong=True, align=ft.TextAlign.END),
                width=110,
            ),
            ft.Container(content=words(base, size=14, color=palette.muted), width=130),
        ],
        spacing=12,
    )
