"""What becomes of each event of a push: pure, total, the same whatever order or however often it comes.

Nothing is refused: an event is stored as usable, is known already, or is held with a reason. Only
what is too large to store is left with the device.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from pydantic import TypeAdapter

from app.contract.codec import MalformedEventError, decode_event, hash_event
from app.contract.events import GENESIS_HASH, DeviceEvent
from app.contract.problems import CATALOGUE
from app.contract.wire import EVENT_BYTES_MAX, EventResult, Result, SentEvent

DIFFERS = "event-differs"
FORKED = "seq-taken"

decode_once = lru_cache(maxsize=1024)(decode_event)
"""`decode_event`, remembered for a moment: a push decodes each event to sort it, and its count is
folded from the same bytes in the same transaction."""


@dataclass(slots=True, kw_only=True)
class Known:
    """What the tables say about the ids and numbers of a push. Grows as its events are sorted."""

    by_id: dict[str, tuple[str, str]] = field(default_factory=dict)
    """(SHA-256, install) of the usable event of that id."""
    id_at_seq: dict[int, str] = field(default_factory=dict)
    """Id of the usable event under the install's number."""
    hashes_at_seq: dict[int, set[str]] = field(default_factory=dict)
    """SHA-256 of everything held under the install's number."""
    held: dict[str, str] = field(default_factory=dict)
    """Code of each held event, by `held_id`."""
    people: set[str] = field(default_factory=set)
    """Who counts at the site or ever did, those who left included: they may have counted before."""

    @staticmethod
    def named_in(events: Sequence[SentEvent]) -> set[str]:
        """Ids of the people named by those of the events that can be read: to be looked up."""
        return {user for sent in events if (user := _person_of(sent)) is not None}


class Arrival(NamedTuple):
    """One event of the push and what becomes of it. `event` is set when it is to be used."""

    sent: SentEvent
    result: Result
    sha256: str = ""
    event: DeviceEvent | None = None
    code: str | None = None
    reason: str = ""
    is_new: bool = False
    """True: it is to be stored now, usable or held."""

    @property
    def held_count_id(self) -> str | None:
        """The count a held event belongs to, when it can be read at all."""
        try:
            return decode_once(self.sent.raw).count_id
        except MalformedEventError:
            return None


def held_id(install_id: str, sent: SentEvent) -> str:
    """Identity of a held event: the same sending is held once, however often it comes."""
    text = f"{install_id}\x1f{sent.id}\x1f{sent.seq}\x1f{sent.raw}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _person_of(sent: SentEvent) -> str | None:
    # What is too large for a push is not worth remembering.
    decode = decode_once if len(sent.raw) <= EVENT_BYTES_MAX else decode_event
    try:
        return decode(sent.raw).user_id
    except MalformedEventError:
        return None


def held_next(code: str) -> str:
    """What a supervisor does about a held event of that code. Most can only be set aside."""
    if code == "unknown-user":
        return "Add the person, in a role that counts, and close the case: then the entry is used"
    return "Count again what it was about, then close the case"


def sort_arrivals(
    install_id: str, events: Sequence[SentEvent], known: Known, *, bytes_max: int
) -> list[Arrival]:
    """What becomes of each event, in the order in which they were sent."""
    hashed = [(sent, hash_event(sent.raw)) for sent in events]
    for sent, sha256 in hashed:
        known.hashes_at_seq.setdefault(sent.seq, set()).add(sha256)
    return [_arrive(install_id, sent, sha256, known, bytes_max) for sent, sha256 in hashed]


def words_on(arrivals: Sequence[Arrival]) -> tuple[EventResult, ...]:
    """What the device is told of each event."""
    return _RESULTS.validate_python(
        [{"id": a.sent.id, "r": a.result, "code": a.code} for a in arrivals]
    )


_RESULTS = TypeAdapter(tuple[EventResult, ...])
"""All of a push at once: one by one it takes three times as long, checked or not."""


def _arrive(install_id: str, sent: SentEvent, sha256: str, known: Known, bytes_max: int) -> Arrival:
    if _is_longer(sent.raw, bytes_max):
        return Arrival(sent=sent, result=Result.TOO_LARGE)
    identity = held_id(install_id, sent) if known.held else ""
    if identity in known.held:
        code = known.held[identity]
        return Arrival(sent=sent, result=_held_result(code), sha256=sha256, code=code)
    if known.by_id.get(sent.id, ("", ""))[0] == sha256:
        return Arrival(sent=sent, result=Result.EXISTS, sha256=sha256)
    judged = _judge(sent, known)
    if isinstance(judged, _Complaint):
        known.held[held_id(install_id, sent)] = judged.code
        return Arrival(
            sent=sent,
            result=_held_result(judged.code),
            sha256=sha256,
            code=judged.code,
            reason=judged.reason,
            is_new=True,
        )
    known.by_id[sent.id] = (sha256, install_id)
    known.id_at_seq[sent.seq] = sent.id
    return Arrival(sent=sent, result=Result.CREATED, sha256=sha256, event=judged, is_new=True)


def _is_longer(text: str, bytes_max: int) -> bool:
    """In UTF-8, which has at most four bytes for a character."""
    if len(text) * 4 <= bytes_max:
        return False
    return len(text.encode("utf-8", "surrogatepass")) > bytes_max


def _held_result(code: str) -> Result:
    return Result.MISMATCH if code == DIFFERS else Result.QUARANTINED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Complaint:
    code: str
    reason: str


def _complain(code: str, **params: object) -> _Complaint:
    return _Complaint(code=code, reason=CATALOGUE[code].detail.format(**params))


def _judge(sent: SentEvent, known: Known) -> DeviceEvent | _Complaint:
    """The event, when it is to be used; else why not."""
    if sent.id in known.by_id:
        return _complain(DIFFERS, id=sent.id)
    if "\x00" in sent.raw:
        return _complain("event-malformed", reason="it holds a NUL character")
    try:
        event = decode_once(sent.raw)
    except MalformedEventError as error:
        return _complain("event-malformed", reason=str(error)[:300])
    return _complaint_about(sent, event, known) or event


def _complaint_about(sent: SentEvent, event: DeviceEvent, known: Known) -> _Complaint | None:
    before = {GENESIS_HASH} if event.seq == 1 else known.hashes_at_seq.get(event.seq - 1)
    if (event.id, event.seq) != (sent.id, sent.seq):
        return _complain("event-id-differs")
    if event.task_id is not None and not event.task_id.isprintable():
        return _complain("event-malformed", reason="task_id: unprintable characters")
    if known.id_at_seq.get(event.seq, event.id) != event.id:
        return _complain(FORKED, seq=event.seq)
    if before is not None and event.prev_hash not in before:
        return _complain("chain-broken", seq=event.seq - 1)
    if event.user_id is not None and event.user_id not in known.people:
        return _complain("unknown-user", user=event.user_id)
    return None
