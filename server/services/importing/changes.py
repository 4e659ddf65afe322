"""Who has to hear of an import: the devices of bins and SKUs, open cases of late movements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlmodel import col, select

from app.contract.wire import RefKind
from server.services import order_risks
from server.services.case_numbers import price_again
from server.services.desk import Desk
from server.services.importing.job import Job
from server.services.reconciling import judge_in_groups, movements_changed
from server.storage.changes import record_changes
from server.storage.columns import from_us
from server.storage.tables_casework import CountRow, ExceptionCaseRow


def tell_devices(job: Job, kind: RefKind, ids: Sequence[str]) -> None:
    """Reference data has changed: devices get it with their next pull."""
    record_changes(job.session, job.site_id, kind, ids)


def bins_with_casework(job: Job) -> set[str]:
    """Bins that were ever counted or have a case: only there can a movement change a judgement."""
    counted = select(CountRow.bin).where(col(CountRow.site_id) == job.site_id).distinct()
    cases = select(ExceptionCaseRow.bin).where(col(ExceptionCaseRow.site_id) == job.site_id)
    return {*job.session.exec(counted), *job.session.exec(cases.distinct())}


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


def tell_orders(job: Job, skus: Collection[str]) -> None:
    """Stock or orders of the SKUs changed: what is known of orders at risk is worked out again."""
    desk = Desk(job.session, job.site_id, job.now, job.new_id)
    order_risks.follow(desk, skus)
    price_again(desk, _with_open_cases(job) & set(skus))


def _with_open_cases(job: Job) -> set[str]:
    query = select(ExceptionCaseRow.sku).where(
        col(ExceptionCaseRow.site_id) == job.site_id,
        col(ExceptionCaseRow.is_live),
        col(ExceptionCaseRow.rounds) > 0,
    )
    return set(job.session.exec(query.distinct())) - {""}


def tell_judges(job: Job, skus: Collection[str]) -> None:
    """Costs or classes of the SKUs changed: their open cases are judged and priced by the new ones."""
    query = select(ExceptionCaseRow).where(
        col(ExceptionCaseRow.site_id) == job.site_id,
        col(ExceptionCaseRow.sku).in_(_with_open_cases(job) & set(skus)),
        col(ExceptionCaseRow.is_live),
        col(ExceptionCaseRow.subject) == "",
        col(ExceptionCaseRow.rounds) > 0,
    )
    since: dict[str, datetime] = {}
    for case in job.session.exec(query):
        first = from_us(case.first_order_us)
        since[case.bin] = min(first, since.get(case.bin, first))
    judge_in_groups(job.session, job.site_id, since, job.now, job.new_id)
