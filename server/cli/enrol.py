"""`blindcount enrol`: a one-time code for one device."""

from __future__ import annotations

from typing import Annotated

import typer

from server.clock import Rim
from server.services.enrolment import make_enrol_code
from server.settings import read_settings
from server.storage.opening import open_database


def enrol(
    minutes: Annotated[int | None, typer.Option(help="How long the code is valid.")] = None,
) -> None:
    """Print a one-time code. On the device: Set-up, then the server's address and this code."""
    settings = read_settings()
    rim = Rim()
    database = open_database(settings, rim.now())
    made = make_enrol_code(
        database,
        settings.site_id,
        rim=rim,
        minutes=settings.enrol_minutes if minutes is None else minutes,
        actor="cli",
    )
    database.close()
    typer.echo(f"Enrolment code: {made.code[:5]}-{made.code[5:]}")
    typer.echo(f"Valid once, until {made.expires_at.astimezone():%H:%M}.")
