"""The review's pages without Flutter: what is drawn, what a press does, in a made-up language too."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from app.contract.ids import uuid7
from app.contract.problems import RefusalError
from app.contract.review import Action
from app.contract.vocabulary import ReasonCode
from app.i18n.words import PSEUDO, load_words
from app.review.reasons import GROUPS
from app.review.service import ReviewService
from app.review.state import Page
from app.screens.review.desk import ReviewDesk
from app.screens.review.root import ReviewRoot
from tests.support.headless import Headless
from tests.support.review_cases import NOW
from tests.support.review_desk import PIN, Cable
from tests.support.review_desk import ReviewDesk as Server


class Rim:
    user_id = ""

    def __init__(self) -> None:
        self.left = 0
        self.counters: set[str] = set()
        self.counting = ""

    def leave(self) -> None:
        self.left += 1

    def may_count(self, user_id: str) -> bool:
        return user_id in self.counters

    def count(self, user_id: str) -> None:
        self.counting = user_id


class Bench:
    """A drawn review page before a server in memory."""

    def __init__(self, *, cases: int = 6, width: float = 1280, language: str = "en") -> None:
        self.server = Server(cases)
        self.cable = Cable(self.server)
        self.rim = Rim()
        self._numbers = iter(range(1000))
        self.service = ReviewService(
            "http://server.test",
            new_id=lambda: uuid7(next(self._numbers), bytes(10)),
            now=lambda: NOW,
            transport=self.cable,
            sleep=self._sleep,
        )
        self.say = load_words(language)
        self.desk = ReviewDesk(service=self.service, say=self.say, rim=self.rim)
        self.desk.model.width = width
        self.page = Headless()

    @staticmethod
    async def _sleep(_seconds: float) -> None:
        await asyncio.Event().wait()

    async def start(self) -> Bench:
        await self.page.draw(lambda: ReviewRoot(self.desk, self.desk.model))
        await self.service.sign_in("olga", PIN)
        await self.calm()
        return self

    async def calm(self) -> None:
        """Let requests and drawings run out. The server's answers come from threads of its own."""
        quiet = 0
        while quiet < 8:
            await asyncio.sleep(0.002)
            await self.page.settle()
            quiet = 0 if self.cable.in_flight else quiet + 1
        assert self.page.crashes == []

    async def press(self, key: str) -> None:
        await self.page.press(key)
        await self.calm()

    async def key(self, key: str) -> None:
        self.desk.key_pressed(key)
        await self.calm()

    def reads(self, text: str) -> bool:
        return any(text in shown for shown in self.page.texts())


def play(script: Coroutine[Any, Any, None]) -> None:
    asyncio.run(script)


def test_a_case_says_who_owns_it_what_changed_and_what_happens_next() -> None:
    async def script() -> None:
        bench = await Bench().start()

        for part in (
            "face-owner",
            "face-changed",
            "face-next",
            "round-0",
            "round-1",
            "act-approve",
        ):
            assert bench.page.has(part)
        assert bench.reads("Olga Rey")
        assert bench.reads("Approve -6 (reason: pick not posted)")
        assert bench.reads("Order 991")
        assert bench.reads("6 open")

    play(script())


def test_the_proposed_decision_is_one_press_with_the_reason_its_evidence_gives() -> None:
    async def script() -> None:
        bench = await Bench().start()

        await bench.press("act-approve")

        (heard,) = bench.server.heard
        assert (heard.action, heard.reason) == (Action.APPROVE, ReasonCode.PICK_NOT_POSTED)
        assert bench.service.state.selected == "case-001"
        assert "A-01-01: approved and posted." in bench.page.spoken()

    play(script())


def test_what_is_not_possible_says_why_and_its_key_does_nothing() -> None:
    async def script() -> None:
        bench = await Bench().start()
        await bench.key("j")

        assert bench.reads("Approve: Two people must find the same variance")
        assert bench.page.find("act-approve").disabled
        await bench.key("a")
        assert bench.server.heard == []

    play(script())


def test_keys_walk_the_list_and_decide_but_not_while_somebody_types() -> None:
    async def script() -> None:
        bench = await Bench().start()
        for key in ("j", "J", "k"):
            await bench.key(key)
        assert bench.service.state.selected == "case-001"

        bench.desk.is_typing = True
        await bench.key("r")
        assert bench.server.heard == []

        bench.desk.is_typing = False
        await bench.key("r")
        assert [d.action for d in bench.server.heard] == [Action.RECOUNT]

    play(script())


