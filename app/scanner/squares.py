"""Pictures of QR codes made easy for libzbar, which reads clean squares well and finds edges badly."""

from collections.abc import Iterator

import cv2
import numpy as np

from app.scanner.engines.base import Gray, Points

_SIDE = 330
_QUIET = 40

# Creases in film are bright and narrower than this many pixels.
_CREASE = 3


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
    """The whole picture made clean in three ways: without noise and with edges again (noise, faint
    print, a shaking hand); sharp again (a lens out of focus, a quiet picture); without the bright
    creases of shrink wrap. Sigmas in pixels and strengths are those that read most drawn labels."""
    yield _sharpened(np.asarray(cv2.GaussianBlur(gray, (0, 0), 1.0), np.uint8), 4.0, 6.0)
    yield _sharpened(gray, 3.0, 4.0)
    flat = cv2.morphologyEx(gray, cv2.MORPH_OPEN, np.ones((_CREASE, _CREASE), np.uint8))
    yield _sharpened(np.asarray(flat, np.uint8), 4.0, 6.0)


def doubled(gray: Gray) -> Gray:
    """Twice as large: libzbar wants more than two pixels a module."""
    return np.asarray(cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)


def _sharpened(gray: Gray, sigma: float, strength: float) -> Gray:
    soft = cv2.GaussianBlur(gray, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(gray, 1 + strength, soft, -strength, 0), np.uint8)
