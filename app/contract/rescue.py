"""A rescue file: events as lines of JSON, for the day when a device's file or network is lost. Pure.

First line: what this is and whose it is. Then one line an event, with its own bytes. Last line: how
many, and the SHA-256 of everything above, so that a cut file is recognised. Importing one twice, or
after its events arrived another way, changes nothing: events are known by their ids.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from app.contract.wire import SentEvent

FORMAT = 1


class RescueFileError(ValueError):
    """Not a rescue file, or one that nothing can be read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RescueFile:
    """What a rescue file holds."""

    install_id: str
    events: tuple[SentEvent, ...]
    is_whole: bool
    """False: cut or altered. What can be read is here all the same."""
    unreadable: int
    """Lines that are no events."""


def rescue_text(install_id: str, events: Iterable[SentEvent]) -> str:
    """The file's text. `install_id` is "" when the damaged file did not give it away."""
    lines = [json.dumps({"blindcount_rescue": FORMAT, "install_id": install_id})]
    lines += [event.model_dump_json() for event in events]
    end = {"events": len(lines) - 1, "sha256": _digest(lines)}
    return "\n".join([*lines, json.dumps(end)]) + "\n"


def read_rescue(text: str) -> RescueFile:
    """Everything readable in it. Raises RescueFileError when its first line is not ours."""
    lines = text.split("\n")
    head = _object(lines[0])
    if head.get("blindcount_rescue") != FORMAT or not isinstance(head.get("install_id"), str):
        raise RescueFileError("this is not a rescue file of Blindcount")
    body = [line for line in lines[1:] if line]
    end = _object(body[-1]) if body else {}
    if "sha256" in end:
        body.pop()
    events = [_event(line) for line in body]
    found = tuple(event for event in events if event is not None)
    is_whole = end.get("events") == len(found) and end.get("sha256") == _digest([lines[0], *body])
    return RescueFile(
        install_id=str(head["install_id"]),
        events=found,
        is_whole=is_whole,
        unreadable=len(events) - len(found),
    )


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _object(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _event(line: str) -> SentEvent | None:
    try:
        return SentEvent.model_validate_json(line)
    except ValidationError:
        return None
