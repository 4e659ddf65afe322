"""From the events that devices sent to a count with its times. Decides nothing about right or wrong."""

from __future__ import annotations

from collections.abc import Sequence

from app.contract.count_fold import FoldedCount, fold_count
from server.domain.ranges import Span
from server.domain.reconcile import CountedCell
from server.storage.count_events import StoredEvent
from server.storage.counts import FoldedFacts


def fold_stored(
    count_id: str, stored: Sequence[StoredEvent]
) -> tuple[FoldedCount, FoldedFacts] | None:
    """The count as folded, and with its times; None while its opening has not arrived.

    A line's time runs from the opening of the bin to the line's last entry, both with the doubt of
    the device's clock. The person who closed the bin answers for what was not seen in it.
    """
    folded = fold_count(count_id, [s.event for s in stored])
    by_id = {s.event.id: s for s in stored}
    if folded.opened_event_id is None or folded.bin is None:
        return None
    opening = by_id[folded.opened_event_id]
    opened = _span(opening)
    last = max(stored, key=lambda s: s.event.seq)
    ending = by_id[folded.ended_event_id] if folded.ended_event_id else last
    ended = _not_before(opened, _span(ending))
    facts = FoldedFacts(
        count_id=count_id,
        bin=folded.bin,
        scope=folded.scope,
        sku=folded.sku or "",
        task_id=opening.event.task_id or "",
        counted_by=ending.event.user_id or opening.event.user_id or "",
        install_id=opening.install_id,
        device_name=opening.device_name,
        status=folded.status,
        opened=opened,
        ended=ended,
        received_at=max(s.received_at for s in stored),
        is_empty=folded.is_empty_confirmed,
        cells=tuple(
            CountedCell(
                key=line.key,
                quantity=line.quantity,
                seen=Span(
                    earliest=opened.earliest,
                    latest=max(opened.latest, by_id[line.last_event_id].latest),
                ),
            )
            for line in folded.lines
        ),
        expiries={line.key: line.expiry for line in folded.lines if line.expiry is not None},
    )
    return folded, facts


def _span(stored: StoredEvent) -> Span:
    return Span(earliest=stored.earliest, latest=stored.latest)


def _not_before(opened: Span, later: Span) -> Span:
    """What came after the opening did not happen before it, whatever a clock that jumped says."""
    earliest = max(opened.earliest, later.earliest)
    return Span(earliest=earliest, latest=max(earliest, later.latest))
