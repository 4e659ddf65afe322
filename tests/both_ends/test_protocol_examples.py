"""docs/protocol.md is true: each of its examples is sent to the real server and answered as it says."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest

from app.contract.vocabulary import Role
from app.contract.wire import CONTENT_TYPE, EPOCH_HEADER, RefKind
from server.main import create_app
from server.services import access, enrolment
from server.services.access import NewPerson
from server.settings import Settings
from server.storage.changes import record_changes
from server.storage.tables_records import BinRow
from tests.support.rim import a_rim
from tests.support.server import SITE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
EXAMPLE = re.compile(r"```request\n(.*?)```\s+```response\n(.*?)```", re.DOTALL)


def fill(text: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        text = text.replace(f"${name}", value)
    return text


def differences(said: object, got: object, known: dict[str, str], where: str = "") -> list[str]:
    """Where the answer is not what the page says. `$NAME` learns a value, or must be the one learnt."""
    if isinstance(said, str) and re.fullmatch(r"\$[A-Z0-9]+", said):
        if said[1:] in ("EPOCH", "TOKEN", "HEAD") and known.setdefault(said[1:], str(got)) != got:
            return [f"{where}: {got!r} is not the {said} of before"]
        return [] if got not in (None, "") else [f"{where}: empty"]
    if isinstance(said, dict) and isinstance(got, dict):
        return [
            line
            for key, value in said.items()
            for line in differences(value, got.get(key, "<absent>"), known, f"{where}.{key}")
        ]
    if isinstance(said, list) and isinstance(got, list) and len(said) == len(got):
        return [
            line
            for i, (a, b) in enumerate(zip(said, got, strict=True))
            for line in differences(a, b, known, f"{where}[{i}]")
        ]
    return [] if said == got else [f"{where}: {got!r}, the page says {said!r}"]


@pytest.fixture
def application(sqlite_database):
    rim = a_rim()
    access.add_people(
        sqlite_database,
        SITE,
        [NewPerson(user_id="ana", name="Ana", role=Role.COUNTER, pin="481516")],
        rim=rim,
    )
    with sqlite_database.write() as session:
        session.add(BinRow(site_id=SITE, bin="A-01", barcode="LOC-A-01"))
        record_changes(session, SITE, RefKind.BIN, ["A-01"])
        session.commit()
    app = create_app(Settings(), database=sqlite_database, rim=rim)
    code = enrolment.make_enrol_code(sqlite_database, SITE, rim=rim, minutes=10, actor="x").code
    return app, code


def test_every_example_of_the_protocol_is_answered_as_the_page_says(application):
    app, code = application
    examples = EXAMPLE.findall(PAGE.read_text("utf-8"))
    known = {"CODE": code}
    complaints = []

    async def play():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://blindcount") as client:
            for asked, answered in examples:
                first, *rest = fill(asked, known).strip().split("\n")
                method, address = first.split(" ", 1)
                headers = dict(line.split(": ", 1) for line in rest if not line.startswith("{"))
                body = next((line for line in rest if line.startswith("{")), None)
                response = await client.request(method, address, headers=headers, content=body)
                status, _, document = answered.strip().partition("\n")
                if response.status_code != int(status):
                    complaints.append(f"{first}: {response.status_code} {response.text}")
                    continue
                found = differences(json.loads(document), response.json(), known)
                complaints.extend(f"{first}{line}" for line in found)
                if response.is_success and (
                    response.headers["content-type"] != CONTENT_TYPE
                    or response.headers[EPOCH_HEADER] != known["EPOCH"]
                ):
                    complaints.append(f"{first}: does not say whose answer it is")

    asyncio.run(play())

    assert len(examples) >= 11
    assert complaints == []
