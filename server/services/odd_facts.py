"""Cases that are not about a line's variance: unknown codes, serials, expiry, doubles, held events.

Each has a subject, so that the same oddity is one case however often it is reported; a new count
that finds it again after somebody closed it opens another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import col, select

from app.contract.count_fold import CountStatus, FoldedCount, Oddity
from app.contract.review import Action, ProposalKind
from app.contract.vocabulary import CaseKind, CaseState, Condition, quantity_text
from server.domain.arrivals import held_next
from server.domain.impact import priority
from server.domain.ranges import ZERO
from server.services.case_numbers import set_priority
from server.services.desk import Desk
from server.storage import cases as case_rows
from server.storage import events, records
from server.storage.case_rounds import rounds_by_case
from server.storage.columns import to_us
from server.storage.counts import FoldedFacts
from server.storage.records import Bin
from server.storage.tables_casework import CaseRoundRow, CountRow, ExceptionCaseRow

SUBJECT_MAX = 120
"""Longest subject kept as it is; a longer one (a QR code's text) is kept by its hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OddFact:
    """Something a person should look at, found in one count or none."""

    kind: CaseKind
    subject: str
    title: str
    next_words: str
    bin: str = ""
    zone: str = ""
    sku: str = ""
    lot: str = ""
    condition: Condition = Condition.GOOD
    count_id: str = ""
    next_action: Action = Action.CLOSE
    evidence: Mapping[str, Any] = field(default_factory=dict)


def open_fact(desk: Desk, fact: OddFact) -> ExceptionCaseRow | None:
    """Open the case unless there is one about it; None when this very report was dealt with before."""
    subject = _subject(fact.subject)
    known = [
        case
        for case in case_rows.cases_of_subject(desk.session, desk.site_id, subject)
        if (case.bin, case.sku) == (fact.bin, fact.sku)
    ]
    rounds = rounds_by_case(desk.session, desk.site_id, [c.case_id for c in known])
    if any(r.count_id == fact.count_id for found in rounds.values() for r in found):
        return None
    live = next((case for case in known if case.is_live), None)
    if live is None and known and not fact.count_id:
        return None
    case = live or new_case(desk, fact, subject)
    if fact.count_id:
        position = len(rounds.get(case.case_id, ()))
        desk.session.add(
            CaseRoundRow(
                site_id=desk.site_id,
                case_id=case.case_id,
                count_id=fact.count_id,
                position=position,
            )
        )
        case.rounds = position + 1
    return case


def _subject(text: str) -> str:
    if len(text) <= SUBJECT_MAX:
        return text
    return text[:40] + "#" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def new_case(
    desk: Desk, fact: OddFact, subject: str = "", *, value: Decimal = ZERO
) -> ExceptionCaseRow:
    """One more open case, owned by rule. Whether there is one already is the caller's question."""
    score, why = priority(
        fact.kind,
        value=value,
        currency=desk.currency,
        standing=None,
        orders=0,
        first_promise=None,
    )
    owner, lead = desk.owner(zone=fact.zone, kind=fact.kind, value=value)
    case = ExceptionCaseRow(
        site_id=desk.site_id,
        case_id=desk.new_id(),
        bin=fact.bin,
        zone=fact.zone,
        sku=fact.sku,
        lot=fact.lot,
        condition=fact.condition.value,
        subject=subject,
        kind=fact.kind.value,
        state=CaseState.OPEN.value,
        title=fact.title,
        evidence=json.dumps(dict(fact.evidence), sort_keys=True),
        next_action=fact.next_action.value,
        next_words=fact.next_words,
        owner_id=owner,
        lead_id=lead,
        opened_us=to_us(desk.now),
        due_us=to_us(desk.now),
    )
    set_priority(case, score, why)
    desk.session.add(case)
    desk.session.flush()
    return case


# -- found in a count ------------------------------------------------------------------------------


def facts_of_count(desk: Desk, folded: FoldedCount, facts: FoldedFacts, place: Bin) -> None:
    """Everything odd in a closed count that no variance says."""
    _unknown_barcodes(desk, folded, place)
    _repeated_serials(desk, folded, place)
    _expired(desk, facts, place)
    _counted_twice(desk, facts, place)


def _unknown_barcodes(desk: Desk, folded: FoldedCount, place: Bin) -> None:
    for line in folded.unknown:
        if records.find_barcode(desk.session, desk.site_id, line.raw):
            continue  # somebody has matched it meanwhile
        amount = quantity_text(line.quantity)
        case = open_fact(
            desk,
            OddFact(
                kind=CaseKind.UNKNOWN_BARCODE,
                subject=f"barcode/{line.raw}",
                title=f"{amount} × unknown barcode {line.raw[:40]} in {place.bin}",
                next_words=f"Match {line.raw[:40]} to a SKU",
                bin=place.bin,
                zone=place.zone,
                count_id=folded.count_id,
                evidence={
                    "raw": line.raw,
                    "symbology": line.symbology,
                    "quantity": amount,
                    "event_ids": list(line.event_ids),
                },
            ),
        )
        if case is not None:
            case.top_proposal = ProposalKind.MATCH_BARCODE.value


def _repeated_serials(desk: Desk, folded: FoldedCount, place: Bin) -> None:
    repeated = [event for event, oddity in folded.oddities if oddity is Oddity.SERIAL_REPEATED]
    if not repeated:
        return
    open_fact(
        desk,
        OddFact(
            kind=CaseKind.DUPLICATE_SERIAL,
            subject=f"repeated/{folded.count_id}",
            title=f"{len(repeated)} serial scan(s) repeated in {place.bin}, counted once",
            next_words="Look whether two units carry one serial",
            bin=place.bin,
            zone=place.zone,
            count_id=folded.count_id,
            evidence={"event_ids": repeated},
        ),
    )


def _expired(desk: Desk, facts: FoldedFacts, place: Bin) -> None:
    today = facts.opened.earliest.date().isoformat()
    for key, expiry in sorted(facts.expiries.items()):
        counted = next((c.quantity for c in facts.cells if c.key == key), ZERO)
        if expiry >= today or counted == 0:
            continue
        open_fact(
            desk,
            OddFact(
                kind=CaseKind.EXPIRED_LOT,
                subject=f"expired/{key.sku}/{key.lot}/{expiry}",
                title=f"{quantity_text(counted)} × {key.sku} expired on {expiry}",
                next_words=f"Take lot {key.lot or '(none)'} of {key.sku} out of {place.bin}",
                bin=place.bin,
                zone=place.zone,
                sku=key.sku,
                lot=key.lot,
                condition=key.condition,
                count_id=facts.count_id,
                evidence={"expiry": expiry, "quantity": quantity_text(counted)},
            ),
        )


def _counted_twice(desk: Desk, facts: FoldedFacts, place: Bin) -> None:
    if not facts.task_id:
        return
    query = select(CountRow).where(
        col(CountRow.site_id) == desk.site_id,
        col(CountRow.task_id) == facts.task_id,
        col(CountRow.count_id) != facts.count_id,
        col(CountRow.status) == CountStatus.CLOSED.value,
    )
    others = desk.session.exec(query).all()
    if not others:
        return
    for count_id in sorted({facts.count_id, *(other.count_id for other in others)}):
        open_fact(
            desk,
            OddFact(
                kind=CaseKind.COUNTED_TWICE,
                subject=f"task/{facts.task_id}",
                title=f"{place.bin} was counted {len(others) + 1} times for one task",
                next_words="Both counts stand by themselves; close when it is understood",
                bin=place.bin,
                zone=place.zone,
                count_id=count_id,
            ),
        )


def unknown_bin(desk: Desk, facts: FoldedFacts) -> None:
    """A count of a bin that this site does not have (any more)."""
    open_fact(
        desk,
        OddFact(
            kind=CaseKind.UNKNOWN_BIN,
            subject=f"count/{facts.count_id}",
            title=f"A count of {facts.bin}, which is no bin of this site",
            next_words=f"Find out which bin {facts.bin} is",
            bin=facts.bin,
            count_id=facts.count_id,
            evidence={"device": facts.device_name, "counted_by": facts.counted_by},
        ),
    )


# -- found elsewhere -------------------------------------------------------------------------------


def held_events(desk: Desk, held_ids: Iterable[str]) -> None:
    """One case per device and reason: what is stored but cannot be used."""
    for held_id in sorted(set(held_ids)):
        held = events.find_held(desk.session, desk.site_id, held_id)
        if held is None:
            continue
        open_fact(
            desk,
            OddFact(
                kind=CaseKind.HELD_EVENT,
                subject=f"held/{held_id}",
                title=f"An event of {held.device_name or 'a device'} cannot be used: {held.code}",
                next_words=held_next(held.code),
                evidence={
                    "held_id": held_id,
                    "code": held.code,
                    "reason": held.reason,
                    "device": held.device_name,
                    "seq": held.seq,
                    "count_id": held.count_id or "",
                    "received_at": held.received_at.isoformat(),
                },
            ),
        )


def device_gap(
    desk: Desk, install_id: str, device_name: str, *, first_missing: int, since: datetime
) -> None:
    """Numbers of a device's sequence are missing: something it recorded has not arrived."""
    open_fact(
        desk,
        OddFact(
            kind=CaseKind.DEVICE_GAP,
            subject=f"gap/{install_id}/{first_missing}",
            title=f"{device_name or 'A device'} has not sent event {first_missing}",
            next_words=f"Bring {device_name or 'the device'} into the network and let it send",
            evidence={"first_missing": first_missing, "since": since.isoformat()},
        ),
    )
