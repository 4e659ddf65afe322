"""The evidence of a case in words: its rounds, the movements around them, and what people did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

from app.contract.count_fold import CountedLine, FoldedCount
from app.contract.events import (
    BinClosed,
    BinEmpty,
    BinOpened,
    ConditionMarked,
    EventVoided,
    ItemCounted,
    NoteAdded,
    UnknownNoted,
)
from app.contract.review import (
    HistoryEntry,
    Interval,
    MovementView,
    RoundView,
    ScanRow,
    TimelineEntry,
)
from app.contract.vocabulary import BinKind, ScanSource, Verdict, quantity_text
from server.domain.proposals import spoken
from server.domain.ranges import NOTHING, ZERO, Range
from server.domain.stock import Movement, visible_condition
from server.services.case_words import done_words, known_words
from server.services.desk import Desk
from server.services.folding import fold_stored
from server.storage import cases as case_rows
from server.storage import ledger
from server.storage.case_rounds import CaseRound
from server.storage.columns import from_u, from_us
from server.storage.count_events import StoredEvent, events_of_counts
from server.storage.count_lines import CountLine
from server.storage.tables_casework import (
    CountRow,
    ExceptionCaseRow,
)

AROUND = timedelta(days=14)
"""How much of the ledger is shown before the first count."""
MOVEMENTS_MAX = 200
SCANS_MAX = 500


def round_views(desk: Desk, case: ExceptionCaseRow) -> list[RoundView]:
    """Every count of the case, in order, used as proof or not."""
    seen = _counts(desk, case)
    stored = events_of_counts(desk.session, desk.site_id, [count.count_id for _, count in seen])
    return [_round_view(desk, case, row, count, stored[count.count_id]) for row, count in seen]


def _counts(desk: Desk, case: ExceptionCaseRow) -> list[tuple[CaseRound, CountRow]]:
    """The case's rounds with their counts, looked up together with what was counted."""
    rounds = desk.rounds(case.case_id)
    wanted = [row.count_id for row in rounds]
    desk.load_counts(wanted)
    desk.load_lines(wanted)
    return [(row, count) for row in rounds if (count := desk.count(row.count_id)) is not None]


def _round_view(
    desk: Desk,
    case: ExceptionCaseRow,
    row: CaseRound,
    count: CountRow,
    stored: Sequence[StoredEvent],
) -> RoundView:
    lines = [
        line
        for line in desk.lines(count.count_id)
        if (line.sku, line.lot, line.condition) == (case.sku, case.lot, case.condition)
    ]
    told = fold_stored(count.count_id, stored)
    book = NOTHING
    for line in lines:
        book = book.plus(Range(from_u(line.book_low_u), from_u(line.book_high_u)))
    counted = sum((from_u(line.quantity_u) for line in lines), ZERO)
    variance = book.taken_from(counted)
    return RoundView(
        index=row.position,
        count_id=count.count_id,
        counted_by=count.counted_by,
        counted_by_name=desk.name_of(count.counted_by) or "nobody signed in",
        device=count.device_name,
        opened_at=from_us(count.opened_earliest_us),
        closed_at=from_us(count.ended_latest_us),
        received_at=from_us(count.received_us),
        counted=quantity_text(counted),
        entered=_entered(told[0], case) if told else "",
        book=_interval(book),
        variance=_interval(variance),
        verdict=_verdict(lines),
        used=row.is_used,
        why_not_used=row.why_not,
        scans=tuple(_scans(stored, case))[:SCANS_MAX],
    )


def _interval(value: Range) -> Interval:
    return Interval(low=quantity_text(value.low), high=quantity_text(value.high))


def _verdict(lines: Sequence[CountLine]) -> Verdict:
    worst = [v for v in Verdict if v.value in {line.verdict for line in lines}]
    return worst[-1] if worst else Verdict.EXACT


def _entered(folded: FoldedCount, case: ExceptionCaseRow) -> str:
    own = [
        line
        for line in folded.lines
        if (line.key.sku, line.key.condition) == (case.sku, case.condition)
    ]
    if not own:
        return "not seen; the bin was closed" if case.sku else ""
    return " + ".join(_entries(line) for line in own)


def _entries(line: CountedLine) -> str:
    totals: dict[tuple[str, Decimal], Decimal] = {}
    for entry in line.entries:
        key = (entry.unit.value, entry.factor)
        totals = {} if entry.is_total else totals
        totals[key] = totals.get(key, ZERO) + entry.quantity
    words = [
        f"{quantity_text(q)} {unit}" + (f" x {quantity_text(factor)}" if factor != 1 else "")
        for (unit, factor), q in totals.items()
    ]
    return " + ".join(words) or quantity_text(line.quantity)


