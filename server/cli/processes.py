"""Child processes of the demo and of the loop's tests: started in a group of their own, ended for certain."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

READY_SECONDS = 60.0
"""Longest wait for a child to answer: a cold start on a slow disk takes ten."""
STOP_SECONDS = 8.0


class ChildError(RuntimeError):
    """A child did not come up, or went away. Carries the end of what it printed."""


class Child:
    """One process with its output in a log file. Not thread-safe; one owner."""

    def __init__(
        self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", **env}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, adding to its log file."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self._env,
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def wait_until_answers(self, url: str, seconds: float = READY_SECONDS) -> None:
        """Return once the address answers with anything; ChildError with the log's end if it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.is_running:
                raise ChildError(
                    f"{self.name} stopped at once (exit {self.exit_code}).\n{self.last_words()}"
                )
            if answers(url):
                return
            time.sleep(0.1)
        raise ChildError(
            f"{self.name} does not answer at {url} after {seconds:.0f} s.\n{self.last_words()}"
        )

    def last_words(self, lines: int = 15) -> str:
        """The end of the log, for a person to read."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """Ask it to end, then make it."""
        self._signal(signal.SIGTERM)
        if self._process is not None:
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """SIGKILL the whole group: what a phone does to an app it wants gone."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def answers(url: str) -> bool:
    """True when an HTTP server answers there, whatever it says."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False


def is_port_free(port: int, host: str = "127.0.0.1") -> bool:
    """True when a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(wanted: int, host: str = "127.0.0.1", *, taken: Sequence[int] = ()) -> int:
    """The wanted port or the next free one above it. ChildError when fifty in a row are taken."""
    for port in range(wanted, wanted + 50):
        if port not in taken and is_port_free(port, host):
            return port
    raise ChildError(
        f"ports {wanted} to {wanted + 49} are all in use. Stop one of the programs, or say --port"
    )


def server_command(port: int) -> list[str]:
    """How this Python starts the server."""
    return [sys.executable, "-m", "server.cli.main", "serve", "--port", str(port)]


def client_command() -> list[str]:
    """How this Python starts the client: the file that is the entry point on the phone too."""
    root = Path(__file__).resolve().parents[2]
    return [sys.executable, str(root / "app" / "main.py")]


def client_environment(
    *, port: int, data: Path, server_url: str, enrol_code: str = "", device_name: str = ""
) -> dict[str, str]:
    """A client that shows itself in a browser, with its own data folder."""
    return {
        "FLET_FORCE_WEB_SERVER": "true",
        "BLINDCOUNT_CLIENT_PORT": str(port),
        "BLINDCOUNT_DATA_DIR": str(data),
        "BLINDCOUNT_SERVER_URL": server_url,
        "BLINDCOUNT_ENROL_CODE": enrol_code,
        "BLINDCOUNT_DEVICE_NAME": device_name,
    }
