"""What is to be counted, by whom, and how far it is."""

from __future__ import annotations

import flet as ft

from app.contract.review import TaskRow
from app.contract.vocabulary import TaskState
from app.review.state import ReviewState
from app.screens import theme
from app.screens.parts.text import code, words
from app.screens.review.desk import ReviewDesk
from app.screens.review.figures import lasting
from app.screens.review.look import MEDIUM
from app.screens.review.pieces import heading, tag, waiting

STATE_ICONS: dict[TaskState, ft.IconData] = {
    TaskState.PLANNED: ft.Icons.EVENT_NOTE,
    TaskState.ASSIGNED: ft.Icons.PERSON,
    TaskState.COUNTING: ft.Icons.BARCODE_READER,
    TaskState.SUBMITTED: ft.Icons.UPLOAD,
    TaskState.RECONCILED: ft.Icons.CHECK_CIRCLE,
    TaskState.SKIPPED: ft.Icons.SKIP_NEXT,
    TaskState.CANCELLED: ft.Icons.CANCEL,
}


@ft.component
def TasksPage(desk: ReviewDesk, state: ReviewState, width: float) -> ft.Control:
    """One line for each task. Recounts are marked here, and only here: no device is told."""
    palette, say = desk.palette, desk.say
    body: ft.Control
    if state.tasks is None:
        body = waiting(desk, state, say("review.fetching"))
    elif not state.tasks:
        body = ft.Container(
            content=words(say("review.tasks.none"), size=18, color=palette.muted),
            padding=24,
        )
    else:
        body = ft.ListView(
            [_row(desk, state, task, width) for task in state.tasks],
            spacing=6,
            padding=ft.Padding.only(bottom=16),
            expand=True,
        )
    count = len(state.tasks or ())
    title = heading(say("review.tasks.title", n=count), palette, size=22)
    return ft.Container(
        content=ft.Column([title, body], spacing=12, expand=True), padding=20, expand=True
    )


def _row(desk: ReviewDesk, state: ReviewState, task: TaskRow, width: float) -> ft.Control:
    palette, say = desk.palette, desk.say
    who = state.name_of(task.assigned_to) or say("review.tasks.anyone")
    age = lasting(desk.now() - task.created_at, say)
    tags: list[ft.Control] = [
        tag(say(f"review.task.{task.state.value}"), palette.calm, STATE_ICONS[task.state])
    ]
    if task.round_index:
        tags.append(tag(say("review.tasks.recount"), palette.info, ft.Icons.REPLAY))
    parts: list[ft.Control] = [
        ft.Container(content=code(task.bin, size=18, color=palette.text), width=120),
        words(who, color=palette.text, lines=1, expand=True),
        *tags,
    ]
    if width >= MEDIUM:
        made = words(age, size=14, color=palette.muted, align=ft.TextAlign.END)
        parts.append(ft.Container(content=made, width=64))
    return ft.Container(
        content=ft.Row(parts, spacing=12),
        bgcolor=palette.surface,
        border=ft.Border.all(1, palette.edge),
        border_radius=theme.RADIUS,
        padding=ft.Padding.symmetric(horizontal=12),
        height=56,
        key=f"task-{task.bin}",
    )
