"""The site's rules of casework in the tables: tolerances, owners, numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session, col, delete

from server.domain.planning import OwnerRule
from server.domain.rounds import ROUNDS_MAX
from server.domain.tolerance import SEED_RULES, Limits, ToleranceRule, ToleranceScope
from server.storage.columns import from_u, to_u
from server.storage.rows import rows_of_site
from server.storage.tables_casework import CaseworkPolicyRow, OwnerRuleRow, ToleranceRow

LIMIT_NAMES = (
    "percent_plus",
    "percent_minus",
    "units_plus",
    "units_minus",
    "money_plus",
    "money_minus",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The few numbers a site sets. `second_above` None: one approver always suffices."""

    rounds_max: int = ROUNDS_MAX
    second_above: Decimal | None = None


def tolerance_rules(session: Session, site_id: str) -> list[ToleranceRule]:
    """Every tolerance of the site, by scope and key; the seed rules until it sets some of its own."""
    rows = session.connection().execute(_TOLERANCES, {"site_id": site_id}).fetchall()
    return [_to_rule(row) for row in rows] or list(SEED_RULES)


_TOLERANCES = rows_of_site(ToleranceRow, "scope", "key")
_OWNERS = rows_of_site(OwnerRuleRow)
_POLICY = rows_of_site(CaseworkPolicyRow)


def _to_rule(row: Row[Any]) -> ToleranceRule:
    limits: dict[str, Decimal | None] = {}
    for name in LIMIT_NAMES:
        stored = getattr(row, f"{name}_u")
        limits[name] = None if stored is None else from_u(stored)
    return ToleranceRule(scope=ToleranceScope(row.scope), key=row.key, limits=Limits(**limits))


def keep_tolerances(
    session: Session, site_id: str, rules: Iterable[ToleranceRule], *, replace: bool
) -> None:
    """Write rules; with `replace` they become all there are."""
    if replace:
        session.exec(delete(ToleranceRow).where(col(ToleranceRow.site_id) == site_id))
    for rule in rules:
        values: dict[str, Any] = {}
        for name in LIMIT_NAMES:
            limit = getattr(rule.limits, name)
            values[f"{name}_u"] = None if limit is None else to_u(limit)
        session.merge(ToleranceRow(site_id=site_id, scope=rule.scope.value, key=rule.key, **values))
    session.flush()


def owner_rules(session: Session, site_id: str) -> list[OwnerRule]:
    """Who owns what, as rows of the owner table."""
    rows = session.connection().execute(_OWNERS, {"site_id": site_id})
    return [
        OwnerRule(
            owner=row.owner,
            lead=row.lead,
            zone=row.zone,
            kind=row.kind,
            value_from=row.value_from,
        )
        for row in rows
    ]


def keep_owner_rules(session: Session, site_id: str, rules: Iterable[OwnerRule]) -> None:
    """Make these all the owner rules there are."""
    session.exec(delete(OwnerRuleRow).where(col(OwnerRuleRow.site_id) == site_id))
    for rule in rules:
        session.add(
            OwnerRuleRow(
                site_id=site_id,
                zone=rule.zone,
                kind=rule.kind,
                value_from=rule.value_from,
                owner=rule.owner,
                lead=rule.lead,
            )
        )
    session.flush()


def policy_of(session: Session, site_id: str) -> Policy:
    """The site's numbers; the defaults until it sets some."""
    row = session.connection().execute(_POLICY, {"site_id": site_id}).one_or_none()
    if row is None:
        return Policy()
    second = None if row.second_above_u is None else from_u(row.second_above_u)
    return Policy(rounds_max=row.rounds_max, second_above=second)


def keep_policy(session: Session, site_id: str, policy: Policy) -> None:
    """Set the site's numbers."""
    second = None if policy.second_above is None else to_u(policy.second_above)
    session.merge(
        CaseworkPolicyRow(site_id=site_id, rounds_max=policy.rounds_max, second_above_u=second)
    )
    session.flush()
