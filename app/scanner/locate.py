"""Finds where bars lie and at what angle, in about 4 ms a camera frame.

Bars are the places where all edges run one way. The structure tensor of the half-size picture
says so cell by cell; connected cells of one direction are a code, whatever its symbology. Text,
carton edges and tape are found too: they cost a millisecond each and read as nothing.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from app.scanner.engines.base import Gray, Points

# The tensor needs bars of at least a pixel; codes of 2 px a module at 1280 px keep them at 640.
WORK_SIDE = 640
_CELL = 4
_SMOOTH = (5, 5)

# A cell is bars if half of its edge energy has one direction, and it has enough of it: a twelfth
# of the strongest cells', and more than sensor noise gives (Sobel units squared).
_ONE_WAY = 0.5
_STRONG_SHARE = 0.08
_STRONG_LEAST = 960.0
_CELLS_LEAST = 12

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A place of parallel edges. `angle` is the direction across the bars (radians from the
    picture's x axis); lengths in image pixels; `strength` orders them, strongest first."""

    centre: tuple[float, float]
    angle: float
    half_width: float
    half_height: float
    strength: float

    @property
    def corners(self) -> Points:
        """Clockwise from the upper left as the bars are read."""
        along = np.array([np.cos(self.angle), np.sin(self.angle)]) * self.half_width
        down = np.array([-np.sin(self.angle), np.cos(self.angle)]) * self.half_height
        middle = np.array(self.centre)
        corners = [middle - along - down, middle + along - down]
        corners += [middle + along + down, middle - along + down]
        return np.array(corners, np.float32)

    def holds(self, point: tuple[float, float]) -> bool:
        """Whether a point lies on these bars."""
        return cv2.pointPolygonTest(self.corners, point, False) >= 0


def locate(gray: Gray, *, keep: int = 6, side: int = WORK_SIDE) -> list[Bars]:
    """At most `keep` places of bars, strongest first; `side`: the longer side of the picture that
    is looked at, pixels (twice as long, it costs four times as much and sees print half as wide).
    """
    scale = min(1.0, side / max(gray.shape))
    small = gray
    if scale < 1.0:
        # A strip of one pixel keeps its one: half of it would be no picture at all.
        size = (max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale)))
        small = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = (side - side % _CELL for side in small.shape)
    if min(height, width) < 4 * _CELL:
        return []
    cosine, sine, energy = _tensor(small[:height, :width])
    labels, order = _components(cosine, sine, energy)
    found = (_bars(labels, index, cosine, sine, scale) for index in order[:keep])
    return [bars for bars in found if bars is not None]


def _tensor(small: Gray) -> tuple[Floats, Floats, Floats]:
    """Per cell: the doubled-angle direction of its edges (cosine, sine) and their energy."""
    gx = cv2.Sobel(small, cv2.CV_32F, 1, 0, ksize=3)
    gy = cv2.Sobel(small, cv2.CV_32F, 0, 1, ksize=3)
    size = (small.shape[1] // _CELL, small.shape[0] // _CELL)

    def cells(product: cv2.typing.MatLike) -> Floats:
        mean = cv2.resize(product, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.blur(mean, _SMOOTH), np.float32)

    xx, yy, xy = (cells(cv2.multiply(a, b)) for a, b in ((gx, gx), (gy, gy), (gx, gy)))
    return xx - yy, 2 * xy, xx + yy


def _components(
    cosine: Floats, sine: Floats, energy: Floats
) -> tuple[npt.NDArray[np.int32], list[int]]:
    """Connected cells with one direction, numbered; and the numbers, strongest first."""
    one_way = cv2.magnitude(cosine, sine)
    rank = energy.size - 1 - energy.size // 100
    strong = float(np.partition(energy.ravel(), rank)[rank])
    least = max(_STRONG_LEAST, _STRONG_SHARE * strong)
    mask = ((one_way > _ONE_WAY * energy) & (energy > least)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    flat = labels.ravel()
    power = np.hypot(
        np.bincount(flat, cosine.ravel(), count), np.bincount(flat, sine.ravel(), count)
    )
    power[0] = 0.0
    power[stats[:, cv2.CC_STAT_AREA] < _CELLS_LEAST] = 0.0
    order = [int(i) for i in np.argsort(-power) if power[i] > 0.0]
    return np.asarray(labels, np.int32), order


def _bars(
    labels: npt.NDArray[np.int32], index: int, cosine: Floats, sine: Floats, scale: float
) -> Bars | None:
    """One component as a turned box, from the cells that share its main direction."""
    ys, xs = np.nonzero(labels == index)
    c, s = cosine[ys, xs], sine[ys, xs]
    total_c, total_s = float(c.sum()), float(s.sum())
    angle = 0.5 * np.arctan2(total_s, total_c)
    power = float(np.hypot(total_c, total_s))
    agree = (c * total_c + s * total_s) > 0.7 * power * np.hypot(c, s)
    if agree.sum() < _CELLS_LEAST // 2:
        return None
    x, y = (xs[agree] + 0.5) * _CELL, (ys[agree] + 0.5) * _CELL
    across = x * np.cos(angle) + y * np.sin(angle)
    down = y * np.cos(angle) - x * np.sin(angle)
    (left, right), (top, bottom) = np.percentile(across, [0.5, 99.5]), np.percentile(down, [2, 98])
    half_width = (right - left + _CELL) / 2
    if half_width < 2 * _CELL:
        return None
    u, v = (left + right) / 2, (top + bottom) / 2
    return Bars(
        centre=(
            float(u * np.cos(angle) - v * np.sin(angle)) / scale,
            float(u * np.sin(angle) + v * np.cos(angle)) / scale,
        ),
        angle=float(angle),
        half_width=float(half_width) / scale,
        half_height=float(max(bottom - top, _CELL)) / 2 / scale,
        strength=power,
    )
