"""What one unit of casework has at hand: session, site, clock, ids, and look-ups made only once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session

from app.contract.vocabulary import Role, Tracking, Unit
from server.domain.cases import LEADS
from server.domain.people import Person
from server.domain.planning import OwnerRule, owner_for
from server.domain.reconcile import SkuTerms, Terms
from server.domain.tolerance import ToleranceSubject, ToleranceTable
from server.storage import access, count_lines, records, rules
from server.storage.count_lines import CountLine
from server.storage.records import Bin, Sku

NewId = Callable[[], str]


@dataclass(slots=True)
class Desk:
    """One transaction's worth of casework. Holds no decision, only what was already looked up."""

    session: Session
    site_id: str
    now: datetime
    new_id: Callable[[], str]
    _skus: dict[str, Sku | None] = field(default_factory=dict)
    _bins: dict[str, Bin | None] = field(default_factory=dict)
    _factors: dict[str, dict[Unit, Decimal]] = field(default_factory=dict)
    _tolerances: ToleranceTable | None = None
    _owners: list[OwnerRule] | None = None
    _policy: rules.Policy | None = None
    _people: dict[str, Person] | None = None
    _active: list[Person] | None = None
    _currency: str | None = None
    _lines: dict[str, list[CountLine]] = field(default_factory=dict)

    def lines(self, count_id: str) -> list[CountLine]:
        """The lines of a count as they stand in this transaction."""
        if count_id not in self._lines:
            self._lines[count_id] = count_lines.lines_of_count(self.session, self.site_id, count_id)
        return self._lines[count_id]

    def lines_are(self, count_id: str, lines: list[CountLine] | None) -> None:
        """They were just written; None: they changed and are to be read again."""
        if lines is None:
            self._lines.pop(count_id, None)
        else:
            self._lines[count_id] = lines

    def bin(self, code: str) -> Bin | None:
        if code not in self._bins:
            self._bins[code] = records.find_bin(self.session, self.site_id, code)
        return self._bins[code]

    def sku(self, code: str) -> Sku | None:
        if code not in self._skus:
            self.load_skus([code])
        return self._skus[code]

    def load_skus(self, codes: Iterable[str]) -> None:
        """Look up many at once."""
        wanted = {code for code in codes if code not in self._skus}
        if wanted:
            found = records.find_skus(self.session, self.site_id, wanted)
            self._skus |= {code: found.get(code) for code in wanted}

    def tracking(self, codes: Iterable[str]) -> dict[str, Tracking]:
        """How each SKU is tracked; one nobody knows is taken as counted, lot and serial included."""
        wanted = list(codes)
        self.load_skus(wanted)
        found = {}
        for code in wanted:
            sku = self._skus[code]
            found[code] = Tracking.SERIAL if sku is None else sku.tracking
        return found

    def factors(self, sku: str) -> dict[Unit, Decimal]:
        """Base units per pack of a SKU, by its barcodes."""
        if sku not in self._factors:
            codes = records.barcodes_of(self.session, self.site_id, sku)
            self._factors[sku] = {code.unit: code.factor for code in codes}
        return self._factors[sku]

    @property
    def policy(self) -> rules.Policy:
        if self._policy is None:
            self._policy = rules.policy_of(self.session, self.site_id)
        return self._policy

    @property
    def tolerances(self) -> ToleranceTable:
        if self._tolerances is None:
            self._tolerances = ToleranceTable(rules.tolerance_rules(self.session, self.site_id))
        return self._tolerances

    @property
    def people(self) -> dict[str, Person]:
        if self._people is None:
            everybody = access.everybody(self.session, self.site_id)
            self._people = {person.user_id: person for person in everybody}
        return self._people

    @property
    def active(self) -> list[Person]:
        """Everybody who works here now."""
        if self._active is None:
            self._active = access.all_people(self.session, self.site_id)
        return self._active

    @property
    def currency(self) -> str:
        if self._currency is None:
            site = records.find_site(self.session, self.site_id)
            self._currency = site.currency if site else "EUR"
        return self._currency

    def name_of(self, user_id: str) -> str:
        """A person's name, or the id of somebody who was never known."""
        person = self.people.get(user_id)
        return person.name if person else user_id

    def unit_cost(self, sku: str) -> Decimal:
        found = self.sku(sku)
        return found.unit_cost if found else Decimal(0)

    def terms(self, bin_code: str) -> Terms:
        """Tolerance and cost of each SKU in a bin."""
        place = self.bin(bin_code)
        zone = place.zone if place else ""
        known: dict[str, SkuTerms] = {}

        def of(sku: str) -> SkuTerms:
            if sku not in known:
                found = self.sku(sku)
                subject = ToleranceSubject(
                    sku=sku,
                    abc_class=found.abc_class if found else "",
                    bin=bin_code,
                    zone=zone,
                )
                known[sku] = SkuTerms(
                    limits=self.tolerances.limits_for(subject), unit_cost=self.unit_cost(sku)
                )
            return known[sku]

        return of

    def owner(self, *, zone: str, kind: str, value: Decimal) -> tuple[str, str]:
        """(owner, lead) of a new case by rule; without one, whoever looks after the zone."""
        if self._owners is None:
            self._owners = rules.owner_rules(self.session, self.site_id)
        rule = owner_for(self._owners, zone=zone, kind=kind, value=float(value))
        lead = next((p for p in self.active if p.role in LEADS), None)
        lead_id = lead.user_id if lead else ""
        if rule is not None:
            return rule.owner, rule.lead
        supervisors = [p for p in self.active if p.role is Role.SUPERVISOR]
        of_zone = [p for p in supervisors if zone in p.zones]
        of_all = [p for p in supervisors if not p.zones]
        for person in (*of_zone, *of_all, *supervisors):
            return person.user_id, lead_id
        return lead_id, lead_id
