"""The floor shows how sending goes in its own words, whatever state the engine is in."""

from __future__ import annotations

import pytest

from app.contract.wire import EnrolReply
from app.counting.state import Reach
from app.floor_link import FloorLink, enrol_words, sync_view
from app.i18n.words import load_words
from app.scanner.wedge import WedgeProfile
from app.settings import read_settings
from app.store.errors import StoreFullError
from app.sync.engine import SyncEngine
from app.sync.outcomes import Delivered, Failed, Refused, Trouble
from app.sync.status import SyncState, SyncStatus
from app.sync.transport import HttpTransport
from tests.support.site import Floor

WELL = (SyncState.UP_TO_DATE, SyncState.SENDING, SyncState.WAITING)


@pytest.mark.parametrize("state", list(SyncState))
def test_every_state_has_a_reach_and_a_sentence_unless_all_is_well(state):
    status = SyncStatus(
        state=state, unsent=3, held=1, next_attempt_ms=11_500, last_success_wall_ms=1
    )
    view = sync_view(status, "https://x")

    is_well = state in WELL
    assert (view.reach is Reach.ONLINE) == is_well
    assert (view.problem == "") == is_well
    assert (view.unsent, view.held) == (3, 1)
    assert view.next_try_s == (None if is_well else 20)
    if view.problem:
        assert load_words("en")(view.problem) != view.problem


def test_before_the_first_word_from_the_server_nobody_says_connected():
    view = sync_view(SyncStatus(state=SyncState.WAITING, unsent=1), "https://x")

    assert view.reach is Reach.UNKNOWN


def test_a_countdown_does_not_draw_the_screen_each_second():
    views = [
        sync_view(SyncStatus(state=SyncState.OFFLINE, next_attempt_ms=ms), "x")
        for ms in (29_900, 28_000, 21_000)
    ]

    assert len({view.next_try_s for view in views}) == 1


def reply() -> Delivered[EnrolReply]:
    made = EnrolReply(
        device_id="d",
        device_token="t",
        pin_pepper="00",
        site_id="main",
        site_name="Main",
        server_epoch="e",
        t1_ms=0,
        t2_ms=0,
    )
    return Delivered(reply=made, epoch="e", round_trip_ms=1)


@pytest.mark.parametrize(
    ("outcome", "begins"),
    [
        (reply(), ""),
        (Refused(status=403, code="enrol-token-unknown"), "This set-up code is not valid"),
        (Refused(status=426, code="proto-unsupported"), "This app is too old"),
        (Refused(status=403, code="device-revoked"), "The server did not take this device"),
        (Failed(trouble=Trouble.OFFLINE), "We can't reach the server"),
        (Failed(trouble=Trouble.NO_ANSWER), "We can't reach the server"),
        (Failed(trouble=Trouble.PORTAL), "A sign-in page of the Wi-Fi answered"),
    ],
)
def test_an_enrolment_that_did_not_work_says_why_and_what_to_do(outcome, begins):
    sentence = enrol_words(load_words("en"), outcome)

    assert sentence.startswith(begins)
    assert (sentence == "") == (begins == "")


def a_link(floor: Floor) -> FloorLink:
    """The floor's link, on the device's own file."""
    engine = SyncEngine(
        floor.store,
        floor.reference,
        HttpTransport(floor.clock),
        clock=floor.clock,
        chance=lambda: 0.5,
    )
    return FloorLink(
        engine=engine,
        store=floor.store,
        service=floor.service,
        say=load_words(),
        settings=read_settings({}),
    )


def test_the_scanners_profile_is_on_the_device_and_outlives_a_kill(tmp_path):
    floor = Floor(tmp_path)
    assert a_link(floor).profile == WedgeProfile()
    framed = WedgeProfile(start="^", end="$", separator="|")

    assert a_link(floor).keep_profile(framed) == ""
    floor.kill_and_start()

    assert a_link(floor).profile == framed


def test_a_profile_that_the_disk_refuses_is_said_and_not_used(tmp_path, monkeypatch):
    floor = Floor(tmp_path)
    link = a_link(floor)

    def refuse(_name: str, _value: str | None) -> None:
        raise StoreFullError("full")

    monkeypatch.setattr(floor.store, "set_setting", refuse)

    assert link.keep_profile(WedgeProfile(start="^")) == load_words()("store.full")
    assert link.profile == WedgeProfile()
