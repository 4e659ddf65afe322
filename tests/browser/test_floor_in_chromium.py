"""A counter's shift in a real browser: only the screen, the keys and the scanner are touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from app.store.device_store import DeviceStore
from tests.support.browser import FLOOR, Person, a_person
from tests.support.site import LOTTED_CASE, OIL, OIL_CASE, OIL_EACH, PADS, PADS_EACH, PIN, UNKNOWN

pytestmark = pytest.mark.browser


def test_a_bin_is_counted_with_a_scanner_that_types_and_survives_a_kill(
    chromium: Browser, client, tmp_path: Path
):
    with a_person(chromium, client.url) as ana:
        ana.sign_in("Ana", PIN)
        ana.tap("NEXT BIN")
        ana.scan("BIN:A-12-08")
        ana.sees("This is A-12-08. You need A-12-01.")
        ana.fits(FLOOR)
        ana.scan("BIN:A-12-01")
        ana.sees("A-12-01 is open.")

        # Ten scans as fast as the machine types: the one test that two products of the field failed.
        ana.scan(*[OIL_EACH, PADS_EACH] * 5, gap_ms=0, key_ms=0)
        ana.sees("Brake pads front, 48377: 5")
        ana.fits(FLOOR)
        ana.picture(tmp_path / "count.png")

        assert ana.complaints == []
        client.kill_and_start()
        ana.reload()
        # Flet's own page complains while its server is away.
        ana.complaints.clear()
        ana.sees("Brake pads front, 48377: 5")

        ana.scan(OIL_CASE)
        ana.sees("Chain lube 400ml, 48213: 17 +12")
        ana.scan(UNKNOWN)
        ana.sees("We don't know this barcode.")
        ana.tap("FINISH")
        ana.sees("Done with this bin?")
        ana.fits(FLOOR)
        ana.tap("SEND COUNT")
        ana.sees("A-12-01 is done. 3 lines, 22 pieces.")
        assert ana.complaints == []

    client.child.kill()
    counts = DeviceStore.open(client.folder).recent_counts()
    totals = {line.key.sku: str(line.quantity) for line in counts[0].fold.lines}
    assert totals == {OIL: "17", PADS: "5"}
    assert [(u.raw, str(u.quantity)) for u in counts[0].fold.unknown] == [(UNKNOWN, "1")]
    assert counts[0].fold.oddities == ()


def test_one_look_at_a_case_label_shows_item_lot_expiry_and_quantity(
    chromium: Browser, client, tmp_path: Path
):
    with a_person(chromium, client.url) as ana:
        ana.sign_in("Ana", PIN)
        ana.tap("NEXT BIN")
        ana.scan("BIN:A-12-01")
        ana.sees("A-12-01 is open.")
        ana.scan(f"]C101{LOTTED_CASE}1727123110L9")
        ana.sees("Sealant 50g, 60010: 6 +6, L9, expires 2027-12-31")
        ana.fits(FLOOR)
        ana.picture(tmp_path / "case_label.png")
        assert ana.complaints == []


def test_a_bin_is_counted_by_touch_alone(chromium: Browser, client):
    with a_person(chromium, client.url) as ana:
        ana.sign_in("Ana", PIN)
        ana.tap("NEXT BIN")
        ana.tap("Label missing")
        ana.sees("A-12-01 is open.")
        ana.tap("Type")
        ana.fill("Code", OIL)
        ana.tap("USE CODE")
        ana.sees("Chain lube 400ml, 48213: 1")
        ana.tap("KEYPAD")
        ana.fits(FLOOR)
        ana.tap("Case")
        ana.tap("3")
        ana.sees("3 × 12 = 36.")
        ana.tap("SET = 36")
        ana.sees("Chain lube 400ml, 48213: 36")
        ana.tap("Damaged")
        ana.tap("2")
        ana.tap("MARK 2 DAMAGED")
        ana.sees("2 damaged: Chain lube 400ml")
        ana.tap("Undo")
        ana.sees("Undone: Chain lube 400ml")
        ana.fits(FLOOR)
        ana.tap("FINISH")
        ana.tap("SEND COUNT")
        ana.sees("A-12-01 is done. 1 line, 36 pieces.")
        ana.tap("Label missing")
        ana.tap("BIN IS EMPTY")
        ana.sees("Is this bin empty?")
        ana.fits(FLOOR)
        ana.tap("YES, EMPTY")
        ana.sees("A-12-03 is done: empty.")


def test_a_scan_is_heard_wherever_the_browser_has_the_focus(chromium: Browser, client):
    with a_person(chromium, client.url) as ana:
        ana.sign_in("Ana", PIN)
        ana.tap("NEXT BIN")
        ana.scan("BIN:A-12-01")
        ana.sees("A-12-01 is open.")
        for _ in range(3):
            ana.lose_focus()
            ana.scan(OIL_EACH, OIL_EACH, gap_ms=0)
        ana.sees("Chain lube 400ml, 48213: 6")
        ana.has_the_focus_back()
        ana.scan(PADS_EACH)
        ana.sees("Brake pads front, 48377: 1")


def test_two_pages_of_one_device_show_the_same_bin(chromium: Browser, client):
    with a_person(chromium, client.url) as ana:
        ana.sign_in("Ana", PIN)
        ana.tap("A-12-03")
        ana.scan("BIN:A-12-03", OIL_EACH)
        ana.sees("Chain lube 400ml, 48213: 1")
        second = Person(ana.context, client.url)
        second.sees("Chain lube 400ml, 48213: 1")
        ana.page.bring_to_front()
        ana.scan(OIL_EACH)
        ana.sees("Chain lube 400ml, 48213: 2")
        second.sees("Chain lube 400ml, 48213: 2")


def test_a_phone_on_its_side_signs_in_and_counts_with_every_key_in_reach(chromium: Browser, client):
    low = (640, 360)
    with a_person(chromium, client.url, size=low) as ana:
        ana.tap("Ana")
        ana.sees("Hello Ana")
        ana.fits(low)
        ana.enter_pin(PIN)
        ana.tap("NEXT BIN")
        ana.tap("Label missing")
        ana.sees("A-12-01 is open.")
        ana.scan(OIL_EACH)
        ana.sees("Chain lube 400ml, 48213: 1")
        ana.fits(low)
        ana.tap("KEYPAD")
        ana.tap_exactly("7")
        ana.tap("SET = 7")
        ana.sees("Chain lube 400ml, 48213: 7")
        ana.tap("FINISH")
        ana.fits(low)
        ana.tap("SEND COUNT")
        ana.sees("A-12-01 is done. 1 line, 7 pieces.")


def test_a_scanners_marks_are_learnt_kept_over_a_kill_and_a_cut_off_scan_is_refused(
    chromium: Browser, client, tmp_path: Path
):
    with a_person(chromium, client.url) as ana:
        ana.sign_in("Ana", PIN)
        ana.sees_button("NEXT BIN")
        ana.tap("Settings")
        ana.tap("Hardware scanner")
        ana.sees("Scan anything")
        ana.scan("^BIN:A-12-01$")
        ana.sees("This scan shows another frame")
        ana.picture(tmp_path / "scanner_learns.png")
        ana.tap("USE THIS")
        ana.sees("Every scan begins with ^")
        ana.scan("N:A-12-01$")
        ana.sees("its first letters were lost")
        ana.picture(tmp_path / "scanner_refuses.png")

        client.kill_and_start()
        ana.reload()
        ana.complaints.clear()
        ana.tap("NEXT BIN")
        ana.scan("BIN:A-12-01$")
        ana.sees("The scan was cut off. Nothing was counted.")
        ana.scan("^BIN:A-12-01$")
        ana.sees("A-12-01 is open.")
        ana.scan(f"^{OIL_EACH}")
        ana.sees("The scan was cut off. Nothing was counted.")
        ana.scan(f"^{OIL_EACH}$")
        ana.sees("Chain lube 400ml, 48213: 1")
        assert ana.complaints == []
