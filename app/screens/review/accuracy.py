"""How right the book is: every figure with its basis in its name, and the variance never netted away."""

from __future__ import annotations

from decimal import Decimal

import flet as ft

from app.contract.review import AccuracyFigure, AccuracyReport
from app.review.state import ReviewState
from app.screens.parts.text import words
from app.screens.review.desk import ReviewDesk
from app.screens.review.figures import day, money, percent, plain, signed
from app.screens.review.pieces import card, fact, heading, waiting


@ft.component
def AccuracyPage(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """Figures, variance, coverage, zones, and which proposals were followed."""
    report, say, palette = state.accuracy, desk.say, desk.palette
    if report is None:
        return waiting(desk, state, say("review.fetching"))
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
        parts.append(_shares(desk, [(zone.name, zone) for zone in report.by_zone]))
    parts += [heading(say("review.accuracy.proposals"), palette), _proposals(desk, report)]
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


def _shares(desk: ReviewDesk, named: list[tuple[str, AccuracyFigure]]) -> ft.Control:
    return card(
        ft.Column([_share(desk, name, figure) for name, figure in named], spacing=12, tight=True),
        desk.palette,
    )


def _share(desk: ReviewDesk, name: str, figure: AccuracyFigure) -> ft.Control:
    """One of a list: its name and the numbers in a line, the bar below, as wide as there is room."""
    palette, say = desk.palette, desk.say
    base = say("review.accuracy.base", hits=plain(figure.hits), of=plain(figure.of))
    shown = percent(figure.percent, say)
    numbers = ft.Row(
        [
            words(name, strong=True, color=palette.text, expand=True),
            words(base, size=14, color=palette.muted),
            words(shown, strong=True, color=palette.text),
        ],
        spacing=12,
    )
    bar = ft.ProgressBar(
        value=0.0 if figure.percent is None else float(Decimal(figure.percent)) / 100,
        color=palette.accent,
        bgcolor=palette.raised,
        bar_height=10,
        border_radius=5,
    )
    spoken = say("review.accuracy.share", name=name, percent=shown, base=base)
    body = ft.Column([numbers, bar], spacing=4, tight=True)
    return ft.Semantics(content=body, label=spoken, container=True, exclude_semantics=True)


def _proposals(desk: ReviewDesk, report: AccuracyReport) -> ft.Control:
    """How often what the evidence proposed was what people decided; the most often proposed first."""
    say, found = desk.say, report.proposals
    shown = sum((Decimal(each.of) for each in found), Decimal(0))
    taken = sum((Decimal(each.hits) for each in found), Decimal(0))
    if not shown:
        sentence = words(say("review.accuracy.proposals_none"), color=desk.palette.muted)
        return card(sentence, desk.palette, key="proposals-none")
    total = say("review.accuracy.proposals_total", taken=f"{taken:f}", n=int(shown))
    often = sorted(found, key=lambda each: -Decimal(each.of))
    parts: list[ft.Control] = [words(total, color=desk.palette.text)]
    parts.append(_shares(desk, [(_proposal_name(each.name, desk), each) for each in often]))
    return ft.Column(parts, spacing=8, tight=True, key="proposals")


def _proposal_name(kind: str, desk: ReviewDesk) -> str:
    """The kind in words; a newer server's kind by its own name."""
    key = f"review.proposal.{kind}"
    return desk.say(key) if desk.say.has(key) else kind
