"""What the story plants, as the supervisor meets it: real server, real counts, real Chromium.

The bins are counted as devices count them and pushed; then the review is looked at on a tablet. Which
case each truth must become, and what stands on top of it, is the same table the server's tests use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from app.contract.vocabulary import CaseState
from app.i18n.words import load_words
from server.main import create_app
from server.settings import Settings
from server.story.build import DEFAULT_SEED, Story, build
from server.story.truths import Planted
from tests.browser.conftest import Desk
from tests.support.browser import QUEUE, Person, a_person
from tests.support.server import SITE, Databases
from tests.support.story_floor import StoryFloor, a_counted_story, planted_cases
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ON_TOP = {
    "miscount": "Two digits swapped: 12 for 21",
    "unposted_pick": "Pick of order 991 is not posted",
    "cases_as_eaches": "Cases counted as eaches",
    "damaged_unit": "1 damaged in the bin, still good on the book",
    "unknown_item": "An item that nobody has entered yet",
    "loss": "Nothing on the book explains it so far.",
    "misplaced_carton": "12 moved from B-01-02 to B-01-03, not posted",
}
"""Planted truth -> the first thing below "What may have happened"."""
TRUTHS = planted_cases(build(DEFAULT_SEED, datetime(2026, 11, 23, 12, tzinfo=UTC), SITE))


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> StoryFloor:
    """The story, told two hours ago and counted since: the browser's clock is the real one."""
    folder = tmp_path_factory.mktemp("story")
    now = datetime.now(UTC).replace(microsecond=0)
    story = build(DEFAULT_SEED, now - timedelta(hours=2), SITE)
    database = Databases(folder).make("sqlite", folder)
    return a_counted_story(database, story, folder / "csv", now)


@pytest.fixture(scope="module")
def desk(floor: StoryFloor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The server over it, and a tablet's client in front of that."""
    app = create_app(Settings(site_id=SITE), database=floor.database, rim=floor.rim)
    made = Desk(app, tmp_path_factory.mktemp("tablet"))
    yield made
    made.stop()


def sign_in(me: Person, floor: StoryFloor, user_id: str) -> None:
    me.fill("Person id", user_id)
    me.fill("PIN", next(p.pin for p in floor.told.people if p.user_id == user_id))
    me.tap("SIGN IN")
    me.sees(re.compile(r"^\d+ open cases"))


@pytest.fixture(scope="module")
def maria(chromium: Browser, desk: Desk, floor: StoryFloor) -> Iterator[Person]:
    """The supervisor, signed in on a tablet."""
    with a_person(chromium, desk.url, size=QUEUE) as me:
        sign_in(me, floor, "maria")
        me.sees(re.compile(rf"^{len(TRUTHS)} open cases"))
        yield me
        assert me.complaints == []


def open_case(me: Person, truth: Planted, story: Story) -> None:
    """Tap its row, which names bin and item, and wait for its evidence."""
    item = next((s.description for s in story.skus if s.sku == truth.sku), "2 × unknown barcode")
    me.tap(re.compile(rf"^{truth.bin}, {re.escape(item)}"))
    me.sees(re.compile(rf"^{truth.bin}, {re.escape(item)}.*Shown now"))
    me.sees("First count")


def on_top(me: Person) -> str:
    """The proposal that stands first on the page, else the sentence that there is none; "" before."""
    lines = me.screen().split("\n")
    fits = (above for above, line in pairwise(lines) if re.fullmatch(r"\d+ % fit", line))
    return next(fits, next((line for line in lines if line.startswith("Nothing on the book")), ""))


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda t: f"{t.name}-{t.bin}")
def test_each_planted_truth_is_a_case_with_what_explains_it_on_top(
    maria: Person, floor: StoryFloor, truth: Planted, tmp_path: Path
):
    open_case(maria, truth, floor.told)

    wait_for(
        f"{ON_TOP[truth.name]!r} on top",
        lambda: on_top(maria) == ON_TOP[truth.name],
    )
    maria.picture(tmp_path / f"{truth.name}-{truth.bin}.png")
    assert load_words("en")(f"review.kind.{truth.kind.value}") in maria.screen().split("\n")


def test_one_tap_ends_the_misplaced_carton_as_a_transfer(maria: Person, floor: StoryFloor):
    truth = next(t for t in TRUTHS if t.name == "misplaced_carton")
    open_case(maria, truth, floor.told)

    maria.tap(re.compile("^Do this: Transfer"))

    maria.sees(re.compile(r"^B-01-02: moved to or from B-01-03\. Nothing was written off"))
    for half in (t for t in TRUTHS if t.name == "misplaced_carton"):
        assert floor.case_of(half).state == CaseState.TRANSFERRED
    maria.sees(re.compile(rf"^{len(TRUTHS) - 2} open cases"))


def test_the_pick_that_nobody_posted_is_explained_and_nothing_is_posted(
    maria: Person, floor: StoryFloor, tmp_path: Path
):
    truth = next(t for t in TRUTHS if t.name == "unposted_pick")
    open_case(maria, truth, floor.told)

    maria.tap(re.compile("^Do this: Explain"))

    maria.sees(re.compile(r"^A-01-03: explained\. Nothing was posted"))
    assert floor.case_of(truth).state == CaseState.EXPLAINED


def test_a_barcode_that_nobody_knows_is_matched_by_naming_its_item(
    maria: Person, floor: StoryFloor, tmp_path: Path
):
    truth = next(t for t in TRUTHS if t.name == "unknown_item")
    open_case(maria, truth, floor.told)

    maria.tap("Match or close")
    maria.sees("If the barcode belongs to an item, say which")
    maria.picture(tmp_path / "match.png")
    maria.tap("Match or close")

    maria.sees(re.compile(r"^A-01-06: closed"))
    assert floor.case_of(truth).state == CaseState.CLOSED


def test_a_lead_posts_a_loss_finds_it_among_the_ended_and_takes_it_back(
    chromium: Browser, desk: Desk, floor: StoryFloor, tmp_path: Path
):
    truth = next(t for t in TRUTHS if t.name == "loss")
    with a_person(chromium, desk.url, size=QUEUE) as me:
        sign_in(me, floor, "lee")
        open_case(me, truth, floor.told)
        me.tap("Other reason")
        me.sees("Why was the stock wrong?")
        me.fits(QUEUE)
        me.picture(tmp_path / "reasons.png")
        me.tap("Receiving: too few")
        me.sees_button("Receiving: too few, chosen")
        me.tap("Approve")
        me.sees(re.compile(rf"^{truth.bin}: approved and posted"))

        me.tap("Ended")
        me.write("Bin or SKU", truth.bin.lower())
        me.page.keyboard.press("Enter")
        me.tap(re.compile(rf"^{truth.bin}, .*Next: Posted"))
        me.tap("Take back the posting")
        me.sees(re.compile(r"^A counter-entry of "))
        me.picture(tmp_path / "take-back.png")
        me.sees(re.compile(r"Why: Receiving: too few\."))
        me.tap("Reason")
        me.tap("Count error")
        me.sees_button("Reason Count error")
        me.tap("Take back \u2212")

        me.sees(re.compile(rf"^{truth.bin}: the posting was taken back"))
        me.sees("It has been taken back.")
        me.tap("All")
        me.sees(re.compile(rf"^{truth.bin}, .*open for 0 min"))
        assert me.complaints == []
