"""What probably happened: each rule on its own example, and never more than the evidence says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from app.contract.review import Action, ProposalKind
from app.contract.vocabulary import Condition, ReasonCode, Unit
from server.domain.proposals import (
    OpenDocument,
    Puzzle,
    Sibling,
    acceptance,
    proposals,
)
from tests.support.sheets import NINE, a_movement, rows

D = Decimal


def puzzle(counted: str, book: str, **fields) -> Puzzle:
    return Puzzle(
        bin="A-01",
        sku="S1",
        variance=D(counted) - D(book),
        counted=D(counted),
        book=D(book),
        counted_at=NINE,
        **fields,
    )


def tops(given: Puzzle) -> list[tuple[ProposalKind, float]]:
    return [(g.kind, round(g.score, 2)) for g in proposals(given)]


def test_slips_of_the_hand_are_told_from_the_digits():
    """One case holds 12, an inner 6.

    counted | book | on top       | score
    12      | 21   | slipped_digit| 0.7
    210     | 21   | slipped_digit| 0.65
    21      | 210  | slipped_digit| 0.65
    221     | 21   | slipped_digit| 0.5
    3       | 36   | wrong_unit   | 0.88
    36      | 3    | wrong_unit   | 0.88
    6       | 50   | wrong_unit   | 0.5
    24      | 36   | wrong_unit   | 0.45
    8       | 10   | -            | -
    4       | 9    | -            | -
    """
    for row in rows(test_slips_of_the_hand_are_told_from_the_digits.__doc__):
        found = tops(puzzle(row["counted"], row["book"], factors={Unit.CASE: D(12)}))
        expected = (row["on top"], float(row["score"] or 0)) if row["on top"] else None
        assert (found[0] if found else None) == expected, row


def test_when_two_people_agree_a_slip_is_out_of_the_question():
    agreed = puzzle("3", "36", factors={Unit.CASE: D(12)}, has_agreed=True)

    assert [kind for kind, _ in tops(agreed)] == [ProposalKind.COUNTS_AGREE]


def test_a_document_that_moved_goods_without_a_posting_explains_them():
    told = OpenDocument(name="order/991", kind="pick", effect=D(-6), names_bin=True)
    given = puzzle("8", "14", documents=[told])

    best = proposals(given)[0]

    assert (best.kind, best.score, best.action, best.reason) == (
        ProposalKind.UNPOSTED_MOVEMENT,
        0.9,
        Action.EXPLAIN,
        ReasonCode.PICK_NOT_POSTED,
    )
    assert tops(replace(given, documents=[replace(told, names_bin=False)]))[0][1] == 0.75
    assert tops(replace(given, documents=[replace(told, is_told=False)]))[0][1] == 0.55
    assert tops(replace(given, documents=[replace(told, effect=D(-5))])) == []
    old = replace(told, at=NINE - timedelta(days=30))
    assert tops(replace(given, documents=[old]))[0][1] == 0.5


def test_a_receipt_posted_twice_is_found_by_its_document():
    def received(name: str, clock: str, document: str = "purchase_order/17"):
        return a_movement(
            name, clock, "12", frm="@supplier", to="A-01", kind="receive", document=document
        )

    given = puzzle("12", "24", movements=[received("m1", "07:00"), received("m2", "07:10")])
    other = replace(
        given, movements=[received("m1", "07:00"), received("m2", "07:10", "purchase_order/18")]
    )

    best = proposals(given)[0]

    assert (best.kind, best.movement_id, best.reason) == (
        ProposalKind.DOUBLE_POSTED_MOVEMENT,
        "m2",
        ReasonCode.RECEIPT_POSTED_TWICE,
    )
    assert tops(other) == []


def test_short_here_and_over_there_is_a_move_and_near_bins_come_first():
    def over(bin: str, distance: int, variance: str = "6") -> Sibling:
        return Sibling(case_id=bin, bin=bin, sku="S1", variance=D(variance), distance=distance)

    given = puzzle("4", "10", siblings=[over("B-09", 20), over("A-02", 1), over("C-01", 3, "5")])

    found = proposals(given)

    assert [(g.other_bin, round(g.score, 2)) for g in found] == [("A-02", 0.93), ("B-09", 0.55)]
    assert found[0].title == "6 moved from A-01 to A-02, not posted"


def test_two_skus_of_one_bin_that_miss_by_opposite_numbers_have_swapped_labels():
    other = Sibling(case_id="", bin="A-01", sku="S2", variance=D(6), distance=0)

    assert tops(puzzle("4", "10", siblings=[other])) == [(ProposalKind.SWAPPED_LABELS, 0.8)]


def test_a_unit_missing_among_the_good_and_over_among_the_damaged_is_damage():
    good = Sibling(case_id="", bin="A-01", sku="S1", variance=D(-1), distance=0)
    found = proposals(puzzle("1", "0", condition=Condition.DAMAGED, siblings=[good]))

    assert (found[0].kind, found[0].action) == (ProposalKind.DAMAGE_NOT_MARKED, Action.APPROVE)
    lost = replace(good, variance=D(2))
    unmarked = proposals(puzzle("0", "2", condition=Condition.DAMAGED, siblings=[lost]))
    assert unmarked[0].action is Action.RECOUNT


def test_nothing_is_proposed_for_nothing():
    assert proposals(puzzle("10", "10")) == ()


def test_followed_proposals_are_counted_by_kind():
    told = [(ProposalKind.WRONG_UNIT, True), (ProposalKind.WRONG_UNIT, False)]

    assert acceptance(told) == {ProposalKind.WRONG_UNIT: (2, 1)}
