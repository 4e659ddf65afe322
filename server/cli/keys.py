"""`blindcount keys`: what programs present instead of a PIN."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.contract.vocabulary import Role
from server.clock import Rim
from server.services.api_keys import (
    KEY_NAME_MAX,
    KeyNameError,
    KeyNameTakenError,
    api_keys,
    make_api_key,
    revoke_api_key,
)
from server.settings import read_settings
from server.storage.opening import open_database

keys = typer.Typer(help="Keys for programs: an ERP that imports and exports, a report that reads.")
Name = Annotated[str, typer.Argument(help="What the program is called, as history will name it.")]
_SPOKEN = "%Y-%m-%d %H:%M"


class ProgramRole(StrEnum):
    """What a key may do. No key counts, recounts or decides: a person must stand behind that."""

    INTEGRATOR = Role.INTEGRATOR.value
    AUDITOR = Role.AUDITOR.value


@keys.command()
def new(
    name: Name,
    role: Annotated[
        ProgramRole,
        typer.Option(
            help="integrator: imports and exports. auditor: reads cases, figures, records and their history."
        ),
    ] = ProgramRole.INTEGRATOR,
) -> None:
    """Make a key. It is shown once; only its hash is kept."""
    settings, rim = read_settings(), Rim()
    database = open_database(settings, rim.now())
    try:
        key = make_api_key(
            database, settings.site_id, name, rim=rim, actor="cli", role=Role(role.value)
        )
    except KeyNameError as error:
        typer.echo(
            f"{name!r} is no name for a key: 1 to {KEY_NAME_MAX} letters, digits or any of . _ - "
            "(no blanks, so that it can be typed again). Nothing was made.",
            err=True,
        )
        raise typer.Exit(1) from error
    except KeyNameTakenError as error:
        typer.echo(
            f"A key named {name} is in use. Nothing was made. Choose another name, "
            f"or end that one first: blindcount keys revoke {name}",
            err=True,
        )
        raise typer.Exit(1) from error
    finally:
        database.close()
    typer.echo(key)
    typer.echo(
        f"Key of {name} ({role.value}). Keep it now, it cannot be shown again. "
        "Send it as `Authorization: Bearer KEY`.",
        err=True,
    )


@keys.command("list")
def list_keys() -> None:
    """All keys, with what became of them."""
    settings, rim = read_settings(), Rim()
    database = open_database(settings, rim.now())
    found = api_keys(database, settings.site_id)
    database.close()
    for key in found:
        end = "in use" if key.revoked_at is None else f"revoked {key.revoked_at:{_SPOKEN}} UTC"
        typer.echo(f"{key.name:20} {key.role.value:10} made {key.made_at:{_SPOKEN}} UTC  {end}")
    if not found:
        typer.echo("No keys yet. Make one: blindcount keys new NAME")


@keys.command()
def revoke(name: Name) -> None:
    """End a key: from the next request on it opens nothing."""
    settings, rim = read_settings(), Rim()
    database = open_database(settings, rim.now())
    was_in_use = revoke_api_key(database, settings.site_id, name, rim=rim, actor="cli")
    database.close()
    if not was_in_use:
        typer.echo(f"No key in use is named {name}. See: blindcount keys list", err=True)
        raise typer.Exit(1)
    typer.echo(f"The key of {name} is revoked.")
