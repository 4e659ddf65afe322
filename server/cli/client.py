"""`blindcount client`: the phone's program, shown in a browser on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from server.cli.processes import client_command, client_environment, free_port


def client(
    server: Annotated[str, typer.Option(help="Where the server is.")] = "http://127.0.0.1:8400",
    port: Annotated[int, typer.Option(help="Port to show the client on.")] = 8401,
    data: Annotated[Path, typer.Option(help="This device's data folder.")] = Path(
        ".blindcount-client"
    ),
    code: Annotated[str, typer.Option(help="Enrolment code to fill in.")] = "",
) -> None:
    """Start the client in a browser. It is one device: its counts live in the data folder."""
    chosen = free_port(port)
    environment = client_environment(
        port=chosen, data=data.resolve(), server_url=server, enrol_code=code
    )
    typer.echo(f"Open http://127.0.0.1:{chosen} (Ctrl-C ends it; counts stay in {data})")
    command = client_command()
    os.execvpe(command[0], command, {**os.environ, **environment})
