"""The play: the whole loop, step by step, as people would do it. Each step asserts what they would see.

Run by test_loop.py twice in a row, and by `make demo-check` (python -m tests.loop), which says which
step failed. Nothing is faked: real server, real client process, real browser, a video as the camera.
"""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Playwright, expect

from app.contract.vocabulary import Condition, ReasonCode, Tracking, Unit
from server.story.catalogue import Pack, StorySku
from server.story.truths import EXPIRY, Seen
from tests.loop.stage import Stage, wait_for
from tests.support.browser import FLOOR, QUEUE, Person, a_person, start_chromium
from tests.support.shelf import View, write_shelf_video

CAMERA_BIN = "A-01-01"
CASE_LOT = "L260910"


class Play:
    """The steps in order. `steps()` lists them; each may use what earlier ones left behind."""

    def __init__(self, playwright: Playwright, stage: Stage, pictures: Path) -> None:
        self.stage = stage
        self.pictures = pictures
        self._playwright = playwright
        self._closers: list[Callable[[], Any]] = []
        self.names = {sku.sku: sku.description for sku in stage.story.story.skus}
        self.counted_at: dict[str, datetime] = {}
        self.token = ""

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """What is played, in order, in a person's words."""
        return [
            ("a device is enrolled", self.enrol_the_handheld),
            ("a wrong PIN is refused in words, the right one signs in", self.sign_in_ana),
            ("the camera reads a bin label and an item", self.count_by_camera),
            (
                "one look at a case label fills item, lot, expiry and quantity",
                self.look_at_a_case_label,
            ),
            (
                "a wrong bin, an unknown code, a damaged unit, cases and an empty bin",
                self.count_by_wedge,
            ),
            ("the network is cut and a bin is counted", self.count_in_the_dead_zone),
            ("the client is killed in the middle of a bin and goes on", self.kill_in_the_middle),
            ("a pick is posted during the outage", self.post_a_pick),
            ("the network returns and everything goes up once, by itself", self.heal),
            ("what agrees is closed, what does not is a case", self.look_at_cases),
            (
                "the supervisor sees the queue and the evidence, and asks for a recount",
                self.ask_for_recount,
            ),
            ("another counter gets the recount blind, and the counts agree", self.recount_as_ben),
            ("the supervisor approves, and it is posted once", self.approve),
            ("the book is right and the accuracy figures say so", self.look_at_figures),
            ("nothing expected is on the counter's device", self.look_for_leaks),
        ]

    # -- the floor

    def enrol_the_handheld(self) -> None:
        clip = self.stage.folder / "shelf.y4m"
        first = self._seen(CAMERA_BIN)[0]
        # Two bare shelves at the end: the clip loops, and the bin's label once more would finish it.
        scenes = [
            [(CAMERA_BIN, "Code 128")],
            [(first.barcode, _written(first.symbology))],
            [(self._case_label(), "GS1-128")],
            [],
            [],
        ]
        write_shelf_video(
            clip,
            scenes,
            fps=5,
            seconds_per_scene=3,
            blank_seconds=1,
            size=(960, 540),
            view=View(module_px=3.0),  # a case label is 230 modules wide
        )
        self.floor_browser = self._browser(camera=clip)
        self.floor = self._person(self.floor_browser, self.stage.floor_url, FLOOR, has_camera=True)
        self.floor.sees("Set up this device")
        self.floor.tap("Set up")
        self.floor.sees("Who is counting?")
        assert self.stage.device_rows("SELECT count(*) FROM event") == [(0,)]

    def sign_in_ana(self) -> None:
        self._sign_in("ana", wrong_first=True)
        self.floor.sees_button("NEXT BIN")
        self.floor.picture(self.pictures / "floor-tasks.png")

    def count_by_camera(self) -> None:
        first = self._seen(CAMERA_BIN)[0]
        self.floor.tap("NEXT BIN")
        self.floor.sees(CAMERA_BIN)
        self.floor.tap("Camera")
        self.floor.sees(f"{CAMERA_BIN} is open", within_ms=60_000)
        self.floor.sees(self.names[first.sku], within_ms=60_000)
        sources = self.stage.device_rows("SELECT raw FROM event")
        assert any('"source":"camera"' in raw for (raw,) in sources)

    def look_at_a_case_label(self) -> None:
        """A case of another bin goes past the camera: all that its one label says, then undone."""
        first, *others = self._seen(CAMERA_BIN)
        sku, case = self._carton()
        expires = f"20{EXPIRY[:2]}-{EXPIRY[2:4]}-{EXPIRY[4:]}"
        counted = f"{case.factor} +{case.factor}, {CASE_LOT}, expires {expires}"
        self.floor.sees(re.compile(rf"^{re.escape(sku.description)}.*: {re.escape(counted)}"))
        self.floor.picture(self.pictures / "floor-camera.png")
        self.floor.tap("Close camera")
        expect(self.floor.button("Close camera")).to_have_count(0)
        kept = [raw for (raw,) in self.stage.device_rows("SELECT raw FROM event")]
        (looked,) = [json.loads(raw)["payload"] for raw in kept if CASE_LOT in raw]
        assert looked["line"] == {"sku": sku.sku, "lot": CASE_LOT, "serial": ""}
        assert (looked["scan"]["source"], looked["expiry"]) == ("camera", expires)
        self.floor.tap("Undo")
        self.floor.sees(f"Undone: {sku.description}")
        self._set_total(first.base_quantity)
        for pack in others:
            self._scan_packs(pack)
        self.floor.picture(self.pictures / "floor.png")
        self._close_bin(CAMERA_BIN)

    def count_by_wedge(self) -> None:
        story = self.stage.story.story
        (loss,) = story.planted_named("loss")
        damaged = story.planted_named("damaged_unit")[0].bin
        unknown = story.planted_named("unknown_item")[0].bin
        cases = story.planted_named("cases_as_eaches")[0].bin
        self.floor.scan("Z-99-99")
        self.floor.sees(re.compile("don't know|not a bin"))
        for place in dict.fromkeys((damaged, unknown, cases, loss.bin)):
            self._count_bin(place)
        self._count_empty(next(b for b, truth in story.truth.items() if truth.is_empty))

    def count_in_the_dead_zone(self) -> None:
        self._wait_until_sent()
        self.sent_before = self._server_events()
        self.stage.cable.cut()
        self._count_bin("A-02-04")
        self.floor.sees(re.compile(r"bins? waits? to be sent|Waiting [1-9]"))
        assert self._server_events() == self.sent_before

    def kill_in_the_middle(self) -> None:
        place = "A-02-05"
        packs = self._seen(place)
        self._open_bin(place)
        self._scan_packs(packs[0])
        shown = rf"^{re.escape(self.names[packs[0].sku])}.*: {packs[0].base_quantity}( |$)"
        self.floor.sees(re.compile(shown))  # what is shown is kept; a scan still on its way may be
        before = self.stage.device_rows("SELECT id, raw FROM event ORDER BY seq")
        self.stage.kill_floor()
        assert self.stage.device_rows("SELECT id, raw FROM event ORDER BY seq") == before
        self.floor.reload()
        self.floor.complaints.clear()  # a page whose program was killed may well complain
        self.floor.sees(place)
        self.floor.sees(self.names[packs[0].sku])
        for pack in packs[1:]:
            self._scan_packs(pack)
        self._close_bin(place)

    def post_a_pick(self) -> None:
        at = max(
            self.counted_at[CAMERA_BIN] + timedelta(seconds=1),
            datetime.now(UTC) - timedelta(seconds=1),
        )
        self._import("movements", self.stage.story.story.outage_pick(at))

    def heal(self) -> None:
        device = self.stage.device_rows("SELECT id, raw FROM event ORDER BY seq")
        self.stage.cable.join()
        wait_for("all events on the server", lambda: self._server_events() >= len(device), 120)
        assert self._server_events() == len(device)
        kept = dict(self.stage.server_rows("SELECT event_id, raw FROM device_event"))
        assert {i: str(r) for i, r in kept.items()} == dict(device), "the bytes are what was made"

    # -- the desk

    def look_at_cases(self) -> None:
        with self._api("maria") as api:
            rows = wait_for("cases", lambda: api.get("/api/v1/exceptions").json()["items"])
        story = self.stage.story.story
        (loss,) = story.planted_named("loss")
        by_place = {(row["bin"], row["sku"], row["kind"]): row for row in rows}
        row = by_place[(loss.bin, loss.sku, "variance")]
        assert (row["variance"]["low"], row["variance"]["high"]) == ("-2", "-2")
        assert Decimal(row["value"]["low"]) < 0
        assert row["owner_name"]
        assert row["next_words"]
        assert 0 <= row["priority"] <= 100
        kinds = {row["kind"] for row in rows}
        assert {"variance", "damaged_found", "unknown_barcode"} <= kinds
        agreed = {CAMERA_BIN, "A-02-04", "A-02-05"}
        assert not agreed & {row["bin"] for row in rows}, (
            "a pick posted meanwhile makes no variance"
        )
        self.loss = row

    def ask_for_recount(self) -> None:
        self.desk = self._person(self._browser(), f"{self.stage.review_url}/review", QUEUE)
        self._enter_review("maria")
        self.desk.sees_button(re.compile(rf"^{self.loss['bin']}, "))
        self._open_case()
        self.desk.sees("First count")
        self.desk.picture(self.pictures / "queue.png")
        self.desk.tap("Ask for recount")
        wait_for("the recount", lambda: self._case()["state"] == "recount_requested")

    def recount_as_ben(self) -> None:
        place = self.loss["bin"]
        recounter = self._case()["recounter_id"]
        assert recounter not in (None, "ana"), "never the person who counted it"
        self._sign_out()
        self._sign_in(recounter)
        wait_for("the task on the device", lambda: place in self.floor.screen(), 60)
        for hint in ("recount", "second count", "variance", self.loss["variance"]["low"]):
            assert hint not in self.floor.screen().lower()
        self._count_bin(place)
        self._wait_until_sent()
        wait_for("both counts", lambda: self._case()["rounds"] == 2)
        assert [r["variance"]["low"] for r in self._case()["round_views"]] == ["-2", "-2"]

    def approve(self) -> None:
        self.desk.reload()
        self._open_case()
        self.desk.sees_button(re.compile("^Approve"))
        self.desk.sees("Recount 1")
        self.desk.picture(self.pictures / "case-agreed.png")
        self.desk.tap(re.compile("^Approve"))
        self.desk.sees(re.compile("The reason is missing"))
        self.desk.tap("Theft suspected")
        self.desk.sees_button("Theft suspected, chosen")
        self.desk.tap(re.compile("^Approve"))
        wait_for("the posting", lambda: self._case()["state"] in ("posted", "closed"))
        with self._api("maria") as api:
            posted = api.get("/api/v1/adjustments").json()["items"]
        (ours,) = [a for a in posted if a["case_id"] == self.loss["case_id"]]
        assert [(p["bin"], p["quantity"]) for p in ours["parts"]] == [(self.loss["bin"], "-2")]
        assert ours["reason"] == ReasonCode.THEFT_SUSPECTED
        recorded = self._case()["adjustment"]
        assert recorded["adjustment_id"] == ours["adjustment_id"]
        assert recorded["reason"] == ReasonCode.THEFT_SUSPECTED

    def look_at_figures(self) -> None:
        (loss,) = self.stage.story.story.planted_named("loss")
        with self._api("maria") as api:
            stock = api.get("/api/v1/stock", params={"bin": loss.bin, "sku": loss.sku}).json()[
                "items"
            ]
            report = api.get("/api/v1/reports/accuracy").json()
        good = sum(Decimal(s["quantity"]) for s in stock if s["state"] in ("available", "reserved"))
        assert good == loss.physical
        names = {figure["name"] for figure in report["figures"]}
        assert any(name.startswith("ira_by_record") for name in names)
        assert report["bins_counted"] >= 7
        self.desk.tap("Accuracy")
        self.desk.sees("How right the book was")
        self.desk.picture(self.pictures / "accuracy.png")

    def look_for_leaks(self) -> None:
        """Words of the book must not be in any file of the device (the server's tests go further)."""
        banned = re.compile(rb"expected_quantity|book_quantity|unit_cost|variance", re.IGNORECASE)
        for path in sorted((self.stage.folder / "handheld").rglob("*")):
            if path.is_file():
                assert not banned.search(path.read_bytes()), path.name
        assert self.floor.complaints == []
        assert self.desk.complaints == []

    # -- how each is done

    def _browser(self, camera: Path | None = None) -> Browser:
        browser = start_chromium(self._playwright, camera=camera)
        self._closers.append(browser.close)
        return browser

    def _person(
        self, browser: Browser, url: str, size: tuple[int, int], *, has_camera: bool = False
    ) -> Person:
        entered = a_person(browser, url, size=size, has_camera=has_camera)
        person = entered.__enter__()
        self._closers.append(lambda: entered.__exit__(None, None, None))
        return person

    def keep_what_was_seen(self) -> None:
        """Pictures and words of both screens, for whoever looks into a failed step."""
        for name in ("floor", "desk"):
            person = getattr(self, name, None)
            if person is not None:
                person.picture(self.pictures / f"failed-{name}.png")
                (self.pictures / f"failed-{name}.txt").write_text(person.screen())

    def close(self) -> None:
        """Close the browsers, last opened first."""
        for closer in reversed(self._closers):
            closer()

    def _seen(self, place: str) -> tuple[Seen, ...]:
        return self.stage.story.story.truth[place].seen

    def _carton(self) -> tuple[StorySku, Pack]:
        """An item kept by lot that comes in cases; none stands in the camera's bin."""
        here = {pack.sku for pack in self._seen(CAMERA_BIN)}
        return next(
            (sku, sku.case)
            for sku in self.stage.story.story.skus
            if sku.tracking is Tracking.LOT and sku.case is not None and sku.sku not in here
        )

    def _case_label(self) -> str:
        """What is printed on the carton, as a label printer is told it."""
        return f"(01){self._carton()[1].barcode}(17){EXPIRY}(10){CASE_LOT}"

    def _sign_in(self, user_id: str, *, wrong_first: bool = False) -> None:
        person = self.stage.story.person(user_id)
        if wrong_first:
            self.floor.sign_in(person.name, "000000")
            self.floor.sees(re.compile("not right for"))
            self.floor.enter_pin(person.pin)
        else:
            self.floor.sign_in(person.name, person.pin)
        self.floor.sees_button(re.compile("NEXT BIN|GO ON WITH|Settings"))

    def _sign_out(self) -> None:
        self.floor.tap("Back")
        self.floor.tap("Settings")
        self.floor.tap(re.compile("^Sign .* out"))
        self.floor.sees("Who is counting?")

    def _open_bin(self, place: str) -> None:
        """Scan a bin; when another is next on the list, say that this one is meant."""
        self.floor.scan(place)
        self.floor.sees(re.compile(f"{place} is open|This is {place}"))
        if f"This is {place}" in self.floor.screen():
            self.floor.tap(f"Count {place} instead")
            self.floor.sees(f"{place} is open")

    def _count_bin(self, place: str) -> None:
        self._open_bin(place)
        for pack in self._seen(place):
            self._scan_packs(pack)
        self._close_bin(place)

    def _scan_packs(self, pack: Seen) -> None:
        """Scan one of them; type the rest. A torn one is scanned, then marked."""
        self.floor.scan(pack.barcode)
        if not pack.sku:
            self.floor.sees(re.compile("don't know this barcode"))
            for _ in range(pack.quantity - 1):
                self.floor.scan(pack.barcode)
            return
        self.floor.sees(self.names[pack.sku])
        if pack.condition is Condition.DAMAGED:
            for _ in range(pack.quantity - 1):
                self.floor.scan(pack.barcode)
            self.floor.tap("Damaged")
            self._press(str(pack.quantity))
            self.floor.tap(f"MARK {pack.quantity} DAMAGED")
        elif pack.quantity > 1:
            self._add(pack.quantity - 1, pack)
        self.floor.page.wait_for_timeout(150)

    def _add(self, packs: int, pack: Seen) -> None:
        if pack.unit is not Unit.EACH or packs <= 3:
            for _ in range(packs):
                self.floor.scan(pack.barcode)
            return
        self.floor.tap("KEYPAD")
        self._press(str(packs))
        self.floor.tap(f"+ ADD {packs}")

    def _set_total(self, total: int) -> None:
        self.floor.tap("KEYPAD")
        self._press(str(total))
        self.floor.tap(f"SET = {total}")

    def _press(self, digits: str) -> None:
        self.floor.sees_button("Delete last digit")
        self.floor.page.wait_for_timeout(250)  # nobody taps while the keys still slide in
        for digit in digits:
            self.floor.tap_exactly(digit)

    def _close_bin(self, place: str) -> None:
        self.floor.tap("FINISH")
        self.floor.tap("SEND COUNT")
        self.floor.sees(re.compile(f"{place} is done"))
        self.counted_at[place] = datetime.now(UTC)

    def _count_empty(self, place: str) -> None:
        self._open_bin(place)
        self.floor.tap("BIN IS EMPTY")
        self.floor.tap("YES, EMPTY")
        self.floor.sees(re.compile(f"{place} is done: empty"))
        self.counted_at[place] = datetime.now(UTC)

    def _wait_until_sent(self) -> None:
        device = self.stage.device_rows("SELECT count(*) FROM event")[0][0]
        wait_for("everything sent", lambda: self._server_events() >= device, 60)

    def _server_events(self) -> int:
        return int(self.stage.server_rows("SELECT count(*) FROM device_event")[0][0])

    def _api(self, user_id: str) -> Any:
        if not self.token:
            person = self.stage.story.person(user_id)
            with self.stage.api() as api:
                answer = api.post("/api/v1/sign-in", json={"user_id": user_id, "pin": person.pin})
            answer.raise_for_status()
            self.token = answer.json()["token"]
        return self.stage.api(self.token)

    def _import(self, kind: str, text: str) -> None:
        rows = list(csv.DictReader(io.StringIO(text)))
        with self._api("maria") as api:
            answer = api.post(f"/api/v1/imports/{kind}", json={"rows": rows})
        assert answer.status_code < 300, answer.text

    def _case(self) -> Any:
        with self._api("maria") as api:
            return api.get(f"/api/v1/exceptions/{self.loss['case_id']}").json()

    def _enter_review(self, user_id: str) -> None:
        person = self.stage.story.person(user_id)
        self.desk.sees("Review counts")
        self.desk.fill("Person id", user_id)
        self.desk.fill("PIN", person.pin)
        self.desk.tap("SIGN IN")

    def _open_case(self) -> None:
        self.desk.tap(re.compile(rf"^{self.loss['bin']}, {re.escape(self.loss['description'])}"))
        self.desk.sees("What happens next")


def _written(symbology: str) -> str:
    """The story's name of a symbology as the label drawer spells it."""
    return symbology if symbology in ("EAN-13", "EAN-8", "UPC-A", "ITF") else "Code 128"


def play(playwright: Playwright, folder: Path, pictures: Path, say: Callable[[str], None]) -> None:
    """Play all of it once. Says each step; AssertionError or the browser's own error when one fails."""
    with Stage(folder) as stage:
        acted = Play(playwright, stage, pictures)
        try:
            for number, (words, step) in enumerate(acted.steps(), start=1):
                started = time.monotonic()
                step()
                say(f"  {number:2}. {words} ({time.monotonic() - started:.0f} s)")
        except BaseException:
            acted.keep_what_was_seen()
            raise
        finally:
            acted.close()
