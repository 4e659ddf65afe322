"""Which counts are evidence in which case: values in, values out, written many at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlmodel import Session

from server.domain.rounds import Episode
from server.storage.rows import by_keys, in_chunks
from server.storage.tables_casework import CaseRoundRow

ROUND = CaseRoundRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time


@dataclass(frozen=True, slots=True)
class CaseRound:
    """A count in its place in a case, as the columns of the table after the site."""

    case_id: str
    count_id: str
    position: int
    is_used: bool = True
    why_not: str = ""
    """Why it is evidence and no proof; "" when it is used."""


_NAMES = tuple(CaseRound.__dataclass_fields__)
_HERE = [ROUND.c[name] == bindparam(f"b_{name}") for name in ("site_id", "case_id", "count_id")]
_BY_CASE = by_keys(CaseRoundRow, "case_id").order_by(ROUND.c.position)
_DELETE = delete(ROUND).where(*_HERE)
_INSERT = insert(ROUND)
_UPDATE = (
    update(ROUND)
    .where(*_HERE)
    .values({name: bindparam(name) for name in ("position", "is_used", "why_not")})
)


def rounds_by_case(
    session: Session, site_id: str, case_ids: Iterable[str]
) -> dict[str, list[CaseRound]]:
    """The counts of each case, in their order."""
    found: dict[str, list[CaseRound]] = defaultdict(list)
    for row in in_chunks(session, _BY_CASE, site_id, case_ids):
        found[row.case_id].append(
            CaseRound(row.case_id, row.count_id, row.position, row.is_used, row.why_not)
        )
    return found


def rounds_of(case_id: str, episode: Episode) -> list[CaseRound]:
    """The counts of a case as they follow from its episode."""
    return [
        CaseRound(case_id, part.count_id, position, part.is_used, part.why_not)
        for position, part in enumerate(episode.rounds)
    ]


def write_rounds(
    session: Session,
    site_id: str,
    changes: Iterable[tuple[Sequence[CaseRound], Sequence[CaseRound]]],
) -> None:
    """Bring the table from the rounds of each case as stored to those wanted. The cases are there."""
    gone: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for stored, wanted in changes:
        before = {each.count_id: each for each in stored}
        after = {each.count_id: each for each in wanted}
        gone += [_key(site_id, each) for key, each in before.items() if key not in after]
        for key, each in after.items():
            if key not in before:
                new.append({"site_id": site_id} | _values(each))
            elif before[key] != each:
                changed.append(_key(site_id, each) | _values(each))
    connection = session.connection()
    for statement, rows in ((_DELETE, gone), (_INSERT, new), (_UPDATE, changed)):
        if rows:
            connection.execute(statement, rows)


def _key(site_id: str, each: CaseRound) -> dict[str, Any]:
    return {"b_site_id": site_id, "b_case_id": each.case_id, "b_count_id": each.count_id}


def _values(each: CaseRound) -> dict[str, Any]:
    return {name: getattr(each, name) for name in _NAMES}
