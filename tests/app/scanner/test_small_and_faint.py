"""Labels at the edge of what a phone's engines can see: print of a pixel, and QR codes without edges."""

import pytest

from app.scanner.decode import decode
from app.scanner.engines.zbar import ZbarEngine
from tests.support.shelf import View, draw

PHONE = ("zbar", "opencv")
FREE_MS = 5_000.0


def seen(text: str, kind: str, view: View) -> tuple[list[str], list[str]]:
    """What the pipeline and what libzbar alone read of one drawn label."""
    image = draw([(text, kind)], view, seed=3).image
    ours = [scan.text for scan in decode(image, engines=PHONE, budget_ms=FREE_MS)]
    return ours, [read.text for read in ZbarEngine().read(image)]


@pytest.mark.parametrize("text", ["A-01-03-B", "12345678901234"])
@pytest.mark.parametrize("module_px", [1.1, 1.0])
def test_code_128_of_one_pixel_a_module_is_read(text: str, module_px: float):
    ours, _ = seen(text, "Code 128", View(module_px=module_px, rotation=1.3))
    assert ours == [text]


@pytest.mark.parametrize(
    "view",
    [
        View(module_px=4.0, rotation=1.3, blur_px=2.0),
        View(module_px=4.0, rotation=1.3, motion_px=6.0),
        View(module_px=4.0, rotation=1.3, contrast=0.08),
        View(module_px=4.0, rotation=1.3, noise=60.0),
    ],
    ids=["defocus", "motion", "contrast", "noise"],
)
def test_a_qr_code_without_edges_is_read_where_libzbar_alone_sees_nothing(view: View):
    ours, alone = seen("A-01-03-B", "QR", view)
    assert (ours, alone) == (["A-01-03-B"], [])


def test_noise_beyond_reading_gives_nothing_and_never_a_wrong_text():
    ours, _ = seen("A-01-03-B", "QR", View(module_px=4.0, noise=200.0, contrast=0.06))
    assert ours == []
