"""The case machine: what each state allows, who may decide, what facts bring about."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract.problems import RefusalError
from app.contract.vocabulary import CaseState, Role
from server.domain.cases import (
    ENDED_BY_FACTS,
    LIVE,
    SYSTEM,
    TRANSITIONS,
    Actor,
    ApprovalTerms,
    CaseEvent,
    CaseStanding,
    check_approval,
    facts_events,
    needs_second,
    transition,
)
from server.domain.rounds import Standing
from tests.support.sheets import NINE

D = Decimal
ANA = Actor(user_id="ana", role=Role.SUPERVISOR, limit=D(500))
LEA = Actor(user_id="lea", role=Role.LEAD, limit=None)


@pytest.mark.parametrize(("state", "event"), list(product(CaseState, CaseEvent)))
def test_every_pair_is_in_the_table_or_refused_by_name(state: CaseState, event: CaseEvent):
    case = CaseStanding(case_id="k", state=state, version=4)

    if (state, event) in TRANSITIONS:
        after, fact = transition(case, event, ANA, at=NINE, why="because")

        assert after == CaseStanding(case_id="k", state=TRANSITIONS[state, event], version=5)
        assert (fact.who, fact.from_state, fact.to_state, fact.why) == (
            "ana",
            state,
            after.state,
            "because",
        )
    else:
        with pytest.raises(RefusalError) as refused:
            transition(case, event, ANA, at=NINE)

        assert refused.value.code == "transition-refused"
        assert refused.value.params["state"] == state
        assert refused.value.params["event"] == event


def test_the_chain_of_the_design_can_be_walked():
    case = CaseStanding(case_id="k", state=CaseState.OPEN)
    walked = [case.state]
    for event in (
        CaseEvent.ASSIGN,
        CaseEvent.REQUEST_RECOUNT,
        CaseEvent.RECOUNT_ARRIVED,
        CaseEvent.COUNTS_AGREED,
        CaseEvent.APPROVE,
        CaseEvent.POST,
        CaseEvent.CLOSE,
    ):
        case, _ = transition(case, event, ANA, at=NINE)
        walked.append(case.state)

    assert walked == [
        CaseState.OPEN,
        CaseState.ASSIGNED,
        CaseState.RECOUNT_REQUESTED,
        CaseState.RECOUNTED,
        CaseState.UNDER_REVIEW,
        CaseState.APPROVED,
        CaseState.POSTED,
        CaseState.CLOSED,
    ]


def test_nothing_leaves_an_end_but_what_facts_may_undo():
    left = {state for state, _ in TRANSITIONS} - LIVE

    assert left == ENDED_BY_FACTS | {CaseState.POSTED}


@given(
    st.sampled_from(sorted(LIVE | ENDED_BY_FACTS)),
    st.sampled_from([None, *Standing]),
    st.integers(1, 4),
    st.booleans(),
)
def test_what_facts_say_can_always_be_said_and_is_said_once(
    state: CaseState, standing: Standing | None, used: int, awaited: bool
):
    rounds = 1 if standing in (None, Standing.FIRST) else max(2, used)
    case = CaseStanding(case_id="k", state=state)

    for event in facts_events(state, standing, used_rounds=rounds, is_awaited=awaited):
        case, _ = transition(case, event, SYSTEM, at=NINE)

    again = facts_events(case.state, standing, used_rounds=rounds, is_awaited=awaited)
    assert again == ()


@given(st.sampled_from([None, *Standing]), st.integers(2, 4))
def test_where_no_person_has_spoken_the_facts_alone_decide(standing: Standing | None, used: int):
    rounds = 1 if standing in (None, Standing.FIRST) else used
    ends = set()
    for state in (
        CaseState.OPEN,
        CaseState.RECOUNTED,
        CaseState.UNDER_REVIEW,
        CaseState.COUNT_ERROR,
        CaseState.EXPLAINED,
    ):
        case = CaseStanding(case_id="k", state=state)
        for event in facts_events(state, standing, used_rounds=rounds, is_awaited=False):
            case, _ = transition(case, event, SYSTEM, at=NINE)
        ends.add(case.state)

    assert len(ends) == 1


def _terms(**overrides: object) -> ApprovalTerms:
    fields: dict[str, object] = {
        "bin": "A-01",
        "low": D(-6),
        "high": D(-6),
        "value_absolute": D(120),
        "currency": "EUR",
        "standing": Standing.AGREED,
        "counted_by": {"ben", "cem"},
    }
    return ApprovalTerms(**(fields | overrides))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("actor", "changes", "code"),
    [
        (Actor(user_id="ana", role=Role.COUNTER), {}, "role-forbidden"),
        (Actor(user_id="fin", role=Role.FINANCE), {}, "role-forbidden"),
        (Actor(user_id="x", role=None), {}, "role-forbidden"),
        (Actor(user_id="ben", role=Role.LEAD, limit=None), {}, "approver-counted"),
        (ANA, {"high": D(-3)}, "variance-ambiguous"),
        (LEA, {"high": D(-3)}, "variance-ambiguous"),
        (ANA, {"standing": Standing.FIRST}, "not-agreed"),
        (ANA, {"standing": Standing.EXHAUSTED}, "not-agreed"),
        (ANA, {"value_absolute": D("500.01")}, "approver-limit"),
    ],
)
def test_an_approval_names_the_rule_that_forbids_it(actor: Actor, changes: dict, code: str):
    with pytest.raises(RefusalError) as refused:
        check_approval(actor, _terms(**changes))

    assert refused.value.code == code


def test_who_has_not_counted_may_approve_up_to_the_limit_and_a_lead_without_agreement():
    check_approval(ANA, _terms(value_absolute=D(500)))
    check_approval(LEA, _terms(standing=Standing.FIRST, value_absolute=D(90_000)))


def test_above_the_sites_limit_two_different_people_approve():
    big = {"value_absolute": D(1001), "second_above": D(1000)}

    assert needs_second(LEA, _terms(**big))
    assert needs_second(LEA, _terms(**big, approved_by="lea"))
    assert not needs_second(LEA, _terms(**big, approved_by="ana"))
    assert not needs_second(LEA, _terms(value_absolute=D(1000), second_above=D(1000)))
