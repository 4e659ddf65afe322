"""Which cases the queue shows: whose, of which kind and zone, which owner's, only what is late."""

from __future__ import annotations

import flet as ft

from app.contract.vocabulary import CaseKind
from app.review.state import ReviewState
from app.screens.parts.buttons import chip
from app.screens.review.desk import ReviewDesk
from app.screens.review.look import OWNERS, TARGET
from app.screens.review.pieces import choice, flat_icon, guarded_field


def filter_bar(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """Which cases are shown. What is rarely asked for unfolds, and stays while it narrows the list."""
    rows = [_whose(desk, state), _which(desk, state)]
    if is_unfolded(desk, state):
        rows.append(_more(desk, state))
    return ft.Column(rows, spacing=6, tight=True)


def is_unfolded(desk: ReviewDesk, state: ReviewState) -> bool:
    """Whether owner and due time can be chosen now."""
    filters = state.filters
    return desk.model.has_more_filters or bool(filters.owner) or filters.is_overdue


def _whose(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """All or mine, or those that have ended; and the way to one by its bin, SKU or number."""
    palette, say, filters = desk.palette, desk.say, state.filters
    lists = {
        "all": {"is_mine": False, "is_ended": False, "owner": ""},
        "mine": {"is_mine": True, "is_ended": False, "owner": ""},
        "ended": {"is_mine": False, "is_ended": True, "owner": "", "is_overdue": False},
    }
    chips: list[ft.Control] = [
        chip(
            say(f"review.filter.{name}"),
            key=f"filter-{name}",
            on_press=lambda changes=changes: desk.do(desk.service.narrow(**changes)),  # type: ignore[misc]
            palette=palette,
            selected=(filters.is_mine, filters.is_ended)
            == (changes["is_mine"], changes["is_ended"]),
            height=TARGET,
        )
        for name, changes in lists.items()
    ]
    find = guarded_field(
        desk,
        say("review.filter.find"),
        key="find",
        name="find",
        expand=True,
        into=desk.searched,
        on_submit=desk.find,
        height=TARGET,
    )
    clear = flat_icon(
        ft.Icons.CLOSE,
        say("review.filter.find_clear"),
        key="find-clear",
        on_press=desk.find_nothing,
        palette=palette,
    )
    return ft.Row([*chips, find, *([clear] if filters.find else [])], spacing=6)


def _which(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """Of one kind, of one zone."""
    palette, say, service, filters = desk.palette, desk.say, desk.service, state.filters
    kinds = [("", say("review.filter.all_kinds"))]
    kinds += [(kind.value, say(f"review.kind.{kind.value}")) for kind in CaseKind]
    zones = [("", say("review.filter.all_zones"))]
    zones += [(zone, say("review.filter.zone_of", zone=zone)) for zone in state.zones]
    return ft.Row(
        [
            choice(
                say("review.filter.kind"),
                filters.kind.value if filters.kind else "",
                kinds,
                key="filter-kind",
                on_choose=lambda kind: desk.do(
                    service.narrow(kind=CaseKind(kind) if kind else None)
                ),
                palette=palette,
                expand=1,
                marked=filters.kind is not None,
            ),
            choice(
                say("review.filter.zone"),
                filters.zone,
                zones,
                key="filter-zone",
                on_choose=lambda zone: desk.do(service.narrow(zone=zone)),
                palette=palette,
                expand=1,
                marked=bool(filters.zone),
            ),
            *([] if filters.is_ended else [_unfold(desk, state)]),
        ],
        spacing=6,
    )


def _unfold(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    is_open = is_unfolded(desk, state)
    return flat_icon(
        ft.Icons.EXPAND_LESS if is_open else ft.Icons.TUNE,
        desk.say("review.filter.fewer" if is_open else "review.filter.more"),
        key="filter-more",
        on_press=desk.fold_filters if is_open else desk.unfold_filters,
        palette=desk.palette,
    )


def _more(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """Of one owner, and only what is late."""
    palette, say, service, filters = desk.palette, desk.say, desk.service, state.filters
    owners = [("", say("review.filter.all_owners"))]
    owners += [(p.user_id, p.name) for p in state.people if p.role in OWNERS]
    times = [("", say("review.filter.all_times")), ("late", say("review.filter.overdue"))]
    return ft.Row(
        [
            choice(
                say("review.filter.owner"),
                filters.owner,
                owners,
                key="filter-owner",
                on_choose=lambda who: desk.do(service.narrow(owner=who, is_mine=False)),
                palette=palette,
                expand=1,
                marked=bool(filters.owner),
            ),
            choice(
                say("review.filter.due"),
                "late" if filters.is_overdue else "",
                times,
                key="filter-due",
                on_choose=lambda due: desk.do(service.narrow(is_overdue=bool(due))),
                palette=palette,
                expand=1,
                marked=filters.is_overdue,
            ),
        ],
        spacing=6,
    )
