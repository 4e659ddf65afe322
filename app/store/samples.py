"""Clock exchanges with the server, kept until it has them: they date the counts made offline."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from app.contract.wire import ClockSample
from app.store.tables_ops import SampleRow

SAMPLES_MAX = 64
SAMPLES_PER_PUSH = 16
WORTH_KEEPING_MS = 10 * 60_000
"""A later sample of the same boot is kept after this long even when it is no better: clocks drift."""


def delay_ms(sample: ClockSample) -> int:
    """Time on the way, both directions: half of it bounds the sample's error."""
    return (sample.t3_boot_ms - sample.t0_boot_ms) - (sample.t2_ms - sample.t1_ms)


def keep_sample(session: Session, sample: ClockSample) -> bool:
    """Keep it when it is the boot's first, better than its best, or late enough to show drift."""
    if delay_ms(sample) < 0 or sample.t2_ms < sample.t1_ms:
        return False  # the server's clock stepped in between: it says nothing
    same_boot = session.exec(select(SampleRow).where(SampleRow.boot_id == sample.boot_id)).all()
    best = min((delay_ms(_sample(row)) for row in same_boot), default=None)
    newest = max((row.t0_boot_ms for row in same_boot), default=None)
    is_better = best is None or delay_ms(sample) < best
    is_later = newest is None or sample.t0_boot_ms - newest >= WORTH_KEEPING_MS
    if not (is_better or is_later):
        return False
    session.add(SampleRow(**sample.model_dump()))
    session.flush()
    _trim(session)
    return True


def unsent_samples(session: Session) -> list[tuple[int, ClockSample]]:
    """(number, sample) still to be sent, oldest first, as many as one push may carry."""
    rows = session.exec(
        select(SampleRow)
        .where(SampleRow.is_sent == 0)
        .order_by(col(SampleRow.number))
        .limit(SAMPLES_PER_PUSH)
    )
    return [(row.number or 0, _sample(row)) for row in rows]


def sent_samples(session: Session, numbers: Sequence[int]) -> None:
    """The server has them."""
    session.exec(update(SampleRow).where(col(SampleRow.number).in_(numbers)).values(is_sent=1))


def resend_samples(session: Session) -> None:
    """The server was restored: it may have lost them."""
    session.exec(update(SampleRow).values(is_sent=0))


def _trim(session: Session) -> None:
    newest = session.exec(select(func.max(SampleRow.number))).one() or 0
    session.exec(delete(SampleRow).where(col(SampleRow.number) <= newest - SAMPLES_MAX))


def _sample(row: SampleRow) -> ClockSample:
    return ClockSample(
        boot_id=row.boot_id,
        t0_boot_ms=row.t0_boot_ms,
        t0_wall_ms=row.t0_wall_ms,
        t1_ms=row.t1_ms,
        t2_ms=row.t2_ms,
        t3_boot_ms=row.t3_boot_ms,
    )
