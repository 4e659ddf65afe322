"""`blindcount demo`: the whole product on one machine, with the story's warehouse in it.

Starts the server on a SQLite file, loads the story once, starts a counter's and a supervisor's client
as separate processes (each is a device with its own data folder), prints where to look and opens the
browser. Ctrl-C ends all of it. Data stays in the folder until --reset.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from server.cli.demo_story import DemoStory, prepare_story
from server.cli.processes import (
    Child,
    ChildError,
    client_command,
    client_environment,
    free_port,
    server_command,
)

SITE_ID = "northgate"
console = Console()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """Where the demo's parts live and listen."""

    folder: Path
    server_port: int
    floor_port: int
    review_port: int

    @property
    def server_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def floor_url(self) -> str:
        return f"http://127.0.0.1:{self.floor_port}"

    @property
    def review_url(self) -> str:
        return f"http://127.0.0.1:{self.review_port}/review"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.folder / 'server.sqlite'}"

    @property
    def server_environment(self) -> dict[str, str]:
        return {"BLINDCOUNT_DATABASE_URL": self.database_url, "BLINDCOUNT_SITE_ID": SITE_ID}


def make_plan(folder: Path, port: int) -> DemoPlan:
    """Three free ports from the wanted one on; a port in use is passed over, and said."""
    server_port = free_port(port)
    floor_port = free_port(server_port + 1)
    review_port = free_port(floor_port + 1)
    if server_port != port:
        console.print(f"Port {port} is in use by another program; using {server_port} instead.")
    return DemoPlan(
        folder=folder, server_port=server_port, floor_port=floor_port, review_port=review_port
    )


@contextmanager
def _step(words: str) -> Iterator[None]:
    """Say what is being done while it is done, and how long it took when that was over a second."""
    started = time.monotonic()
    with console.status(words):
        yield
    seconds = time.monotonic() - started
    console.print(
        f"[green]✓[/green] {words}" + (f" [dim]({seconds:.0f} s)[/dim]" if seconds > 1 else "")
    )


def _tell(words: str) -> None:
    console.print(f"  [dim]{words} ...[/dim]")


def _children(plan: DemoPlan, story: DemoStory) -> list[tuple[Child, str]]:
    logs = plan.folder / "logs"
    return [
        (
            Child(
                "the counter's client",
                client_command(),
                log=logs / "counter.log",
                env=client_environment(
                    port=plan.floor_port,
                    data=plan.folder / "counter",
                    server_url=plan.server_url,
                    enrol_code=story.floor_code,
                    device_name="Handheld 1",
                ),
            ),
            plan.floor_url,
        ),
        (
            Child(
                "the supervisor's client",
                client_command(),
                log=logs / "supervisor.log",
                env=client_environment(
                    port=plan.review_port,
                    data=plan.folder / "supervisor",
                    server_url=plan.server_url,
                    enrol_code=story.review_code,
                    device_name="Tablet 1",
                ),
            ),
            plan.review_url,
        ),
    ]


def _show(plan: DemoPlan, story: DemoStory) -> None:
    """Where to look and how to get in. Plain lines: an address must not be cut by a narrow window."""
    lines = (
        ("Counter", plan.floor_url),
        ("  sign in", ", ".join(f"{p.name} {p.pin}" for p in story.counters)),
        ("Supervisor", plan.review_url),
        ("  sign in", ", ".join(f"{p.user_id} {p.pin}" for p in story.supervisors)),
        ("API", f"{plan.server_url}/docs"),
        ("Set-up code", f"{story.floor_code} (already filled in on the counter's screen)"),
        ("Barcodes", f"{story.sheet} (print it, hold it before the webcam)"),
    )
    console.print("\n[bold]Blindcount is running[/bold]")
    for name, value in lines:
        console.print(f"  {name:12} {value}", soft_wrap=True, highlight=False)
    console.print("\nTo try: set the device up, sign in as Ana, count the bins of the list;")
    console.print("then look at the queue as maria.")
    console.print("Ctrl-C ends everything; `make demo-reset` starts the story afresh.\n")


def _watch(children: list[Child]) -> None:
    """Sleep until somebody interrupts; ChildError when a part ends by itself."""
    while True:
        for child in children:
            if not child.is_running:
                raise ChildError(
                    f"{child.name} stopped (exit {child.exit_code}).\n{child.last_words()}"
                )
        time.sleep(0.5)


def run_demo(folder: Path, *, port: int, reset: bool, opens_browser: bool) -> int:
    """The demo from start to Ctrl-C. Exit code 0, or 1 with a sentence about what failed."""
    signal.signal(signal.SIGTERM, _interrupt)
    if reset and folder.exists():
        shutil.rmtree(folder)
        console.print("The old story's data is gone; starting afresh.")
    folder.mkdir(parents=True, exist_ok=True)
    children: list[Child] = []
    try:
        plan = make_plan(folder, port)
        os.environ.update(plan.server_environment)
        with _step("Making the story's warehouse (40 bins, 120 SKUs, some thousands of movements)"):
            story = prepare_story(plan.folder, plan.database_url, SITE_ID, on_step=_tell)
        server = Child(
            "the server",
            server_command(plan.server_port),
            log=folder / "logs" / "server.log",
            env=plan.server_environment,
        )
        children.append(server)
        with _step("Starting the server"):
            server.start()
            server.wait_until_answers(f"{plan.server_url}/readyz")
        with _step("Starting the counter's and the supervisor's screens"):
            clients = _children(plan, story)
            for client, _url in clients:
                client.start()
                children.append(client)
            for client, url in clients:
                client.wait_until_answers(url)
        _show(plan, story)
        if opens_browser:
            for url in (plan.floor_url, plan.review_url):
                webbrowser.open(url)
        _watch(children)
    except KeyboardInterrupt:
        console.print("\nStopping ...")
        return 0
    except ChildError as error:
        console.print(f"[red]The demo stopped.[/red] {error}", highlight=False)
        return 1
    finally:
        for child in reversed(children):
            child.stop()
    return 0


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def demo(
    reset: Annotated[
        bool, typer.Option(help="Throw the demo's data away and start the story afresh.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path(".demo"),
    port: Annotated[
        int, typer.Option(help="The server's port; the clients take the next free ones.")
    ] = 8400,
    browser: Annotated[bool, typer.Option(help="Open the browser on both screens.")] = True,
) -> None:
    """Run the whole product here: server, story, a counter's and a supervisor's screen in the browser."""
    sys.exit(run_demo(folder.resolve(), port=port, reset=reset, opens_browser=browser))