def test_an_approval_without_a_reason_asks_for_one_and_sends_nothing() -> None:
    async def script() -> None:
        bench = await Bench().start()
        case = bench.service.state.case
        assert case is not None
        bench.service.state = _without_proposals(bench.service.state)
        bench.desk.model.state = bench.service.state

        bench.desk.act(Action.APPROVE)
        await bench.calm()

        assert bench.server.heard == []
        assert any("reason is missing" in said for said in bench.page.spoken())
        await bench.press("reason-theft_suspected")
        bench.desk.act(Action.APPROVE)
        await bench.calm()
        assert [d.reason for d in bench.server.heard] == [ReasonCode.THEFT_SUSPECTED]

    play(script())


@pytest.mark.parametrize("width", [1280, 700, 360])
def test_every_reason_is_one_press_from_the_case_and_what_lies_under_them_is_not_decided(
    width: float,
) -> None:
    async def script() -> None:
        bench = await Bench(width=width).start()
        if width < 840:
            await bench.press("case-case-000")
        assert bench.page.has("reason-pick_not_posted") is (width > 360)

        await bench.press("reason")
        for key in ("a", "r", "j"):
            await bench.key(key)
        assert bench.server.heard == []
        assert bench.service.state.selected == "case-000"
        drawn = {f"{name}-{r.value}" for name, reasons in GROUPS for r in reasons}
        assert drawn <= set(bench.page.drawn_keys())
        assert bench.page.find("fits-pick_not_posted")
        await bench.key("Escape")
        assert not bench.page.has("reasons")

        await bench.press("reason")
        await bench.press("labels-data_entry")
        assert not bench.page.has("reasons")
        assert bench.reads("Typing mistake")
        await bench.press("act-approve")
        assert [d.reason for d in bench.server.heard] == [ReasonCode.DATA_ENTRY]

    play(script())


def test_a_reason_that_was_not_chosen_is_not_kept_for_the_next_case() -> None:
    async def script() -> None:
        bench = await Bench().start()
        await bench.press("reason")
        await bench.press("case-case-001")

        assert not bench.page.has("reasons")
        assert bench.desk.draft.reason is None

    play(script())


def test_a_transfer_asks_for_the_bin_and_proposes_the_one_the_evidence_names() -> None:
    async def script() -> None:
        bench = await Bench().start()
        await bench.press("act-transfer")
        assert bench.page.find("other_bin").value == "A-01-04"

        await bench.page.type("other_bin", "B-02-02")
        await bench.press("form-do")

        (heard,) = bench.server.heard
        assert (heard.action, heard.other_bin) == (Action.TRANSFER, "B-02-02")
        assert (heard.other_case_id, heard.proposal) == (None, None)

    play(script())


def test_what_was_posted_is_taken_back_with_a_reason_and_said_to_be() -> None:
    async def script() -> None:
        bench = await Bench().start()
        await bench.press("act-approve")
        await bench.press("filter-ended")
        assert bench.reads("Ended cases")
        assert bench.reads("Nothing more to do")
        assert not bench.page.has("case-case-001")

        await bench.press("act-reverse")
        assert bench.reads("A counter-entry of +6 (\u20ac84.00)")
        await bench.press("reversal-do")
        assert any("reason is missing" in said for said in bench.page.spoken())
        assert bench.server.reversals == {}

        await bench.press("reason")
        await bench.press("fits-count_error")
        await bench.press("reversal-do")
        (made,) = bench.server.reversals.values()
        assert made.reason is ReasonCode.COUNT_ERROR
        assert any("the posting was taken back" in said for said in bench.page.spoken())
        assert bench.page.find("act-reverse").disabled
        assert bench.reads("It has been taken back.")

    play(script())


def test_several_cases_are_marked_and_decided_and_what_was_refused_says_why() -> None:
    async def script() -> None:
        bench = await Bench().start()
        bench.server.forbidden.add("case-002")
        await bench.press("marking")
        assert bench.page.find("many-approve").disabled
        for number in (0, 1, 2, 1):
            await bench.press(f"case-case-00{number}")
        assert bench.reads("2 marked, \u20ac93.60")

        await bench.press("many-approve")
        assert any("reason is missing" in said for said in bench.page.spoken())
        assert bench.server.heard == []
        await bench.press("many-reason")
        await bench.press("picking-pick_short")
        await bench.press("many-approve")

        (heard,) = bench.server.heard
        assert (heard.action, heard.reason) == (Action.APPROVE, ReasonCode.PICK_SHORT)
        assert any("1 decided, 1 not" in said for said in bench.page.spoken())
        assert bench.reads("Somebody who counted it cannot approve it")
        assert not bench.page.has("case-case-000")
        assert bench.reads("1 marked")
        await bench.press("marking")
        assert not bench.page.has("many")

    play(script())


