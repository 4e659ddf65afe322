"""docs/reconciliation.md is true: every figure of its checked tables is computed again by the rules."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.contract.vocabulary import CaseKind, Condition, ReasonCode, Unit
from server.domain.accuracy import accuracy
from server.domain.adjustment import PostedPart, journal_line
from server.domain.impact import due_after, priority
from server.domain.proposals import OpenDocument, Sibling, proposals
from server.domain.ranges import exactly
from server.domain.reconcile import reconcile
from server.domain.rounds import SettledAs, Standing, episodes
from server.domain.stock import Movement
from server.domain.tolerance import SEED_RULES, breached, is_within
from tests.server.domain.test_accuracy import record
from tests.server.domain.test_proposals import puzzle
from tests.server.domain.test_reconcile import _moved as moved
from tests.server.domain.test_rounds import _story as story
from tests.server.domain.test_rounds import settled
from tests.server.domain.test_tolerance import ORACLE
from tests.support.sheets import NINE, a_book, a_count, a_movement, a_range, terms

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reconciliation.md"
D = Decimal


def table(name: str) -> list[dict[str, str]]:
    """The rows of the table that follows "Checked `name`"."""
    text = PAGE.read_text(encoding="utf-8").split(f"Checked `{name}`", 1)[1]
    lines = re.findall(r"^\|.*\|$", text.split("\n\n", 2)[1], re.M)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def test_every_checked_table_of_the_page_is_checked_here():
    named = re.findall(r"Checked `(\w+)`", PAGE.read_text(encoding="utf-8"))

    assert sorted(named) == sorted(CHECKS)
    assert all(len(table(name)) >= 2 for name in named)


def _interval(row: dict[str, str]) -> None:
    count = a_count("c", {"S1": row["counted"]}, opened="09:00", closed="09:05")
    (cell,) = reconcile(count, a_book({"S1": row["book"]}, moved(row["moved"])), terms())
    assert (cell.variance, cell.verdict) == (a_range(row["variance"]), row["verdict"])


def _tolerance(row: dict[str, str]) -> None:
    book, counted = D(row["book"]), D(row["counted"])
    found = breached(counted - book, book=book, unit_cost=D(row["cost"]), limits=ORACLE)
    assert " ".join(found) == row["breached"]


def _rounds(row: dict[str, str]) -> None:
    (episode,) = episodes(story(row["counts"]))
    assert episode.standing == row["follows"]


def _posting(row: dict[str, str]) -> None:
    part = PostedPart(
        adjustment_id="a",
        case_id="k",
        movement_id="m",
        bin="A",
        sku="S",
        lot="",
        serial="",
        quantity=D(row["variance"]),
        unit_cost=D(14),
        cost_at=NINE,
        dated_at=NINE,
        posted_at=NINE,
        reason=ReasonCode.UNKNOWN_CAUSE,
        approved_by="sue",
    )
    line = journal_line(part)
    assert (line.debit, line.credit, str(line.amount)) == (
        row["debit"],
        row["credit"],
        row["amount"],
    )


def _late(row: dict[str, str]) -> None:
    now = row["both counts now"]
    posted = settled(SettledAs.POSTED, row["posted"], "c0 c1", last=1)
    found = episodes(story(f"ana {now}, ben {now}"), [posted])
    correction = str(found[0].deciding.total.low) if found else ""
    assert correction == row["correction"]


def _proposals(row: dict[str, str]) -> None:
    found = proposals(puzzle(row["counted"], row["book"], factors={Unit.CASE: D(12)}))
    top = (found[0].kind.value, str(round(found[0].score, 2))) if found else ("", "")
    assert top == (row["on top"], row["score"])


def _priority(row: dict[str, str]) -> None:
    hours = row["first promised in hours"]
    score, _ = priority(
        CaseKind.VARIANCE,
        value=D(row["value"]),
        currency="EUR",
        standing=Standing(row["rounds"]),
        orders=int(row["orders"]),
        first_promise=timedelta(hours=int(hours)) if hours else None,
    )
    assert str(score) == row["priority"]


def _accuracy(_row: dict[str, str]) -> None:
    given = table("accuracy")
    found = accuracy([record(r["book"], r["counted"], bin=r["bin"]) for r in given])
    figures = {f.name: str(f.percent) for f in found.figures}
    last = given[-1]
    assert (str(found.variance_net_units), str(found.variance_absolute_units)) == (
        last["net"],
        last["absolute"],
    )
    for name in ("ira_by_unit", "ira_by_record_strict"):
        assert figures[name] == last[name]


def _as_of(row: dict[str, str]) -> None:
    count = a_count("c", {"S1": row["book then"]}, opened=row["counted at"])
    (cell,) = reconcile(count, a_book({"S1": "10"}, moved(row["moved"])), terms())
    assert (cell.book, cell.verdict) == (a_range(row["book then"]), "exact")


def _seeds(row: dict[str, str]) -> None:
    (rule,) = [r for r in SEED_RULES if r.key == row["class"]]
    edge = D(row["short or over"])
    assert (rule.limits.percent_plus, rule.limits.percent_minus) == (D(row["percent"]),) * 2
    for off in (edge, -edge):
        inside = [
            is_within(D(1000) + off * size, exactly(D(1000)), unit_cost=D(1), limits=rule.limits)
            for size in (D(1), D("1.1"))
        ]
        assert inside == [True, False]


def _compared(row: dict[str, str]) -> None:
    count = a_count("c", {"S1": row["counted"]})
    (cell,) = reconcile(count, a_book({"S1": "10"}, moved(row["moved"])), terms())
    assert (cell.book, cell.variance) == (a_range(row["book"]), a_range(row["variance"]))


def _due(row: dict[str, str]) -> None:
    assert due_after(int(row["priority"])) == timedelta(hours=int(row["hours"]))


def _scores(row: dict[str, str]) -> None:
    scores = [(g.kind, str(round(g.score, 2))) for g in proposals(SITUATIONS[row["situation"]])]
    assert (row["proposal"], row["score"]) in scores, scores


def _sibling(variance: str, **fields: Any) -> Sibling:
    told = {"case_id": "", "bin": "A-01", "sku": "S1", "distance": 0} | fields
    return Sibling(variance=D(variance), **told)


def _received(*documents: str) -> list[Movement]:
    return [
        a_movement(f"m{i}", f"07:0{i}", "6", frm="@supplier", to="A-01", document=document)
        for i, document in enumerate(documents)
    ]


_PICK = OpenDocument(name="order/991", kind="pick", effect=D(-6))
_SHORT = puzzle("58", "64")
SITUATIONS = {
    "bin not named": replace(_SHORT, documents=[_PICK]),
    "bin named": replace(_SHORT, documents=[replace(_PICK, names_bin=True)]),
    "only promised": replace(_SHORT, documents=[replace(_PICK, is_told=False)]),
    "30 days old": replace(_SHORT, documents=[replace(_PICK, at=NINE - timedelta(days=30))]),
    "one document": replace(_SHORT, movements=_received("purchase_order/1", "purchase_order/1")),
    "no document": replace(_SHORT, movements=_received("", "")),
    "1 step": replace(_SHORT, siblings=[_sibling("6", bin="A-02", distance=1)]),
    "10 steps": replace(_SHORT, siblings=[_sibling("6", bin="A-02", distance=10)]),
    "40 steps": replace(_SHORT, siblings=[_sibling("6", bin="A-02", distance=40)]),
    "other condition": replace(_SHORT, siblings=[_sibling("6", condition=Condition.DAMAGED)]),
    "6 units": replace(_SHORT, siblings=[_sibling("6", sku="S2")]),
    "1 unit": puzzle("58", "59", siblings=[_sibling("1", sku="S2")]),
    "two people": replace(_SHORT, has_agreed=True),
}
"""What the page's words mean."""


CHECKS = {
    "as_of": _as_of,
    "seeds": _seeds,
    "compared": _compared,
    "due": _due,
    "scores": _scores,
    "interval": _interval,
    "tolerance": _tolerance,
    "rounds": _rounds,
    "posting": _posting,
    "late": _late,
    "proposals": _proposals,
    "priority": _priority,
    "accuracy": _accuracy,
}


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_checked_table_is_what_the_rules_compute(name: str):
    for row in table(name):
        CHECKS[name](row)
