"""A case's history and evidence as sentences, for people and not for programs."""

from __future__ import annotations

import json

from app.contract.review import HistoryEntry
from server.domain.cases import SYSTEM, CaseEvent
from server.storage.tables_casework import ExceptionCaseRow

_DONE: dict[str, str] = {
    CaseEvent.ASSIGN: "gave it to somebody else",
    CaseEvent.REQUEST_RECOUNT: "asked for a recount",
    CaseEvent.APPROVE: "approved it",
    CaseEvent.POST: "posted it",
    CaseEvent.TRANSFER: "booked a transfer",
    CaseEvent.EXPLAIN: "explained it by a movement",
    CaseEvent.REJECT: "rejected the count",
    CaseEvent.ESCALATE: "handed it to the lead",
    CaseEvent.CLOSE: "closed it",
    CaseEvent.RECOUNT_ARRIVED: "received the recount",
    CaseEvent.COUNTS_AGREED: "saw that two counts agree",
    CaseEvent.ROUNDS_EXHAUSTED: "saw that no two counts agree",
    CaseEvent.RECOUNT_HIT: "saw that the recount met the book",
    CaseEvent.FACTS_EXPLAINED: "saw that the book agrees now",
    CaseEvent.FACTS_CHANGED: "opened it again",
    CaseEvent.SUPERSEDED: "joined it with another case",
}
"""Who did what to a case, as it is said on the timeline."""


def done_words(entry: HistoryEntry) -> str:
    """One entry of a case's history as a sentence without a stop."""
    who = "The server" if entry.who in ("", SYSTEM.user_id) else entry.who
    return f"{who} {_DONE.get(entry.event, entry.event)}"


def known_words(case: ExceptionCaseRow) -> str:
    """What is known of an oddity, without the ids that only programs need."""
    known = json.loads(case.evidence).items()
    shown = [
        f"{name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list) else value}"
        for name, value in known
        if name not in _FOR_PROGRAMS and value
    ]
    return "; ".join(shown)


_FOR_PROGRAMS = frozenset({"event_ids", "held_id", "count_id"})
