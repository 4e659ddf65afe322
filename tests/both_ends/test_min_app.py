"""A server that would like a newer app says so; people see it, and nothing stops."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.sync.versions import is_older
from tests.support.both_ends import Handheld, World


@pytest.mark.parametrize(
    ("ours", "wanted", "older"),
    [
        ("0.9", "0.10", True),
        ("0.10", "0.9", False),
        ("0.1.0", "0.1", False),
        ("0.1", "0.1.0", False),
        ("0.1.0", "0.1.1", True),
        ("v1.2", "1.3", True),
        ("1.2-beta", "1.3", True),
        ("0", "0", False),
        ("0.1.0", "", False),
        ("0.1.0", "soon", False),
        ("unknown", "9.9", False),
        ("0.1.0", "9" * 5000, True),
    ],
)
def test_versions_are_compared_number_by_number(ours: str, wanted: str, older: bool):
    assert is_older(ours, wanted) is older


@pytest.mark.parametrize(("wanted", "is_old"), [("0.0.1", True), ("0", False), ("soon", False)])
def test_it_is_said_and_everything_is_sent(sqlite_database, tmp_path: Path, wanted, is_old):
    device = Handheld.make(World(sqlite_database, min_app=wanted), tmp_path)

    async def story() -> None:
        await device.enrol()
        device.count("A-01")
        await device.engine.cycle()

    asyncio.run(story())

    assert device.engine.status.is_app_old is is_old
    assert device.engine.status.unsent == 0
    assert len(device.world.stored()) == 3
