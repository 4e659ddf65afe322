"""A device that is enrolled as another device: its people can still sign in."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.both_ends import Handheld, World


@pytest.fixture
def handheld(sqlite_database, tmp_path):
    return Handheld.make(World(sqlite_database), tmp_path / "device")


def test_people_sign_in_at_a_device_that_became_another_install(handheld):
    async def story():
        await handheld.enrol()
        await handheld.engine.cycle()
        handheld.store.begin_new_install()
        await handheld.enrol()
        await handheld.wait_and_cycle()

    asyncio.run(story())
    ana = handheld.reference.user("ana")

    assert handheld.store.check_pin(ana, "481516").verdict == "right"


def _became_another_install(handheld):
    async def story():
        await handheld.enrol()
        await handheld.engine.cycle()
        handheld.store.begin_new_install()
        await handheld.enrol()

    asyncio.run(story())


def test_until_its_people_are_there_nobody_is_told_that_a_right_pin_is_wrong(handheld):
    _became_another_install(handheld)

    assert not handheld.reference.is_ready
    assert handheld.reference.users() == []
    assert handheld.reference.bin("A-01") is not None, "a count under way goes on"


def test_people_sign_in_also_when_the_app_was_killed_while_their_data_was_fetched_anew(handheld):
    _became_another_install(handheld)
    for path in handheld.folder.glob("ref.new*"):
        path.unlink()  # as when it dies between one new file and the next
    again = handheld.restarted()

    asyncio.run(again.wait_and_cycle())
    ana = again.reference.user("ana")

    assert again.reference.is_ready
    assert again.store.check_pin(ana, "481516").verdict == "right"


def test_a_device_enrolled_again_as_itself_keeps_its_reference_data(handheld):
    async def story():
        await handheld.enrol()
        await handheld.engine.cycle()
        await handheld.enrol()

    asyncio.run(story())

    assert handheld.reference.is_ready
    assert handheld.reference.rebuild() is None
