"""The quick reading of a row accepts nothing that the careful one would refuse or read otherwise."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.domain.cells import CellRules
from server.services.importing.job import Job
from server.services.importing.movements import MovementImporter
from server.services.importing.posting import Posting
from server.storage.bulk import bulk_posting
from server.storage.records import find_site
from tests.support.imports import HEADERS, make_site
from tests.support.server import NOW, SITE

STATES = ["available", "reserved", "inbound", "picked", "damaged", "shipped", "lost", ""]
PLACES = ["A-01-01", "A-01-02", "@supplier", "'@supplier", "@customer", "@shrink", "Z-9", ""]
CODES = st.one_of(
    st.sampled_from(
        ["m-1", "Jan-03", "mar-2026", "March-1", "1E5", "=m", "'=m", " m", "m 1", "", "é"]
    ),
    st.text("abM-_0159E'=", min_size=1, max_size=70),
)
TIMES = [
    "2026-11-20T08:00:00+01:00", "2026-11-20T08:00:00Z", "2026-11-20", "2026-11-20T08:00:00",
    "20261120T080000Z", "2026-12-24T08:00:00Z", "1969-01-01T00:00:00Z", "soon", "",
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-11-20T08:00:00.123456Z",
]  # fmt: skip
QUANTITIES = ["1", "24", "0", "007", "-3", "1.5", "1,5", "five", "", "999999999", "9999999999", "٣"]
DOCUMENTS = ["", "order/991", "order/", "order/9 9", "invoice/1", "movement/m-1", "case/x", "order"]
ROWS = st.tuples(
    CODES,
    st.sampled_from(TIMES),
    CODES,
    st.sampled_from(["S-1", "S-2", "S-3", "S-9", ""]),
    st.sampled_from(["", "L1"]),
    st.sampled_from(["", "X1"]),
    st.sampled_from(QUANTITIES),
    st.sampled_from(["", "each", "case", "pallet", "box"]),
    st.sampled_from(PLACES),
    st.sampled_from(STATES),
    st.sampled_from(PLACES),
    st.sampled_from(STATES),
    st.sampled_from(DOCUMENTS),
).map(list)
COMMON = st.tuples(
    st.integers(1, 9).map(lambda n: f"m-{n}"),
    st.sampled_from(TIMES[:2]),
    st.just("pick"),
    st.just("S-1"),
    st.just(""),
    st.just(""),
    st.sampled_from(["1", "24"]),
    st.sampled_from(["", "each"]),
    st.sampled_from(PLACES[:6]),
    st.sampled_from(STATES[:6]),
    st.sampled_from(PLACES[:6]),
    st.sampled_from(STATES[:6]),
    st.sampled_from(["", "order/991"]),
).map(list)


@pytest.fixture
def importer(sqlite_database, tmp_path):
    make_site(sqlite_database, tmp_path)
    with sqlite_database.write() as session:
        job = Job(
            session=session,
            site=find_site(session, SITE),
            header=HEADERS["movements"].split(","),
            defaults={},
            rules=CellRules(),
            now=NOW,
            new_id=lambda: "id",
            actor="erp",
            via="import/1",
            is_update=False,
            on_error=lambda _error: None,
        )
        with bulk_posting(session) as poster:
            yield MovementImporter(job, Posting(job, poster, str))


def test_whatever_is_read_quickly_is_read_carefully_the_same(importer):
    taken = 0

    @settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(ROWS, COMMON))
    def compare(row):
        nonlocal taken
        quick = importer._quick(row)
        if quick is not None:
            taken += 1
            assert importer._careful((2, row)) == quick

    compare()
    assert taken >= 50
