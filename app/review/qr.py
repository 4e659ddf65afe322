"""The enrolment code as a picture that a device's camera reads: address and code in one scan.

The encoder is OpenCV's, which is on the device for scanning anyway.
"""

from __future__ import annotations

import json

import cv2

PIXELS = 6
"""Pixels a module is drawn with; shown at its own size or enlarged without smoothing."""
QUIET = 4
"""White modules around the symbol (ISO/IEC 18004)."""


def enrolment_text(url: str, code: str) -> str:
    """What the picture says, as the device's scanner understands it."""
    return json.dumps({"v": 1, "url": url, "token": code}, separators=(",", ":"))


def enrolment_picture(url: str, code: str) -> bytes:
    """A PNG of the QR code."""
    modules = cv2.QRCodeEncoder.create().encode(enrolment_text(url, code))
    # OpenCV draws a frame of two modules itself; whatever it draws, the quiet zone is made whole.
    framed = cv2.copyMakeBorder(
        modules, QUIET, QUIET, QUIET, QUIET, cv2.BORDER_CONSTANT, value=(255, 255, 255)
    )
    big = cv2.resize(framed, None, fx=PIXELS, fy=PIXELS, interpolation=cv2.INTER_NEAREST)
    done, data = cv2.imencode(".png", big)
    assert done, "a small grey picture can always be written as PNG"
    return data.tobytes()
