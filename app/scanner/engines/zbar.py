"""libzbar through pyzbar's own bindings: one call, no crash, FNC1 kept.

pyzbar.decode() hides two things we need: the symbol's modifiers (GS1-128 or plain Code 128) and
the scan density. Only the symbologies a warehouse uses are on: DataBar can abort the process
(assertion in databar.c), Codabar and Code 93 invent texts from stripes.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from app.scanner.engines.base import EngineStatus, Gray, Points, Read, text_of
from app.scanner.events import EngineName, Symbology

# zbar.h: configuration keys pyzbar's enumeration does not list, and the GS1 modifier's bit.
_X_DENSITY, _Y_DENSITY = 0x100, 0x101
_MODIFIER_GS1 = 1 << 0
_GRAY = int.from_bytes(b"Y800", "little")

_NAMES: dict[int, Symbology] = {
    13: Symbology.EAN_13,
    8: Symbology.EAN_8,
    12: Symbology.UPC_A,
    9: Symbology.UPC_E,
    128: Symbology.CODE_128,
    39: Symbology.CODE_39,
    25: Symbology.ITF,
    64: Symbology.QR,
}
_GS1_NAMES = {Symbology.CODE_128: Symbology.GS1_128, Symbology.QR: Symbology.GS1_QR}
_QR = frozenset({64})
_LINEAR = frozenset(_NAMES) - _QR


def status() -> EngineStatus:
    """Whether libzbar can be loaded here."""
    try:
        wrapper = _wrapper()
    except (ImportError, OSError, AttributeError) as error:
        return EngineStatus(
            name=EngineName.ZBAR,
            is_available=False,
            reason=f"libzbar could not be loaded: {error}",
            remedy="Install it: apt install libzbar0, brew install zbar, or pip install pyzbar "
            "on Windows. Without it OpenCV reads EAN, UPC and QR only.",
        )
    numbers = [ctypes.c_uint() for _ in range(3)]
    try:
        wrapper.load_libzbar().zbar_version(*map(ctypes.byref, numbers))
    except (OSError, AttributeError):
        return EngineStatus(name=EngineName.ZBAR, is_available=True)
    version = ".".join(str(n.value) for n in numbers)
    return EngineStatus(name=EngineName.ZBAR, is_available=True, version=version)


def _wrapper() -> Any:
    from pyzbar import wrapper

    return wrapper


class ZbarEngine:
    """libzbar. Create once; `read` is safe from several threads, each call has its own scanner."""

    name = EngineName.ZBAR

    def __init__(self) -> None:
        self._api = _wrapper()
        library = self._api.load_libzbar()
        self._modifiers = getattr(library, "zbar_symbol_get_modifiers", None)
        if self._modifiers is not None:
            self._modifiers.argtypes = [ctypes.c_void_p]
            self._modifiers.restype = ctypes.c_uint
        self._configure = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_int
        )(("zbar_image_scanner_set_config", library))

    def read(self, gray: Gray) -> list[Read]:
        """Every enabled symbology, every line."""
        return self.scan(gray)

    def scan(
        self,
        gray: Gray,
        *,
        density: tuple[int, int] = (1, 1),
        is_linear: bool = True,
        is_matrix: bool = True,
    ) -> list[Read]:
        """`density` is (x, y): scan every n-th column and row; 0 switches a direction off.
        QR needs every line; bars do well with every third, in a quarter of the time."""
        gray = np.ascontiguousarray(gray)
        height, width = gray.shape
        if min(height, width) < 8:
            return []
        api = self._api
        kinds = (_LINEAR if is_linear else frozenset()) | (_QR if is_matrix else frozenset())
        with self._scanner(density, kinds) as scanner, self._image() as image:
            api.zbar_image_set_format(image, _GRAY)
            api.zbar_image_set_size(image, width, height)
            api.zbar_image_set_data(image, gray.ctypes.data_as(ctypes.c_void_p), gray.size, None)
            if api.zbar_scan_image(scanner, image) <= 0:
                return []
            return list(self._symbols(image))

    @contextmanager
    def _scanner(self, density: tuple[int, int], kinds: frozenset[int]) -> Iterator[Any]:
        api = self._api
        scanner = api.zbar_image_scanner_create()
        if not scanner:
            raise MemoryError("libzbar gave no scanner")
        try:
            pointer = ctypes.cast(scanner, ctypes.c_void_p)
            self._configure(pointer, 0, 0, 0)  # everything off
            for kind in kinds:
                self._configure(pointer, kind, 0, 1)
            self._configure(pointer, 0, _X_DENSITY, density[0])
            self._configure(pointer, 0, _Y_DENSITY, density[1])
            yield scanner
        finally:
            api.zbar_image_scanner_destroy(scanner)

    @contextmanager
    def _image(self) -> Iterator[Any]:
        image = self._api.zbar_image_create()
        if not image:
            raise MemoryError("libzbar gave no image")
        try:
            yield image
        finally:
            self._api.zbar_image_destroy(image)

    def _symbols(self, image: Any) -> Iterator[Read]:
        api = self._api
        symbol = api.zbar_image_first_symbol(image)
        while symbol:
            name = _NAMES.get(symbol.contents.type)
            if name is not None:
                raw = ctypes.string_at(
                    api.zbar_symbol_get_data(symbol), api.zbar_symbol_get_data_length(symbol)
                )
                is_gs1 = self._modifiers is not None and (
                    self._modifiers(ctypes.cast(symbol, ctypes.c_void_p)) & _MODIFIER_GS1
                )
                yield Read(
                    text=text_of(raw),
                    symbology=_GS1_NAMES.get(name, name) if is_gs1 else name,
                    points=self._points(symbol),
                    engine=EngineName.ZBAR,
                    quality=float(api.zbar_symbol_get_quality(symbol)),
                )
            symbol = api.zbar_symbol_next(symbol)

    def _points(self, symbol: Any) -> Points:
        api = self._api
        count = api.zbar_symbol_get_loc_size(symbol)
        return np.array(
            [
                (api.zbar_symbol_get_loc_x(symbol, i), api.zbar_symbol_get_loc_y(symbol, i))
                for i in range(count)
            ],
            np.float32,
        ).reshape(-1, 2)
