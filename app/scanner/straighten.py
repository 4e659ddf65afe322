"""Makes bars of one place parallel: a label seen from the side, on a bottle, or held askew.

Averaging along the bars only helps if they are upright everywhere. Along a bar the picture does
not change, so its slope `t` obeys `dI/dy + t dI/dx = 0`; a slope that varies smoothly over the
place is found from all pixels at once, by least squares.
"""

import cv2
import numpy as np
import numpy.typing as npt

from app.scanner.bands import upright
from app.scanner.engines.base import Gray
from app.scanner.locate import Bars

Floats = npt.NDArray[np.float32]

_GROW = 0.2
_MARGIN_PX = 5.0
_HEIGHT_SHARE = 0.85
_ROWS = (12, 72)
_PASSES = 2
_TRUST_ROUNDS = 3


def straightened(gray: Gray, bars: Bars) -> Floats:
    """The place with its bars upright: rows of gray levels, one pixel of the picture a column,
    a fifth of its width added on both sides for quiet zones."""
    half_width = bars.half_width * (1 + 2 * _GROW) + _MARGIN_PX
    half_height = max(1.0, bars.half_height * _HEIGHT_SHARE)
    width = max(16, round(2 * half_width))
    rows = int(np.clip(round(2 * half_height), *_ROWS))
    cut = upright(gray, bars, (width, rows), (1.0, 2 * half_height / rows)).astype(np.float32)
    total = np.zeros(5, np.float32)
    bent = cut
    for _ in range(_PASSES):
        total += _slopes(bent)
        bent = _unbent(cut, total)
    return bent


def _terms(shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Coordinates of every pixel, -1 to 1: shapes (1, width) and (rows, 1)."""
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None]
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    return x, y


def _slopes(cut: Floats) -> Floats:
    """Of t = a + b x + c x^2 + d y + e x y. Pixels that no slope explains (print, edges) lose
    their say."""
    soft = cv2.GaussianBlur(cut, (0, 0), 1.0)
    dx = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3)
    dy = cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3)
    x, y = _terms(cut.shape)
    ones = np.ones_like(cut)
    basis = np.stack([ones, x * ones, x * x * ones, y * ones, x * y], -1).reshape(-1, 5)
    across, down = dx.ravel(), dy.ravel()
    energy = across * across + down * down
    doubt = 0.1 * energy + 0.05 * energy.mean() + 1e-6
    trust = np.ones_like(across)
    slopes = np.zeros(5, np.float32)
    for _ in range(_TRUST_ROUNDS):
        weighed = basis * (trust * across * across)[:, None]
        square = weighed.T @ basis
        square += np.eye(5, dtype=np.float32) * (1e-4 * np.trace(square) / 5 + 1e-6)
        slopes = np.linalg.solve(square, -basis.T @ (trust * across * down))
        trust = 1.0 / (1.0 + (down + (basis @ slopes) * across) ** 2 / doubt)
    return np.asarray(slopes, np.float32)


def _unbent(cut: Floats, slopes: Floats) -> Floats:
    """Each row moved so that bars which lean by `slopes` stand upright."""
    x, y = _terms(cut.shape)
    a, b, c, d, e = slopes
    half = (cut.shape[0] - 1) / 2
    shift = half * (y * (a + b * x + c * x * x) + y * y / 2 * (d + e * x))
    columns = np.arange(cut.shape[1], dtype=np.float32)[None] + shift
    rows = np.broadcast_to(np.arange(cut.shape[0], dtype=np.float32)[:, None], cut.shape)
    return np.asarray(
        cv2.remap(
            cut,
            columns.astype(np.float32),
            np.ascontiguousarray(rows),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )
