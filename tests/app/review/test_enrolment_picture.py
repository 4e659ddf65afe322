"""The picture that enrols a device is read by the device's own scanner and means what it says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import pyzbar.pyzbar as zbar

from app.review.qr import enrolment_picture, enrolment_text
from app.scanner.label import EnrolmentCode, interpret

URL = "http://warehouse.example:8400"


class Nothing:
    """A site without bins and items."""

    def lookup_bin(self, _text: str) -> None:
        return None

    def lookup_barcode(self, _text: str) -> tuple[()]:
        return ()


@pytest.mark.parametrize("turn", [None, cv2.ROTATE_90_CLOCKWISE])
def test_the_picture_is_read_and_names_server_and_code(turn: int | None) -> None:
    picture = cv2.imdecode(
        np.frombuffer(enrolment_picture(URL, "K7QXM2WPRD"), np.uint8), cv2.IMREAD_GRAYSCALE
    )
    if turn is not None:
        picture = cv2.rotate(picture, turn)

    (found,) = zbar.decode(picture)

    assert interpret(found.data.decode(), None, Nothing()) == EnrolmentCode(
        url=URL, token="K7QXM2WPRD", ca=None
    )
    assert found.data.decode() == enrolment_text(URL, "K7QXM2WPRD")


def test_the_picture_keeps_four_white_modules_around_it() -> None:
    picture = cv2.imdecode(
        np.frombuffer(enrolment_picture(URL, "K7QXM2WPRD"), np.uint8), cv2.IMREAD_GRAYSCALE
    )

    assert picture[:24].min() == picture[:, :24].min() == 255
