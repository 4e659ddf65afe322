"""Which reasons stand on top: what the case itself speaks for, and never what cannot be."""

from __future__ import annotations

import pytest

from app.contract.review import Action, CaseDetail, Interval, MovementView, Proposal, ProposalKind
from app.contract.vocabulary import CaseKind, ReasonCode
from app.review.reasons import (
    GROUPS,
    LIKELY,
    ONLY_OVER,
    ONLY_SHORT,
    TAKEN_BACK,
    likely_for_all,
    likely_reasons,
)
from tests.support.review_cases import ago, exactly, make_case, make_row


def a_case(variance: str | Interval = "-6", **changes: object) -> CaseDetail:
    """A variance without any evidence but the changes."""
    is_span = isinstance(variance, Interval)
    plain = {
        "kind": CaseKind.VARIANCE,
        "variance": variance if is_span else exactly(str(variance)),
        "proposals": (),
        "movements": (),
    }
    return make_case(make_row(1)).model_copy(update={**plain, **changes})


def a_movement(kind: str, minutes: float, delta: str) -> MovementView:
    return MovementView(
        movement_id=f"m-{minutes}",
        kind=kind,
        occurred_at=ago(minutes),
        recorded_at=ago(minutes),
        delta=delta,
        from_place="A available",
        to_place="B available",
    )


def a_proposal(score: float, reason: ReasonCode | None) -> Proposal:
    return Proposal(
        kind=ProposalKind.UNPOSTED_MOVEMENT,
        score=score,
        title="something",
        evidence=(),
        action=Action.APPROVE,
        reason=reason,
    )


def test_every_reason_stands_in_one_group():
    grouped = [reason for _, reasons in GROUPS for reason in reasons]

    assert sorted(grouped) == sorted(ReasonCode)
    assert len(TAKEN_BACK) == LIKELY


@pytest.mark.parametrize("kind", CaseKind)
@pytest.mark.parametrize("units", ["-2", "2", "0"])
def test_five_that_can_be_are_named_for_every_case(kind: CaseKind, units: str):
    found = likely_reasons(a_case(units, kind=kind))

    assert len(set(found)) == LIKELY
    assert found[-1] is ReasonCode.UNKNOWN_CAUSE
    impossible = {"-2": ONLY_OVER, "2": ONLY_SHORT, "0": frozenset()}[units]
    assert not impossible & set(found)


def test_what_a_proposal_names_is_first_the_surer_one_before_the_other():
    case = a_case(
        proposals=(
            a_proposal(0.5, ReasonCode.RECEIPT_POSTED_TWICE),
            a_proposal(0.6, ReasonCode.UNKNOWN_CAUSE),
            a_proposal(0.9, ReasonCode.LABEL_SWAPPED),
            a_proposal(0.8, None),
        )
    )

    assert likely_reasons(case)[:2] == (
        ReasonCode.LABEL_SWAPPED,
        ReasonCode.RECEIPT_POSTED_TWICE,
    )


def test_the_latest_movement_before_the_count_speaks_louder_than_an_earlier_one():
    received, picked = a_movement("receipt", 600, "24"), a_movement("Pick", 30, "-2")

    short = likely_reasons(a_case("-2", movements=(received, picked)))
    over = likely_reasons(a_case("2", movements=(received, picked)))

    assert short[:2] == (ReasonCode.PICK_NOT_POSTED, ReasonCode.RECEIVING_SHORT)
    assert over[:2] == (ReasonCode.PICK_SHORT, ReasonCode.RECEIVING_OVER)
    earlier = likely_reasons(a_case("-2", movements=(a_movement("receipt", 10, "24"), picked)))
    assert earlier[0] is ReasonCode.RECEIVING_SHORT


def test_missing_stock_that_no_record_explains_offers_theft_and_cause_unknown():
    found = likely_reasons(a_case("-2", movements=(a_movement("pick", 30, "-2"),)))

    assert ReasonCode.THEFT_SUSPECTED in found
    assert found[-1] is ReasonCode.UNKNOWN_CAUSE


@pytest.mark.parametrize(
    ("kind", "units", "first"),
    [
        (CaseKind.DAMAGED_FOUND, "1", ReasonCode.DAMAGED),
        (CaseKind.EXPIRED_LOT, "3", ReasonCode.EXPIRED),
        (CaseKind.UNEXPECTED_ITEM, "12", ReasonCode.PUTAWAY_WRONG_BIN),
        (CaseKind.COUNTED_TWICE, "0", ReasonCode.COUNT_ERROR),
    ],
)
def test_the_kind_of_the_case_says_it(kind: CaseKind, units: str, first: ReasonCode):
    assert likely_reasons(a_case(units, kind=kind))[0] is first


def test_an_interval_on_both_sides_of_zero_rules_nothing_out():
    span = Interval(low="-3", high="2")
    case = a_case(span, proposals=(a_proposal(0.9, ReasonCode.PICK_SHORT),))

    assert likely_reasons(case)[0] is ReasonCode.PICK_SHORT


def test_for_several_cases_what_fits_most_of_them_is_first():
    damaged = make_row(4)
    short = make_row(0, kind=CaseKind.VARIANCE)

    assert likely_for_all((damaged, damaged, short))[0] is ReasonCode.DAMAGED
    assert likely_for_all((short,)) == likely_reasons(short)
    assert len(likely_for_all(())) == LIKELY
