"""The site's rules of casework: read, exported, imported and edited. All bad rows are named at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from app.contract.problems import RefusalError
from app.contract.vocabulary import QUANTITY_MAX, AbcClass, CaseKind, Role, quantity_text
from server.clock import Rim
from server.domain.people import Person
from server.domain.planning import OwnerRule
from server.domain.tolerance import Limits, ToleranceRule, ToleranceScope
from server.services.desk import Desk
from server.services.reconciling import judge_in_groups
from server.storage import access, records, rules
from server.storage import cases as case_rows
from server.storage.casework_lock import lock_for_casework
from server.storage.columns import from_us, to_u
from server.storage.engine import Database
from server.storage.rules import LIMIT_NAMES, Policy

TOLERANCE_COLUMNS = ("scope", "key", *LIMIT_NAMES)
AUTHORITY_COLUMNS = ("user_id", "approve_limit")
OWNER_COLUMNS = ("zone", "kind", "value_from", "owner", "lead")
ROWS_MAX = 20_000
LIMIT_MAX = QUANTITY_MAX
"""Larger limits would limit nothing; the tables hold nine times as much."""

T = TypeVar("T")
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """One cell that cannot be used; `line` counts from 1 and the header is line 1."""

    line: int
    column: str
    reason: str


class BadRowsError(Exception):
    """Rows that cannot be used; nothing was changed."""

    def __init__(self, bad: Sequence[BadRow], rows: int) -> None:
        self.bad = tuple(bad)
        self.refusal = RefusalError("import-refused", bad=len(bad), rows=rows)
        super().__init__(self.refusal.detail)


class _CellError(Exception):
    def __init__(self, column: str, reason: str) -> None:
        self.column, self.reason = column, reason
        super().__init__(reason)


def rows_of_csv(text: str, columns: Sequence[str]) -> list[Row]:
    """Rows of a CSV with those columns; `;` works too. Raises file-unreadable for a missing column."""
    text = text.lstrip("\ufeff")
    header = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in header else ",")
    missing = [name for name in columns if name not in (reader.fieldnames or [])]
    if missing:
        raise RefusalError("file-unreadable", reason=f"The column {missing[0]} is missing.")
    return [{name: (row.get(name) or "").strip() for name in columns} for row in reader]


def _read(rows: Sequence[Row], one: Callable[[Row], T]) -> list[T]:
    if len(rows) > ROWS_MAX:
        raise RefusalError("file-unreadable", reason=f"At most {ROWS_MAX} rules are read.")
    found, bad = [], []
    for line, row in enumerate(rows, start=2):
        try:
            found.append(one(row))
        except _CellError as error:
            bad.append(BadRow(line=line, column=error.column, reason=error.reason))
    if bad:
        raise BadRowsError(bad, len(rows))
    return found


def _amount(row: Row, column: str) -> Decimal | None:
    text = row.get(column, "")
    if text == "":
        return None
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise _CellError(column, f"not a number: {text!r}") from error
    if not value.is_finite() or not 0 <= value <= LIMIT_MAX:
        raise _CellError(column, f"must be between 0 and {LIMIT_MAX}: {text!r}")
    try:
        to_u(value)
    except ValueError as error:
        raise _CellError(column, f"more than six decimal places: {text!r}") from error
    return value


# -- tolerances ------------------------------------------------------------------------------------


def tolerances(database: Database, site_id: str) -> list[dict[str, str]]:
    """Every tolerance as text; "" is "this measure does not judge"."""
    with database.read() as session:
        return [_tolerance_row(rule) for rule in rules.tolerance_rules(session, site_id)]


def _tolerance_row(rule: ToleranceRule) -> dict[str, str]:
    row = {"scope": rule.scope.value, "key": rule.key}
    for name in LIMIT_NAMES:
        limit = getattr(rule.limits, name)
        row[name] = "" if limit is None else quantity_text(limit)
    return row


def set_tolerances(
    database: Database,
    site_id: str,
    rows: Sequence[Row],
    person: Person,
    *,
    replace: bool,
    rim: Rim,
) -> int:
    """Write tolerances, or replace all of them; open cases are judged again. How many rows there were.

    Raises BadRowsError naming every bad cell, role-forbidden below a lead.
    """
    _only_leads(person, "set tolerances")
    with database.write() as session:
        lock_for_casework(session, site_id)
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        read = _read(rows, lambda row: _tolerance(desk, row))
        rules.keep_tolerances(session, site_id, read, replace=replace)
        bins = case_rows.bins_with_open_lines(session, site_id)
        since = {place: from_us(first) for place, first in bins.items()}
        judge_in_groups(session, site_id, since, rim.now(), rim.new_id)
        session.commit()
    return len(read)


def _tolerance(desk: Desk, row: Row) -> ToleranceRule:
    try:
        scope = ToleranceScope(row.get("scope", ""))
    except ValueError as error:
        raise _CellError("scope", f"one of {', '.join(ToleranceScope)}") from error
    key = row.get("key", "")
    problem = _key_problem(desk, scope, key)
    if problem:
        raise _CellError("key", problem)
    limits: dict[str, Any] = {name: _amount(row, name) for name in LIMIT_NAMES}
    return ToleranceRule(scope=scope, key=key, limits=Limits(**limits))


def _key_problem(desk: Desk, scope: ToleranceScope, key: str) -> str:
    match scope:
        case ToleranceScope.SITE:
            return "a site's rule has no key" if key else ""
        case ToleranceScope.SKU:
            return "" if desk.sku(key) else f"{key!r} is not a SKU of this site"
        case ToleranceScope.BIN:
            return "" if desk.bin(key) else f"{key!r} is not a bin of this site"
        case ToleranceScope.ABC_CLASS:
            return "" if key in set(AbcClass) else f"one of {', '.join(AbcClass)}"
        case ToleranceScope.ZONE:
            zones = {place.zone for place in records.all_bins(desk.session, desk.site_id)}
            return "" if key and key in zones else f"{key!r} is not a zone of this site"


def _only_leads(person: Person, what: str) -> None:
    if person.role is not Role.LEAD:
        raise RefusalError("role-forbidden", role=person.role, what=what)


# -- who may approve how much ----------------------------------------------------------------------


def authorities(database: Database, site_id: str) -> list[dict[str, str]]:
    """What each active person may approve in one case, absolute, in the site's currency."""
    with database.read() as session:
        return [
            {"user_id": p.user_id, "approve_limit": quantity_text(p.approve_limit)}
            for p in access.all_people(session, site_id)
        ]


