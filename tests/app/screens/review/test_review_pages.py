"""The review's other pages without Flutter: accuracy with what was proposed, and pages that wait."""

from __future__ import annotations

import pytest

from app.contract.review import ProposalKind
from app.i18n.words import load_words
from app.review import steps
from app.review.state import Page
from tests.app.screens.review.test_review_screens import Bench, play
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
