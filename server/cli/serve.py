"""`blindcount serve`: bring the database up to date and answer requests."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Annotated

import typer
import uvicorn

from server.cli.processes import is_port_free
from server.main import create_app
from server.settings import read_settings
from server.storage.engine import Database
from server.storage.migrate import upgrade


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (0.0.0.0: all).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Run the server. Settings come from BLINDCOUNT_… variables; these options win over them.

    BLINDCOUNT_DATABASE_URL is sqlite:///blindcount.sqlite unless it says otherwise; PostgreSQL by URL.
    """
    try:
        settings = read_settings()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    chosen = replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
    )
    if not is_port_free(chosen.port, chosen.host):
        typer.echo(
            f"Port {chosen.port} is already in use, so the server cannot start. "
            f"Stop the other program, or choose another port: blindcount serve --port {chosen.port + 1}",
            err=True,
        )
        raise typer.Exit(1)
    database = Database(chosen.database_url)
    upgrade(database)
    app = create_app(chosen, database=database)
    spare_what_stays()
    uvicorn.run(
        app,
        host=chosen.host,
        port=chosen.port,
        log_level=chosen.log_level,
        access_log=False,
    )


def spare_what_stays() -> None:
    """Do not look for garbage in what was loaded to start, nor every 700 new objects.

    A push makes some hundred thousand objects, nearly all freed by their reference counts: looking
    through everything again and again took a fifth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
