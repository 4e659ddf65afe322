"""The pipeline reads drawn labels of every symbology and refuses what is no picture."""

import numpy as np
import pytest

from app.scanner.decode import ImageError, decode
from app.scanner.events import Symbology
from tests.support.shelf import View, draw

PHONE = ("zbar", "opencv")


@pytest.mark.parametrize(
    ("text", "symbology", "read"),
    [
        ("A-01-03", Symbology.CODE_128, "A-01-03"),
        ("4006381333931", Symbology.EAN_13, "4006381333931"),
        ("96385074", Symbology.EAN_8, "96385074"),
        ("036000291452", Symbology.UPC_A, "036000291452"),
        ("01234565", Symbology.UPC_E, "01234565"),
        ("10012345678902", Symbology.ITF, "10012345678902"),
        ("HELLO-39", Symbology.CODE_39, "HELLO-39"),
        ("A-01-03", Symbology.QR, "A-01-03"),
        (
            "(01)09506000134352(10)AB(17)261231",
            Symbology.GS1_128,
            "010950600013435210AB\x1d17261231",
        ),
    ],
)
def test_a_clean_label_of_each_symbology_is_read_by_a_phone(
    text: str, symbology: Symbology, read: str
) -> None:
    frame = draw([(text, symbology.value)], View(module_px=3.0, rotation=3.0), seed=1)
    scans = decode(frame.image, engines=PHONE, budget_ms=2_000)
    assert [(s.text, s.symbology) for s in scans] == [(read, symbology)]
    middle = frame.labels[0][2].mean(axis=0)
    assert np.hypot(*(np.array(scans[0].centre) - middle)) < 60


def test_data_matrix_is_read_where_zxing_is_installed() -> None:
    frame = draw([("(01)09506000134352(10)AB", "GS1 DataMatrix")], View(module_px=5.0))
    (scan,) = decode(frame.image, budget_ms=2_000)
    assert (scan.text, scan.symbology) == ("010950600013435210AB", Symbology.GS1_DATA_MATRIX)


def test_a_colour_picture_reads_as_its_gray() -> None:
    gray = draw([("A-01-03", "Code 128")]).image
    assert [s.text for s in decode(np.dstack([gray] * 3), engines=PHONE)] == ["A-01-03"]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 0), np.uint8),
        np.zeros((20, 0, 3), np.uint8),
        np.zeros((20, 20), np.uint16),
        np.zeros((20, 20, 4), np.uint8),
        np.zeros(20, np.uint8),
        np.zeros((2, 2, 2, 2), np.uint8),
        "picture",
        None,
    ],
)
def test_what_is_no_picture_is_refused_by_type(image: object) -> None:
    with pytest.raises(ImageError):
        decode(image)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (7, 7), (720, 1280)])
@pytest.mark.parametrize("gray", [0, 255])
def test_an_empty_scene_gives_an_empty_list(shape: tuple[int, int], gray: int) -> None:
    assert decode(np.full(shape, gray, np.uint8)) == []
