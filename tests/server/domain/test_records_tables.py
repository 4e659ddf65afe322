"""Every record's transition table speaks only of its states, and refuses the rest by name."""

from __future__ import annotations

import pytest

from app.contract.problems import RefusalError
from server.domain.records import (
    STATES,
    TRANSITIONS,
    Record,
    event_between,
    next_state,
)


@pytest.mark.parametrize("record", Record)
def test_a_table_names_only_states_of_its_record_and_reaches_each(record):
    states = {state.value for state in STATES[record]}
    table = TRANSITIONS[record]

    assert {state for state, _ in table} | set(table.values()) <= states
    first = next(iter(STATES[record])).value
    reached, waiting = {first}, [first]
    while waiting:
        here = waiting.pop()
        new = {after for (state, _), after in table.items() if state == here} - reached
        reached |= new
        waiting += new
    assert reached == states


@pytest.mark.parametrize("record", Record)
def test_what_a_table_does_not_list_is_refused_naming_state_and_event(record):
    events = {event for _, event in TRANSITIONS[record]}
    for state in (state.value for state in STATES[record]):
        for event in events:
            if (state, event) in TRANSITIONS[record]:
                assert next_state(record, state, event) == TRANSITIONS[record][(state, event)]
                continue
            with pytest.raises(RefusalError) as refused:
                next_state(record, state, event)
            assert refused.value.code == "transition-refused"
            assert state in refused.value.detail
            assert event in refused.value.detail


def test_a_host_that_only_tells_states_is_given_the_event():
    assert event_between(Record.ORDER, "reserved", "picked") == "pick"
    with pytest.raises(RefusalError, match="become promised"):
        event_between(Record.ORDER, "shipped", "promised")
