"""Straightens bars into a few clean rows and draws them as crisp black and white for libzbar.

libzbar reads widths well but finds edges badly: a gray surround, blur, ink that has spread or a
slope defeat it. So the edges are found here: the code is cut out upright, averaged along its
bars (which removes noise and costs nothing, bars have no detail that way), sharpened across
them, and cut at several levels between the local darkest and brightest. Each row at each level
is an independent chance to read, and the number of rows that agree says how sure the text is.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from app.scanner.engines.base import Gray
from app.scanner.locate import Bars

Floats = npt.NDArray[np.float32]

_MARGIN_SHARE = 0.10
_MARGIN_PX = 10
_HEIGHT_SHARE = 0.85
_UPSCALE = 4
WIDTH_MAX = 4_800
# Below this difference of gray there is no print, only noise.
_CONTRAST_LEAST = 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How rows become black and white. `rows` averaged along the bars; `sharpen_px` the sigma of
    the unsharp mask (0: none); `window` the share of the width (1/window) in which darkest and
    brightest are taken; `levels` where between them to cut."""

    rows: int
    sharpen_px: float
    window: int
    levels: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Bars cut out upright: `rows` by `width * upscale` gray levels."""

    rows: Floats
    upscale: int
    width: int


def cut(gray: Gray, bars: Bars, rows: int, *, is_fine: bool = False) -> Strip:
    """The bars as `rows` averaged rows, with a margin on both sides for the quiet zone.

    `is_fine`: sampled between the pixels at once, for bars of about a pixel. Rows of bars that lean
    a little have seen them at different offsets; sampled a pixel apart first, that is lost.
    """
    half_width = bars.half_width * (1 + _MARGIN_SHARE) + _MARGIN_PX
    half_height = max(1.0, bars.half_height * _HEIGHT_SHARE)
    width = max(16, round(2 * half_width))
    height = min(max(round(2 * half_height / rows), 1), 6) * rows
    upscale = max(1, min(_UPSCALE, WIDTH_MAX // width))
    columns = width * upscale if is_fine else width
    steps = (width / columns, 2 * half_height / height)
    sampled = upright(gray, bars, (columns, height), steps).astype(np.float32)
    averaged = cv2.resize(sampled, (columns, rows), interpolation=cv2.INTER_AREA)
    wide = cv2.resize(averaged, (width * upscale, rows), interpolation=cv2.INTER_CUBIC)
    return Strip(rows=np.asarray(wide, np.float32), upscale=upscale, width=width)


def crop(gray: Gray, bars: Bars, zoom: float = 2.0) -> Gray:
    """The bars as an upright gray picture, for engines that want one."""
    half_width = bars.half_width * (1 + _MARGIN_SHARE) + _MARGIN_PX
    zoom = min(zoom, max(1.0, 1_600 / (2 * half_width)))
    width = max(16, round(2 * half_width * zoom))
    height = max(8, min(400, round(2 * bars.half_height * _HEIGHT_SHARE * zoom)))
    step = 2 * bars.half_height * _HEIGHT_SHARE / height
    return upright(gray, bars, (width, height), (1.0 / zoom, step))


def upright(gray: Gray, bars: Bars, size: tuple[int, int], steps: tuple[float, float]) -> Gray:
    """Samples the picture on a grid turned like the bars: `size` columns and rows, `steps` in
    image pixels from one column to the next and from one row to the next."""
    (width, height), (column_step, row_step) = size, steps
    along = np.array([np.cos(bars.angle), np.sin(bars.angle)]) * column_step
    down = np.array([-np.sin(bars.angle), np.cos(bars.angle)]) * row_step
    origin = np.array(bars.centre) - along * (width / 2) - down * (height / 2)
    matrix = np.array([[along[0], down[0], origin[0]], [along[1], down[1], origin[1]]])
    kind = cv2.INTER_LINEAR if column_step == 1.0 else cv2.INTER_CUBIC
    return np.asarray(
        cv2.warpAffine(
            gray,
            matrix.astype(np.float32),
            (width, height),
            flags=kind | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


def black_and_white(strip: Strip, recipe: Recipe) -> Gray:
    """All rows at all levels, one below the other, 0 and 255."""
    rows = strip.rows
    if recipe.sharpen_px:
        sigma = recipe.sharpen_px * strip.upscale
        rows = 3 * rows - 2 * cv2.GaussianBlur(rows, (0, 0), sigmaX=sigma, sigmaY=0.01)
    window = max(9, rows.shape[1] // recipe.window) | 1
    kernel = np.ones((1, window), np.uint8)
    brightest = cv2.blur(cv2.dilate(rows, kernel), (window, 1))
    darkest = cv2.blur(cv2.erode(rows, kernel), (window, 1))
    place = (rows - darkest) / np.maximum(brightest - darkest, _CONTRAST_LEAST)
    return np.vstack([np.where(place > level, 255, 0) for level in recipe.levels]).astype(np.uint8)
