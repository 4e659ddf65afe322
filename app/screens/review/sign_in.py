"""Who reviews: person and PIN. No names are listed, because who works here is nobody's business."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from app.review.state import Reach, ReviewState
from app.screens import theme
from app.screens.parts.band import live
from app.screens.parts.buttons import button
from app.screens.parts.component import kept_texts
from app.screens.parts.text import words
from app.screens.review.desk import ReviewDesk
from app.screens.review.phrases import outage_words, trouble_words
from app.screens.review.pieces import card, guarded_field, quiet_button


@ft.component
def ReviewSignIn(desk: ReviewDesk, state: ReviewState) -> ft.Control:
    """Two fields and a button; the server's address is asked only where none is known."""
    say, palette = desk.say, desk.palette
    kept = kept_texts(user=desk.rim.user_id, pin="", server=desk.service.url)
    asks_server, ask_server = ft.use_state(not desk.service.url)

    def submit() -> None:
        desk.do(_sign_in(desk, kept))

    parts: list[ft.Control] = [
        ft.Semantics(
            content=words(say("review.sign_in.title"), size=26, strong=True, color=palette.text),
            header=True,
        ),
        words(say("review.sign_in.how"), color=palette.muted),
    ]
    parts += _fields(desk, kept, asks_server, submit)
    said = _why(desk, state)
    if said:
        parts.append(_notice(desk, said))
    busy = state.is_signing_in
    parts.append(
        ft.Row(
            [
                button(
                    say("review.sign_in.busy" if busy else "review.sign_in.do"),
                    key="sign-in",
                    on_press=submit,
                    palette=palette,
                    height=56,
                    disabled=busy,
                )
            ]
        )
    )
    parts.append(_foot(desk, asks_server, lambda: ask_server(True)))
    box = card(
        ft.Column(
            parts,
            spacing=16,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        palette,
        width=420,
    )
    box.padding = 24  # type: ignore[attr-defined]
    return ft.Container(content=box, alignment=ft.Alignment.CENTER, padding=16, expand=True)


def _fields(
    desk: ReviewDesk, kept: dict[str, str], asks_server: bool, submit: Callable[[], None]
) -> list[ft.Control]:
    """The first empty one has the cursor; Enter in the last one signs in."""
    say = desk.say
    fields: list[ft.Control] = []
    if asks_server:
        fields.append(
            guarded_field(desk, say("enrol.server"), key="server_url", name="server", into=kept)
        )
    fields.append(
        guarded_field(
            desk,
            say("review.sign_in.user"),
            key="user",
            name="user",
            into=kept,
            autofocus=not kept["user"],
        )
    )
    fields.append(
        guarded_field(
            desk,
            say("review.sign_in.pin"),
            key="pin",
            name="pin",
            into=kept,
            is_secret=True,
            on_submit=submit,
            autofocus=bool(kept["user"]),
        )
    )
    return fields


def _foot(desk: ReviewDesk, asks_server: bool, ask: Callable[[], None]) -> ft.Control:
    say, palette = desk.say, desk.palette
    parts: list[ft.Control] = [
        quiet_button(
            say("review.sign_in.floor"),
            key="to-floor",
            on_press=desk.rim.leave,
            palette=palette,
            icon=ft.Icons.ARROW_BACK,
        )
    ]
    if not asks_server:
        parts.append(
            quiet_button(
                say("review.sign_in.server"),
                key="other-server",
                on_press=ask,
                palette=palette,
            )
        )
    return ft.Row(parts, spacing=8, alignment=ft.MainAxisAlignment.SPACE_BETWEEN)


async def _sign_in(desk: ReviewDesk, kept: dict[str, str]) -> None:
    await desk.service.use_server(kept["server"].strip())
    pin, kept["pin"] = kept["pin"], ""
    await desk.service.sign_in(kept["user"], pin)
    desk.is_typing = False


def _why(desk: ReviewDesk, state: ReviewState) -> str:
    if state.trouble is not None:
        return trouble_words(state.trouble, desk.say)
    return outage_words(state, desk.say) if state.reach is Reach.OFFLINE else ""


def _notice(desk: ReviewDesk, sentence: str) -> ft.Control:
    pair = desk.palette.reject
    return live(
        ft.Container(
            content=words(sentence, strong=True, color=pair.front),
            bgcolor=pair.back,
            border_radius=theme.RADIUS,
            padding=12,
            key="sign-in-trouble",
        ),
        sentence,
    )
