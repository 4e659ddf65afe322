"""Reads the codes of one picture with whatever engines are there, and never the wrong code.

The door of the pipeline; how and why it works is told in docs/scanning.md.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from app.scanner.bands import Recipe, Strip, black_and_white, crop, cut
from app.scanner.engines.base import EngineStatus, Gray, Points, Read
from app.scanner.engines.opencv import OpenCvEngine
from app.scanner.engines.opencv import status as opencv_status
from app.scanner.engines.zbar import ZbarEngine
from app.scanner.engines.zbar import status as zbar_status
from app.scanner.engines.zxing import ZxingEngine
from app.scanner.engines.zxing import status as zxing_status
from app.scanner.events import EngineName, Scan
from app.scanner.hard import Heard, evened, from_fit, from_straightened
from app.scanner.judge import WHOLE_FRAME_WEIGHT, Jury, is_long_enough, is_whole, scan_of
from app.scanner.locate import WORK_SIDE, Bars, locate
from app.scanner.squares import cleaned, doubled, forms_of, square
from app.scanner.straighten import Floats, straightened

# A phone's frames come ten a second. Where zxing-cpp is, a processor is faster, and a browser's
# pictures come two or three a second: the last attempts have time to end.
BUDGET_MS = 80.0
BUDGET_DESKTOP_MS = 200.0

# Above this no label gains a pixel a module and every engine slows with the area.
SIDE_MAX = 2_048

# Attempts on the straightened bars, cheapest first.
FIRST = Recipe(rows=24, sharpen_px=1.2, window=8, levels=(0.5,))
_LEVELS = Recipe(rows=24, sharpen_px=2.5, window=8, levels=(0.4, 0.5, 0.6))
_PLAIN = Recipe(rows=24, sharpen_px=0.0, window=8, levels=(0.35, 0.5, 0.65))
_COARSE = Recipe(rows=12, sharpen_px=1.2, window=4, levels=(0.4, 0.6))
# Bars of about one pixel: no pixel of the picture may be blended with the next before it is sharpened.
_FINE = Recipe(rows=24, sharpen_px=0.7, window=8, levels=(0.4, 0.5, 0.6))

# Print that small is found only in the picture as it is.
_FINE_SIDE = 1_280

# Up to here libzbar looks for QR codes on every line; above, every other one is enough.
_QR_EVERY_LINE_PIXELS = 400_000
# Up to here a picture is looked at in twice its size.
_QR_DOUBLED_PIXELS = 1_300_000

# zxing-cpp samples every few rows of a picture; thrice as tall, it sees each of ours.
_ZXING_ROW_HEIGHT = 3

# Gray of paper in full light.
_BRIGHTEST = 255.0

# Places worth the slow attempts.
_HARD_PLACES = 2


class ImageError(ValueError):
    """What was given is not a picture that can be read; the message says why."""


def engines_here() -> tuple[EngineStatus, ...]:
    """Every engine with its version, or the reason and remedy if it is missing."""
    return zbar_status(), opencv_status(), zxing_status()


def decode(
    image: npt.NDArray[np.uint8],
    *,
    engines: Sequence[str] | None = None,
    budget_ms: float | None = None,
    known: Callable[[str], bool] | None = None,
) -> list[Scan]:
    """Every code that could be read in a gray (H, W) or BGR (H, W, 3) uint8 picture.

    `engines`: names allowed ("zbar", "opencv", "zxing"); by default all that are installed.
    `budget_ms`: no further attempt begins after this (80, with zxing-cpp 200); the cheapest one
    always runs.
    `known`: tells a text of this site's bins and barcodes; such a text needs less proof.
    Raises ImageError if it is no such picture, ValueError for an engine that does not exist.
    """
    decoder = Decoder(engines)
    allowed = decoder.budget_ms if budget_ms is None else budget_ms
    started = time.perf_counter()
    gray, scale = gray_of(image)
    spent = (time.perf_counter() - started) * 1000.0
    return decoder.decode(gray, scale, budget_ms=allowed - spent, known=known)


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
    image = np.ascontiguousarray(image)
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    scale = min(1.0, SIDE_MAX / max(image.shape))
    return np.ascontiguousarray(_shrunk(np.asarray(image, np.uint8), scale)), scale


def _shrunk(gray: Gray, scale: float) -> Gray:
    """Halves come first: OpenCV makes them of 48 megapixels in 5 ms, any other size in 80."""
    height, width = (max(1, round(side * scale)) for side in gray.shape)
    while min(gray.shape[0] // height, gray.shape[1] // width) >= 2 and min(gray.shape) >= 2:
        half = (gray.shape[1] // 2, gray.shape[0] // 2)
        gray = np.asarray(cv2.resize(gray, half, interpolation=cv2.INTER_AREA), np.uint8)
    if gray.shape == (height, width):
        return gray
    size = (width, height)
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


class Decoder:
    """The cascade with a fixed set of engines. One per thread: OpenCV's detectors keep state.

    `clock` (seconds) measures the budget: wall time, unless a benchmark on a busy machine asks
    for the thread's own.
    """

    def __init__(
        self,
        engines: Sequence[str] | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._clock = clock
        wanted = set(EngineName) if engines is None else {EngineName(e) for e in engines}
        usable = {s.name for s in engines_here() if s.is_available} & wanted
        self._zbar = ZbarEngine() if EngineName.ZBAR in usable else None
        self._opencv = OpenCvEngine() if EngineName.OPENCV in usable else None
        self._zxing = ZxingEngine() if EngineName.ZXING in usable else None

    @property
    def budget_ms(self) -> float:
        """What a picture may take unless told otherwise."""
        return BUDGET_MS if self._zxing is None else BUDGET_DESKTOP_MS

    def decode(
        self,
        gray: Gray,
        scale: float = 1.0,
        *,
        budget_ms: float | None = None,
        known: Callable[[str], bool] | None = None,
    ) -> list[Scan]:
        """As `decode`, for a picture already made gray by `gray_of`."""
        if budget_ms is None:
            budget_ms = self.budget_ms
        ends_at = self._clock() + budget_ms / 1000.0
        jury = Jury(known)
        for _attempt in self._attempts(gray, jury):
            if jury.believed() or self._clock() > ends_at:
                break
        believed = jury.believed() or jury.believed(is_last=True)
        return [scan_of(claim, jury, scale) for claim in believed]

    def _attempts(self, gray: Gray, jury: Jury) -> Iterator[None]:
        """Each step adds what it read to the jury, cheapest and most telling first."""
        places = locate(gray)
        if self._zbar:
            self._on_bars(gray, places, jury, FIRST)
            yield
            self._zbar_qr_middle(gray, jury)
            yield
        if self._zxing:
            self._zxing_whole(gray, places, jury)
            yield
        if self._zbar:
            self._on_bars(gray, places, jury, _LEVELS)
            yield
            self._zbar_whole(gray, places, jury)
            yield
            if gray.size > _QR_EVERY_LINE_PIXELS:
                self._hear_all(self._zbar.scan(gray, density=(2, 2), is_linear=False), "qr", jury)
                yield
        if self._opencv:
            self._qr_located(gray, jury)
            yield
        if self._zxing:
            self._zxing_crops(gray, places, jury)
            yield
        if self._zbar:
            self._on_bars(gray, places, jury, _PLAIN)
            self._on_bars(gray, places, jury, _COARSE)
            yield
        if self._opencv:
            if places:
                self._hear_all(self._opencv.read_bars(gray), "second opinion", jury)
                yield
            self._qr_located(gray, jury, is_thorough=True)
            yield
        yield from self._late(gray, places, jury)

    def _late(self, gray: Gray, places: Sequence[Bars], jury: Jury) -> Iterator[None]:
        """The slow half. What few pictures need comes last, so the others lose no time to it."""
        yield from self._hard(gray, places, jury)
        if self._zbar is None:
            return
        yield from self._small(gray, places, jury)
        if gray.size > _QR_EVERY_LINE_PIXELS:
            self._hear_all(self._zbar.scan(gray, is_linear=False), "qr", jury)
            yield
        yield from self._qr_cleaned(gray, self._zbar, jury)

    def _small(self, gray: Gray, places: Sequence[Bars], jury: Jury) -> Iterator[None]:
        """Print of about a pixel a module: where it was found, and where only the whole picture
        shows it."""
        self._on_bars(gray, places, jury, _FINE)
        yield
        if max(gray.shape) <= WORK_SIDE:
            return
        self._on_bars(gray, locate(gray, keep=_HARD_PLACES, side=_FINE_SIDE), jury, _FINE)
        yield

    def _qr_cleaned(self, gray: Gray, zbar: ZbarEngine, jury: Jury) -> Iterator[None]:
        """QR codes out of focus, faint, noisy, smeared or wrapped in film, then very small ones. Of
        faint ones every line is needed: every other one reads a third of them."""
        for clean in cleaned(gray):
            self._hear_all(zbar.scan(clean, is_linear=False), "qr", jury)
            yield
        if gray.size <= _QR_DOUBLED_PIXELS:
            for read in zbar.scan(doubled(gray), density=(2, 2), is_linear=False):
                jury.hear(read, "qr", _box(read.points) * np.float32(0.5))
            yield

    def _hard(self, gray: Gray, places: Sequence[Bars], jury: Jury) -> Iterator[None]:
        """Places straightened, for every reader; then numbers fitted to the gray; then the same
        in evened light, where other places are found, and turned to a negative: on a shiny can
        the bars are brighter than what they are printed on."""
        straight: list[tuple[Bars, Floats]] = []
        for bars in places[:_HARD_PLACES]:
            straight.append((bars, straightened(gray, bars)))
            yield from self._hear_straightened(straight[-1][1], bars, jury)
        if self._opencv is None:
            return
        for bars, rows in straight:
            yield from self._hear_hard(from_fit(rows, bars), bars, jury)
        even = evened(gray)
        for bars in locate(even, keep=_HARD_PLACES):
            rows = straightened(even, bars)
            for light in (rows, _BRIGHTEST - rows):
                yield from self._hear_straightened(light, bars, jury)
            for light in (straightened(gray, bars), rows):
                yield from self._hear_hard(from_fit(light, bars), bars, jury)

    def _hear_straightened(self, rows: Floats, bars: Bars, jury: Jury) -> Iterator[None]:
        heard = from_straightened(rows, 2 * bars.half_width, self._zbar, self._zxing)
        yield from self._hear_hard(heard, bars, jury)

    @staticmethod
    def _hear_hard(all_heard: Iterator[Heard], bars: Bars, jury: Jury) -> Iterator[None]:
        for heard in all_heard:
            jury.hear(heard.read, heard.attempt, bars.corners, heard.weight)
        yield

    def _on_bars(self, gray: Gray, places: Sequence[Bars], jury: Jury, recipe: Recipe) -> None:
        """libzbar on clean rows of each place."""
        if self._zbar is None:
            return
        for bars in places:
            strip: Strip = cut(gray, bars, recipe.rows, is_fine=recipe is _FINE)
            clean = black_and_white(strip, recipe)
            width = 2 * bars.half_width * strip.upscale
            for read in self._zbar.scan(clean, density=(0, 1), is_matrix=False):
                if is_whole(read, width):
                    jury.hear(read, repr(recipe), bars.corners)
            if self._zxing is not None and recipe is not FIRST:
                # A witness only: on spread ink zxing-cpp reads a wrong EAN on every row.
                tall = np.repeat(clean, _ZXING_ROW_HEIGHT, axis=0)
                for read in self._zxing.scan(tall, is_upright=True, is_matrix=False):
                    if is_long_enough(read, width):
                        jury.hear(read, "zxing rows", bars.corners, 0.0)

    def _zbar_whole(self, gray: Gray, places: Sequence[Bars], jury: Jury) -> None:
        if self._zbar is None:
            return
        step = 3 if min(gray.shape) > 200 else 1
        for read in self._zbar.scan(gray, density=(step, step), is_matrix=False):
            jury.hear(read, "whole", _place_of(read, places), WHOLE_FRAME_WEIGHT)

    def _zbar_qr_middle(self, gray: Gray, jury: Jury) -> None:
        """QR where a person aims: all of a small picture, the middle quarter of a large one."""
        if self._zbar is None:
            return
        if gray.size <= _QR_EVERY_LINE_PIXELS:
            self._hear_all(self._zbar.scan(gray, is_linear=False), "qr", jury)
            return
        top, left = gray.shape[0] // 4, gray.shape[1] // 4
        middle = np.ascontiguousarray(gray[top : 3 * top, left : 3 * left])
        for read in self._zbar.scan(middle, density=(2, 2), is_linear=False):
            jury.hear(read, "qr", _box(read.points) + np.array([left, top], np.float32))

    def _zxing_whole(self, gray: Gray, places: Sequence[Bars], jury: Jury) -> None:
        if self._zxing is None:
            return
        for read in self._zxing.read(gray):
            x, y = read.points.mean(axis=0)
            under = next((bars for bars in places if bars.holds((float(x), float(y)))), None)
            if under is None or is_long_enough(read, 2 * under.half_width):
                jury.hear(read, "zxing whole", read.points)

    def _zxing_crops(self, gray: Gray, places: Sequence[Bars], jury: Jury) -> None:
        if self._zxing is None:
            return
        for bars in places:
            upright = crop(gray, bars)
            for read in self._zxing.scan(upright, is_upright=True, is_matrix=False):
                jury.hear(read, "zxing crops", bars.corners, 0.5)

    def _qr_located(self, gray: Gray, jury: Jury, *, is_thorough: bool = False) -> None:
        """QR codes that OpenCV finds, straightened and cleaned, for libzbar to read.

        Of 40 drawn codes of 2 to 5 pixels a module, tilted and turned, this read 40, libzbar on
        the frame 33, zxing-cpp 37 and OpenCV's own decoder 18.
        """
        if self._opencv is None:
            return
        for quad in self._opencv.locate_qr(gray, is_thorough=is_thorough):
            if not np.isfinite(quad).all() or np.ptp(quad, axis=0).max() < 20:
                continue
            for clean in forms_of(square(gray, quad)):
                reads = self._read_qr(clean)
                for read in reads:
                    jury.hear(read, "qr located", quad)
                if reads:
                    break

    def _read_qr(self, square: Gray) -> list[Read]:
        if self._zbar is not None:
            return self._zbar.scan(square, is_linear=False)
        return self._opencv.read_qr(square) if self._opencv is not None else []

    @staticmethod
    def _hear_all(reads: Sequence[Read], attempt: str, jury: Jury) -> None:
        for read in reads:
            jury.hear(read, attempt, _box(read.points))


def _place_of(read: Read, places: Sequence[Bars]) -> Points:
    """The located bars a whole-frame read lies on, else the box of its own points."""
    if len(read.points):
        middle = (float(read.points[:, 0].mean()), float(read.points[:, 1].mean()))
        for bars in places:
            if bars.holds(middle):
                return bars.corners
    return _box(read.points)


def _box(points: Points) -> Points:
    if len(points) == 4 or not len(points):
        return points if len(points) else np.zeros((4, 2), np.float32)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
