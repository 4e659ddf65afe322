"""One Chromium and one client process for the browser's tests; the client can be killed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, sync_playwright

from server.cli.processes import Child, client_command, client_environment, free_port
from tests.support.browser import start_chromium
from tests.support.device import enrolled
from tests.support.site import changes_of, site_rows


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The real browser."""
    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        yield browser
        browser.close()


class Client:
    """A client process of its own, on a device that knows the small site and has no network."""

    def __init__(self, folder: Path) -> None:
        # Opened and closed here: the files are the device's memory, the process is the app.
        from app.store.device_store import DeviceStore
        from app.store.reference import Reference

        store = DeviceStore.open(folder)
        enrolled(store)
        store.close()
        reference = Reference.open(folder)
        reference.apply_page(changes_of(site_rows()), cursor="c", checkpoint=None, has_more=False)
        reference.close()
        self.folder = folder
        self.port = free_port(8460)
        self.url = f"http://127.0.0.1:{self.port}/"
        self.child = Child(
            "client",
            client_command(),
            log=folder / "client.log",
            env=client_environment(port=self.port, data=folder, server_url="http://127.0.0.1:1"),
        )
        self.start()

    def start(self) -> None:
        """Start it and wait until it shows itself."""
        self.child.start()
        self.child.wait_until_answers(self.url)

    def kill_and_start(self) -> None:
        """SIGKILL, as a phone does to an app it wants gone; then the app is opened again."""
        self.child.kill()
        self.start()


class Desk:
    """A server's application on a port, and a tablet's client process in front of it."""

    def __init__(self, app: FastAPI, folder: Path) -> None:
        port = free_port(8470)
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")
        )
        self._thread = threading.Thread(target=self._uvicorn.run, daemon=True)
        self._thread.start()
        shown = free_port(8480)
        self.url = f"http://127.0.0.1:{shown}/review"
        self.child = Child(
            "client",
            client_command(),
            log=folder / "client.log",
            env=client_environment(
                port=shown, data=folder / "device", server_url=f"http://127.0.0.1:{port}"
            ),
        )
        self.child.start()
        self.child.wait_until_answers(self.url)

    def stop(self) -> None:
        """End both."""
        self.child.stop()
        self._uvicorn.should_exit = True
        self._thread.join(10)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client with the small site."""
    made = Client(tmp_path / "device")
    yield made
    made.child.stop()
