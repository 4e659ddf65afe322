"""Imports take all of a file or nothing, once, and name every wrong row in one pass."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.contract.problems import RefusalError
from app.contract.vocabulary import PhysicalState
from server.domain.records import Record
from server.domain.stock import StockKey
from server.host.mapping import parse_mapping
from server.storage.history import history_of
from server.storage.ledger import book_of_bin
from server.storage.records import (
    barcodes_of,
    find_bin,
    find_sku,
    lines_of_document,
    open_orders_for,
)
from tests.support.imports import (
    BINS,
    HEADERS,
    PICK,
    RECEIPT,
    SKUS,
    import_path,
    import_rows,
    make_site,
    write_rows,
    write_table,
)
from tests.support.server import NOW, SITE

COCOA = StockKey(bin="A-01-01", sku="S-1")
ORDER = "order,991,promised,sales,Ms Bell,2026-11-25T12:00:00Z,S-1,5,4.99,EUR"


def book(database, code="A-01-01"):
    with database.read() as session:
        return book_of_bin(session, SITE, code, NOW)


def test_a_site_is_made_of_its_files(database, tmp_path):
    make_site(database, tmp_path)
    report = import_rows(database, tmp_path, "movements", RECEIPT, PICK)

    assert (report.created, report.errors_total, report.imported) == (2, 0, True)
    assert book(database) == {COCOA: Decimal(21)}
    with database.read() as session:
        assert find_bin(session, SITE, "A-01-02").walk_order == 2
        assert find_sku(session, SITE, "S-1").unit_cost == Decimal("2.5")
        assert [(b.unit, b.factor) for b in barcodes_of(session, SITE, "S-1")] == [
            ("each", Decimal(1)),
            ("case", Decimal(12)),
        ]


@pytest.mark.parametrize(
    ("kind", "rows"),
    [("bins", BINS), ("skus", SKUS), ("movements", [RECEIPT, PICK]), ("documents", [ORDER]),
     ("stock", ["main,A-01-02,S-1,,,available,7,2026-11-01T00:00:00Z"])],
)  # fmt: skip
def test_the_same_file_twice_changes_nothing(database, tmp_path, kind, rows):
    make_site(database, tmp_path)
    first = import_rows(database, tmp_path, kind, *rows)
    before = book(database), book(database, "A-01-02")

    again = import_rows(database, tmp_path, kind, *rows)

    assert first.errors_total == 0
    assert (again.created, again.updated, again.unchanged) == (0, 0, len(rows))
    assert again.errors == ()
    assert (book(database), book(database, "A-01-02")) == before


@pytest.mark.parametrize(
    "case",
    [
        ("bins", BINS[0], BINS[0].replace(",A,", ",B,"), "zone"),
        ("skus", SKUS[0], SKUS[0].replace("2.50", "2.60"), "unit_cost"),
        ("movements", RECEIPT, RECEIPT.replace(",24,", ",25,"), "quantity"),
        ("documents", ORDER, ORDER.replace(",5,", ",6,"), "quantity"),
        ("documents", ORDER, ORDER.replace("Ms Bell", "Mr Bell"), "party"),
        (
            "stock",
            "main,A-01-02,S-1,,,available,7,2026-11-01T00:00:00Z",
            "main,A-01-02,S-1,,,available,8,2026-11-01T00:00:00Z",
            "quantity",
        ),
    ],
)
def test_the_same_id_with_other_content_is_refused_by_name(database, tmp_path, case):
    kind, row, other, named = case
    make_site(database, tmp_path)
    import_rows(database, tmp_path, kind, row)

    report = import_rows(database, tmp_path, kind, other)

    assert [(e.line, e.code) for e in report.errors] == [(2, "row-conflict")]
    assert named in report.errors[0].reason
    assert not report.imported


def test_every_wrong_row_is_named_in_one_pass_and_nothing_is_kept(database, tmp_path):
    make_site(database, tmp_path)
    head = RECEIPT.split(",")

    def changed(number, **cells):
        names = HEADERS["movements"].split(",")
        row = dict(zip(names, head, strict=True)) | {"movement_id": f"w-{number}"} | cells
        return ",".join(row.values())

    report = import_rows(
        database,
        tmp_path,
        "movements",
        RECEIPT,
        changed(3, to_bin="Z-99"),
        changed(4, quantity="-5"),
        changed(5, quantity="five"),
        changed(6, occurred_at="2026-11-20T08:00:00"),
        changed(7, to_state="lost"),
        changed(8, sku="S-9"),
        changed(9, sku="S-2"),
        changed(10, sku="S-3", serial="X1", quantity="2"),
        changed(11, unit="pallet"),
        changed(12, occurred_at="2026-12-24T08:00:00Z"),
        changed(13, movement_id="4.00601E+12"),
        changed(14, from_bin="A-01-01", from_state="damaged", to_state="reserved"),
        changed(15, document="991"),
        changed(16, quantity="0"),
        changed(17, to_bin="@shrink"),
        changed(18, quantity="1,5").replace("1,5", '"1,5"'),
        "too,few",
    )

    assert [(e.line, e.column, e.code) for e in report.errors if e.line < 19] == [
        (3, "to_bin", "unknown-bin"),
        (4, "quantity", "number-negative"),
        (5, "quantity", "not-a-number"),
        (6, "occurred_at", "time-without-zone"),
        (7, "to_state", "value-not-in-list"),
        (8, "sku", "unknown-sku"),
        (9, "lot", "tracking-mismatch"),
        (10, "quantity", "tracking-mismatch"),
        (11, "unit", "unit-unknown"),
        (12, "occurred_at", "time-in-future"),
        (13, "movement_id", "excel-number"),
        (14, "to_state", "transition-refused"),
        (15, "document", "document-unreadable"),
        (16, "quantity", "number-zero"),
        (17, "to_bin", "movement-impossible"),
        (18, "quantity", "not-a-number"),
    ]
    assert report.errors[16].code == "cells-wrong"
    assert report.rows == 18
    assert not report.imported
    assert book(database) == {}


def test_a_dry_run_reports_and_keeps_nothing(database, tmp_path):
    make_site(database, tmp_path)

    report = import_rows(database, tmp_path, "movements", RECEIPT, is_dry_run=True)

    assert (report.created, report.errors_total, report.imported) == (1, 0, False)
    assert book(database) == {}


def test_a_movement_from_what_is_not_there_is_recorded_and_raised_as_negative_book(
    database, tmp_path
):
    make_site(database, tmp_path)

    report = import_rows(database, tmp_path, "movements", PICK)

    assert report.imported
    assert report.negative_total == 1
    assert report.negative[0].model_dump() == {
        "bin": "A-01-01", "sku": "S-1", "lot": "", "serial": "", "state": "available",
        "quantity": "-3",
    }  # fmt: skip
    assert book(database) == {COCOA: Decimal(-3)}


def test_a_case_is_posted_in_base_units_with_the_factor_of_its_barcode(database, tmp_path):
    make_site(database, tmp_path)

    import_rows(database, tmp_path, "movements", RECEIPT.replace("24,each", "2,case"))

    assert book(database) == {COCOA: Decimal(24)}


def test_lots_and_serials_are_kept_apart(database, tmp_path):
    make_site(database, tmp_path)
    lot = "m-5,2026-11-20T08:00:00Z,receipt,S-2,L7,,3,,@supplier,inbound,A-01-02,quarantined,"
    serial = "m-6,2026-11-20T08:00:00Z,receipt,S-3,,SN1,1,,@supplier,inbound,A-01-02,available,"

    import_rows(database, tmp_path, "movements", lot, serial)

    assert book(database, "A-01-02") == {
        StockKey(bin="A-01-02", sku="S-2", lot="L7", state=PhysicalState.QUARANTINED): Decimal(3),
        StockKey(bin="A-01-02", sku="S-3", serial="SN1"): Decimal(1),
    }


def test_opening_stock_of_a_key_that_has_moved_is_refused(database, tmp_path):
    make_site(database, tmp_path)
    import_rows(database, tmp_path, "movements", RECEIPT)

    report = import_rows(
        database, tmp_path, "stock", "main,A-01-01,S-1,,,available,7,2026-11-01T00:00:00Z"
    )

    assert [(e.line, e.code) for e in report.errors] == [(2, "stock-known")]


def test_a_known_bin_changes_only_when_asked_and_the_history_says_so(database, tmp_path):
    make_site(database, tmp_path)

    report = import_rows(
        database, tmp_path, "bins", BINS[0].replace("pick,1", "bulk,9"), is_update=True
    )

    assert (report.updated, report.errors_total) == (1, 0)
    with database.read() as session:
        history = history_of(session, SITE, Record.BIN, "A-01-01")
    assert [(c.event, c.actor, c.changes) for c in history] == [
        ("create", "erp", {}),
        ("change", "erp", {"kind": ["pick", "bulk"], "walk_order": [1, 9]}),
    ]
    assert history[1].via == f"import/{report.import_id}"


def test_two_bins_cannot_have_one_label(database, tmp_path):
    make_site(database, tmp_path)

    report = import_rows(database, tmp_path, "bins", "main,A,01,03,1,A-01-03,A-01-01,pick,3")

    assert [(e.column, e.code) for e in report.errors] == [("barcode", "barcode-taken")]


def test_a_document_moves_along_its_transition_table_and_no_other_way(database, tmp_path):
    make_site(database, tmp_path)
    import_rows(database, tmp_path, "documents", ORDER)

    picked = import_rows(database, tmp_path, "documents", ORDER.replace("promised,", "picked,", 1))
    back = import_rows(database, tmp_path, "documents", ORDER)

    assert picked.updated == 1
    assert [(e.column, e.code) for e in back.errors] == [("state", "transition-refused")]
    with database.read() as session:
        history = history_of(session, SITE, Record.ORDER, "991")
    assert [(c.event, c.from_state, c.to_state) for c in history] == [
        ("create", "", "promised"),
        ("pick", "promised", "picked"),
    ]


def test_what_was_promised_is_read_beside_what_was_reserved_and_shipped(database, tmp_path):
    make_site(database, tmp_path)
    import_rows(database, tmp_path, "documents", ORDER)
    reserve = (
        "m-3,2026-11-20T10:00:00Z,reserve,S-1,,,5,,A-01-01,available,A-01-01,reserved,order/991"
    )
    ship = "m-4,2026-11-21T09:00:00Z,ship,S-1,,,2,,A-01-01,reserved,A-01-01,picked,order/991"
    import_rows(database, tmp_path, "movements", RECEIPT, reserve, ship)

    with database.read() as session:
        waiting = open_orders_for(session, SITE, "S-1")
        lines = lines_of_document(session, SITE, "order", "991")
    assert waiting == lines
    assert [(w.document, w.quantity, w.reserved, w.progress.picked) for w in waiting] == [
        ("order/991", Decimal(5), Decimal(3), Decimal(2))
    ]


def test_a_line_that_is_there_twice_in_one_file_is_refused(database, tmp_path):
    make_site(database, tmp_path)

    report = import_rows(database, tmp_path, "documents", ORDER, ORDER)

    assert [(e.line, e.column, e.code) for e in report.errors] == [(3, "line", "row-conflict")]


def test_other_peoples_columns_words_and_zone_are_mapped(database, tmp_path):
    make_site(database, tmp_path)
    mapping = parse_mapping(
        {
            "time_zone": "Europe/Berlin",
            "decimal_comma": True,
            "columns": {"movement_id": "Beleg", "occurred_at": "Zeit", "quantity": "Menge"},
            "defaults": {"from_bin": "@supplier", "from_state": "inbound"},
            "words": {"to_state": {"frei": "available"}},
        },
        "m.toml",
    )
    path = write_table(
        tmp_path / "theirs.csv",
        ["Beleg", "Zeit", "kind", "sku", "Menge", "to_bin", "to_state"],
        [["b-1", "2026-11-20 08:00", "receipt", "S-1", "1,5", "A-01-01", "frei"]],
    )

    report = import_path(database, "movements", path, mapping=mapping)

    assert report.errors == ()
    assert book(database) == {COCOA: Decimal("1.5")}


def test_a_time_in_the_hour_when_clocks_change_is_refused(sqlite_database, tmp_path):
    make_site(sqlite_database, tmp_path)
    row = RECEIPT.replace("2026-11-20T08:00:00+01:00", "2026-10-25T02:30:00")

    report = import_rows(
        sqlite_database,
        tmp_path,
        "movements",
        row,
        mapping=parse_mapping({"time_zone": "Europe/Berlin"}, "m.toml"),
    )

    assert [e.code for e in report.errors] == ["time-ambiguous"]


def test_damage_by_a_spreadsheet_is_caught(sqlite_database, tmp_path):
    make_site(sqlite_database, tmp_path)

    report = import_rows(
        sqlite_database,
        tmp_path,
        "skus",
        "S-4,a,4.00638E+12,each,1,none,A,1,2,EUR",
        "S-5,b,12345670,each,1,none,A,1,2,EUR",
        "S-6,c,1234565,each,1,none,A,1,2,EUR",
        "S-7,d,4006381333932,each,1,none,A,1,2,EUR",
        "03. Jan,e,,each,1,none,A,1,2,EUR",
        "S-8,f,12345,each,1,none,A,1,2,EUR",
        "01.03.2001,g,,each,1,none,A,1,2,EUR",
        "S-9,#REF!,#N/A,each,1,none,A,1,2,EUR",
        "#####,h,,each,1,none,A,1,2,EUR",
    )

    assert [(e.line, e.column, e.code) for e in report.errors] == [
        (2, "barcode", "excel-number"),
        (4, "barcode", "leading-zeros-lost"),
        (5, "barcode", "gtin-check-digit"),
        (6, "sku", "excel-date"),
        (8, "sku", "excel-date"),
        (9, "barcode", "excel-error"),
        (9, "description", "excel-error"),
        (10, "sku", "excel-error"),
    ]


def test_a_code_that_lost_its_zeros_is_told_by_the_one_that_is_known(sqlite_database, tmp_path):
    make_site(sqlite_database, tmp_path)
    import_rows(sqlite_database, tmp_path, "bins", "main,A,1,1,1,0101,,pick,3")
    import_rows(sqlite_database, tmp_path, "skus", "00042,Tea,,each,1,none,A,1,2,EUR")

    stock = import_rows(
        sqlite_database, tmp_path, "stock", "main,101,42,,,available,7,2026-11-01T00:00:00Z"
    )
    moved = import_rows(
        sqlite_database,
        tmp_path,
        "movements",
        "m-1,2026-11-20T08:00:00Z,receipt,42,,,1,,@supplier,inbound,101,available,",
        "m-2,2026-11-20T08:00:00Z,receipt,43,,,1,,@supplier,inbound,0101,available,",
    )

    assert [(e.line, e.column, e.code) for e in (*stock.errors, *moved.errors)] == [
        (2, "bin", "leading-zeros-lost"),
        (2, "sku", "leading-zeros-lost"),
        (2, "sku", "leading-zeros-lost"),
        (2, "to_bin", "leading-zeros-lost"),
        (3, "sku", "unknown-sku"),
    ]
    assert "42 is not known, 00042 is" in stock.errors[1].reason


def test_another_sites_rows_are_refused(sqlite_database, tmp_path):
    report = import_rows(sqlite_database, tmp_path, "bins", BINS[0].replace("main", "other"))

    assert [(e.column, e.code) for e in report.errors] == [("site", "site-other")]


def test_a_missing_column_is_named_with_those_that_are_there(sqlite_database, tmp_path):
    path = write_rows(tmp_path / "stock.csv", "stock", [], header="bin,artikel,quantity,as_of")

    with pytest.raises(RefusalError, match=r"no column sku.*artikel"):
        import_path(sqlite_database, "stock", path)


def reversal(movement_id, undone, **cells):
    """The counter-entry of RECEIPT as a row."""
    row = dict(zip(HEADERS["movements"].split(","), RECEIPT.split(","), strict=True))
    row |= {
        "movement_id": movement_id,
        "kind": "reversal",
        "from_bin": row["to_bin"],
        "from_state": row["to_state"],
        "to_bin": row["from_bin"],
        "to_state": row["from_state"],
        "document": f"movement/{undone}",
    }
    return ",".join((row | cells).values())


def test_a_movement_is_undone_by_a_counter_entry_and_both_stay(database, tmp_path):
    make_site(database, tmp_path)

    report = import_rows(database, tmp_path, "movements", RECEIPT, reversal("r-1", "m-1"))

    assert (report.errors, report.created) == ((), 2)
    assert book(database) == {}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([reversal("r-1", "m-0")], "movement/m-0 is not in the ledger"),
        ([reversal("r-1", "m-1", quantity="23")], "does not undo m-1: quantity differ"),
        ([reversal("r-1", "m-1", from_bin="A-01-02")], "does not undo m-1: from_bin differ"),
        ([reversal("r-1", "m-1"), reversal("r-2", "m-1")], "has been reversed already"),
    ],
)
def test_what_does_not_undo_exactly_and_once_is_no_counter_entry(
    sqlite_database, tmp_path, rows, words
):
    make_site(sqlite_database, tmp_path)

    report = import_rows(sqlite_database, tmp_path, "movements", RECEIPT, *rows)

    assert {(e.column, e.code) for e in report.errors} == {("document", "movement-impossible")}
    assert words in report.errors[0].reason
    assert not report.imported
