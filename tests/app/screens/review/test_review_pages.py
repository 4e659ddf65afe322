"""The review's other pages without Flutter: accuracy with what was proposed, and pages that wait."""

from __future__ import annotations

import pytest

from app.contract.review import ProposalKind
from app.i18n.words import load_words
from app.review import steps
from app.review.state import Filters, Page
from tests.app.screens.review.test_review_screens import Bench, play
from tests.support.review_cases import NOW
from tests.support.review_desk import accuracy_report


def test_how_often_a_proposal_was_followed_is_told_the_most_frequent_first() -> None:
    async def script() -> None:
        bench = await Bench().start()
        bench.desk.go(Page.ACCURACY)
        await bench.calm()

        assert bench.reads("10 decisions had a proposal on top; 7 followed it.")
        texts = bench.page.texts()
        assert texts.index("Movement not posted") < texts.index("Digits mistyped")
        assert "85.71 %" in texts

    play(script())


def test_no_proposal_yet_is_a_sentence_and_not_nought_percent() -> None:
    async def script() -> None:
        bench = await Bench().start()
        bench.desk.go(Page.ACCURACY)
        await bench.calm()
        empty = accuracy_report().model_copy(update={"proposals": ()})
        bench.service._step(steps.PagesCame(accuracy=empty))
        await bench.calm()

        assert bench.page.has("proposals-none")

    play(script())


@pytest.mark.parametrize("kind", list(ProposalKind))
def test_every_kind_of_proposal_has_words(kind: ProposalKind) -> None:
    assert load_words("en").has(f"review.proposal.{kind.value}")


@pytest.mark.parametrize("page", [Page.TASKS, Page.ACCURACY, Page.DEVICES])
def test_a_page_that_the_server_does_not_answer_for_says_so_instead_of_turning(page: Page) -> None:
    async def script() -> None:
        bench = await Bench().start()
        bench.cable.is_cut = True
        bench.desk.go(page)
        await bench.calm()

        assert bench.page.has("waiting")
        assert bench.reads("fills by itself")
        bench.cable.is_cut = False
        await bench.press("try-again")

        assert not bench.page.has("waiting")
        assert not bench.page.has("offline")

    play(script())


def test_the_queue_is_grouped_by_how_urgent_and_narrowed_by_owner_and_due_time() -> None:
    async def script() -> None:
        bench = await Bench(cases=34).start()
        texts = bench.page.texts()
        groups = [texts.index(name) for name in ("Urgent", "Soon", "When there is time")]
        assert groups == sorted(groups)
        assert not bench.page.has("filter-owner")

        await bench.press("filter-more")
        await bench.press("filter-owner-olga")
        await bench.press("filter-due-late")
        rows = bench.service.state.rows
        assert rows
        assert {(row.owner_id, row.due_at < NOW) for row in rows} == {("olga", True)}

        await bench.press("filter-more")
        assert not bench.page.has("filter-owner"), "what is not seen does not narrow the list"
        assert bench.service.state.filters == Filters()

    play(script())


def test_a_queue_that_never_came_says_that_the_server_does_not_answer() -> None:
    async def script() -> None:
        bench = await Bench().start()
        bench.cable.is_cut = True
        await bench.press("filter-mine")

        assert bench.page.has("waiting")
        assert not bench.reads("Nothing to decide")
        bench.cable.is_cut = False
        await bench.press("try-again")
        assert bench.page.has("case-case-000")

    play(script())
