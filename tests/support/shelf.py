"""Draws what a camera sees in an aisle: labels on cartons, as pictures and as Y4M video.

Barcodes are encoded by zxing-cpp; everything around them (print, light, lens, hand) is drawn
here with numpy and OpenCV. Every random choice comes from a seed given by the caller.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

Image = npt.NDArray[np.uint8]

_FORMATS = {
    "Code 128": "Code128",
    "GS1-128": "Code128",
    "EAN-13": "EAN13",
    "EAN-8": "EAN8",
    "UPC-A": "UPCA",
    "UPC-E": "UPCE",
    "Code 39": "Code39",
    "ITF": "ITF",
    "QR": "QRCode",
    "GS1 QR": "QRCode",
    "DataMatrix": "DataMatrix",
    "GS1 DataMatrix": "DataMatrix",
}
_MATRIX = frozenset({"QR", "GS1 QR", "DataMatrix", "GS1 DataMatrix"})


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How one label is seen. Lengths in image pixels, angles in degrees, grays 0 to 255.

    `module_px` is the width of the narrowest bar; `blur_px` is defocus (sigma), `motion_px` the
    length a shaking hand smears; `tilt_x` and `tilt_y` turn the label away about the vertical
    and horizontal axis; `contrast` scales ink against paper; `ink` is how many modules wider every
    bar was printed (negative: thinner); `glare` 0 to 1 is the share of the
    label under a lamp's reflection; `wrap` 0 to 4 is crumpled film; `covered` 0 to 1 is the
    share of the label's width under a hand.
    """

    module_px: float = 3.0
    rotation: float = 0.0
    tilt_x: float = 0.0
    tilt_y: float = 0.0
    blur_px: float = 0.6
    motion_px: float = 0.0
    motion_angle: float = 0.0
    noise: float = 4.0
    contrast: float = 1.0
    ink: float = 0.0
    exposure: float = 1.0
    glare: float = 0.0
    wrap: float = 0.0
    covered: float = 0.0
    surround: int = 120
    shift: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A drawn picture and the truth: each label's text, symbology and corners in pixels."""

    image: Image
    labels: list[tuple[str, str, npt.NDArray[np.float32]]] = field(default_factory=list)


def barcode(text: str, symbology: str) -> Image:
    """One module a pixel, with its quiet zone; 1-D codes 50 rows high."""
    kind = getattr(zxingcpp.BarcodeFormat, _FORMATS[symbology])
    is_gs1 = symbology.startswith("GS1")
    code = zxingcpp.create_barcode(text, kind, **({"gs1": True} if is_gs1 else {}))
    pixels = np.array(code.to_image(scale=1, add_quiet_zones=False))
    if symbology in _MATRIX:
        return np.pad(pixels, 4, constant_values=255)
    row = _finest_row(pixels)
    return np.pad(np.tile(row, (50, 1)), ((3, 3), (10, 10)), constant_values=255)


