"""Keyset paging: a cursor is the key of the last row shown, so pages neither skip nor repeat a row."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated

from fastapi import Query

from app.contract.problems import RefusalError

LIMIT_MAX = 1000
Key = tuple[str | int, ...]

CursorParam = Annotated[
    str | None,
    Query(max_length=1024, description="`next_cursor` of the page before; leave out for the first"),
]
LimitParam = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="rows on a page")]


def encode_cursor(key: Key) -> str:
    """An opaque cursor of the last row's key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, shape: tuple[type, ...]) -> Key | None:
    """The key of a cursor, None without one. RefusalError("request-invalid") for what is no cursor."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise _no_cursor() from error
    is_key = isinstance(key, list) and len(key) == len(shape)
    if not is_key or not all(type(part) is kind for part, kind in zip(key, shape, strict=True)):
        raise _no_cursor()
    if any(isinstance(p, int) and abs(p) >= 1 << 62 for p in key) or "\x00" in str(key):
        raise _no_cursor()
    return tuple(key)


def _no_cursor() -> RefusalError:
    return RefusalError(
        "request-invalid", where="cursor", reason="it is not one that this address gave"
    )
