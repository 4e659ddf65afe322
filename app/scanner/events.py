"""What a scanner says: a code read from a picture, and a scan made by a person.

Only values live here. What a text means (bin, SKU, lot ...) is `app.scanner.label`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.contract.vocabulary import ScanSource


class Symbology(StrEnum):
    """How the bars or squares are drawn. GS1 kinds are those that begin with FNC1."""

    EAN_13 = "EAN-13"
    EAN_8 = "EAN-8"
    UPC_A = "UPC-A"
    UPC_E = "UPC-E"
    CODE_128 = "Code 128"
    GS1_128 = "GS1-128"
    CODE_39 = "Code 39"
    ITF = "ITF"
    QR = "QR"
    GS1_QR = "GS1 QR"
    DATA_MATRIX = "DataMatrix"
    GS1_DATA_MATRIX = "GS1 DataMatrix"

    @property
    def is_retail(self) -> bool:
        """EAN and UPC: the text is a GTIN and nothing else."""
        return self in {Symbology.EAN_13, Symbology.EAN_8, Symbology.UPC_A, Symbology.UPC_E}

    @property
    def is_gs1(self) -> bool:
        """The symbol itself says that its text is a GS1 message."""
        return self in {Symbology.GS1_128, Symbology.GS1_QR, Symbology.GS1_DATA_MATRIX}

    @property
    def is_matrix(self) -> bool:
        """Squares with error correction; no misread of these was seen in 5,130 reads."""
        return self in {
            Symbology.QR,
            Symbology.GS1_QR,
            Symbology.DATA_MATRIX,
            Symbology.GS1_DATA_MATRIX,
        }


class EngineName(StrEnum):
    """The decoders that may be present. The phone has zbar and opencv."""

    ZBAR = "zbar"
    OPENCV = "opencv"
    ZXING = "zxing"


Corner = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One code read from one picture.

    `corners` are four (x, y) image pixels around the symbol, clockwise from its own top left as
    far as the engine knows it. `engine` is the one whose text this is; `witnesses` names every
    engine that read the same text. `quality` is the number of scan lines (or engine's like unit)
    that agreed: comparable within one engine only. `is_certain` is False for a read that passed
    every check but has a single weak witness: repeat it in another frame before it counts.
    """

    text: str
    symbology: Symbology
    corners: tuple[Corner, Corner, Corner, Corner]
    engine: EngineName
    quality: float
    witnesses: tuple[EngineName, ...] = ()
    is_certain: bool = True

    @property
    def centre(self) -> tuple[float, float]:
        """Mean of the corners, image pixels."""
        xs, ys = zip(*self.corners, strict=True)
        return sum(xs) / 4.0, sum(ys) / 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanEvent:
    """A code given to the app by a person, whatever the source.

    `text` is raw: GS (0x1D) separators are kept, an AIM symbology identifier is not (it became
    `symbology`). `symbology` is None where the source cannot know it (typed, plain wedge).
    `at` is aware and comes from the caller's clock.
    """

    text: str
    symbology: Symbology | None
    source: ScanSource
    at: datetime

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("a scan's time must be aware")
        if not self.text:
            raise ValueError("a scan must have a text")


def box_corners(
    points: Sequence[tuple[float, float]],
) -> tuple[Corner, Corner, Corner, Corner]:
    """The upright box around some points, as four corners clockwise from top left."""
    xs, ys = zip(*points, strict=True)
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    return (left, top), (right, top), (right, bottom), (left, bottom)
