"""The story adds up, is the same for one seed, loads through the imports, and differs where planted."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from app.contract.review import SignInRequest
from app.contract.vocabulary import CaseKind, CaseState, Condition, PhysicalState
from server.domain.gtin import GtinVerdict, judge_barcode
from server.domain.stock import visible_condition
from server.services.access import sign_in
from server.services.importing.report import ImportKind
from server.storage.ledger import book_of_bin, movements_of_document
from server.storage.records import all_bins, find_bin, open_orders_for
from server.story.build import build
from server.story.load import import_csv, load_story
from server.story.paper import story_sheet
from tests.support.imports import CLOCK
from tests.support.server import BOTH, NOW, SITE

STORY = build(7, NOW, SITE)


def rows(name, story=STORY):
    return list(csv.DictReader(io.StringIO(story.files[name])))


@pytest.fixture(scope="module", params=BOTH)
def loaded(request, databases, tmp_path_factory):
    """The story in a database, loaded once for all that only read it."""
    folder = tmp_path_factory.mktemp("story")
    database = databases.make(request.param, folder)
    load_story(database, STORY, folder, CLOCK.rim())
    yield database
    database.close()


@pytest.fixture
def own_story(sqlite_database, tmp_path):
    """A story of its own, for what adds to it."""
    load_story(sqlite_database, STORY, tmp_path / "story", CLOCK.rim())
    return sqlite_database


def visible_book(session, place, at=NOW):
    """(sku, lot, serial, condition) -> quantity that the book says an eye would find."""
    kind = find_bin(session, SITE, place).kind
    seen = defaultdict(Decimal)
    for key, quantity in book_of_bin(session, SITE, place, at).items():
        condition = visible_condition(key.state, kind)
        if condition is not None:
            seen[(key.sku, key.lot, key.serial, condition)] += quantity
    return {key: quantity for key, quantity in seen.items() if quantity}


def really_there(place):
    there = defaultdict(Decimal)
    for pack in STORY.truth[place].seen:
        there[(pack.sku, pack.lot, pack.serial, pack.condition)] += pack.base_quantity
    return dict(there)


def test_the_same_seed_tells_the_same_story():
    assert build(7, NOW, SITE) == STORY
    assert build(8, NOW, SITE).files["movements.csv"] != STORY.files["movements.csv"]


@pytest.mark.parametrize("hour", range(24))
def test_it_can_be_told_at_any_hour(hour):
    now = NOW.replace(hour=hour, minute=17)
    times = [
        datetime.fromisoformat(row["occurred_at"])
        for row in rows("movements.csv", build(7, now, SITE))
    ]

    assert max(times) < now, "nothing can be imported that has not come yet"
    assert now - max(times) < timedelta(days=1), "and yet trade goes on until the day before"


def test_its_size_is_as_promised():
    zones = Counter(row["zone"] for row in rows("bins.csv"))
    gtins = {row["barcode"] for row in rows("skus.csv")}

    assert zones == {"A": 24, "B": 10, "R": 6}
    assert len({row["sku"] for row in rows("skus.csv")}) == 120
    assert {judge_barcode(gtin) for gtin in gtins} == {GtinVerdict.VALID}
    assert {len(gtin) for gtin in gtins} == {8, 12, 13, 14}
    assert 3000 <= len(rows("movements.csv")) <= 9000
    assert {row["tracking"] for row in rows("skus.csv")} == {"none", "lot", "serial"}


def test_at_no_instant_did_a_bin_hold_less_than_nothing():
    held = defaultdict(int)
    packs = {(r["sku"], r["unit"]): int(r["factor"]) for r in rows("skus.csv")}
    for r in rows("stock.csv"):
        held[(r["bin"], r["sku"], r["lot"], r["serial"], r["state"])] += int(r["quantity"])
    times = [r["occurred_at"] for r in rows("movements.csv")]
    assert times == sorted(times)
    assert max(times) < NOW.isoformat()
    for r in rows("movements.csv"):
        base = int(r["quantity"]) * packs.get((r["sku"], r["unit"]), 1)
        tail = (r["sku"], r["lot"], r["serial"])
        held[(r["from_bin"], *tail, r["from_state"])] -= base
        held[(r["to_bin"], *tail, r["to_state"])] += base
        if not r["from_bin"].startswith("@"):
            assert held[(r["from_bin"], *tail, r["from_state"])] >= 0, r


def test_loading_it_twice_changes_nothing(loaded, tmp_path):
    with loaded.read() as session:
        before = {b.bin: book_of_bin(session, SITE, b.bin, NOW) for b in all_bins(session, SITE)}

    reports = load_story(loaded, STORY, tmp_path / "again", CLOCK.rim())

    assert [(r.created, r.updated, r.negative_total) for r in reports] == [(0, 0, 0)] * 5
    with loaded.read() as session:
        after = {b.bin: book_of_bin(session, SITE, b.bin, NOW) for b in all_bins(session, SITE)}
    assert after == before
    assert len(before) == 40


def test_the_world_differs_from_the_book_exactly_where_something_is_planted(loaded):
    differing = {}
    with loaded.read() as session:
        for place in STORY.truth:
            book, there = visible_book(session, place), really_there(place)
            for key in book.keys() | there.keys():
                if book.get(key, 0) != there.get(key, 0):
                    line = (place, *key)
                    differing[line] = (book.get(key, 0), there.get(key, 0))

    assert differing == {
        (p.bin, p.sku, p.lot, "", p.condition): (p.book, p.physical)
        for p in STORY.planted
        if p.book != p.physical
    }


def test_what_the_first_counter_enters_differs_only_where_a_mistake_is_planted():
    mistaken = {place for place, truth in STORY.truth.items() if truth.first_count is not None}

    assert mistaken == {p.bin for p in STORY.planted if p.first_counted != p.physical}
    for name in ("miscount", "cases_as_eaches"):
        (planted,) = STORY.planted_named(name)
        entered = STORY.truth[planted.bin].first_count
        assert [s.base_quantity for s in entered if s.sku == planted.sku] == [planted.first_counted]
        assert planted.book == planted.physical
        assert planted.ends_as is CaseState.COUNT_ERROR


def test_every_kind_of_truth_is_planted():
    assert {(p.name, p.kind) for p in STORY.planted} == {
        ("miscount", CaseKind.VARIANCE),
        ("unposted_pick", CaseKind.VARIANCE),
        ("cases_as_eaches", CaseKind.VARIANCE),
        ("damaged_unit", CaseKind.VARIANCE),
        ("damaged_unit", CaseKind.DAMAGED_FOUND),
        ("unknown_item", CaseKind.UNKNOWN_BARCODE),
        ("loss", CaseKind.VARIANCE),
        ("misplaced_carton", CaseKind.VARIANCE),
        ("misplaced_carton", CaseKind.UNEXPECTED_ITEM),
    }
    assert {p.bin for p in STORY.planted} <= {task.bin for task in STORY.tasks}
    assert any(STORY.truth[task.bin].is_empty for task in STORY.tasks)


def test_the_late_pick_makes_the_book_right(own_story, tmp_path):
    (planted,) = STORY.planted_named("unposted_pick")
    with own_story.read() as session:
        (line,) = [
            it for it in open_orders_for(session, SITE, planted.sku) if it.document == "order/991"
        ]
        assert (line.state, line.reserved, line.progress.picked) == ("picked", 6, 0)
    path = tmp_path / "late.csv"
    path.write_text(STORY.late_pick())

    import_csv(own_story, SITE, ImportKind.MOVEMENTS, path, CLOCK.rim())

    with own_story.read() as session:
        assert visible_book(session, planted.bin) == really_there(planted.bin)
        assert len(movements_of_document(session, SITE, "order/991")) == 2


def test_the_outage_pick_takes_two_mugs_from_the_book(own_story, tmp_path):
    mug = STORY.sku_named("Mug, white")
    path = tmp_path / "outage.csv"
    path.write_text(STORY.outage_pick(NOW))

    import_csv(own_story, SITE, ImportKind.MOVEMENTS, path, CLOCK.rim())

    with own_story.read() as session:
        seen = visible_book(session, "A-01-01")
    assert seen[(mug.sku, "", "", Condition.GOOD)] == 4
    assert really_there("A-01-01")[(mug.sku, "", "", Condition.GOOD)] == 6


def test_shipped_orders_have_left_and_promised_ones_have_not_moved(loaded):
    moved = Counter((r["document"], r["kind"]) for r in rows("movements.csv"))
    states = {(r["number"], r["state"]) for r in rows("documents.csv") if r["kind"] == "order"}
    expected = {"promised": 0, "reserved": 1, "picked": 2, "packed": 3, "shipped": 4, "invoiced": 4}
    for number, state in states:
        steps = {k for (doc, k) in moved if doc == f"order/{number}"}
        assert len(steps) == (1 if number == "991" else expected[state]), (number, state)
    with loaded.read() as session:
        staged = {key.state for key in book_of_bin(session, SITE, "R-03-01", NOW)}
        packed = {key.state for key in book_of_bin(session, SITE, "R-03-02", NOW)}
    assert (staged, packed) == ({PhysicalState.PICKED}, {PhysicalState.PACKED})


def test_everybody_can_sign_in_with_their_pin(loaded):
    maria = next(person for person in STORY.people if person.user_id == "maria")

    signed = sign_in(
        loaded, SITE, SignInRequest(user_id="maria", pin=maria.pin), rim=CLOCK.rim(), hours=12
    )

    assert signed.role == "supervisor"


def test_the_sheet_is_a_pdf_and_the_same_every_time():
    assert story_sheet(STORY).startswith(b"%PDF")
    assert story_sheet(STORY) == story_sheet(build(7, NOW, SITE))
