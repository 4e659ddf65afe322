"""What a device that follows the reference data is told, page by page."""

from __future__ import annotations

import pytest

from app.contract.problems import RefusalError
from app.contract.wire import RefKind
from server.services.pulling import pull
from server.storage.changes import forget_tombstones, position, record_changes
from server.storage.tables_records import BinRow
from tests.support.devices import a_device
from tests.support.rim import a_rim
from tests.support.server import SITE

BINS = ("A-01", "A-02", "A-03")


@pytest.fixture
def device(database):
    with database.write() as session:
        session.add_all(BinRow(site_id=SITE, bin=b, barcode=f"LOC-{b}") for b in BINS)
        record_changes(session, SITE, RefKind.BIN, BINS)
        session.commit()
    return a_device(database, a_rim())


def remove_and_forget(database, code):
    """The bin goes, and later also the memory of it."""
    with database.write() as session:
        session.delete(session.get(BinRow, (SITE, code)))
        record_changes(session, SITE, RefKind.BIN, [code], "del")
        session.commit()
    with database.write() as session:
        forget_tombstones(session, SITE, position(session, SITE).rev)
        session.commit()


def ask(database, device, cursor, limit=2):
    return pull(database, SITE, device.device, cursor, limit, rim=device.rim)


def test_a_first_load_of_several_pages_works_after_deletions_were_forgotten(database, device):
    remove_and_forget(database, "A-01")
    bins, cursor = [], None
    for _ in range(10):
        page = ask(database, device, cursor)
        bins += [c.id for c in page.changes if c.kind is RefKind.BIN]
        cursor = page.cursor
        if not page.has_more:
            break

    assert bins == ["A-02", "A-03"]
    assert page.checkpoint is not None


def test_a_device_that_may_hold_what_was_deleted_and_forgotten_starts_afresh(database, device):
    first = ask(database, device, None)
    assert "A-01" in [c.id for c in first.changes]
    remove_and_forget(database, "A-01")

    with pytest.raises(RefusalError) as refused:
        ask(database, device, first.cursor)

    assert refused.value.code == "cursor-gone"
