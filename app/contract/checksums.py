"""The checksum of reference data: order-free, kept up to date row by row. Pure."""

from __future__ import annotations

import hashlib

BARCODE_SEPARATOR = "\x1f"
"""Between barcode and SKU in a barcode's id."""
_MODULUS = 1 << 64


def row_checksum(kind: str, row_id: str, rev: int) -> int:
    """First 8 bytes of SHA-256("kind\\x1fid\\x1frev") as an unsigned number."""
    text = f"{kind}\x1f{row_id}\x1f{rev}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def add_checksum(total: int, row: int) -> int:
    """The total with one more live row."""
    return (total + row) % _MODULUS


def remove_checksum(total: int, row: int) -> int:
    """The total without a row it held."""
    return (total - row) % _MODULUS


def checksum_text(total: int) -> str:
    """16 lower-case hex digits."""
    return f"{total:016x}"


def barcode_id(barcode: str, sku: str) -> str:
    """The id of a barcode row in changes."""
    return f"{barcode}{BARCODE_SEPARATOR}{sku}"


def split_barcode_id(row_id: str) -> tuple[str, str]:
    """(barcode, sku) of a barcode row's id. ValueError for anything else."""
    barcode, separator, sku = row_id.rpartition(BARCODE_SEPARATOR)
    if not separator:
        raise ValueError(f"not the id of a barcode row: {row_id!r}")
    return barcode, sku