def _scans(stored: Sequence[StoredEvent], case: ExceptionCaseRow) -> Iterable[ScanRow]:
    """What was done for this line, and what opened and closed the bin; undone entries are marked."""
    undone = {s.event.payload.voids for s in stored if isinstance(s.event.payload, EventVoided)}
    for each in stored:
        payload = each.event.payload
        words, raw, source = "", "", None
        match payload:
            case BinOpened():
                words = "opened the bin"
                raw, source = _scan(payload)
            case ItemCounted() if payload.line.sku == case.sku:
                sign = "set to" if payload.mode == "set" else "+"
                words = f"{sign} {payload.entered.quantity} {payload.entered.unit}"
                words += "" if payload.condition == "good" else f", {payload.condition}"
                raw, source = _scan(payload)
            case ConditionMarked() if payload.line.sku == case.sku:
                words = f"{payload.entered.quantity} marked {payload.to_condition}"
                words += f": {payload.note}" if payload.note else ""
            case UnknownNoted():
                words = f"{payload.quantity} with an unknown barcode"
                raw, source = payload.scan.raw, payload.scan.source
            case BinEmpty():
                words = "confirmed the bin empty"
            case BinClosed():
                words = "closed the bin"
            case NoteAdded():
                words = f"note: {payload.text}"
            case _:
                continue
        if words:
            yield ScanRow(
                at=each.latest,
                words=words,
                raw=raw,
                source=source,
                undone=each.event.id in undone,
            )


def _scan(payload: BinOpened | ItemCounted) -> tuple[str, ScanSource | None]:
    return (payload.scan.raw, payload.scan.source) if payload.scan else ("", None)


def movement_views(desk: Desk, case: ExceptionCaseRow) -> list[MovementView]:
    """Movements of the SKU in and out of the bin around the counts, what the case posted included."""
    place = desk.bin(case.bin)
    if place is None or not case.sku:
        return []
    seen = [count for _, count in _counts(desk, case)]
    first = min((c.opened_earliest_us for c in seen), default=case.opened_us)
    moves = ledger.movements_of_bin(
        desk.session, desk.site_id, case.bin, from_us(first) - AROUND, desk.now, sku=case.sku
    )
    shown = [m for m in moves if m.lot == case.lot or not case.lot][-MOVEMENTS_MAX:]
    return [_movement_view(m, case, place.kind, seen) for m in shown]


def _movement_view(
    movement: Movement, case: ExceptionCaseRow, kind: BinKind, seen: Sequence[CountRow]
) -> MovementView:
    delta = ZERO
    for bin_code, state, sign in (
        (movement.to_bin, movement.to_state, 1),
        (movement.from_bin, movement.from_state, -1),
    ):
        if bin_code == case.bin and visible_condition(state, kind) == case.condition:
            delta += sign * movement.quantity
    during = any(
        from_us(c.opened_earliest_us) < movement.occurred_at <= from_us(c.ended_latest_us)
        for c in seen
    )
    late = any(
        movement.occurred_at <= from_us(c.ended_latest_us)
        and movement.recorded_at > from_us(c.received_us)
        for c in seen
    )
    return MovementView(
        movement_id=movement.movement_id,
        kind=movement.kind,
        occurred_at=movement.occurred_at,
        recorded_at=movement.recorded_at,
        delta=quantity_text(delta),
        from_place=f"{movement.from_bin} {movement.from_state}",
        to_place=f"{movement.to_bin} {movement.to_state}",
        document=movement.document,
        during_count=during,
        is_late=late,
    )


def history_view(desk: Desk, case: ExceptionCaseRow) -> list[HistoryEntry]:
    """Everything that happened to the case, in order."""
    return [
        HistoryEntry(
            at=from_us(row.at_us),
            who=desk.name_of(row.who),
            event=row.event,
            from_state=row.from_state,
            to_state=row.to_state,
            why=row.why,
            through=row.through,
        )
        for row in case_rows.history_of_case(desk.session, desk.site_id, case.case_id)
    ]


def timeline(
    case: ExceptionCaseRow,
    rounds: Iterable[RoundView],
    movements: Iterable[MovementView],
    history: Iterable[HistoryEntry],
) -> list[TimelineEntry]:
    """Counts, movements and decisions in one line of time."""
    entries = [
        TimelineEntry(
            at=r.closed_at,
            kind="count",
            title=f"{r.counted_by_name} counted {r.counted if case.sku else case.bin}",
            detail=r.entered + (f" ({r.why_not_used})" if r.why_not_used else ""),
            delta=r.variance.low if case.sku and r.variance.low == r.variance.high else "",
        )
        for r in rounds
    ]
    entries += [
        TimelineEntry(
            at=m.occurred_at,
            kind="movement",
            title=", ".join(filter(None, (m.kind.capitalize(), spoken(m.document)))),
            detail=f"from {m.from_place} to {m.to_place}" + (", posted late" if m.is_late else ""),
            delta=m.delta,
        )
        for m in movements
    ]
    entries += [
        TimelineEntry(at=h.at, kind="decision", title=done_words(h), detail=h.why) for h in history
    ]
    if case.subject:
        told = TimelineEntry(
            at=from_us(case.opened_us), kind="fact", title=case.title, detail=known_words(case)
        )
        entries.append(told)
    return sorted(entries, key=lambda e: (e.at, e.kind))
