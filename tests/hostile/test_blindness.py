"""No byte that a counter's device or role can get tells what the book expects."""

from __future__ import annotations

import asyncio
import base64
import gzip
import logging
import re
import zlib
from collections.abc import Iterator

import httpx
import pytest

from app.contract.wire import RefKind
from server.storage.changes import record_changes
from server.storage.ledger import post
from server.storage.tables_casework import CountTaskRow
from server.storage.tables_records import BarcodeRow, SkuRow
from tests.support.both_ends import Handheld, World
from tests.support.movements import a_movement
from tests.support.network import LossyTransport
from tests.support.server import SITE

CANARY = "7919.0317"
"""In the book of both bins; the counts find 3, so 7916.0317 is the variance."""
SECRETS = (CANARY, "7916.0317")
RESPONSES_MIN = 500


def forms(secret: str) -> Iterator[bytes]:
    """How the figure could look: decimal, other decimal mark, scaled integers, base64 at each offset."""
    scaled = secret.replace(".", "")
    for text in (secret, secret.replace(".", ","), scaled, f"{scaled}00", f"{scaled}000000"):
        yield text.encode()
        for offset in range(3):
            encoded = base64.b64encode(b"x" * offset + text.encode())
            yield encoded[4 if offset else 0 : len(encoded) // 4 * 4 - 4]
    for value in (int(f"{scaled}00"), int(scaled)):
        yield value.to_bytes(8, "big").lstrip(b"\x00")
        yield value.to_bytes(8, "little").rstrip(b"\x00")


NEEDLES = [needle for secret in SECRETS for needle in forms(secret) if len(needle) > 3]


def leaks(data: bytes) -> list[bytes]:
    """The forms found in the bytes, also within gzip and base64 inside them."""
    layers = [data]
    for start in [m.start() for m in re.finditer(rb"\x1f\x8b\x08", data)]:
        try:
            layers.append(zlib.decompressobj(31).decompress(data[start:]))
        except zlib.error:
            continue
    for text in re.findall(rb"[A-Za-z0-9+/]{24,}={0,2}", data):
        try:
            layers.append(base64.b64decode(text + b"==", validate=False))
        except ValueError:
            continue
    return [n for layer in layers for n in NEEDLES if n in layer]


class Overheard(LossyTransport):
    """Keeps every byte that came back."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.heard: list[tuple[str, bytes]] = []

    async def _pass_on(self, request: httpx.Request, body: bytes) -> httpx.Response:
        response = await super()._pass_on(request, body)
        content = b"".join(response.stream)
        head = b"\n".join(k + b": " + v for k, v in response.headers.raw)
        self.heard.append((request.url.path, head + b"\n\n" + content))
        headers = response.headers
        stream = httpx.ByteStream(content)
        return httpx.Response(response.status_code, headers=headers, stream=stream)


@pytest.fixture
def world(sqlite_database):
    """A site where every bin's book holds the canary, with tasks for both."""
    made = World(sqlite_database)
    with sqlite_database.write() as session:
        session.add(SkuRow(site_id=SITE, sku="S-1", description="Oat drink", cost_set_us=0))
        session.add(SkuRow(site_id=SITE, sku="S1", description="Rice drink", cost_set_us=0))
        session.flush()
        session.add(BarcodeRow(site_id=SITE, barcode="4006381333931", sku="S-1"))
        moves = [a_movement(f"m{b}", CANARY, to=b, sku="S1") for b in ("A-01", "A-02")]
        post(session, SITE, moves)
        session.add_all(
            CountTaskRow(site_id=SITE, task_id=f"t-{b}", bin=b, created_us=0, created_by="sue")
            for b in ("A-01", "A-02")
        )
        record_changes(session, SITE, RefKind.SKU, ["S-1", "S1"])
        record_changes(session, SITE, RefKind.BARCODE, ["4006381333931\x1fS-1"])
        record_changes(session, SITE, RefKind.TASK, ["t-A-01", "t-A-02"])
        session.commit()
    return made


def test_the_search_finds_what_is_hidden():
    for secret in SECRETS:
        hidden = (
            f'{{"zone": "{secret}"}}',
            f"x{secret.replace('.', '')}00y",
            base64.b64encode(f"book={secret};".encode()).decode(),
        )
        for text in hidden:
            assert leaks(text.encode())
            assert leaks(b"noise" + gzip.compress(text.encode()))
    assert not leaks(b'{"quantity": "3", "zone": "A"}' * 50)


def test_nothing_a_counters_device_can_get_tells_what_the_book_expects(world, tmp_path, caplog):
    caplog.set_level(logging.DEBUG, logger="blindcount")
    handheld = Handheld.make(world, tmp_path / "device")
    network = Overheard(app=world.app)
    handheld.network.__class__, handheld.network.__dict__ = Overheard, network.__dict__

    async def story() -> str:
        await handheld.enrol()
        await handheld.engine.cycle()
        for number in range(6):
            handheld.count("A-01", "3")
            handheld.count("A-02", "0", "3", user="ben" if number % 2 else "ana")
            await handheld.wait_and_cycle()
        handheld.count("A-01", "3", user="nobody")
        await handheld.wait_and_cycle()
        known = handheld.store.enrolment()
        assert known is not None
        return known.device_token

    token = asyncio.run(story())
    asyncio.run(_crawl(world, token, network))

    assert handheld.store.outbox().unsent == 0
    assert len(network.heard) >= RESPONSES_MIN
    assert [(path, leaks(data)) for path, data in network.heard if leaks(data)] == []
    for path in (p for p in handheld.folder.rglob("*") if p.is_file()):
        assert leaks(path.read_bytes()) == [], path.name
    assert handheld.reference.tasks_for("ana")
    assert leaks(caplog.text.encode()) == []


def test_the_canary_is_where_a_supervisor_would_look(world):
    with world.database.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT * FROM movement").all()

    assert "7919031700" in str(found)


async def _crawl(world: World, token: str, network: Overheard) -> None:
    """Every route there is, as that device, as somebody unknown, and with ids that exist or do not."""
    signed_in = {"user_id": "ana", "pin": "481516"}
    values = ("A-01", "S1", "t-A-01", "1", "none", "0190", "%00")
    async with httpx.AsyncClient(transport=network, base_url="http://127.0.0.1") as client:
        await client.post("/api/v1/sign-in", json=signed_in)
        await client.post("/api/v1/sign-in", json=signed_in | {"pin": "000000"})
        for path, methods in world.app.openapi()["paths"].items():
            for method in methods:
                for value in values if "{" in path else values[:2]:
                    url = re.sub(r"\{[^}]+\}", value, path)
                    for headers in (
                        {"Authorization": f"Bearer {token}"},
                        {"Authorization": f"bearer {token} "},
                        {"Authorization": "Bearer bcp_" + "0" * 64},
                        {},
                    ):
                        body = {} if method in ("post", "put", "patch") else None
                        await client.request(
                            method.upper(), url, json=body, headers=headers, params={"bin": "A-01"}
                        )
