"""Reports of a period: which date puts a posting into it, what was covered, what a spreadsheet may run."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest

from server.services import journal, planning, reporting
from server.services.coverage import COVERAGE_COLUMNS
from server.services.journal import Basis
from server.services.reporting import ROW_COLUMNS, AccuracyFilter
from tests.support.floor import Floor, clock
from tests.support.server import SITE

DAY = timedelta(days=1)
TODAY = clock("00:00")


@pytest.fixture
def floor(database):
    made = Floor(database)
    made.sku("S1")
    return made


def lines(floor: Floor, since, until, basis: Basis = Basis.COUNT) -> int:
    told = journal.journal(floor.database, SITE, since, until, rim=floor.rim, basis=basis)
    return told.totals.lines


def test_a_posting_is_in_the_period_of_its_count_or_of_its_posting_as_asked(floor: Floor):
    """Counted yesterday before midnight, posted today at noon: in no period twice, in none missing."""
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=TODAY - timedelta(minutes=30))
    floor.count("ben", "A-01", {"S1": "4"}, at=clock("10:00"))
    floor.approve(floor.case())

    assert [lines(floor, TODAY - DAY, TODAY), lines(floor, TODAY, TODAY + DAY)] == [1, 0]
    by_posting = [lines(floor, since, since + DAY, Basis.POSTING) for since in (TODAY - DAY, TODAY)]
    assert by_posting == [0, 1]


def test_a_period_begins_with_its_first_instant_and_ends_before_its_last(floor: Floor):
    floor.stock("A-01")
    floor.count("ana", "A-01", {"S1": "4"}, at=clock("10:00"))
    floor.approve(floor.case(), "lea")
    with floor.database.read() as session:
        (row,) = journal.adjustments_between(session, SITE, TODAY, TODAY + DAY)
        at = clock("00:00") + timedelta(microseconds=row.dated_us - _us(TODAY))

    assert (lines(floor, at, at + DAY), lines(floor, TODAY, at)) == (1, 0)


def _us(at) -> int:
    return int(at.timestamp()) * 1_000_000


def test_coverage_is_computed_again_from_its_rows(floor: Floor):
    """A bin that was rightly empty was counted too; one that was planned and not counted is missing."""
    floor.stock("A-01")
    floor.bins("A-02", "A-03", "A-04")
    sue = floor.person("sue")
    planning.plan_bins(floor.database, SITE, ["A-01", "A-02", "A-03"], sue, rim=floor.rim)
    floor.count("ana", "A-01", {"S1": "10"}, at=clock("10:00"))
    floor.count("ben", "A-02", {}, at=clock("10:10"))
    everything = AccuracyFilter()
    period = (TODAY, TODAY + DAY)

    told = reporting.accuracy_report(floor.database, SITE, *period, everything, rim=floor.rim)
    rows = reporting.bins_covered(floor.database, SITE, *period, everything, rim=floor.rim)
    read = list(csv.DictReader(io.StringIO(reporting.rows_csv(rows, COVERAGE_COLUMNS))))

    assert [(r["bin"], r["planned"], r["counted"], r["counted_by"]) for r in read] == [
        ("A-01", "1", "1", "ana"),
        ("A-02", "1", "1", "ben"),
        ("A-03", "1", "0", ""),
        ("A-04", "0", "0", ""),
    ]
    assert (told.bins_counted, told.bins_total) == (2, 4)
    assert (told.bins_planned, told.bins_planned_counted) == (3, 2)
    of_ben = AccuracyFilter(person="ben")
    mine = reporting.accuracy_report(floor.database, SITE, *period, of_ben, rim=floor.rim)
    assert (mine.bins_counted, mine.bins_planned_counted) == (1, 1)


def test_what_costs_nothing_has_no_accuracy_by_value(floor: Floor):
    floor.sku("Z1", cost="0")
    floor.stock("A-01", "Z1")
    floor.count("ana", "A-01", {"Z1": "4"}, at=clock("10:00"))

    told = reporting.accuracy_report(
        floor.database, SITE, TODAY, TODAY + DAY, AccuracyFilter(), rim=floor.rim
    )

    figures = {figure.name: figure.percent for figure in told.figures}
    assert (figures["ira_by_unit"], figures["ira_by_value"]) == ("40.00", None)


def test_a_spreadsheet_runs_nothing_of_what_is_exported_and_reads_every_number(floor: Floor):
    floor.sku("=1+1")
    floor.stock("A-01", "=1+1")
    floor.count("ana", "A-01", {"=1+1": "4"}, at=clock("10:00"))
    floor.approve(floor.case(), "lea")
    told = journal.journal(floor.database, SITE, TODAY, TODAY + DAY, rim=floor.rim)
    rows = reporting.accuracy_rows(
        floor.database, SITE, TODAY, TODAY + DAY, AccuracyFilter(), rim=floor.rim
    )

    for text in (journal.journal_csv(told), reporting.rows_csv(rows, ROW_COLUMNS)):
        (line,) = csv.DictReader(io.StringIO(text))
        assert line["sku"] == "'=1+1"
        assert Decimal(line.get("quantity") or line["variance_low"]) == -6
