"""The loop's stage: a real server, two real client processes and a cable between them that can be cut."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from server.cli.demo_story import DemoStory, prepare_story
from server.cli.processes import (
    Child,
    client_command,
    client_environment,
    free_port,
    server_command,
)
from tests.loop.proxy import Cable

SITE_ID = "northgate"


class Stage:
    """Everything the play needs, started once and ended for certain. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.database = folder / "server.sqlite"
        self.story: DemoStory = prepare_story(folder, f"sqlite:///{self.database}", SITE_ID)
        self.server_port = free_port(8500)
        self.cable = Cable(self.server_port)
        self.floor_port = free_port(self.server_port + 1)
        self.review_port = free_port(self.floor_port + 1)
        self.server = self._server()
        self.floor = self._client(
            "handheld", self.floor_port, self.cable.url, self.story.floor_code
        )
        self.review = self._client(
            "tablet", self.review_port, self.server_url, self.story.review_code
        )

    @property
    def server_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def floor_url(self) -> str:
        return f"http://127.0.0.1:{self.floor_port}"

    @property
    def review_url(self) -> str:
        return f"http://127.0.0.1:{self.review_port}"

    def _server(self) -> Child:
        env = {
            "BLINDCOUNT_DATABASE_URL": f"sqlite:///{self.database}",
            "BLINDCOUNT_SITE_ID": SITE_ID,
        }
        return Child(
            "server", server_command(self.server_port), log=self.folder / "server.log", env=env
        )

    def _client(self, name: str, port: int, server_url: str, code: str) -> Child:
        env = client_environment(
            port=port,
            data=self.folder / name,
            server_url=server_url,
            enrol_code=code,
            device_name=name,
        )
        return Child(name, client_command(), log=self.folder / f"{name}.log", env=env)

    def __enter__(self) -> Stage:
        self.server.start()
        self.server.wait_until_answers(f"{self.server_url}/readyz")
        for client, url in ((self.floor, self.floor_url), (self.review, self.review_url)):
            client.start()
            client.wait_until_answers(url)
        return self

    def __exit__(self, *_: object) -> None:
        for child in (self.review, self.floor, self.server):
            child.stop()
        self.cable.close()

    def kill_floor(self) -> None:
        """SIGKILL the counter's client in the middle of whatever it does, and start it again."""
        self.floor.kill()
        self.floor.start()
        self.floor.wait_until_answers(self.floor_url)

    def kill_server(self) -> None:
        """SIGKILL the server in the middle of whatever it does, and start it again."""
        self.server.kill()
        self.server.start()
        self.server.wait_until_answers(f"{self.server_url}/readyz")

    def api(self, token: str = "") -> httpx.Client:
        """A client of the server's API, past the cable."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.server_url, headers=headers, timeout=30, trust_env=False)

    def device_rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the handheld's own database file, read past the program."""
        return _rows(self.folder / "handheld" / "ops.db", sql)

    def server_rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the server's database file, read past the program."""
        return _rows(self.database, sql)


def _rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        return connection.execute(sql).fetchall()


def wait_for(what: str, check: Callable[[], Any], seconds: float = 30) -> Any:
    """The first truthy answer of a check; AssertionError naming what was waited for otherwise."""
    deadline = time.monotonic() + seconds
    last: Any = None
    while time.monotonic() < deadline:
        last = check()
        if last:
            return last
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds:.0f} s for: {what} (last seen: {last!r})")
