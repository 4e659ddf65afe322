"""zxing-cpp, where it is installed (desktop and web): one more engine, and DataMatrix with it."""

from importlib import metadata
from typing import Any

import biip
import numpy as np
from biip.upc import Upc

from app.scanner.engines.base import EngineStatus, Gray, Read
from app.scanner.events import EngineName, Symbology

_NAMES = {
    "EAN13": Symbology.EAN_13,
    "EAN8": Symbology.EAN_8,
    "UPCA": Symbology.UPC_A,
    "UPCE": Symbology.UPC_E,
    "Code128": Symbology.CODE_128,
    "Code39": Symbology.CODE_39,
    "ITF": Symbology.ITF,
    "QRCode": Symbology.QR,
    "DataMatrix": Symbology.DATA_MATRIX,
}
_MATRIX = ("QRCode", "DataMatrix")
_GS1_IDENTIFIERS = {
    "]C1": Symbology.GS1_128,
    "]d2": Symbology.GS1_DATA_MATRIX,
    "]Q3": Symbology.GS1_QR,
}


def status() -> EngineStatus:
    """Whether zxing-cpp is installed. It has no wheel for phones."""
    try:
        version = metadata.version("zxing-cpp")
        import zxingcpp  # noqa: F401
    except ImportError as error:
        return EngineStatus(
            name=EngineName.ZXING,
            is_available=False,
            reason=f"zxing-cpp is not installed: {error}",
            remedy="pip install 'blindcount[desktop]'. Phones do without it.",
        )
    return EngineStatus(name=EngineName.ZXING, is_available=True, version=version)


def short_upc_e(text: str) -> str:
    """zxing gives a UPC-E as the EAN-13 it stands for; the eight printed digits are kept here."""
    try:
        return Upc.parse(text.lstrip("0").zfill(12)).as_upc_e()
    except biip.ParseError:
        return text


class ZxingEngine:
    """zxing-cpp; stateless, so one instance serves every thread."""

    name = EngineName.ZXING

    def __init__(self) -> None:
        import zxingcpp

        self._api: Any = zxingcpp
        kinds = zxingcpp.BarcodeFormat
        self._by_format = {getattr(kinds, n): s for n, s in _NAMES.items()}
        self._all = list(self._by_format)
        self._linear = [getattr(kinds, n) for n in _NAMES if n not in _MATRIX]

    def read(self, gray: Gray) -> list[Read]:
        """All nine symbologies, with zxing's own rotate, downscale and invert retries."""
        return self.scan(gray)

    def scan(self, gray: Gray, *, is_upright: bool = False, is_matrix: bool = True) -> list[Read]:
        """`is_upright`: a straightened crop, none of zxing's own retries."""
        found = self._api.read_barcodes(
            gray,
            formats=self._all if is_matrix else self._linear,
            try_rotate=not is_upright,
            try_downscale=not is_upright,
            try_invert=not is_upright,
            text_mode=self._api.TextMode.Plain,
        )
        return [self._read(code) for code in found if code.format in self._by_format]

    def _read(self, code: Any) -> Read:
        place = code.position
        corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
        points = np.array([(p.x, p.y) for p in corners], np.float32)
        height = (
            float(np.hypot(*(points[3] - points[0])) + np.hypot(*(points[2] - points[1]))) / 2.0
        )
        plain = self._by_format[code.format]
        text = code.text
        if plain is Symbology.UPC_E:
            text = short_upc_e(text)
        return Read(
            text=text,
            symbology=_GS1_IDENTIFIERS.get(code.symbology_identifier, plain),
            points=points,
            engine=self.name,
            quality=height,
        )