def set_authorities(
    database: Database, site_id: str, rows: Sequence[Row], person: Person, *, rim: Rim
) -> int:
    """Set people's limits; the others keep theirs. Nobody sets their own.

    Raises BadRowsError naming every bad cell, role-forbidden below a lead.
    """
    _only_leads(person, "set authority limits")
    with database.write() as session:
        known = {p.user_id for p in access.all_people(session, site_id)}

        def one(row: Row) -> tuple[str, Decimal]:
            user_id, limit = row.get("user_id", ""), _amount(row, "approve_limit")
            if user_id not in known:
                raise _CellError("user_id", f"{user_id!r} is nobody who works here")
            if user_id == person.user_id:
                raise _CellError("user_id", "nobody sets their own limit")
            if limit is None:
                raise _CellError("approve_limit", "a limit is needed; 0 approves nothing")
            return user_id, limit

        read = _read(rows, one)
        for user_id, limit in read:
            row = access.person_row(session, site_id, user_id)
            if row is not None:
                row.approve_limit_u = to_u(limit)
                session.add(row)
                access.note_access(
                    session,
                    site_id,
                    history_id=rim.new_id(),
                    at=rim.now(),
                    actor=person.user_id,
                    verb="limit",
                    subject=user_id,
                    note=quantity_text(limit),
                )
        session.commit()
    return len(read)


# -- owners and numbers ----------------------------------------------------------------------------


def owners(database: Database, site_id: str) -> list[dict[str, str]]:
    """Who owns which cases."""
    with database.read() as session:
        return [
            {
                "zone": rule.zone,
                "kind": rule.kind,
                "value_from": str(rule.value_from),
                "owner": rule.owner,
                "lead": rule.lead,
            }
            for rule in rules.owner_rules(session, site_id)
        ]


def set_owners(
    database: Database, site_id: str, rows: Sequence[Row], person: Person, *, rim: Rim
) -> int:
    """Replace the owner rules; cases that are open keep their owners. Raises BadRowsError."""
    _only_leads(person, "set owners")
    with database.write() as session:
        desk = Desk(session, site_id, rim.now(), rim.new_id)
        known = {p.user_id for p in desk.active}
        read = _read(rows, lambda row: _owner(known, row))
        rules.keep_owner_rules(session, site_id, read)
        session.commit()
    return len(read)


def _owner(known: Iterable[str], row: Row) -> OwnerRule:
    for column in ("owner", "lead"):
        if row.get(column, "") not in known:
            raise _CellError(column, f"{row.get(column, '')!r} is nobody who works here")
    if row.get("kind", "") not in {"", *CaseKind}:
        raise _CellError("kind", f"empty or one of {', '.join(CaseKind)}")
    value = _amount(row, "value_from")
    if value is not None and value != value.to_integral_value():
        raise _CellError("value_from", "a whole number of currency units")
    return OwnerRule(
        owner=row["owner"],
        lead=row["lead"],
        zone=row.get("zone", ""),
        kind=row.get("kind", ""),
        value_from=0 if value is None else int(value),
    )


def policy(database: Database, site_id: str) -> Policy:
    """The site's numbers."""
    with database.read() as session:
        return rules.policy_of(session, site_id)


def set_policy(database: Database, site_id: str, wanted: Policy, person: Person) -> Policy:
    """Set the site's numbers. Raises role-forbidden below a lead."""
    _only_leads(person, "set the casework's numbers")
    with database.write() as session:
        rules.keep_policy(session, site_id, wanted)
        session.commit()
    return wanted
