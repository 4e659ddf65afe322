"""A live server process fed with everything a bad client, a bad network or a bad person can send."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.contract.problems import CATALOGUE
from app.contract.vocabulary import Role
from server.clock import Rim
from server.services import access, enrolment
from server.services.access import NewPerson
from tests.hostile.corpus import Corpus
from tests.support.events import an_id
from tests.support.server import SITE

SECONDS_MAX = 5.0
MEMORY_MAX_KB = 64 * 1024
CASES_MIN = 500
pytestmark = pytest.mark.slow


class Live:
    """A server process, and one enrolled device's token."""

    def __init__(self, database, folder: Path) -> None:
        rim = Rim()
        person = NewPerson(user_id="ana", name="Ana", role=Role.COUNTER)
        access.add_people(database, SITE, [person], rim=rim)
        code = enrolment.make_enrol_code(database, SITE, rim=rim, minutes=10, actor="sue").code
        database.close()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = (folder / "server.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server.cli.main", "serve", "--port", str(self.port)],
            env=os.environ | {"BLINDCOUNT_DATABASE_URL": database.url},
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.install_id = an_id()
        self._wait()
        wanted = {
            "token": code,
            "install_id": self.install_id,
            "device_name": "d",
            "app_version": "1",
        }
        status, body, _ = self.ask("POST", "/sync/v1/enrol", json.dumps(wanted).encode(), {})
        assert status == 200, body
        reply = json.loads(body)
        self.token, self.epoch = reply["device_token"], reply["server_epoch"]

    def _wait(self) -> None:
        until = time.monotonic() + 90
        while time.monotonic() < until:
            try:
                if self.ask("GET", "/healthz", b"", {})[0] == 200:
                    return
            except OSError:
                assert self.process.poll() is None, "the server did not start"
                time.sleep(0.2)
        raise AssertionError("the server did not answer in time")

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]):
        """(status, body, seconds) of one request over a connection of its own."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                connection.putheader(name, value)
            connection.endheaders(body)
            reply = connection.getresponse()
            return reply.status, reply.read(), time.monotonic() - began
        finally:
            connection.close()

    def raw(self, data: bytes) -> bytes:
        """What comes back for bytes that are hardly HTTP, within the time."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS_MAX) as wire:
            wire.sendall(data)
            wire.shutdown(socket.SHUT_WR)
            found = b""
            while chunk := wire.recv(65536):
                found += chunk
            return found

    def memory_kb(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


@pytest.fixture(scope="module")
def live(databases, tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    server = Live(databases.make("sqlite", folder), folder)
    yield server
    server.close()


def complaint(status: int, body: bytes) -> str:
    """Why this is no proper answer; "" when it is one."""
    if status >= 500:
        return f"{status}: {body[:200]!r}"
    if 300 <= status < 400 or body.startswith(b"Invalid HTTP request"):
        return ""  # a redirect to the path without its slash; what uvicorn cannot even parse
    if status >= 400:
        problem = json.loads(body)
        if problem.get("code") not in CATALOGUE and status not in (404, 405):
            return f"{status} without a code: {body[:200]!r}"
        return ""
    words = json.loads(body)
    for result in words.get("results", []):
        if result["r"] in ("quarantined", "mismatch") and result["code"] not in CATALOGUE:
            return f"no code: {result}"
    return ""


def test_no_bad_input_breaks_hangs_or_fattens_the_server(live):
    corpus = Corpus(install_id=live.install_id, epoch=live.epoch)
    wrong, number, answers = [], 0, {}
    warm = 0
    for case in corpus.cases():
        token = {"Authorization": f"Bearer {live.token}"} if case.has_token else {}
        try:
            status, body, seconds = live.ask(
                case.method, case.path, case.body, token | case.headers
            )
            why = complaint(status, body)
        except (OSError, ValueError, http.client.HTTPException) as error:
            status, seconds, why = 0, 0.0, f"{type(error).__name__}: {error}"
        number += 1
        answers[status] = answers.get(status, 0) + 1
        if number == 100:
            warm = live.memory_kb()
        if why or seconds > SECONDS_MAX:
            wrong.append(f"{case.name}: {why or f'{seconds:.1f} s'}")
    grown = live.memory_kb() - warm

    assert not wrong, f"{len(wrong)} of {number}:\n" + "\n".join(wrong[:25])
    assert number >= CASES_MIN
    assert {200, 401, 413, 422} <= set(answers), answers
    assert grown < MEMORY_MAX_KB, f"{grown} kB more after {number} requests"
    assert live.ask("GET", "/readyz", b"", {})[0] == 200


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00" * 1000,
        b"POST /sync/v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /sync/v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nshort",
        b"POST /sync/v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST /sync/v1/push HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /sync/v1/push HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"GET /sync/v1/hello HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /sync/v1/hello HTTP/1.1\r\nHost: x\r\n\r\n" * 20,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=lambda data: repr(data[:40]),
)
def test_what_is_hardly_http_is_refused_and_the_server_lives(live, data):
    began = datetime.now(UTC)
    try:
        found = live.raw(data)
    except ConnectionError:
        found = b""

    assert (datetime.now(UTC) - began).total_seconds() < SECONDS_MAX
    assert b" 50" not in found.split(b"\r\n", 1)[0]
    assert live.ask("GET", "/readyz", b"", {})[0] == 200
