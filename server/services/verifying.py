"""`blindcount verify`: the invariants of ledger and records, checked against the data itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlmodel import Session, col, select

from app.contract.vocabulary import quantity_text
from server.storage.book import END
from server.storage.checkpoints import drop_all_checkpoints, refresh_checkpoints, untrue_checkpoints
from server.storage.columns import from_u, to_u
from server.storage.engine import Database
from server.storage.ledger import book_of_bin
from server.storage.ledger_checks import (
    QUERIES,
    WARNINGS,
    broken,
    inside_and_outside,
    sqlite_problems,
)
from server.storage.migrate import is_current
from server.storage.tables_records import BinRow
from server.storage.touched import below_zero

LISTED_MAX = 20
"""Findings of one check that are listed; a broken import breaks the same thing a million times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that does not hold. `is_defect` False: worth a look, not wrong by itself."""

    check: str
    what: str
    is_defect: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was checked, and what was found."""

    checks: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """True when nothing is a defect."""
        return not any(finding.is_defect for finding in self.findings)


def verify(
    database: Database, site_id: str, *, on_check: Callable[[str], None] = lambda _name: None
) -> Verdict:
    """Check every invariant over one snapshot of the data. Changes nothing."""
    checks: list[str] = []
    findings: list[Finding] = []
    with database.read() as session:
        for name, check in _checks(session, site_id):
            on_check(name)
            checks.append(name)
            findings += check()
    return Verdict(checks=tuple(checks), findings=tuple(findings))


def repair(database: Database, site_id: str) -> int:
    """Work out every checkpoint afresh; how many. Nothing else can be repaired: facts are facts."""
    with database.write() as session:
        drop_all_checkpoints(session, site_id)
        session.commit()
    with database.read() as session:
        bins = session.exec(select(BinRow.bin).where(col(BinRow.site_id) == site_id)).all()
    return refresh_checkpoints(database, site_id, bins)


def _checks(session: Session, site_id: str) -> Iterator[tuple[str, Callable[[], list[Finding]]]]:
    yield "schema", lambda: _schema(session)
    yield "database-file", lambda: _listed("database-file", sqlite_problems(session))
    for name, query in QUERIES.items():
        yield name, lambda n=name, q=query: _queried(session, site_id, n, q, is_defect=True)  # type: ignore[misc]
    yield "conservation", lambda: _conservation(session, site_id)
    yield "checkpoints", lambda: _listed("checkpoints", untrue_checkpoints(session, site_id))
    for name, query in WARNINGS.items():
        yield name, lambda n=name, q=query: _queried(session, site_id, n, q, is_defect=False)  # type: ignore[misc]
    yield "negative-book", lambda: _negative(session, site_id)


def _schema(session: Session) -> list[Finding]:
    if is_current(session.connection()):
        return []
    words = "the database is not at this program's schema; `blindcount serve` brings it up"
    return [Finding(check="schema", what=words, is_defect=True)]


def _listed(check: str, problems: list[str]) -> list[Finding]:
    return [Finding(check=check, what=what, is_defect=True) for what in problems[:LISTED_MAX]]


def _queried(
    session: Session, site_id: str, check: str, query: str, *, is_defect: bool
) -> list[Finding]:
    found = broken(session, site_id, query, LISTED_MAX)
    return [
        Finding(check=check, what=f"{what} {words}", is_defect=is_defect) for what, words in found
    ]


def _conservation(session: Session, site_id: str) -> list[Finding]:
    """What entered and did not leave is what the bins hold, as their readers see it.

    The two sides are worked out differently: one from all movements, one bin by bin through the
    checkpoints, so a lost movement, a bin nobody lists or an untrue checkpoint shows.
    """
    held: dict[tuple[str, str, str], int] = {}
    for code in session.exec(select(BinRow.bin).where(col(BinRow.site_id) == site_id)).all():
        for key, quantity in book_of_bin(session, site_id, code, END).items():
            part = (key.sku, key.lot, key.serial)
            held[part] = held.get(part, 0) + to_u(quantity)
    problems = []
    for part, inside, outside in inside_and_outside(session, site_id):
        in_bins = held.pop(part, 0)
        if inside + outside != 0 or inside != in_bins:
            problems.append(
                f"{' '.join(p for p in part if p)}: {quantity_text(from_u(-outside))} came in, "
                f"{quantity_text(from_u(in_bins))} in the bins"
            )
    problems += [f"{' '.join(part)}: in a bin, from no movement" for part, q in held.items() if q]
    return _listed("conservation", problems)


def _negative(session: Session, site_id: str) -> list[Finding]:
    bins = session.exec(select(BinRow.bin).where(col(BinRow.site_id) == site_id)).all()
    below = below_zero(session, site_id, bins, LISTED_MAX)
    more = f" (one of {below.total})" if below.total > len(below.listed) else ""
    return [
        Finding(
            check="negative-book",
            what=f"{place} {sku} {lot}{serial} {state}: {quantity_text(from_u(held))}{more}",
            is_defect=False,
        )
        for place, sku, lot, serial, state, held in below.listed
    ]
