"""Clock exchanges with the server, kept until it has them: they date the counts made offline."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from app.contract.wire import ClockSample

_COLUMNS = tuple(ClockSample.model_fields)
SAMPLES_MAX = 64
SAMPLES_PER_PUSH = 16
WORTH_KEEPING_MS = 10 * 60_000
"""A later sample of the same boot is kept after this long even when it is no better: clocks drift."""


def delay_ms(sample: ClockSample) -> int:
    """Time on the way, both directions: half of it bounds the sample's error."""
    return (sample.t3_boot_ms - sample.t0_boot_ms) - (sample.t2_ms - sample.t1_ms)


def keep_sample(db: Connection, sample: ClockSample) -> bool:
    """Keep it when it is the boot's first, better than its best, or late enough to show drift."""
    if not is_worth_keeping(db, sample):
        return False
    values = (*(getattr(sample, name) for name in _COLUMNS), 0)
    marks = ", ".join("?" * len(values))
    db.execute(f"INSERT INTO sample ({', '.join(_COLUMNS)}, is_sent) VALUES ({marks})", values)
    db.execute(
        "DELETE FROM sample WHERE number <= (SELECT max(number) FROM sample) - ?", (SAMPLES_MAX,)
    )
    return True


def is_worth_keeping(db: Connection, sample: ClockSample) -> bool:
    """Whether it says anything that the samples kept do not."""
    if delay_ms(sample) < 0 or sample.t2_ms < sample.t1_ms:
        return False  # the server's clock stepped in between: it says nothing
    best, newest = db.execute(
        "SELECT min((t3_boot_ms - t0_boot_ms) - (t2_ms - t1_ms)), max(t0_boot_ms)"
        " FROM sample WHERE boot_id = ?",
        (sample.boot_id,),
    ).fetchone()
    is_better = best is None or delay_ms(sample) < best
    return is_better or sample.t0_boot_ms - newest >= WORTH_KEEPING_MS


def unsent_samples(db: Connection) -> list[tuple[int, ClockSample]]:
    """(number, sample) still to be sent, oldest first, as many as one push may carry."""
    rows = db.execute(
        f"SELECT number, {', '.join(_COLUMNS)} FROM sample WHERE is_sent = 0 ORDER BY number LIMIT ?",
        (SAMPLES_PER_PUSH,),
    ).fetchall()
    return [
        (number, ClockSample(**dict(zip(_COLUMNS, values, strict=True))))
        for number, *values in rows
    ]


def sent_samples(db: Connection, numbers: Sequence[int]) -> None:
    """The server has them."""
    db.executemany("UPDATE sample SET is_sent = 1 WHERE number = ?", [(n,) for n in numbers])


def resend_samples(db: Connection) -> None:
    """The server was restored: it may have lost them."""
    db.execute("UPDATE sample SET is_sent = 0")
