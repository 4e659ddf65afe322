"""Identifiers made on the device: UUIDv7, from a clock and randomness that are passed in."""

from __future__ import annotations

import re
import uuid

_UUID7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
RANDOM_BYTES = 10
"""Random bytes one id needs: 74 of the 80 bits are used."""


def uuid7(unix_ms: int, random: bytes) -> str:
    """A lower-case UUIDv7 (RFC 9562, 5.7) of a wall time in milliseconds and ten random bytes.

    The time part orders ids for the reader's eye only; nothing trusts it, because device clocks lie.
    """
    if not 0 <= unix_ms < 1 << 48:
        raise ValueError(f"time outside the 48 bits of a UUIDv7: {unix_ms}")
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a UUIDv7 takes {RANDOM_BYTES} random bytes, got {len(random)}")
    noise = int.from_bytes(random, "big")
    value = unix_ms << 80 | 0x7 << 76 | (noise >> 68) << 64 | 0b10 << 62 | noise & ((1 << 62) - 1)
    return str(uuid.UUID(int=value))


def is_uuid7(text: str) -> bool:
    """True for a lower-case, hyphenated UUIDv7 and nothing else."""
    return _UUID7.match(text) is not None
