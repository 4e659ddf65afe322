"""Bytes of events: made once on the device, hashed, never re-serialised."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from pydantic import ValidationError

from app.contract.events import DeviceEvent


class MalformedEventError(ValueError):
    """The bytes are not an event of a schema this program knows. Carries pydantic's own words."""


def encode_event(event: DeviceEvent) -> str:
    """The JSON text of an event, UTF-8 safe, fields in declared order, absent values left out."""
    return event.model_dump_json(exclude_none=True)


def decode_event(raw: str) -> DeviceEvent:
    """Parse an event's text.

    Raises MalformedEventError for anything else, with the field and the reason.
    """
    try:
        return _read(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "event"
        raise MalformedEventError(f"{where}: {first['msg']}") from error


_read: Callable[[str], DeviceEvent] = DeviceEvent.__pydantic_validator__.validate_json
"""`DeviceEvent.model_validate_json` less its checks of arguments: a push reads hundreds."""


def hash_event(raw: str) -> str:
    """SHA-256 of the event's exact bytes, as lower-case hex."""
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
