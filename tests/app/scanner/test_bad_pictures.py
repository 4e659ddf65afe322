"""Hostile pictures: nothing crashes, nothing is invented, nothing leaks, the budget holds."""

import resource
import time

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from app.scanner.decode import Decoder, ImageError, decode
from app.scanner.engines.base import text_of
from app.scanner.engines.zbar import ZbarEngine
from app.scanner.frames import open_frame
from tests.support.shelf import View, draw

PHONE = ("zbar", "opencv")
Image = npt.NDArray[np.uint8]


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        np.uint8,
        st.tuples(st.integers(1, 70), st.integers(1, 70)),
        elements=st.integers(0, 255),
        fill=st.integers(0, 255),
    )
)
def test_any_small_picture_gives_a_list(image: Image) -> None:
    assert isinstance(decode(image), list)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5_000), (5_000, 1), (2, 9_000), (720, 1_280)])
@pytest.mark.parametrize("gray", [0, 255])
def test_dots_strips_and_all_black_are_a_list_as_arrays_and_as_files(
    shape: tuple[int, int], gray: int
) -> None:
    image = np.full(shape, gray, np.uint8)
    assert decode(image) == []
    assert decode(open_frame(cv2.imencode(".png", image)[1].tobytes())) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 0), np.uint8),
        np.zeros((0, 9), np.uint8),
        np.zeros((48, 64), np.uint16),
        np.zeros((48, 64, 4), np.uint8),
        np.full((48, 64), np.nan),
        np.zeros(9, np.uint8),
    ],
    ids=["empty", "no rows", "16 bit", "rgba", "nan", "a line"],
)
def test_arrays_that_are_no_gray_or_colour_picture_are_a_typed_error(image: Image) -> None:
    with pytest.raises(ImageError):
        decode(image)


def test_files_of_16_bits_and_with_alpha_are_read_as_gray() -> None:
    label = draw([("A-01-03", "Code 128")], View(module_px=4.0)).image
    deep = label.astype(np.uint16) * 257
    clear = np.dstack([label, label, label, np.full_like(label, 255)])
    for image in (deep, clear):
        (scan,) = decode(open_frame(cv2.imencode(".png", image)[1].tobytes()), budget_ms=5_000)
        assert scan.text == "A-01-03"


@pytest.mark.parametrize("seed", range(6))
def test_noise_and_stripes_hold_no_codes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 255, (480, 640), dtype=np.uint8)
    edges = np.sort(rng.choice(np.arange(8, 632), 90, replace=False))
    stripes = np.zeros(640, np.uint8)
    for left, right in zip(edges[::2], edges[1::2], strict=True):
        stripes[left:right] = 255
    for image in (noise, np.tile(stripes, (480, 1)), cv2.GaussianBlur(noise, (0, 0), 3)):
        assert decode(np.asarray(image, np.uint8), budget_ms=2_000) == []


def test_a_48_megapixel_picture_is_shrunk_and_its_corners_are_in_its_own_pixels() -> None:
    small = draw([("A-01-03", "Code 128")], View(module_px=4.0)).image
    huge = cv2.resize(small, (8000, 6000), interpolation=cv2.INTER_LINEAR)
    (scan,) = decode(np.asarray(huge, np.uint8), budget_ms=5_000)
    assert scan.text == "A-01-03"
    assert abs(scan.centre[0] - 4000) < 300


def test_the_budget_ends_the_cascade_within_one_attempt() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (1440, 1920), dtype=np.uint8)
    decoder = Decoder(PHONE)
    before = time.process_time()
    assert decoder.decode(image, budget_ms=0) == []
    short = time.process_time() - before
    before = time.process_time()
    decoder.decode(image, budget_ms=60_000)
    assert short < 0.5 * (time.process_time() - before)


@pytest.mark.parametrize(
    "blob",
    [b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"GIF89a", bytes(range(256)) * 4],
)
def test_bytes_that_are_no_picture_are_a_typed_error(blob: bytes) -> None:
    with pytest.raises(ImageError):
        open_frame(blob)


@pytest.mark.parametrize("cut", [100, 2_000, 20_000])
def test_a_jpeg_cut_short_is_an_error_or_a_picture_never_a_crash(cut: int) -> None:
    whole = cv2.imencode(".jpg", draw([("A-01-03", "Code 128")]).image)[1].tobytes()
    try:
        scans = decode(open_frame(whole[:cut]))
    except ImageError:
        return
    assert [s.text for s in scans] in ([], ["A-01-03"])


def test_a_sensor_turned_by_no_right_angle_is_refused() -> None:
    with pytest.raises(ImageError, match="right angles"):
        open_frame(b"x", 45)


@pytest.mark.parametrize("length", [400, 1_500, 4_000])
def test_a_code_of_thousands_of_characters_is_read_whole_or_not_at_all(length: int) -> None:
    text = ("0123456789" * 400)[:length]
    matrix = np.array([list(row) for row in segno.make(text, error="l").matrix], np.uint8)
    image = np.pad(np.kron(1 - matrix, np.full((5, 5), 255, np.uint8)), 40, constant_values=255)
    read = {s.text for s in decode(image, budget_ms=10_000)}
    assert read <= {text}


def test_bytes_that_are_not_utf8_keep_every_byte_apart() -> None:
    assert text_of(b"A\xff\x1d") == "A\xff\x1d"
    assert text_of("Ö-01".encode()) == "Ö-01"
    assert text_of(b"\xfe") != text_of(b"\xff")


def test_a_qr_of_raw_bytes_and_control_characters_is_a_text_not_a_crash() -> None:
    symbol = segno.make(b"\x00\x01\x1b[2J\xff\xfe\x1d", mode="byte", micro=False)
    matrix = np.array([list(row) for row in symbol.matrix], np.uint8)
    image = np.pad(np.kron(1 - matrix, np.full((6, 6), 255, np.uint8)), 40, constant_values=255)
    for scan in decode(image, budget_ms=5_000):
        assert isinstance(scan.text, str)
        assert scan.text


def test_libzbar_is_given_no_databar_whose_assertion_ends_the_process() -> None:
    reads = ZbarEngine().read(draw([("4006381333931", "EAN-13")]).image)
    assert {r.symbology.value for r in reads} <= {"EAN-13"}


def test_an_engine_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="laser"):
        decode(np.zeros((9, 9), np.uint8), engines=("laser",))


@pytest.mark.slow
def test_thousands_of_frames_do_not_grow_the_process() -> None:
    decoder = Decoder()
    frames = [
        draw(
            [("A-01-03", "Code 128"), ("A-01-03", "QR")], View(module_px=2.0), size=(320, 240)
        ).image,
        np.zeros((240, 320), np.uint8),
        np.random.default_rng(3).integers(0, 255, (240, 320), dtype=np.uint8),
    ]
    for number in range(90):
        decoder.decode(frames[number % 3])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(600):
        decoder.decode(frames[number % 3])
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # 600 frames that leaked one picture each would show 45 MB.
    assert grown_kib < 8 * 1024
