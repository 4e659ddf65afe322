"""Pictures of QR codes made easy for libzbar, which reads clean squares well and finds edges badly."""

from collections.abc import Iterator

import cv2
import numpy as np

from app.scanner.engines.base import Gray, Points

_SIDE = 330
_QUIET = 40

# (sigma of the noise taken out, sigma of the unsharp mask, its strength), pixels. The first is for
# noise, faint print and a shaking hand; the second for a lens out of focus, of a quiet picture.
_CLEANINGS = ((1.0, 4.0, 6.0), (0.0, 3.0, 4.0))


def square(gray: Gray, quad: Points) -> Gray:
    """A QR code as an upright square with a margin of what lies around it."""
    near, far = _QUIET, _QUIET + _SIDE
    target = np.array([(near, near), (far, near), (far, far), (near, far)], np.float32)
    matrix = cv2.getPerspectiveTransform(quad, target)
    size = (far + near, far + near)
    found = cv2.warpPerspective(
        gray, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(found, np.uint8)


def forms_of(upright: Gray) -> Iterator[Gray]:
    """A square as it is, sharpened, and cut at the local mean."""
    yield upright
    yield _sharpened(upright, 3.0, 2.0)
    clean = cv2.adaptiveThreshold(
        upright, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 91, 3
    )
    yield np.asarray(clean, np.uint8)


def cleaned(gray: Gray) -> Iterator[Gray]:
    """The whole picture without noise and with edges again, in two strengths."""
    for noise, sigma, strength in _CLEANINGS:
        quiet = np.asarray(cv2.GaussianBlur(gray, (0, 0), noise) if noise else gray, np.uint8)
        yield _sharpened(quiet, sigma, strength)


def doubled(gray: Gray) -> Gray:
    """Twice as large: libzbar wants more than two pixels a module."""
    return np.asarray(cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)


def _sharpened(gray: Gray, sigma: float, strength: float) -> Gray:
    soft = cv2.GaussianBlur(gray, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(gray, 1 + strength, soft, -strength, 0), np.uint8)
