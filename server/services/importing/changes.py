"""Who has to hear of an import: the devices of bins and SKUs, open cases of late movements."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Collection, Mapping, Sequence
from types import ModuleType

from app.contract.wire import RefKind
from server.services.importing.job import Job
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
    reconciling = _module("server.services.reconciling")
    if bins_and_skus and reconciling is not None:
        reconciling.movements_changed(
            job.session,
            job.site_id,
            bins_and_skus,
            job.now,
            job.new_id,
            since={place: from_us(at_us) for place, at_us in earliest.items()},
        )


def _module(name: str) -> ModuleType | None:
    return importlib.import_module(name) if importlib.util.find_spec(name) else None
