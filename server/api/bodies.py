"""Reading a request's body within limits: counted while it streams, inflated with a cap.

A body is never trusted to say its own size: 16 kB of gzip can hold half a gigabyte.
"""

from __future__ import annotations

import zlib

from fastapi import Request

from app.contract.problems import RefusalError

_GZIP = 16 + zlib.MAX_WBITS


async def read_body(request: Request, *, limit: int, inflated_limit: int) -> bytes:
    """The body, inflated when it is gzip. Raises body-too-large, request-invalid."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise RefusalError("body-too-large", limit=limit)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return bytes(body)
    if encoding != "gzip":
        raise RefusalError("request-invalid", where="Content-Encoding", reason="only gzip is read")
    return inflate(bytes(body), limit=inflated_limit)


def inflate(body: bytes, *, limit: int) -> bytes:
    """One whole gzip member of at most `limit` bytes. Raises body-too-large, request-invalid."""
    machine = zlib.decompressobj(_GZIP)
    try:
        inflated = machine.decompress(body, limit + 1)
    except zlib.error as error:
        raise RefusalError("request-invalid", where="body", reason="damaged gzip") from error
    if len(inflated) > limit:
        raise RefusalError("body-too-large", limit=limit)
    if not machine.eof or machine.unused_data:
        raise RefusalError("request-invalid", where="body", reason="gzip is cut or has a tail")
    return inflated
