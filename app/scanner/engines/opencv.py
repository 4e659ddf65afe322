"""OpenCV's own detectors: EAN and UPC as a second opinion, QR, and where any 1-D code lies.

Never trusted alone for bars: on Code 128 pictures it invents EAN numbers whose check digit is
right (26 of them on 111 pictures).
"""

import cv2
import numpy as np

from app.scanner.engines.base import EngineStatus, Gray, Points, Read
from app.scanner.events import EngineName, Symbology

_NAMES = {
    "EAN_13": Symbology.EAN_13,
    "EAN_8": Symbology.EAN_8,
    "UPC_A": Symbology.UPC_A,
    "UPC_E": Symbology.UPC_E,
}


def status() -> EngineStatus:
    """Whether this OpenCV has the detectors (objdetect with barcode and QR)."""
    if not hasattr(cv2, "barcode") or not hasattr(cv2, "QRCodeDetector"):
        return EngineStatus(
            name=EngineName.OPENCV,
            is_available=False,
            version=cv2.__version__,
            reason="this OpenCV was built without the barcode and QR detectors",
            remedy="Install the package opencv-python 5.0 or newer, and no other OpenCV.",
        )
    return EngineStatus(name=EngineName.OPENCV, is_available=True, version=cv2.__version__)


class OpenCvEngine:
    """cv2.barcode and cv2's QR detectors. One instance per thread: cv2 detectors keep state."""

    name = EngineName.OPENCV

    def __init__(self) -> None:
        self._bars = cv2.barcode.BarcodeDetector()
        self._qr = cv2.QRCodeDetector()
        self._qr_aruco = cv2.QRCodeDetectorAruco()

    def read(self, gray: Gray) -> list[Read]:
        """EAN, UPC and QR."""
        return self.read_bars(gray) + self.read_qr(gray)

    def read_bars(self, gray: Gray) -> list[Read]:
        """EAN-13, EAN-8 and UPC-A, any rotation. A second opinion only."""
        try:
            is_found, texts, kinds, corners = self._bars.detectAndDecodeWithType(gray)
        except (cv2.error, UnicodeDecodeError):
            return []
        if not is_found:
            return []
        return [
            Read(
                text=text,
                symbology=_NAMES[kind],
                points=np.asarray(quad, np.float32).reshape(-1, 2),
                engine=self.name,
                quality=1.0,
            )
            for text, kind, quad in zip(texts, kinds, corners, strict=False)
            if text and kind in _NAMES
        ]

    def locate_qr(self, gray: Gray, *, is_thorough: bool = False) -> list[Points]:
        """Quadrilaterals of QR codes, also of those OpenCV cannot read itself.

        The Aruco finder sees small and tilted codes; the older one (`is_thorough`), at twice the
        price, sees some that are bent or blurred.
        """
        detector = self._qr if is_thorough else self._qr_aruco
        try:
            is_found, corners = detector.detectMulti(gray)
        except cv2.error:
            return []
        if not is_found or corners is None:
            return []
        return [np.asarray(quad, np.float32).reshape(-1, 2) for quad in corners]

    def read_qr(self, gray: Gray) -> list[Read]:
        """QR codes, by both of OpenCV's finders."""
        found: dict[str, Read] = {}
        for detector in (self._qr, self._qr_aruco):
            try:
                is_found, texts, corners, _ = detector.detectAndDecodeMulti(gray)
            except (cv2.error, UnicodeDecodeError):
                continue
            if not is_found or corners is None:
                continue
            for text, quad in zip(texts, corners, strict=False):
                if text:
                    found.setdefault(
                        text,
                        Read(
                            text=text,
                            symbology=Symbology.QR,
                            points=np.asarray(quad, np.float32).reshape(-1, 2),
                            engine=self.name,
                            quality=1.0,
                        ),
                    )
        return list(found.values())
