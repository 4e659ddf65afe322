"""The last attempts on one place of bars: straightened first, then every reader once more.

For labels seen from the side or on a bottle, out of focus, small, or with ink that has spread.
It costs tens of milliseconds a place, so it runs only where nothing else was believed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from app.scanner.bands import WIDTH_MAX, Recipe, Strip, black_and_white
from app.scanner.blurred.reader import read_number
from app.scanner.engines.base import Gray, Read
from app.scanner.engines.zbar import ZbarEngine
from app.scanner.engines.zxing import ZxingEngine
from app.scanner.events import EngineName, Symbology
from app.scanner.judge import ROWS_CERTAIN_ELSE, is_long_enough, is_whole
from app.scanner.locate import Bars
from app.scanner.straighten import Floats

_RECIPES = (
    Recipe(rows=24, sharpen_px=1.2, window=8, levels=(0.4, 0.5, 0.6)),
    Recipe(rows=24, sharpen_px=2.5, window=8, levels=(0.4, 0.5, 0.6)),
    Recipe(rows=24, sharpen_px=0.0, window=8, levels=(0.5,)),
)
_ROWS = 24
_UPSCALE = 4
_GRAY_ZOOM = 3
_GRAY_WIDTH_MAX = 1_600
_LOCAL_LIMIT, _LOCAL_TILES = 3.0, (4, 4)

# Light is evened over this share of the longer side; noise of this many grays stays small.
_EVEN_SHARE = 8
_EVEN_NOISE = 6.0
_EVEN_MIDDLE, _EVEN_SPREAD = 128.0, 48.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A read, the attempt it came from, and how much a row of it weighs."""

    read: Read
    attempt: str
    weight: float = 1.0


def from_straightened(
    rows: Floats, width: float, zbar: ZbarEngine | None, zxing: ZxingEngine | None
) -> Iterator[Heard]:
    """What libzbar and zxing-cpp read of a straightened place with bars `width` pixels wide."""
    if zbar is not None:
        strip = _strip(rows)
        for recipe in _RECIPES:
            clean = black_and_white(strip, recipe)
            for read in zbar.scan(clean, density=(0, 1), is_matrix=False):
                if is_whole(read, width * strip.upscale):
                    yield Heard(read, f"straight {recipe}")
    if zxing is not None:
        zoom = min(_GRAY_ZOOM, max(1.0, _GRAY_WIDTH_MAX / rows.shape[1]))
        big = cv2.resize(rows, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
        picture = np.clip(big, 0, 255).astype(np.uint8)
        local = cv2.createCLAHE(_LOCAL_LIMIT, _LOCAL_TILES).apply(picture)
        for name, gray_rows in (("straight gray", picture), ("straight local", local)):
            for read in zxing.scan(np.asarray(gray_rows), is_upright=True, is_matrix=False):
                if is_long_enough(read, width * zoom):
                    yield Heard(read, name, 0.5)


def from_fit(rows: Floats, bars: Bars) -> Iterator[Heard]:
    """The EAN-13 or UPC-A that fits a straightened place far better than every other number."""
    number = read_number(rows, 2 * bars.half_width)
    if number is not None:
        text = number.text
        kind = Symbology.UPC_A if text.startswith("0") else Symbology.EAN_13
        read = Read(
            text=text.removeprefix("0") if kind is Symbology.UPC_A else text,
            symbology=kind,
            points=bars.corners,
            engine=EngineName.OPENCV,
            quality=ROWS_CERTAIN_ELSE,
            is_proven=True,
        )
        yield Heard(read, "fit")


def evened(gray: Gray) -> Gray:
    """The picture with the same light and contrast everywhere: a faint label beside strong edges
    is found in it, and one under a lamp is read."""
    size = int(max(8.0, max(gray.shape) / _EVEN_SHARE)) | 1
    light = gray.astype(np.float32)
    mean = cv2.blur(light, (size, size))
    square = cv2.blur(light * light, (size, size)) - mean * mean
    spread = np.sqrt(np.maximum(square, 0.0)) + _EVEN_NOISE
    even = _EVEN_MIDDLE + _EVEN_SPREAD * (light - mean) / spread
    return np.asarray(np.clip(even, 0, 255).astype(np.uint8))


def _strip(rows: Floats) -> Strip:
    width = rows.shape[1]
    upscale = max(1, min(_UPSCALE, WIDTH_MAX // width))
    few = cv2.resize(rows, (width, _ROWS), interpolation=cv2.INTER_AREA)
    wide = cv2.resize(few, (width * upscale, _ROWS), interpolation=cv2.INTER_CUBIC)
    return Strip(rows=np.asarray(wide, np.float32), upscale=upscale, width=width)