def test_x_marks_what_is_looked_at_and_all_that_is_shown_can_be_given_away() -> None:
    async def script() -> None:
        bench = await Bench().start()
        await bench.key("x")
        assert bench.service.state.marked == {"case-000"}
        await bench.press("mark-all")
        await bench.press("many-owner-olga")

        assert {(d.action, d.assign_to) for d in bench.server.heard} == {(Action.REASSIGN, "olga")}
        assert len(bench.server.heard) == 6
        assert not bench.page.has("many")

    play(script())


def test_a_search_shows_what_begins_like_it_and_is_ended_by_its_cross() -> None:
    async def script() -> None:
        bench = await Bench().start()

        await bench.page.type("find", "c-01")
        await bench.page.submit("find")
        await bench.calm()
        assert {row.bin for row in bench.service.state.rows} == {"C-01-03", "C-01-06"}

        await bench.press("find-clear")
        assert len(bench.service.state.rows) == 6
        assert bench.page.find("find").value == ""

    play(script())


def test_a_note_and_a_chosen_person_go_with_the_recount_and_end_with_it() -> None:
    async def script() -> None:
        bench = await Bench().start()
        await bench.page.type("note", "look behind the pallet")
        bench.desk.change_draft(assign_to="cleo")
        await bench.press("act-recount")

        (heard,) = bench.server.heard
        assert (heard.assign_to, heard.note) == ("cleo", "look behind the pallet")
        assert bench.page.find("note").value == ""
        assert bench.desk.draft.assign_to is None

    play(script())


def test_a_refusal_is_said_on_the_case_in_words() -> None:
    async def script() -> None:
        bench = await Bench().start()
        bench.server.refuse = RefusalError("approver-counted")

        await bench.press("act-approve")

        assert any("You counted this line" in said for said in bench.page.spoken())

    play(script())


def test_an_outage_keeps_the_decision_in_sight_and_offers_to_try_again() -> None:
    async def script() -> None:
        bench = await Bench().start()
        bench.cable.is_cut = True
        await bench.press("act-approve")

        assert any("Your decision on A-01-01 is kept" in said for said in bench.page.spoken())
        assert not bench.page.has("act-approve")

        bench.cable.is_cut = False
        await bench.press("try-again")
        assert not bench.page.has("offline")
        assert len(bench.server.decided) == 1

    play(script())


def test_a_narrow_window_shows_the_list_then_the_case_and_the_way_back() -> None:
    async def script() -> None:
        bench = await Bench(width=700).start()
        assert not bench.page.has("face-owner")

        await bench.press("case-case-002")
        assert bench.page.has("face-owner")
        assert not bench.page.has("case-case-002")

        await bench.press("back")
        assert bench.page.has("case-case-002")

    play(script())


def test_nothing_to_decide_is_said_and_a_filter_that_matches_nothing_can_be_cleared() -> None:
    async def script() -> None:
        empty = await Bench(cases=0).start()
        assert empty.reads("Nothing to decide.")

        bench = await Bench(cases=1).start()
        await bench.service.narrow(zone="Z")
        await bench.calm()
        assert bench.reads("No open case matches these filters.")
        await bench.press("filter-clear")
        assert bench.page.has("case-case-000")

    play(script())


@pytest.mark.parametrize("width", [1280, 900, 700, 400])
@pytest.mark.parametrize("page", list(Page))
def test_every_page_is_drawn_in_a_longer_language_at_every_width(page: Page, width: float) -> None:
    async def script() -> None:
        bench = await Bench(width=width, language=PSEUDO).start()
        bench.desk.go(page)
        bench.desk.model.is_detail_open = True
        await bench.calm()
        if page is Page.DEVICES:
            await bench.press("make-enrol-code")
            assert bench.page.has("enrol-code")

        assert len(bench.page.texts()) > 5

    play(script())


def test_signing_out_shows_the_sign_in_form_and_its_way_to_the_floor() -> None:
    async def script() -> None:
        bench = await Bench().start()
        await bench.press("sign-out")

        assert bench.page.has("sign-in")
        await bench.press("to-floor")
        assert bench.rim.left == 1

    play(script())


def test_who_reviews_goes_counting_in_one_press_where_the_device_lets_them() -> None:
    async def script() -> None:
        bench = await Bench().start()
        assert not bench.page.has("rail-count"), "a browser at a desk is no scanner"
        bench.rim.counters.add("olga")
        bench.desk.go(Page.TASKS)
        await bench.calm()

        await bench.press("rail-count")

        assert bench.rim.counting == "olga"
        assert bench.service.state.person is None, "the review is not left open behind the scanner"

    play(script())


def _without_proposals(state: Any) -> Any:
    from dataclasses import replace

    return replace(state, detail=state.detail.model_copy(update={"proposals": ()}))
