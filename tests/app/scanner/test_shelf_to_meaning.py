"""From a drawn shelf to what it means: picture, pipeline, catalogue, in one look."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.contract.vocabulary import Unit
from app.scanner.decode import decode
from app.scanner.label import BarcodeHit, BinLabel, Gs1Label, interpret
from app.scanner.tracker import SightingKind, Tracker
from tests.support.shelf import View, draw, hand_held, write_shelf_video

PHONE = ("zbar", "opencv")
CASE = BarcodeHit(sku="48213", unit=Unit.CASE, factor=12)
FREE_MS = 5_000.0


@dataclass
class Site:
    """One bin, one case."""

    def lookup_bin(self, barcode: str) -> str | None:
        return barcode if barcode == "A-01-03" else None

    def lookup_barcode(self, text: str) -> list[BarcodeHit]:
        return [CASE] if text == "14006381333938" else []


@pytest.mark.parametrize("symbology", ["GS1-128", "GS1 QR"])
def test_a_gs1_case_label_fills_sku_lot_expiry_and_quantity_in_one_look(symbology: str) -> None:
    text = "(01)14006381333938(17)261231(10)AB12(37)12"
    image = draw([(text, symbology)], View(module_px=2.5, rotation=4.0, tilt_x=12.0)).image
    (scan,) = decode(image, engines=PHONE, budget_ms=FREE_MS)
    meaning = interpret(scan.text, scan.symbology, Site())
    assert isinstance(meaning, Gs1Label)
    assert meaning.hit == CASE
    message = meaning.message
    assert (message.lot, message.expiry, message.count) == ("AB12", date(2026, 12, 31), Decimal(12))


@pytest.mark.parametrize("engines", [PHONE, None], ids=["phone", "all"])
@pytest.mark.parametrize("symbology", ["GS1-128", "GS1 QR"])
def test_a_separator_that_was_printed_is_in_the_text(
    symbology: str, engines: tuple[str, ...] | None
) -> None:
    text = "(01)14006381333938(10)AB12(17)261231"
    image = draw([(text, symbology)], View(module_px=3.0)).image
    (scan,) = decode(image, engines=engines, budget_ms=FREE_MS)
    assert scan.text == "011400638133393810AB12\x1d17261231"
    assert scan.symbology.value == symbology


@pytest.mark.parametrize(
    "view",
    [
        View(module_px=3.0, rotation=37.0),
        View(module_px=3.0, rotation=90.0),
        View(module_px=3.0, rotation=180.0),
        View(module_px=4.0, tilt_x=45.0),
        View(module_px=4.0, tilt_y=45.0),
        View(module_px=4.0, motion_px=4.0),
        View(module_px=4.0, contrast=0.2),
        View(module_px=4.0, ink=0.4),
        View(module_px=4.0, ink=-0.4),
        View(module_px=3.0, wrap=2.0),
        View(module_px=10.0),
        View(module_px=1.7, surround=30),
    ],
    ids=lambda view: str(view)[5:60],
)
def test_a_bin_label_is_read_as_people_hold_phones(view: View) -> None:
    image = draw([("A-01-03", "Code 128")], view, seed=2).image
    scans = decode(image, engines=PHONE, budget_ms=FREE_MS)
    assert [interpret(s.text, s.symbology, Site()) for s in scans] == [BinLabel(bin="A-01-03")]


def test_a_label_half_under_a_hand_is_refused_not_guessed() -> None:
    for text, kind in (("4006381333931", "EAN-13"), ("10012345678902", "ITF")):
        image = draw([(text, kind)], View(module_px=4.0, covered=0.5), seed=3).image
        assert decode(image, engines=PHONE, budget_ms=FREE_MS) == []


def test_several_labels_in_one_frame_are_all_found_where_they_are() -> None:
    labels = [("A-01-03", "Code 128"), ("A-01-04", "Code 128"), ("4006381333931", "EAN-13")]
    frame = draw(labels, View(module_px=2.5), seed=4)
    scans = {s.text: s for s in decode(frame.image, engines=PHONE, budget_ms=FREE_MS)}
    assert set(scans) == {text for text, _ in labels}
    for text, _kind, corners in frame.labels:
        assert np.hypot(*(np.array(scans[text].centre) - corners.mean(axis=0))) < 40


def test_a_shaky_hand_gives_one_scan_for_one_look() -> None:
    tracker, kinds = Tracker(), []
    view = View(module_px=4.0, motion_px=3.0)
    for step, frame in enumerate(hand_held([("A-01-03", "Code 128")], view, 8, seed=5)):
        scans = decode(frame.image, engines=PHONE, budget_ms=FREE_MS)
        kinds.append(tracker.see(scans, step / 10, frame.image).kind)
    assert kinds.count(SightingKind.ACCEPTED) == 1
    assert SightingKind.ACCEPTED in kinds[:3]


def test_the_shelf_video_is_a_y4m_whose_frames_can_be_scanned(tmp_path: Path) -> None:
    path = tmp_path / "shelf.y4m"
    scenes = [[("A-01-03", "Code 128")], [("4006381333931", "EAN-13")]]
    count = write_shelf_video(
        path, scenes, fps=5, seconds_per_scene=0.4, blank_seconds=0.2, size=(640, 360)
    )
    assert count == 6
    blob = path.read_bytes()
    header, _, rest = blob.partition(b"\n")
    assert header == b"YUV4MPEG2 W640 H360 F5:1 Ip A1:1 C420jpeg"
    size = 640 * 360 * 3 // 2
    assert len(rest) == count * (len(b"FRAME\n") + size)
    first = np.frombuffer(rest[len(b"FRAME\n") :][:size], np.uint8).reshape(540, 640)
    gray = cv2.cvtColor(first, cv2.COLOR_YUV2GRAY_I420)
    assert [s.text for s in decode(np.asarray(gray, np.uint8), budget_ms=FREE_MS)] == ["A-01-03"]


def test_a_video_needs_even_sides(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="even"):
        write_shelf_video(tmp_path / "x.y4m", [], size=(641, 360))
