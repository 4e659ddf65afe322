"""What every decoding engine gives: its status, and raw reads that nobody trusts yet."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.scanner.events import EngineName, Symbology

Gray = npt.NDArray[np.uint8]
"""An image of shape (height, width), one byte a pixel."""

Points = npt.NDArray[np.float32]
"""Image points of shape (n, 2), x then y, pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """Whether an engine can be used here; if not, why and what to do about it."""

    name: EngineName
    is_available: bool
    version: str | None = None
    reason: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What one engine says of one picture. `quality`: agreeing scan lines or like unit.
    `is_proven`: the reader has weighed it against every other text itself."""

    text: str
    symbology: Symbology
    points: Points
    engine: EngineName
    quality: float
    is_proven: bool = False


class Engine(Protocol):
    """A decoder."""

    @property
    def name(self) -> EngineName: ...

    def read(self, gray: Gray) -> list[Read]:
        """Everything the engine can read in a contiguous gray picture, unjudged."""
        ...


def text_of(raw: bytes) -> str:
    """The text of a symbol's bytes: UTF-8, or byte for byte where it is not.

    Latin-1 keeps every byte apart; a replacement character would make two codes one.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
