"""The device's picture of the site follows the server's, page by page, or starts afresh."""

from __future__ import annotations

import sqlite3

import pytest

from app.contract.checksums import add_checksum, barcode_id, checksum_text, row_checksum
from app.contract.wire import (
    Change,
    Checkpoint,
    RefBarcode,
    RefBin,
    RefKind,
    RefSku,
    RefTask,
    RefUser,
)
from app.store.reference import REFERENCE_FILE, Reference
from tests.support.device import a_user


def put(kind, row_id, rev, **data):
    return Change(kind=kind, op="put", id=row_id, rev=rev, data=data)


def gone(kind, row_id, rev):
    return Change(kind=kind, op="del", id=row_id, rev=rev)


def a_checkpoint(live, rev):
    total = 0
    counts = {}
    for kind, row_id, row_rev in live:
        counts[kind] = counts.get(kind, 0) + 1
        total = add_checksum(total, row_checksum(kind, row_id, row_rev))
    return Checkpoint(rev=rev, counts=counts, checksum=checksum_text(total))


SKU = put(RefKind.SKU, "S1", 1, sku="S1", description="Blue mug 300 ml")
BIN = put(RefKind.BIN, "A-01", 2, bin="A-01", barcode="LOC-A-01", walk_order=3)
EACH = put(RefKind.BARCODE, barcode_id("036000291452", "S1"), 3, barcode="036000291452", sku="S1")
CASE = put(
    RefKind.BARCODE,
    barcode_id("CASE-S1", "S1"),
    4,
    barcode="CASE-S1",
    sku="S1",
    unit="case",
    factor="12",
)
USER = put(RefKind.USER, "ana", 5, **a_user("ana").model_dump(mode="json"))
FOR_ANA = put(RefKind.TASK, "t1", 6, task_id="t1", bin="A-01", assigned_to="ana", walk_order=3)
FOR_BEN = put(RefKind.TASK, "t2", 7, task_id="t2", bin="A-01", assigned_to="ben")
FOR_ALL = put(RefKind.TASK, "t3", 8, task_id="t3", bin="A-01", walk_order=1)
ALL = [SKU, BIN, EACH, CASE, USER, FOR_ANA, FOR_BEN, FOR_ALL]
LIVE = [(c.kind.value, c.id, c.rev) for c in ALL]


@pytest.fixture
def reference(tmp_path):
    opened = Reference.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def full(reference):
    assert reference.apply_page(ALL, cursor="c8", checkpoint=a_checkpoint(LIVE, 8), has_more=False)
    return reference


def test_bins_skus_and_packs_are_found_by_what_a_scanner_reads(full):
    assert full.bin_by_barcode("LOC-A-01").bin == "A-01"
    assert full.bin_by_barcode("A-01").bin == "A-01"
    assert full.bin_by_barcode("nothing") is None
    assert full.sku("S1").description == "Blue mug 300 ml"
    assert [(b.unit, b.factor) for b in full.barcodes("CASE-S1")] == [("case", "12")]
    assert [b.sku for b in full.barcodes("0036000291452")] == ["S1"]
    assert [s.sku for s in full.search_skus("mug blue")] == ["S1"]
    assert [s.sku for s in full.search_skus("s1")] == ["S1"]
    assert full.search_skus("%%") == []


def test_a_person_sees_own_tasks_and_anybodys_in_walking_order(full):
    assert [t.task_id for t in full.tasks_for("ana")] == ["t3", "t1"]
    assert [t.task_id for t in full.tasks_for("cas")] == ["t3"]
    assert [u.user_id for u in full.users()] == ["ana"]


def test_it_is_ready_only_after_the_last_page(reference):
    assert not reference.is_ready
    assert reference.apply_page(ALL[:3], cursor="c3", checkpoint=None, has_more=True)
    assert not reference.is_ready
    assert reference.cursor() == "c3"
    assert reference.apply_page(
        ALL[3:], cursor="c8", checkpoint=a_checkpoint(LIVE, 8), has_more=False
    )
    assert reference.is_ready


def test_a_page_that_does_not_add_up_is_not_applied_and_its_cursor_neither(full):
    wrong = a_checkpoint([*LIVE, ("sku", "S9", 9)], 9)

    assert not full.apply_page(
        [gone(RefKind.SKU, "S1", 9)], cursor="c9", checkpoint=wrong, has_more=False
    )

    assert full.cursor() == "c8"
    assert full.sku("S1") is not None


def test_tombstones_remove_and_a_page_applied_twice_is_applied_once(full):
    page = [gone(RefKind.TASK, "t3", 9), gone(RefKind.BIN, "never seen", 10)]
    live = [row for row in LIVE if row[1] != "t3"]
    for _ in range(2):
        assert full.apply_page(
            page, cursor="c10", checkpoint=a_checkpoint(live, 10), has_more=False
        )
    assert [t.task_id for t in full.tasks_for("ana")] == ["t1"]


def test_an_older_revision_never_overwrites_a_newer_one(full):
    newer = put(RefKind.SKU, "S1", 9, sku="S1", description="Red mug")
    full.apply_page([newer], cursor="c9", checkpoint=None, has_more=False)
    full.apply_page([SKU], cursor="c9", checkpoint=None, has_more=False)

    assert full.sku("S1").description == "Red mug"
    assert full.verify()


def test_rows_changed_behind_our_back_are_noticed(full, tmp_path):
    assert full.verify()
    with sqlite3.connect(tmp_path / REFERENCE_FILE) as db:
        db.execute("DELETE FROM barcode WHERE barcode = 'CASE-S1'")

    assert not full.verify()


def test_an_unreadable_file_is_replaced_by_an_empty_one(tmp_path):
    (tmp_path / REFERENCE_FILE).write_bytes(b"no database at all " * 300)

    reference = Reference.open(tmp_path)

    assert not reference.is_ready
    assert reference.cursor() is None


def test_starting_afresh_forgets_everything(full):
    full.start_afresh()

    assert not full.is_ready
    assert full.cursor() is None
    assert full.users() == []


@pytest.mark.parametrize("message", [RefBin, RefSku, RefBarcode, RefTask, RefUser])
def test_the_messages_have_the_columns_of_the_contracts_sql(reference, tmp_path, message):
    with sqlite3.connect(tmp_path / REFERENCE_FILE) as db:
        columns = db.execute(f"PRAGMA table_info({message.__name__[3:].lower()})").fetchall()

    assert [name for _, name, *_ in columns] == [*message.model_fields, "rev"]


def test_what_is_searched_for_is_taken_literally(full):
    assert full.search_skus("%%") == []
    assert full.search_skus("S_") == []
