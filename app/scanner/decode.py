"""Reads the codes of one picture with whatever engines are there, and never the wrong code.

The door of the pipeline; how and why it works is told in docs/scanning.md.
"""

import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from app.scanner.engines.base import EngineStatus, Gray, Points, Read
from app.scanner.engines.opencv import OpenCvEngine
from app.scanner.engines.opencv import status as opencv_status
from app.scanner.engines.zbar import ZbarEngine
from app.scanner.engines.zbar import status as zbar_status
from app.scanner.engines.zxing import ZxingEngine
from app.scanner.engines.zxing import status as zxing_status
from app.scanner.events import Corner, EngineName, Scan, box_corners
from app.scanner.gs1 import is_check_digit_right

BUDGET_MS = 120.0

# Above this no label gains a pixel a module and every engine slows with the area.
SIDE_MAX = 2_048


class ImageError(ValueError):
    """What was given is not a picture that can be read; the message says why."""


def engines_here() -> tuple[EngineStatus, ...]:
    """Every engine with its version, or the reason and remedy if it is missing."""
    return zbar_status(), opencv_status(), zxing_status()


def decode(
    image: npt.NDArray[np.uint8],
    *,
    engines: Sequence[str] | None = None,
    budget_ms: float = BUDGET_MS,
    known: Callable[[str], bool] | None = None,
) -> list[Scan]:
    """Every code that could be read in a gray (H, W) or BGR (H, W, 3) uint8 picture.

    `engines`: names allowed ("zbar", "opencv", "zxing"); by default all that are installed.
    `budget_ms`: no further attempt begins after this; the cheapest one always runs.
    `known`: tells a text of this site's bins and barcodes; such a text needs less proof.
    Raises ImageError if it is no such picture.
    """
    gray, scale = gray_of(image)
    return Decoder(engines).decode(gray, scale, budget_ms=budget_ms, known=known)


def gray_of(image: object) -> tuple[Gray, float]:
    """The picture as contiguous gray of bounded size, and the factor it was shrunk by (<= 1)."""
    if not isinstance(image, np.ndarray):
        raise ImageError(f"a picture is a numpy array, not {type(image).__name__}")
    if image.dtype != np.uint8:
        raise ImageError(f"a picture has 8 bits a channel, not {image.dtype}")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ImageError(f"a picture is gray or BGR, not of shape {image.shape}")
    if image.size == 0:
        raise ImageError("the picture is empty")
    scale = min(1.0, SIDE_MAX / max(image.shape[:2]))
    if scale < 1.0:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return np.ascontiguousarray(image), scale


class Decoder:
    """The cascade with a fixed set of engines. One per thread: OpenCV's detectors keep state."""

    def __init__(self, engines: Sequence[str] | None = None) -> None:
        wanted = set(EngineName) if engines is None else {EngineName(e) for e in engines}
        usable = {s.name for s in engines_here() if s.is_available} & wanted
        self._zbar = ZbarEngine() if EngineName.ZBAR in usable else None
        self._opencv = OpenCvEngine() if EngineName.OPENCV in usable else None
        self._zxing = ZxingEngine() if EngineName.ZXING in usable else None

    def decode(
        self,
        gray: Gray,
        scale: float = 1.0,
        *,
        budget_ms: float = BUDGET_MS,
        known: Callable[[str], bool] | None = None,
    ) -> list[Scan]:
        """As `decode`, for a picture already made gray by `gray_of`."""
        ends_at = time.perf_counter() + budget_ms / 1000.0
        reads: list[Read] = []
        for step in (self._whole, self._crops, self._second):
            reads += step(gray)
            scans = judge(reads, known or (lambda _text: False), scale)
            if scans or time.perf_counter() > ends_at:
                break
        return scans

    def _whole(self, gray: Gray) -> list[Read]:
        found = self._zbar.read(gray) if self._zbar else []
        return found + (self._zxing.read(gray) if self._zxing else [])

    def _crops(self, gray: Gray) -> list[Read]:
        if self._opencv is None:
            return []
        found: list[Read] = []
        for quad in self._opencv.locate_bars(gray):
            crop, back = straighten(gray, quad)
            for engine in (self._zbar, self._zxing):
                for read in engine.read(crop) if engine else []:
                    found.append(_moved(read, back))
        return found

    def _second(self, gray: Gray) -> list[Read]:
        if self._opencv is None:
            return []
        return self._opencv.read_bars(gray) + self._opencv.read_qr(gray)


