"""Recount rounds: who must count, what agrees, what a posting settles, in any order of arrival."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.ranges import Range, exactly
from server.domain.rounds import (
    NOBODY,
    SAME_PERSON,
    LineRound,
    SettledAs,
    Settlement,
    Standing,
    episodes,
)
from tests.support.naive import follow
from tests.support.sheets import NINE, a_range, rows

D = Decimal


def a_round(index: int, person: str | None, variance: str, *, inside: bool = False) -> LineRound:
    value = a_range(variance)
    return LineRound(
        count_id=f"c{index}",
        person=person,
        order=(NINE + timedelta(hours=index), f"c{index}"),
        variances={} if value.is_zero else {"": value},
        is_inside=inside or value.is_zero,
    )


def _story(text: str) -> list[LineRound]:
    """ "ana -6, ben -6": one count after the other."""
    told = [word.split() for word in text.split(",")]
    return [a_round(i, person, variance) for i, (person, variance) in enumerate(told)]


def test_what_counts_by_different_people_prove():
    """Variances as of each count; the same number of units may have been read off differently.

    counts                         | cases
    ana 0                          | none
    ana -6                         | first
    ana -6, ben -6                 | agreed
    ana -6, ben 0                  | hit
    ana -6, ben -4                 | apart
    ana -6, ben -4, cem -4         | agreed
    ana -6, ben -4, cem -6         | exhausted
    ana -6, ben -4, cem 0          | hit
    ana -6, ana -6                 | first
    ana -6, ana 0                  | first
    ana -6, ana -6, ben -6         | agreed
    ana -6, ben 0, cem -6          | hit first
    ana -6, ben 0, ana -6          | hit first
    ana -3..0, ben 0               | hit
    ana -3..0, ben -3..0           | apart
    ana -3..0, ben -3, cem -3      | agreed
    ana 0, ben 0, cem 2            | first
    ana -6, ben -6, cem 0          | hit
    ana -6, ben -6, cem -6         | agreed
    """
    for row in rows(test_what_counts_by_different_people_prove.__doc__):
        found = " ".join(e.standing for e in episodes(_story(row["counts"]))) or "none"
        assert found == row["cases"], row


def test_a_count_by_the_same_person_is_kept_as_evidence_and_not_used():
    (episode,) = episodes(_story("ana -6, ana -6, ben -5"))

    assert [(r.count_id, r.is_used, r.why_not) for r in episode.rounds] == [
        ("c0", True, ""),
        ("c1", False, SAME_PERSON),
        ("c2", True, ""),
    ]
    assert episode.people == {"ana", "ben"}


def test_a_recount_that_nobody_signed_proves_nothing():
    (episode,) = episodes([a_round(0, "ana", "-6"), a_round(1, None, "-6")])

    assert episode.standing is Standing.FIRST
    assert episode.rounds[1].why_not == NOBODY


def test_a_recount_within_tolerance_meets_the_book():
    (episode,) = episodes([a_round(0, "ana", "-6"), a_round(1, "ben", "-1", inside=True)])

    assert episode.standing is Standing.HIT


def test_two_swapped_serials_total_zero_and_are_no_hit():
    swapped = LineRound(
        count_id="c0",
        person="ana",
        order=(NINE, "c0"),
        variances={"N1": exactly(D(-1)), "N2": exactly(D(1))},
        is_inside=False,
    )

    (episode,) = episodes([swapped])

    assert episode.deciding.total.is_zero
    assert episode.standing is Standing.FIRST


def test_agreement_is_dated_by_the_first_of_the_two_that_agree():
    (episode,) = episodes(_story("ana -4, ben -6, cem -6"))

    assert (episode.basis.count_id, episode.deciding.count_id) == ("c1", "c2")


def test_a_site_may_ask_for_more_people():
    assert episodes(_story("ana 1, ben 2, cem 3"), rounds_max=4)[0].standing is Standing.APART


# -- after a decision ----------------------------------------------------------------------------


def settled(
    how: SettledAs,
    amount: str,
    counts: str,
    *,
    last: int,
    case: str = "k",
    deciding: str | None = None,
) -> Settlement:
    return Settlement(
        case_id=case,
        how=how,
        count_ids=frozenset(counts.split()),
        deciding=frozenset(counts.split() if deciding is None else deciding.split()),
        last=(NINE + timedelta(hours=last), f"c{last}"),
        amounts={"": D(amount)} if D(amount) != 0 else {},
    )


POSTED = settled(SettledAs.POSTED, "-6", "c0 c1", last=1)


def test_what_was_posted_is_settled():
    assert episodes(_story("ana -6, ben -6"), [POSTED]) == ()


def test_a_late_movement_after_posting_leaves_the_difference_to_correct():
    """A pick of 2 was keyed late: both counts were really 4 short, not 6."""
    (episode,) = episodes(_story("ana -4, ben -4"), [POSTED])

    assert episode.corrects == ("k",)
    assert episode.standing is Standing.AGREED
    assert episode.deciding.residual == {"": exactly(D(2))}


def test_a_correction_that_was_posted_too_settles_the_rest():
    correction = settled(SettledAs.POSTED, "2", "c0 c1", last=1, case="k2")

    assert episodes(_story("ana -4, ben -4"), [POSTED, correction]) == ()


def test_facts_that_bring_a_posted_variance_within_tolerance_take_it_all_back():
    rounds = [a_round(0, "ana", "-1", inside=True), a_round(1, "ben", "-1", inside=True)]

    (episode,) = episodes(rounds, [POSTED])

    assert episode.deciding.residual == {"": exactly(D(6))}


def test_a_late_movement_inside_the_window_makes_the_correction_uncertain():
    (episode,) = episodes(_story("ana -6..-4, ben -4"), [POSTED])

    assert episode.standing is Standing.APART
    assert not episode.rounds[0].is_certain


def test_a_late_count_that_found_the_same_opens_nothing():
    assert episodes([*_story("ana -6, ben -6"), a_round(-1, "cem", "-6")], [POSTED]) == ()


def test_a_count_after_the_posting_is_judged_on_its_own():
    (episode,) = episodes([*_story("ana -6, ben -6"), a_round(5, "ana", "3")], [POSTED])

    assert episode.corrects == ()
    assert episode.used[0].count_id == "c5"


def test_what_a_lead_overruled_is_not_held_against_the_posting():
    by_lead = settled(SettledAs.POSTED, "-4", "c0 c1 c2", last=2, deciding="c1")

    assert episodes(_story("ana -6, ben -4, ana -1"), [by_lead]) == ()


def test_the_later_decision_about_a_count_overrules_the_earlier_one():
    """Posted on ben's count; his earlier count came late and was preferred: it does not swing back."""
    on_the_second = replace(settled(SettledAs.POSTED, "-6", "c1", last=1), decided_at=NINE)
    on_the_first = replace(
        settled(SettledAs.POSTED, "9", "c0 c1", last=1, deciding="c0", case="j"),
        decided_at=NINE + timedelta(hours=5),
    )
    late, known = a_round(0, "ben", "3"), a_round(1, "ben", "-6")

    (episode,) = episodes([late, known], [on_the_second])
    assert episode.deciding.residual == {"": exactly(D(9))}
    assert episodes([late, known], [on_the_first, on_the_second]) == ()


