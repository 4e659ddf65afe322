"""The server's API as somebody of a role sees it: an httpx client over the real application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import httpx

from app.contract.vocabulary import Role
from server.main import create_app
from server.services.api_keys import api_keys, make_api_key
from server.settings import Settings
from server.storage.engine import Database
from tests.support.imports import CLOCK
from tests.support.server import SITE


def an_app(database: Database) -> Any:
    """The application over a test's database, at the tests' now."""
    return create_app(Settings(site_id=SITE), database=database, rim=CLOCK.rim())


def headers_of(database: Database, role: Role) -> dict[str, str]:
    """The bearer of a program with that role."""
    name = f"{role.value}-{len(api_keys(database, SITE))}"
    key = make_api_key(database, SITE, name, rim=CLOCK.rim(), actor="test", role=role)
    return {"Authorization": f"Bearer {key}"}


def a_desk(database: Database, role: Role | None) -> Callable[..., httpx.Response]:
    """`ask("GET", "/api/v1/stock", params=…)` as that role; None asks without a token."""
    app = an_app(database)
    headers = {} if role is None else headers_of(database, role)

    def ask(method: str, path: str, **options: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                sent = {**headers, **options.pop("headers", {})}
                return await client.request(method, path, headers=sent, **options)

        return anyio.run(once)

    return ask