def straighten(gray: Gray, quad: Points, pad: int = 24) -> tuple[Gray, npt.NDArray[np.float64]]:
    """An upright crop of a quadrilateral with a white quiet zone; and the way back as a matrix."""
    width = max(np.hypot(*(quad[1] - quad[0])), np.hypot(*(quad[2] - quad[3])))
    height = max(np.hypot(*(quad[3] - quad[0])), np.hypot(*(quad[2] - quad[1])))
    if width < height:
        quad, width, height = np.roll(quad, 1, axis=0), height, width
    grow = 1.06
    centre = quad.mean(axis=0)
    quad = ((quad - centre) * grow + centre).astype(np.float32)
    size = (max(8, round(width * grow)), max(8, round(height * grow)))
    target = np.array(
        [(0, 0), (size[0] - 1, 0), (size[0] - 1, size[1] - 1), (0, size[1] - 1)], np.float32
    )
    there = cv2.getPerspectiveTransform(quad, target + pad)
    crop = cv2.warpPerspective(
        gray,
        there,
        (size[0] + 2 * pad, size[1] + 2 * pad),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=255,
    )
    crop[:pad], crop[-pad:], crop[:, :pad], crop[:, -pad:] = 255, 255, 255, 255
    return np.asarray(crop, np.uint8), np.linalg.inv(there).astype(np.float64)


def _moved(read: Read, back: npt.NDArray[np.float64]) -> Read:
    points = cv2.perspectiveTransform(read.points.reshape(1, -1, 2), back)
    return Read(
        text=read.text,
        symbology=read.symbology,
        points=np.asarray(points, np.float32).reshape(-1, 2),
        engine=read.engine,
        quality=read.quality,
    )


def judge(reads: Sequence[Read], known: Callable[[str], bool], scale: float) -> list[Scan]:
    """The reads that may be believed, one scan for each text."""
    by_text: dict[str, list[Read]] = {}
    for read in reads:
        key = read.text.zfill(14) if read.symbology.is_retail else read.text
        by_text.setdefault(key, []).append(read)
    scans = []
    for group in by_text.values():
        best = max(group, key=lambda r: (r.engine is not EngineName.OPENCV, r.quality))
        witnesses = tuple(dict.fromkeys(r.engine for r in group))
        if not _is_believed(best, witnesses, known):
            continue
        scans.append(
            Scan(
                text=best.text,
                symbology=best.symbology,
                corners=_corners(best, scale),
                engine=best.engine,
                quality=best.quality,
                witnesses=witnesses,
            )
        )
    return scans


def _is_believed(read: Read, witnesses: Sequence[EngineName], known: Callable[[str], bool]) -> bool:
    if read.symbology.is_retail and not is_check_digit_right(read.text):
        return read.symbology.value == "UPC-E" and read.quality >= 10
    if read.symbology.is_matrix or known(read.text) or len(witnesses) > 1:
        return True
    if read.engine is EngineName.OPENCV:
        return False
    return read.quality >= (2 if read.symbology.value in {"Code 128", "GS1-128"} else 10)


def _corners(read: Read, scale: float) -> tuple[Corner, Corner, Corner, Corner]:
    points = [(float(x) / scale, float(y) / scale) for x, y in read.points] or [(0.0, 0.0)]
    if len(points) == 4:
        a, b, c, d = points
        return a, b, c, d
    return box_corners(points)
