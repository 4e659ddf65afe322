"""`blindcount restored` and `blindcount rescue`: after a server, or a device, was lost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.contract.rescue import (
    RescueBundle,
    RescueFile,
    RescueFileError,
    file_text,
    read_bundle,
)
from app.contract.wire import EVENTS_MAX, RescueRequest, Result
from server.clock import Rim
from server.domain.people import Device, DeviceState
from server.services.epochs import begin_epoch
from server.services.intake import rescue as take_in
from server.settings import read_settings
from server.storage import access
from server.storage.engine import Database
from server.storage.opening import open_database

FROM_A_FILE = Device(
    device_id="rescue-file", name="Rescue file", install_id="", state=DeviceState.ACTIVE
)


def restored() -> None:
    """Say that the database was restored from a copy: every device sends again what it lacks."""
    settings = read_settings()
    rim = Rim()
    database = open_database(settings, rim.now())
    epoch = begin_epoch(database, settings.site_id, rim)
    database.close()
    typer.echo(f"New epoch {epoch}. Devices compare themselves with it at their next contact.")


def rescue(
    file: Annotated[Path, typer.Argument(help="A rescue file shared from a device.")],
) -> None:
    """Take in a device's rescue file. Safe to repeat: what is here already is passed over."""
    try:
        found = read_bundle(file_text(file.read_bytes()))
    except (OSError, RescueFileError) as error:
        typer.echo(f"{file} cannot be read: {error}. Nothing was changed.", err=True)
        raise typer.Exit(1) from error
    settings = read_settings()
    rim = Rim()
    database = open_database(settings, rim.now())
    tally = dict.fromkeys(Result, 0)
    for part in found.files:
        _take_in(database, settings.site_id, part, rim, tally)
    signer = _signer(database, settings.site_id, found)
    database.close()
    typer.echo(", ".join(f"{n} {r}" for r, n in tally.items() if n) or "No events in it.")
    if found.device_id:
        typer.echo(signer, err=not signer.startswith("Signed"))
    if not all(part.is_whole for part in found.files):
        typer.echo("The file is cut or was changed; what could be read was taken in.", err=True)


def _take_in(
    database: Database, site_id: str, part: RescueFile, rim: Rim, tally: dict[Result, int]
) -> None:
    for start in range(0, len(part.events), EVENTS_MAX):
        events = part.events[start : start + EVENTS_MAX]
        request = RescueRequest(install_id=part.install_id, events=events)
        reply = take_in(database, site_id, FROM_A_FILE, request, rim=rim)
        for word in reply.results:
            tally[word.r] += 1


def _signer(database: Database, site_id: str, found: RescueBundle) -> str:
    with database.read() as session:
        device = access.device_row(session, site_id, found.device_id)
        if device is not None and found.is_signed_with(device.token_sha256):
            return f"Signed by {device.name}."
    return (
        "The signature is not of a device as it is enrolled now. What is in the file was taken in all the"
        " same: ask where it comes from."
    )
