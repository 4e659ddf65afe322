"""A rescue file: events as lines of JSON, for the day when a device's file or network is lost. Pure.

First line: what this is and whose it is. Then one line an event, with its own bytes. Last line: how
many, and the SHA-256 of everything above, so that a cut file is recognised. Importing one twice, or
after its events arrived another way, changes nothing: events are known by their ids.

A person's file may hold several of them one after the other (this install's and those set aside), and
a last line that says which device made it, with a keyed hash over all above.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from app.contract.wire import SentEvent

FORMAT = 1
_HEAD = '{"blindcount_rescue"'
_SIGNATURE = '{"blindcount_signed"'


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RescueExport:
    """A file for a person to take off a device."""

    text: str
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RescueBundle:
    """What a person's file holds."""

    files: tuple[RescueFile, ...]
    device_id: str = ""
    """The device that says that it made it; "" for an unsigned one."""
    _signed_text: str = ""
    _mac: str = ""

    def is_signed_with(self, token_sha256: str) -> bool:
        """Whether whoever made it had the token with this hash, and nothing was changed since."""
        return hmac.compare_digest(_mac(self._signed_text, token_sha256), self._mac)


def signed(text: str, device_id: str, token_sha256: str) -> str:
    """The text and one more line: its device, and a hash over it keyed with its token's own hash."""
    line = {"blindcount_signed": device_id, "mac": _mac(text, token_sha256)}
    return f"{text}{json.dumps(line)}\n"


def _mac(text: str, token_sha256: str) -> str:
    told = text.encode("utf-8", "surrogatepass")
    return hmac.new(token_sha256.encode(), told, hashlib.sha256).hexdigest()


def file_text(data: bytes) -> str:
    """The text of a file's bytes. A line with a broken byte becomes no event: never an altered count."""
    return "\n".join(_line_text(line) for line in data.split(b"\n"))


def _line_text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return "\ufffd"


def read_bundle(text: str) -> RescueBundle:
    """Everything readable of a file with any number of rescues. Raises RescueFileError for none."""
    # What an editor or a mail program did to it is no damage.
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    body, mark, end = text.rpartition(_SIGNATURE)
    signature = _object(mark + end) if mark else {}
    if not signature:
        body = text
    sections: list[list[str]] = []
    for line in body.split("\n"):
        if line.startswith(_HEAD) or not sections:
            sections.append([])
        sections[-1].append(line)
    return RescueBundle(
        files=tuple(read_rescue("\n".join(lines)) for lines in sections),
        device_id=str(signature.get("blindcount_signed", "")),
        _signed_text=body,
        _mac=str(signature.get("mac", "")),
    )


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
