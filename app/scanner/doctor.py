"""Tells which engines are here and proves each one on a label drawn on the spot.

`blindcount doctor` runs this in a process of its own, so that a native library that crashes is
a line in the report and not the end of the command.
"""

import json
import sys
from dataclasses import asdict, dataclass

import cv2
import numpy as np

from app.scanner.bands import black_and_white, cut
from app.scanner.decode import FIRST, decode, engines_here
from app.scanner.engines.base import Engine, EngineStatus, Gray, Read
from app.scanner.engines.opencv import OpenCvEngine
from app.scanner.engines.zbar import ZbarEngine
from app.scanner.engines.zxing import ZxingEngine
from app.scanner.events import EngineName
from app.scanner.locate import locate

# An EAN-13 of GS1's own example range, as the 95 modules it is printed with. Data, not an
# encoder: the phone has none, and the label must not depend on the engine it proves.
SAMPLE_TEXT = "9501101530003"
_SAMPLE_MODULES = (
    "101011000101001110110011001100101001110011001010"
    "10100111010000101110010111001011100101000010101"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineReport:
    """One engine: is it here, which version, and did it read the drawn label."""

    name: str
    is_available: bool
    version: str | None
    has_read: bool
    reason: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerReport:
    """All engines, and whether the whole pipeline read the label."""

    engines: tuple[EngineReport, ...]
    has_pipeline_read: bool

    @property
    def is_healthy(self) -> bool:
        """The pipeline reads, and every engine that is here reads as well."""
        return self.has_pipeline_read and all(e.has_read for e in self.engines if e.is_available)


def sample_label(module_px: int = 4) -> Gray:
    """A white label with one EAN-13 on a gray shelf, a little soft, as a camera sees it."""
    bars = np.array([0 if bit == "1" else 255 for bit in _SAMPLE_MODULES], np.uint8)
    code = np.tile(np.repeat(bars, module_px), (40 * module_px, 1))
    label = np.pad(code, 14 * module_px, constant_values=255)
    scene = np.pad(label, 40, constant_values=128)
    return np.asarray(cv2.GaussianBlur(scene, (0, 0), 0.8), np.uint8)


def examine() -> ScannerReport:
    """Reads the drawn label through each engine and through the pipeline."""
    scene = sample_label()
    reports = tuple(_examine_one(status, scene) for status in engines_here())
    has_read = any(scan.text == SAMPLE_TEXT for scan in decode(scene, budget_ms=5_000))
    return ScannerReport(engines=reports, has_pipeline_read=has_read)


def _examine_one(status: EngineStatus, scene: Gray) -> EngineReport:
    has_read, reason, remedy = False, status.reason, status.remedy
    if status.is_available:
        has_read = any(read.text == SAMPLE_TEXT for read in _read(status.name, scene))
        if not has_read:
            reason = "the engine was loaded but did not read the drawn label"
            remedy = "Reinstall it; if it stays so, report it with this output."
    return EngineReport(
        name=status.name.value,
        is_available=status.is_available,
        version=status.version,
        has_read=has_read,
        reason=reason,
        remedy=remedy,
    )


def _read(name: EngineName, scene: Gray) -> list[Read]:
    """libzbar gets the straightened bars, as in the pipeline: the gray shelf defeats it."""
    if name is EngineName.ZBAR:
        zbar = ZbarEngine()
        return [
            read
            for bars in locate(scene)
            for read in zbar.read(black_and_white(cut(scene, bars, FIRST.rows), FIRST))
        ]
    engine: Engine = OpenCvEngine() if name is EngineName.OPENCV else ZxingEngine()
    return engine.read(scene)


def main() -> int:
    """Prints the report as JSON; the exit code says whether scanning works."""
    report = examine()
    sys.stdout.write(json.dumps(asdict(report) | {"is_healthy": report.is_healthy}) + "\n")
    return 0 if report.is_healthy else 1


if __name__ == "__main__":
    raise SystemExit(main())
