"""What is exported imports again to the same state, and no spreadsheet runs what is in it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract.vocabulary import Role
from server.domain.spreadsheets import FORMULA_STARTS, defused, undefused
from server.services.exporting import ExportKind, write_export
from server.storage.ledger import post
from tests.support.desk import a_desk
from tests.support.imports import BINS, SKUS, import_path, import_rows, write_table
from tests.support.movements import a_movement
from tests.support.server import NOW, SITE

WHOLE = (ExportKind.BINS, ExportKind.SKUS, ExportKind.DOCUMENTS, ExportKind.MOVEMENTS)
ORDER = "order,991,promised,sales,Ms Bell,2026-11-25T12:00:00Z,S-1,5,4.99,EUR"


def exported(database, kind):
    file = io.StringIO()
    with database.read() as session:
        write_export(session, SITE, kind, NOW, file)
    return file.getvalue()


def fill(database, tmp_path):
    import_rows(database, tmp_path, "bins", *BINS, "main,B,1,1,1,=B-1,=B-1,bulk,3")
    import_rows(database, tmp_path, "skus", *SKUS, '"@SUM(A1)","+cheap, ""tea""",,,,,,1,2,EUR')
    import_rows(database, tmp_path, "documents", ORDER)
    import_rows(
        database, tmp_path, "stock", "main,A-01-02,S-1,,,available,7.25,2026-11-01T00:00:00Z"
    )
    report = import_rows(
        database,
        tmp_path,
        "movements",
        "m-1,2026-11-20T08:00:00.123456+01:00,receipt,S-1,,,2,case,@supplier,inbound,=B-1,available,",
        "-m-2,2026-11-20T10:00:00Z,reserve,S-1,,,5,,=B-1,available,=B-1,reserved,order/991",
        "m-3,2026-11-20T08:00:00Z,receipt,S-2,=L7,,3,,@supplier,inbound,A-01-02,quarantined,",
        "m-4,2026-11-20T08:00:00Z,receipt,@SUM(A1),,,3,,@supplier,inbound,A-01-02,damaged,",
    )
    assert report.errors == ()
    late = a_movement("m-9", "1", from_="A-01-02", to="@shrink", hours_ago=48, late_hours=47)
    with database.write() as session:
        post(session, SITE, [late])
        session.commit()


def test_a_whole_export_imports_to_the_same_state(database, databases, tmp_path):
    fill(database, tmp_path)
    second = databases.make("sqlite", tmp_path)

    for kind in WHOLE:
        path = tmp_path / f"out-{kind.value}.csv"
        path.write_text(exported(database, kind), encoding="utf-8")
        report = import_path(second, kind.value, path)
        assert (report.errors, report.unchanged) == ((), 0)

    for kind in ExportKind:
        assert exported(second, kind) == exported(database, kind)
    second.close()


@pytest.mark.parametrize("kind", WHOLE)
def test_an_export_imported_where_it_came_from_changes_nothing(database, tmp_path, kind):
    fill(database, tmp_path)
    path = tmp_path / "again.csv"
    path.write_text(exported(database, kind), encoding="utf-8")

    report = import_path(database, kind.value, path)

    assert report.errors == ()
    assert (report.created, report.updated, report.unchanged) == (0, 0, report.rows)
    assert report.rows >= 1


def test_stock_as_of_an_instant_opens_another_site_with_the_same_book(
    database, databases, tmp_path
):
    fill(database, tmp_path)
    second = databases.make("sqlite", tmp_path)
    for kind in (ExportKind.BINS, ExportKind.SKUS, ExportKind.STOCK):
        path = tmp_path / f"out-{kind.value}.csv"
        path.write_text(exported(database, kind), encoding="utf-8")
        assert import_path(second, kind.value, path).errors == ()

    assert exported(second, ExportKind.STOCK) == exported(database, ExportKind.STOCK)
    second.close()


def test_no_cell_of_an_export_begins_a_formula(sqlite_database, tmp_path):
    fill(sqlite_database, tmp_path)

    cells = [
        cell
        for kind in ExportKind
        for row in csv.reader(io.StringIO(exported(sqlite_database, kind)))
        for cell in row
    ]

    assert [cell for cell in cells if cell.startswith(FORMULA_STARTS)] == []
    assert {"'@supplier", "'=B-1", "'@SUM(A1)", "'-m-2"} <= set(cells)


@given(st.text(st.sampled_from("'=+-@\t\rab"), max_size=6))
def test_defusing_is_undone_exactly(text):
    assert undefused(defused(text)) == text
    assert not defused(text).startswith(FORMULA_STARTS)


def test_exports_are_sent_over_the_api_but_not_to_counters(sqlite_database, tmp_path):
    fill(sqlite_database, tmp_path)

    answer = a_desk(sqlite_database, Role.FINANCE)("GET", "/api/v1/exports/movements")

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == exported(sqlite_database, ExportKind.MOVEMENTS)
    refused = a_desk(sqlite_database, Role.COUNTER)("GET", "/api/v1/exports/stock")
    assert refused.status_code == 403


def test_other_peoples_apostrophes_are_kept(sqlite_database, tmp_path):
    path = write_table(tmp_path / "bins.csv", ["bin", "zone"], [["'=X", "O'Neill"], ["''=Y", "'a"]])

    assert import_path(sqlite_database, "bins", path).errors == ()

    rows = list(csv.DictReader(io.StringIO(exported(sqlite_database, ExportKind.BINS))))
    assert [(undefused(r["bin"]), r["zone"]) for r in rows] == [("'=Y", "'a"), ("=X", "O'Neill")]
