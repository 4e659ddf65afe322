"""The supervisor's verbs over a real HTTP client: what is asked, kept, sent again and told."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from app.contract.ids import is_uuid7, uuid7
from app.contract.problems import RefusalError
from app.contract.review import Action
from app.contract.vocabulary import CaseKind, CaseState, ReasonCode
from app.review.answers import OutageKind
from app.review.service import ReviewService
from app.review.state import Filters, Page, Reach, ReviewState
from tests.support.review_cases import NOW
from tests.support.review_desk import PIN, Cable, ReviewDesk


class Bench:
    """A service, its server, the cable between them, and a clock that does not make tests wait."""

    def __init__(self, cases: int = 30) -> None:
        self.desk = ReviewDesk(cases)
        self.cable = Cable(self.desk)
        self.slept: list[float] = []
        self.on_sleep: list[Any] = []
        self._ids: Iterator[int] = iter(range(10_000))
        self.service = ReviewService(
            "http://server.test",
            new_id=self._new_id,
            now=lambda: NOW,
            transport=self.cable,
            sleep=self._sleep,
        )

    def _new_id(self) -> str:
        return uuid7(1_700_000_000_000 + next(self._ids), bytes(10))

    async def _sleep(self, seconds: float) -> None:
        if seconds == 8.0:  # a toast is read: nobody waits for it here
            await asyncio.Event().wait()
        self.slept.append(seconds)
        if self.on_sleep:
            self.on_sleep.pop(0)()
        await asyncio.sleep(0)

    @property
    def state(self) -> ReviewState:
        return self.service.state

    async def signed_in(self) -> Bench:
        assert await self.service.sign_in("olga", PIN)
        await self.service.refresh()
        return self


def play(script: Coroutine[Any, Any, None]) -> None:
    asyncio.run(script)


def test_signing_in_shows_the_most_urgent_case_with_its_evidence() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()

        assert bench.state.rows[0].case_id == "case-000"
        assert bench.state.case is not None
        assert bench.state.case.case_id == "case-000"
        assert bench.state.total_open == 30
        assert bench.state.zones == ("A", "B", "C")
        assert bench.state.name_of("ben") == "Ben Okafor"

    play(script())


@pytest.mark.parametrize(("pin", "code"), [("0000", "pin-wrong"), ("1", "pin-short")])
def test_a_wrong_pin_says_why_and_signs_nobody_in(pin: str, code: str) -> None:
    async def script() -> None:
        bench = Bench()

        assert not await bench.service.sign_in("olga", pin)

        assert bench.state.person is None
        assert bench.state.trouble is not None
        assert bench.state.trouble.code == code
        assert not bench.state.is_signing_in

    play(script())


def test_without_a_network_signing_in_says_so_and_can_be_tried_again() -> None:
    async def script() -> None:
        bench = Bench()
        bench.cable.is_cut = True
        assert not await bench.service.sign_in("olga", PIN)
        assert bench.state.reach is Reach.OFFLINE

        bench.cable.is_cut = False
        assert await bench.service.sign_in("olga", PIN)
        assert bench.state.reach is Reach.ONLINE

    play(script())


def test_a_wifi_sign_in_page_is_not_taken_for_an_empty_queue() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()
        bench.cable.portal = True

        await bench.service.refresh()

        assert len(bench.state.rows) == 30
        assert bench.state.outage is OutageKind.NOT_OURS

    play(script())


def test_filters_are_the_servers_and_start_a_fresh_list() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()

        await bench.service.narrow(is_mine=True)
        assert {row.owner_id for row in bench.state.rows} == {"olga"}
        await bench.service.narrow(kind=CaseKind.VARIANCE)
        assert {row.kind for row in bench.state.rows} == {CaseKind.VARIANCE}
        await bench.service.show_filters(Filters(zone="B"))
        assert {row.zone for row in bench.state.rows} == {"B"}
        assert bench.state.case is not None
        assert bench.state.case.zone == "B"

    play(script())


def test_ended_cases_are_a_list_of_their_own_and_one_is_found_by_its_bin() -> None:
    async def script() -> None:
        bench = await Bench(6).signed_in()
        await bench.service.decide(Action.REJECT)
        await bench.service.decide(Action.REJECT)

        await bench.service.narrow(is_ended=True)
        assert [row.case_id for row in bench.state.rows] == ["case-000", "case-001"]
        await bench.service.narrow(find="b-01")
        assert [row.case_id for row in bench.state.rows] == ["case-001"]
        await bench.service.show_filters(Filters())
        assert len(bench.state.rows) == 4

    play(script())


def test_a_posting_is_taken_back_once_though_the_first_answer_was_lost() -> None:
    async def script() -> None:
        bench = await Bench(3).signed_in()
        await bench.service.decide(Action.APPROVE, reason=ReasonCode.PICK_SHORT)
        await bench.service.narrow(is_ended=True)
        wanted = uuid7(9, bytes(10))

        bench.cable.lose_answers = 1
        first = await bench.service.take_back(wanted, ReasonCode.COUNT_ERROR)
        second = await bench.service.take_back(wanted, ReasonCode.COUNT_ERROR, " wrong bin ")

        assert (first, second) == (False, True)
        assert list(bench.desk.reversals) == ["adjustment-case-000"]
        assert bench.state.toast is not None
        assert bench.state.toast.key == "review.toast.reversed"
        posted = bench.state.case and bench.state.case.adjustment
        assert posted is not None
        assert (posted.state, posted.can_reverse) == ("reversed", False)

    play(script())


def test_paging_brings_every_case_once() -> None:
    async def script() -> None:
        bench = await Bench(120).signed_in()
        assert len(bench.state.rows) == 50

        await bench.service.load_more()
        await bench.service.load_more()
        await bench.service.load_more()

        ids = [row.case_id for row in bench.state.rows]
        assert len(ids) == len(set(ids)) == 120
        assert bench.state.next_cursor is None

    play(script())


def test_j_and_k_walk_the_list_and_stop_at_its_ends() -> None:
    async def script() -> None:
        bench = await Bench(3).signed_in()
        walked = []
        for by in (-1, 1, 1, 1, -1):
            await bench.service.step(by)
            walked.append(bench.state.selected)

        assert walked == ["case-000", "case-001", "case-002", "case-002", "case-001"]

    play(script())


def test_an_approval_carries_a_fresh_id_the_version_seen_and_selects_the_next_case() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()

        await bench.service.decide(Action.APPROVE, reason=ReasonCode.PICK_NOT_POSTED, note=" ok ")

        (heard,) = bench.desk.heard
        assert is_uuid7(heard.decision_id)
        assert (heard.version, heard.reason, heard.note) == (3, ReasonCode.PICK_NOT_POSTED, "ok")
        assert bench.state.pending is None
        assert bench.state.selected == "case-001"
        assert bench.state.case is not None
        assert "case-000" not in [row.case_id for row in bench.state.rows]
        assert bench.state.total_open == 29
        assert bench.state.toast is not None
        assert bench.state.toast.key == "review.toast.approve"

    play(script())


def test_a_recount_keeps_the_case_in_the_queue_and_names_who_counts() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()

        await bench.service.decide(Action.RECOUNT)

        row = bench.state.rows[0]
        assert (row.case_id, row.state) == ("case-000", CaseState.RECOUNT_REQUESTED)
        assert bench.state.selected == "case-001"
        assert bench.state.toast is not None
        assert bench.state.toast.key == "review.toast.recount_by"
        assert bench.state.toast.params["name"] == "Ben Okafor"

    play(script())


def test_a_lost_answer_is_asked_again_with_the_same_id_and_done_once() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()
        bench.cable.lose_answers = 2

        await bench.service.decide(Action.APPROVE, reason=ReasonCode.DATA_ENTRY)

        assert len(bench.desk.heard) == 3
        assert len({d.decision_id for d in bench.desk.heard}) == 1
        assert len(bench.desk.decided) == 1
        assert bench.state.pending is None
        assert bench.state.toast is not None
        assert bench.slept == [1.0, 2.0]

    play(script())


def test_during_an_outage_the_decision_is_kept_and_shown_and_no_second_one_is_taken() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()
        bench.cable.is_cut = True
        seen: list[ReviewState] = []

        def look() -> None:
            seen.append(bench.state)

        def mend() -> None:
            look()
            bench.cable.is_cut = False

        bench.on_sleep = [look, mend]
        await bench.service.decide(Action.REJECT, note="miscounted")

        assert [s.pending.tries for s in seen if s.pending is not None] == [1, 2]
        assert all(s.reach is Reach.OFFLINE for s in seen)
        assert bench.state.pending is None
        assert bench.state.reach is Reach.ONLINE
        assert [d.action for d in bench.desk.heard] == [Action.REJECT]

    play(script())


def test_a_refusal_is_told_and_the_case_is_fetched_again() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()
        bench.desk.refuse = RefusalError("approver-counted")

        await bench.service.decide(Action.APPROVE, reason=ReasonCode.UNKNOWN_CAUSE)

        assert bench.state.trouble is not None
        assert bench.state.trouble.code == "approver-counted"
        assert bench.state.trouble.detail.startswith("Somebody who counted it")
        assert bench.state.selected == "case-000"
        assert bench.state.pending is None

    play(script())


def test_what_changed_meanwhile_is_refused_and_shown_as_it_is_now() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()
        bench.desk.rows["case-000"] = bench.desk.rows["case-000"].model_copy(update={"version": 9})

        await bench.service.decide(Action.APPROVE, reason=ReasonCode.UNKNOWN_CAUSE)

        assert bench.state.trouble is not None
        assert bench.state.trouble.code == "version-stale"
        assert bench.state.case is not None
        assert bench.state.case.version == 9

    play(script())


def test_an_ended_session_asks_who_is_there_and_then_sends_what_waited() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()
        bench.desk.tokens.clear()
        await bench.service.decide(Action.ESCALATE)
        assert bench.state.person is None
        assert bench.state.pending is not None
        assert bench.state.trouble is not None

        assert await bench.service.sign_in("olga", PIN)

        assert bench.state.pending is None
        assert len(bench.desk.decided) == 1

    play(script())


def test_a_decision_that_waits_is_never_sent_in_anothers_name() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()
        bench.desk.tokens.clear()
        await bench.service.decide(Action.ESCALATE)

        assert await bench.service.sign_in("max", PIN)

        assert bench.state.pending is None
        assert bench.desk.decided == {}
        assert bench.state.toast is not None
        assert bench.state.toast.key == "review.toast.dropped"

    play(script())


def test_many_cases_are_decided_in_one_call_and_counted() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()

        results = await bench.service.decide_many(
            ["case-001", "case-002"], Action.APPROVE, reason=ReasonCode.DATA_ENTRY
        )

        assert {case_id for case_id, result in results.items() if result.done} == {
            "case-001",
            "case-002",
        }
        assert bench.state.total_open == 28

    play(script())


def test_many_asked_for_again_after_a_lost_answer_are_decided_once() -> None:
    async def script() -> None:
        bench = await Bench(4).signed_in()
        ids = ["case-001", "case-002"]

        bench.cable.lose_answers = 1
        assert await bench.service.decide_many(ids, Action.REJECT) == {}
        again = await bench.service.decide_many(ids, Action.REJECT)
        other = await bench.service.decide_many(["case-003"], Action.REJECT)

        assert [result.repeated for result in again.values()] == [True, True]
        assert len({key for key, _ in bench.desk.decided}) == 2
        assert other["case-003"].done

    play(script())


def test_the_other_pages_fetch_what_they_show() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()
        for page in (Page.TASKS, Page.ACCURACY, Page.DEVICES):
            await bench.service.show(page)
        await bench.service.make_enrol_code()

        assert bench.state.tasks is not None
        assert bench.state.accuracy is not None
        assert bench.state.accuracy.figures[0].percent == "95.00"
        assert bench.state.devices is not None
        assert bench.state.enrol_code is not None
        assert bench.state.enrol_code.code == "K7QXM2WPRD"

    play(script())


def test_signing_out_forgets_what_was_seen_even_without_a_network() -> None:
    async def script() -> None:
        bench = await Bench().signed_in()
        bench.cable.is_cut = True

        await bench.service.sign_out()

        assert bench.state == ReviewState()

    play(script())
