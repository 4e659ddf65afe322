"""What bins and SKUs have in common when they are imported: made once, changed only when asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.contract.problems import RefusalError
from server.domain.cells import Cells
from server.domain.records import Record, event_between
from server.domain.row_errors import RowCode, RowError
from server.services.importing.job import Job
from server.storage.history import Change

UPDATE_HINT = "To change it, import with --update (API: ?update=true)"


def created(job: Job, record: Record, record_id: str, state: str) -> Change:
    """The history's first line of a record."""
    return Change(
        history_id=job.new_id(),
        record=record,
        record_id=record_id,
        at=job.now,
        actor=job.actor,
        event="create",
        to_state=state,
        via=job.via,
    )


def changed(
    job: Job,
    cells: Cells,
    record: Record,
    record_id: str,
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> Change | None:
    """The history line of a permitted change; None when it is not one (the error is told).

    `before` and `after` differ in something, the state included.
    """
    fields = [name for name in after if name != "state" and before[name] != after[name]]
    if fields and not job.is_update:
        job.conflict(cells.line, record.value, record_id, fields, UPDATE_HINT)
        return None
    event = "change"
    if before["state"] != after["state"]:
        try:
            event = event_between(record, before["state"], after["state"])
        except RefusalError as refusal:
            job.failed(
                [
                    RowError(
                        line=cells.line,
                        column="state",
                        code=RowCode.TRANSITION_REFUSED,
                        reason=f"{record_id}: {refusal.detail}",
                    )
                ]
            )
            return None
    return Change(
        history_id=job.new_id(),
        record=record,
        record_id=record_id,
        at=job.now,
        actor=job.actor,
        event=event,
        from_state=before["state"],
        to_state=after["state"],
        via=job.via,
        changes={name: [before[name], after[name]] for name in fields},
    )
