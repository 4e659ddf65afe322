"""A supervisor's morning in a real browser: keys and presses on the accessibility tree only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from app.contract.review import Action
from app.contract.vocabulary import CaseState, ReasonCode
from app.i18n.words import load_words
from tests.browser.conftest import Desk
from tests.support.browser import QUEUE, Person, a_person
from tests.support.review_desk import PIN, ReviewDesk
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NARROW = (700, 1000)
SAY = load_words("en")


@pytest.fixture(scope="module")
def server() -> ReviewDesk:
    """Thirty cases in memory; each test decides about cases of its own."""
    return ReviewDesk(30)


@pytest.fixture(scope="module")
def desk(server: ReviewDesk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One server and one client for the module."""
    made = Desk(server.app, tmp_path_factory.mktemp("review"))
    yield made
    made.stop()


def sign_in(me: Person) -> None:
    me.fill("Person id", "olga")
    me.fill("PIN", PIN)
    me.tap("SIGN IN")
    me.sees(re.compile(r"\d+ open cases"))


def test_a_supervisor_approves_by_key_and_the_next_case_is_shown(
    chromium: Browser, desk: Desk, server: ReviewDesk
) -> None:
    with a_person(chromium, desk.url, size=QUEUE) as me:
        sign_in(me)
        me.sees_button("Approve \u22126")
        me.sees("Who owns it")
        me.sees("What changed")
        me.sees("What happens next")

        me.page.keyboard.press("a")

        me.sees("A-01-01: approved and posted.")
        me.sees_button(re.compile(r"^B-01-02, .*Shown now\.$"))
        (heard,) = server.heard
        assert (heard.action, heard.reason) == (Action.APPROVE, ReasonCode.PICK_NOT_POSTED)
        assert me.complaints == []


def test_the_reason_that_is_pressed_is_the_reason_that_is_sent(
    chromium: Browser, desk: Desk, server: ReviewDesk
) -> None:
    ready = {"state": CaseState.UNDER_REVIEW, "ended_at": None, "version": 3}
    with a_person(chromium, desk.url, size=QUEUE) as me:
        sign_in(me)
        for reason in (ReasonCode.THEFT_SUSPECTED, ReasonCode.SAMPLE_OR_INTERNAL_USE):
            before = len(server.heard)
            server.rows["case-000"] = server.rows["case-000"].model_copy(update=ready)
            me.reload()
            me.tap(re.compile("^A-01-01, "))
            me.sees_button("Pick not posted, chosen")
            if not me.button(SAY(f"reason.{reason.value}")).count():
                me.tap("Other reason")
            me.tap(SAY(f"reason.{reason.value}"))
            me.sees_button(f"{SAY(f'reason.{reason.value}')}, chosen")
            me.tap("Approve \u22126")
            wait_for("the decision", lambda before=before: len(server.heard) > before)
            assert server.heard[-1].reason is reason
        assert me.complaints == []


def test_in_a_narrow_window_somebody_is_chosen_to_recount(
    chromium: Browser, desk: Desk, server: ReviewDesk
) -> None:
    before = len(server.heard)
    with a_person(chromium, desk.url, size=NARROW) as me:
        sign_in(me)
        me.tap("C-01-03")
        me.choose("Recount by", "Cleo Brandt")
        # Real keys: J, K, A and R are letters here and nothing else.
        me.write("Note", "ask Jack about the rack")
        me.tap("Ask for recount")

        wait_for("the decision", lambda: len(server.heard) > before)
        heard = server.heard[-1]
        assert (heard.action, heard.assign_to) == (Action.RECOUNT, "cleo")
        assert heard.note == "ask Jack about the rack"
        me.tap("Back to the list")
        me.sees_button("C-01-03")


def test_several_cases_are_marked_and_go_for_a_recount_together(
    chromium: Browser, desk: Desk, server: ReviewDesk, tmp_path: Path
) -> None:
    before = len(server.heard)
    with a_person(chromium, desk.url, size=QUEUE) as me:
        sign_in(me)
        me.tap("Mark several cases")
        me.tap(re.compile("^A-01-04, "))
        me.tap(re.compile("^B-01-05, "))
        me.sees_button(re.compile(r"^B-01-05, .* Marked\. Shown now\.$"))
        me.sees("2 marked, ")
        me.picture(tmp_path / "marked.png")
        me.tap_exactly("Recount")

        me.sees("2 decided.")
        heard = server.heard[before:]
        assert {(d.action, d.decision_id) for d in heard} == {
            (Action.RECOUNT, heard[0].decision_id)
        }
        assert len(heard) == 2
        me.sees_button("Mark several cases")
        assert me.complaints == []


def test_a_set_up_code_is_shown_with_its_picture(chromium: Browser, desk: Desk) -> None:
    with a_person(chromium, desk.url, size=QUEUE) as me:
        sign_in(me)
        me.tap("Devices")
        me.tap("ADD A DEVICE")

        me.sees(re.compile(r"Set-up code K7QXM-2WPRD"))
        me.sees("QR code with the server's address and the set-up code")


def test_the_queue_is_narrowed_to_what_one_owner_is_late_with(
    chromium: Browser, desk: Desk
) -> None:
    with a_person(chromium, desk.url, size=QUEUE) as me:
        sign_in(me)
        me.sees("Urgent")
        me.tap("More filters")
        me.choose("Owner", "Olga Rey")
        me.choose("Due", "Overdue")
        me.sees_button(re.compile("Owner Olga Rey, .* overdue"))
        assert "Owner Max Winter" not in me.screen()

        me.tap("Fewer filters")
        me.sees_button(re.compile("Owner Max Winter"))
        assert me.complaints == []
