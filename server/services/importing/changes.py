"""Who has to hear of an import: the devices of bins and SKUs, open cases of late movements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from app.contract.wire import RefKind
from server.services.importing.job import Job
from server.services.reconciling import movements_changed
from server.storage.changes import record_changes
from server.storage.columns import from_us


def tell_devices(job: Job, kind: RefKind, ids: Sequence[str]) -> None:
    """Reference data has changed: devices get it with their next pull."""
    record_changes(job.session, job.site_id, kind, ids)


def tell_cases(
    job: Job, bins_and_skus: Collection[tuple[str, str]], earliest: Mapping[str, int]
) -> None:
    """Movements arrived: cases of that stock are worked out again, in this transaction.

    `earliest` is when, in microseconds, each bin's book first changed.
    """
    if bins_and_skus:
        movements_changed(
            job.session,
            job.site_id,
            bins_and_skus,
            job.now,
            job.new_id,
            since={place: from_us(at_us) for place, at_us in earliest.items()},
        )