def _finest_row(pixels: Image) -> Image:
    """One row of bars with one pixel a module, whatever scale the encoder chose."""
    row = pixels[pixels.shape[0] // 2]
    edges = np.flatnonzero(np.diff(row.astype(np.int16))) + 1
    runs = np.diff(np.concatenate(([0], edges, [row.size])))
    return row[:: int(np.gcd.reduce(runs))]


def label(text: str, symbology: str, *, is_captioned: bool = True, scale: int = 8) -> Image:
    """A printed label: the code, and its text below; `scale` pixels a module."""
    code = barcode(text, symbology)
    code = cv2.resize(code, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    code = np.pad(code, scale * 2, constant_values=255)
    if not is_captioned:
        return code
    strip = np.full((10 * scale, code.shape[1]), 255, np.uint8)
    caption = text if len(text) <= 40 else text[:37] + "..."
    size = cv2.getTextSize(caption, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)[0]
    fit = min(strip.shape[1] * 0.9 / size[0], strip.shape[0] * 0.6 / size[1])
    at = (int((strip.shape[1] - size[0] * fit) / 2), int(strip.shape[0] * 0.75))
    cv2.putText(strip, caption, at, cv2.FONT_HERSHEY_SIMPLEX, fit, 20, max(1, round(2 * fit)))
    return np.vstack([code, strip])


def draw(
    labels: Sequence[tuple[str, str]],
    view: View | Sequence[View] = View(),
    *,
    size: tuple[int, int] = (1280, 720),
    seed: int = 0,
) -> Frame:
    """A gray camera frame (`size` is width, height) with the labels side by side or stacked."""
    rng = np.random.default_rng(seed)
    views = [view] * len(labels) if isinstance(view, View) else list(view)
    first = view if isinstance(view, View) else views[0]
    canvas = _shelf(size, first.surround, rng)
    truth = []
    for index, ((text, symbology), one) in enumerate(zip(labels, views, strict=True)):
        corners = _place(canvas, (text, symbology), one, _spot(index, len(labels), size), rng)
        truth.append((text, symbology, corners))
    return Frame(image=_camera(canvas, first, rng), labels=truth)


def _spot(index: int, count: int, size: tuple[int, int]) -> tuple[float, float]:
    rows = int(np.ceil(np.sqrt(count)))
    columns = int(np.ceil(count / rows))
    row, column = divmod(index, columns)
    return size[0] * (column + 0.5) / columns, size[1] * (row + 0.5) / rows


def _shelf(
    size: tuple[int, int], surround: int, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Cartons of about the given gray, with edges, grain and a dark gap between them."""
    width, height = size
    coarse = rng.normal(surround, 6, (height // 16 + 1, width // 16 + 1)).astype(np.float32)
    canvas = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    for x in range(int(rng.integers(40, 200)), width, int(rng.integers(380, 620))):
        cv2.line(canvas, (x, 0), (x + int(rng.integers(-8, 8)), height), surround * 0.5, 4)
    beam = int(height * 0.93)
    canvas[beam:] = surround * 0.35
    return canvas


def _place(
    canvas: npt.NDArray[np.float32],
    what: tuple[str, str],
    view: View,
    spot: tuple[float, float],
    rng: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """Draws one label onto the canvas in perspective; returns its corners."""
    scale = max(8, int(np.ceil(view.module_px)))
    paper = label(*what, scale=scale).astype(np.float32)
    if view.ink:
        spread = np.ones((1, 1 + round(abs(view.ink) * scale)), np.uint8)
        paper = cv2.erode(paper, spread) if view.ink > 0 else cv2.dilate(paper, spread)
    ink = 128.0 + (paper - 128.0) * view.contrast if view.contrast < 1 else paper
    ink = np.clip(ink, 12, 235)
    if view.wrap:
        ink = _film(ink, view.wrap, rng)
    if view.glare:
        ink = _lamp(ink, view.glare, rng)
    if view.covered:
        cut = int(ink.shape[1] * view.covered)
        ink[:, ink.shape[1] - cut :] = 95 + rng.normal(0, 5, (ink.shape[0], cut))
    there, corners = _perspective(ink.shape, view, scale, spot)
    size = (canvas.shape[1], canvas.shape[0])
    # Drawn at twice the size, then averaged: a camera's pixel sums light over its area.
    twice = np.diag([2.0, 2.0, 1.0]) @ there
    big = (size[0] * 2, size[1] * 2)
    smooth = cv2.GaussianBlur(ink, (0, 0), max(0.01, scale / view.module_px / 4))
    drawn = cv2.warpPerspective(smooth, twice, big, flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.ones_like(ink), twice, big, flags=cv2.INTER_LINEAR)
    drawn = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    canvas[:] = canvas * (1 - mask) + drawn
    return corners


def _perspective(
    shape: tuple[int, ...], view: View, scale: int, spot: tuple[float, float]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """From label pixels to image pixels: turned in space, seen from five label widths away."""
    height, width = shape[0] / scale * view.module_px, shape[1] / scale * view.module_px
    flat = np.array(
        [(-width, -height, 0), (width, -height, 0), (width, height, 0), (-width, height, 0)]
    )
    turned = (flat / 2) @ _turn(view.tilt_y, 0).T @ _turn(view.tilt_x, 1).T
    turned = turned @ _turn(view.rotation, 2).T
    distance = 5.0 * max(width, height)
    seen = turned[:, :2] * (distance / (distance + turned[:, 2:]))
    seen += np.array(spot) + np.array(view.shift)
    source = np.array([(0, 0), (shape[1], 0), (shape[1], shape[0]), (0, shape[0])], np.float32)
    corners = seen.astype(np.float32)
    return cv2.getPerspectiveTransform(source, corners), corners


def _turn(degrees: float, axis: int) -> npt.NDArray[np.float64]:
    vector = np.zeros(3)
    vector[axis] = np.radians(degrees)
    return np.asarray(cv2.Rodrigues(vector)[0])


def _film(
    ink: npt.NDArray[np.float32], level: float, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Shrink wrap: bright creases and a slight bend of what is below."""
    height, width = ink.shape
    creases = np.zeros_like(ink)
    for _ in range(int(6 * level)):
        a, b = rng.integers(0, (width, height)), rng.integers(0, (width, height))
        cv2.line(creases, tuple(map(int, a)), tuple(map(int, b)), 150.0, int(rng.integers(2, 8)))
    creases = cv2.GaussianBlur(creases, (0, 0), 3)
    field_ = cv2.resize(rng.normal(0, 1, (6, 8)).astype(np.float32), (width, height))
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    bent = cv2.remap(
        ink, xs + field_ * level, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(np.clip(bent * 0.92 + 12 * level / 4 + creases, 0, 255), np.float32)


def _lamp(
    ink: npt.NDArray[np.float32], share: float, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    height, width = ink.shape
    radius = np.sqrt(share * height * width / np.pi)
    x, y = rng.uniform(0.3, 0.7) * width, rng.uniform(0.3, 0.7) * height
    xs, ys = np.meshgrid(np.arange(width), np.arange(height))
    spot = np.exp(-(((xs - x) ** 2 + (ys - y) ** 2) / (2 * (0.7 * radius) ** 2)))
    return np.asarray(np.clip(ink + 330 * spot, 0, 255), np.float32)


def _camera(canvas: npt.NDArray[np.float32], view: View, rng: np.random.Generator) -> Image:
    """Lens, hand, light, sensor and JPEG."""
    seen = canvas
    if view.blur_px:
        seen = cv2.GaussianBlur(seen, (0, 0), view.blur_px)
    if view.motion_px > 1:
        seen = cv2.filter2D(seen, -1, _smear(view.motion_px, view.motion_angle))
    seen = seen * view.exposure + rng.normal(0, view.noise, canvas.shape) if view.noise else seen
    frame = np.clip(seen, 0, 255).astype(np.uint8)
    blob = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return np.asarray(cv2.imdecode(blob, cv2.IMREAD_GRAYSCALE), np.uint8)


def _smear(length: float, angle: float) -> npt.NDArray[np.float32]:
    side = int(np.ceil(length)) | 1
    kernel = np.zeros((side * 8, side * 8), np.float32)
    middle = side * 4
    reach = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * length * 4
    a, b = np.array([middle, middle]) - reach, np.array([middle, middle]) + reach
    cv2.line(kernel, tuple(map(int, a)), tuple(map(int, b)), 1.0, 4)
    kernel = cv2.resize(kernel, (side, side), interpolation=cv2.INTER_AREA)
    return kernel / kernel.sum()


def hand_held(
    labels: Sequence[tuple[str, str]],
    view: View,
    frames: int,
    *,
    seed: int,
    size: tuple[int, int] = (1280, 720),
    shake_px: float = 6.0,
) -> Iterator[Frame]:
    """Frames of a shaky hand, 10 a second: each has its own drift, turn and smear."""
    rng = np.random.default_rng(seed)
    for _ in range(frames):
        moved = replace(
            view,
            shift=(float(rng.normal(0, shake_px)), float(rng.normal(0, shake_px))),
            rotation=view.rotation + float(rng.normal(0, 1.5)),
            motion_px=view.motion_px * float(rng.uniform(0.2, 1.6)),
            motion_angle=float(rng.uniform(0, 180)),
        )
        yield draw(labels, moved, size=size, seed=int(rng.integers(1 << 30)))


def write_y4m(path: Path, frames: Iterable[Image], *, size: tuple[int, int], fps: int) -> int:
    """Streams gray or BGR frames to a Y4M yuv420p file (what Chromium's fake camera takes).

    Both sides of `size` (width, height) must be even. Returns the number of frames.
    """
    width, height = size
    if width % 2 or height % 2:
        raise ValueError(f"yuv420p needs even sides, not {size}")
    count = 0
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            _write_frame(out, frame, size)
            count += 1
    return count


def _write_frame(out: BinaryIO, frame: Image, size: tuple[int, int]) -> None:
    if (frame.shape[1], frame.shape[0]) != size:
        raise ValueError(f"a frame of {frame.shape} in a video of {size}")
    bgr = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR) if frame.ndim == 2 else frame
    out.write(b"FRAME\n")
    out.write(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420).tobytes())


def write_shelf_video(
    path: Path,
    scenes: Sequence[Sequence[tuple[str, str]]],
    *,
    fps: int = 10,
    seconds_per_scene: float = 2.0,
    blank_seconds: float = 0.5,
    size: tuple[int, int] = (1280, 720),
    view: View = View(module_px=4.0),
    seed: int = 0,
) -> int:
    """A walk along a shelf: each scene shows its labels `[(text, symbology), ...]`, then cartons
    without labels for `blank_seconds`, so the same code may be scanned again. Returns frames.
    """
    shown, blank = round(fps * seconds_per_scene), round(fps * blank_seconds)

    def walk() -> Iterator[Image]:
        for number, labels in enumerate(scenes):
            for frame in hand_held(
                labels, view, shown, seed=seed * 1009 + number, size=size, shake_px=2.0
            ):
                yield frame.image
            for step in range(blank):
                yield draw([], view, size=size, seed=seed * 1009 + number * 31 + step).image

    return write_y4m(path, walk(), size=size, fps=fps)