def test_dismissed_counts_prove_nothing_more():
    dismissed = settled(SettledAs.DISMISSED, "0", "c0 c1", last=1)

    assert episodes(_story("ana -6, ben -6"), [dismissed]) == ()


def test_an_explained_variance_stays_closed_when_its_movement_arrives_and_reopens_on_another():
    explained = settled(SettledAs.EXPLAINED, "-6", "c0", last=0)

    assert episodes([a_round(0, "ana", "-6")], [explained]) == ()
    assert episodes([a_round(0, "ana", "0")], [explained]) == ()
    (episode,) = episodes([a_round(0, "ana", "-8")], [explained])
    assert episode.deciding.residual == {"": exactly(D(-2))}


# -- against the naive oracle --------------------------------------------------------------------

_VARIANCES = st.sampled_from(["0", "0", "-6", "-6", "-4", "3", "-3..0"])
_STORIES = st.lists(
    st.tuples(st.sampled_from(["ana", "ben", "cem", "dia"]), _VARIANCES), max_size=7
)


@settings(max_examples=400)
@given(_STORIES, st.randoms(use_true_random=False))
def test_rounds_in_any_order_of_arrival_give_what_the_story_told_plainly_gives(
    story: list[tuple[str, str]], chance: random.Random
):
    rounds = [a_round(i, person, variance) for i, (person, variance) in enumerate(story)]
    plain = follow(
        [(r.count_id, r.person or "", _ends(r.variances.get("", exactly(D(0))))) for r in rounds]
    )

    found = episodes(chance.sample(rounds, len(rounds)))

    assert [
        ([r.count_id for r in e.rounds], [r.count_id for r in e.used], str(e.standing))
        for e in found
    ] == [(c.counts, c.used, c.state) for c in plain]


def _ends(value: Range) -> tuple[Decimal, Decimal]:
    return value.low, value.high


@given(_STORIES)
def test_nothing_is_agreed_on_an_uncertain_variance(story: list[tuple[str, str]]):
    rounds = [a_round(i, person, variance) for i, (person, variance) in enumerate(story)]

    for episode in episodes(rounds):
        if episode.standing is Standing.AGREED:
            assert episode.deciding.is_certain
            assert episode.basis.residual == episode.deciding.residual
            assert episode.basis.person != episode.deciding.person


@given(st.lists(st.sampled_from([-6, -4, 3]), min_size=2, max_size=2), st.integers(-5, 5))
def test_posting_and_correcting_add_up_to_posting_once_with_all_facts(
    variance: list[int], late: int
):
    """Whether a movement of `late` units was known before posting or after makes no difference."""
    value = variance[0]
    after = [a_round(0, "ana", str(value + late)), a_round(1, "ben", str(value + late))]
    first = settled(SettledAs.POSTED, str(value), "c0 c1", last=1)

    found = episodes(after, [first])
    correction = found[0].deciding.residual[""].low if found else D(0)

    assert D(value) + correction == D(value + late)
