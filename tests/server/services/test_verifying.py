"""`verify` finds a sound ledger sound, and names what somebody broke underneath it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from server.services.verifying import repair, verify
from server.storage.checkpoints import refresh_checkpoints
from server.storage.ledger import post
from tests.support.imports import PICK, RECEIPT, import_rows, make_site
from tests.support.movements import a_movement
from tests.support.server import SITE


@pytest.fixture
def busy(database, tmp_path):
    """Two bins with 300 movements between them, so that there are checkpoints."""
    make_site(database, tmp_path)
    import_rows(database, tmp_path, "movements", RECEIPT, PICK)
    with database.write() as session:
        post(
            session,
            SITE,
            [a_movement("t-first", "5", to="A-01-01", hours_ago=500)]
            + [
                a_movement(f"t-{n}", "1", from_="A-01-01", to="A-01-02", hours_ago=400 - n)
                if n % 2
                else a_movement(f"t-{n}", "1", from_="A-01-02", to="A-01-01", hours_ago=400 - n)
                for n in range(300)
            ],
        )
        session.commit()
    assert refresh_checkpoints(database, SITE, ["A-01-01", "A-01-02"]) == 18
    return database


def run(database, *statements):
    with database.write() as session:
        for statement in statements:
            session.connection().execute(text(statement))
        session.commit()


def defects(database):
    return {f.check for f in verify(database, SITE).findings if f.is_defect}


def test_an_honest_ledger_is_sound(busy):
    verdict = verify(busy, SITE)

    assert verdict.is_sound
    assert len(verdict.checks) >= 12
    assert {f.check for f in verdict.findings} <= {"document-unknown", "negative-book"}


def test_a_checkpoint_that_lies_is_found_and_can_be_worked_out_afresh(busy):
    run(busy, "UPDATE checkpoint_line SET quantity_u = quantity_u + 1000000")
    assert {"checkpoints", "conservation"} <= defects(busy)

    repair(busy, SITE)

    assert defects(busy) == set()


def test_a_state_that_its_history_does_not_know_is_found(busy):
    run(busy, "UPDATE bin SET state = 'blocked' WHERE bin = 'A-01-01'")

    (finding,) = [f for f in verify(busy, SITE).findings if f.is_defect]
    assert finding.what == "bin A-01-01 is blocked, its history says active"


def test_a_movement_past_the_rules_is_found(busy):
    columns = (
        "site_id, movement_id, occurred_us, recorded_us, kind, sku, lot, serial, quantity_u, unit,"
        "factor_u, from_bin, from_state, to_bin, to_state, document, source"
    )
    run(
        busy,
        f"INSERT INTO movement ({columns}) VALUES ('main', 'x-1', 5, 5, 'k', 'S-9', '', '', 1, 'each',"
        " 1, 'Z-9', 'damaged', 'A-01-01', 'reserved', '', '')",
    )

    assert {"movement-bin-unknown", "movement-sku-unknown", "movement-impossible"} <= defects(busy)


def test_a_pick_before_any_receipt_is_worth_a_look_and_no_defect(database, tmp_path):
    make_site(database, tmp_path)
    import_rows(database, tmp_path, "movements", PICK)

    verdict = verify(database, SITE)

    assert verdict.is_sound
    assert {f.check for f in verdict.findings} == {"negative-book", "document-unknown"}
