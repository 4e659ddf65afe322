"""The floor shows how sending goes in its own words, whatever state the engine is in."""

from __future__ import annotations

import pytest

from app.counting.state import Reach
from app.floor_link import sync_view
from app.i18n.words import load_words
from app.sync.status import SyncState, SyncStatus


@pytest.mark.parametrize("state", list(SyncState))
def test_every_state_has_a_reach_and_a_sentence_unless_all_is_well(state):
    view = sync_view(SyncStatus(state=state, unsent=3, held=1, next_attempt_ms=1500), "https://x")

    is_well = state in (SyncState.UP_TO_DATE, SyncState.SENDING, SyncState.WAITING)
    assert (view.reach is Reach.ONLINE) == is_well
    assert (view.problem == "") == is_well
    assert (view.unsent, view.held, view.next_try_s) == (3, 1, 2)
    if view.problem:
        assert load_words("en")(view.problem) != view.problem
