"""What one unit of casework has at hand: session, site, clock, ids, and look-ups made only once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import inspect
from sqlmodel import Session, SQLModel

from app.contract.vocabulary import Role, Tracking, Unit
from server.domain.cases import LEADS
from server.domain.people import Person
from server.domain.planning import OwnerRule, owner_for
from server.domain.reconcile import CountedCell, SkuTerms, Terms
from server.domain.stock import Movement
from server.domain.tolerance import ToleranceSubject, ToleranceTable
from server.services.lookahead import LookAhead
from server.storage import access, casework_stock, count_lines, counts, ledger, records, rules
from server.storage import cases as case_rows
from server.storage import tasks as task_rows
from server.storage.case_rounds import CaseRound, rounds_by_case, write_rounds
from server.storage.count_lines import CountLine
from server.storage.records import Bin, DocumentLine, Sku
from server.storage.tables_casework import (
    CountRow,
    CountTaskRow,
    ExceptionCaseRow,
)

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
    _keepers: dict[str, tuple[str, str]] = field(default_factory=dict)
    _policy: rules.Policy | None = None
    _people: dict[str, Person] | None = None
    _active: list[Person] | None = None
    _currency: str | None = None
    _stored: dict[str, list[CountLine]] = field(default_factory=dict)
    """Lines of counts as they are in the table."""
    _lines: dict[str, list[CountLine]] = field(default_factory=dict)
    """Lines of counts that are to be written."""
    _cells: dict[str, tuple[CountedCell, ...]] = field(default_factory=dict)
    """Of counts that were just folded: what their lines were made of."""
    _counts: dict[str, CountRow] = field(default_factory=dict)
    _tasks: dict[str, CountTaskRow | None] = field(default_factory=dict)
    _rounds: dict[str, tuple[Sequence[CaseRound], Sequence[CaseRound]]] = field(
        default_factory=dict
    )
    """Of cases whose rounds are to be written: as they are in the table, and as they are to be."""
    _later: list[SQLModel] = field(default_factory=list)
    """Rows that refer to cases which are not in the table yet."""
    ahead: LookAhead | None = None
    """What was looked up for all the bins under judgement; None outside of a judgement."""

    # -- lines of counts: looked up together, changed here, written together

    def load_lines(self, count_ids: Iterable[str]) -> None:
        """Look up the lines of many counts at once."""
        wanted = [count_id for count_id in count_ids if count_id not in self._stored]
        self._stored |= count_lines.lines_of_counts(self.session, self.site_id, wanted)

    def lines_are_new(self, count_ids: Iterable[str]) -> None:
        """The counts were not known before: there is nothing to look up."""
        self._stored.update((count_id, []) for count_id in count_ids)

    def lines(self, count_id: str) -> list[CountLine]:
        """The lines of a count as they stand in this transaction."""
        if count_id not in self._lines:
            self.load_lines([count_id])
        return self._lines.get(count_id, self._stored.get(count_id, []))

    def lines_are(self, count_id: str, lines: list[CountLine]) -> None:
        """What `write_later` is to write; the lines before were looked up."""
        self._lines[count_id] = lines

    def cells(self, count_id: str) -> tuple[CountedCell, ...]:
        """What was counted, as the engine judges it."""
        known = self._cells.get(count_id)
        return count_lines.cells_of(self.lines(count_id)) if known is None else known

    def cells_are(self, count_id: str, cells: tuple[CountedCell, ...]) -> None:
        """What the count's lines were just made of: they need not be read as cells again."""
        self._cells[count_id] = cells

    def add_case(self, case: ExceptionCaseRow) -> None:
        """A new case; it need not be in the table yet for others to refer to it by `add_later`."""
        self.session.add(case)
        self._rounds[case.case_id] = (), ()
        self.note_live(case)

    def add_later(self, case: ExceptionCaseRow, rows: Iterable[SQLModel]) -> None:
        """Add rows that refer to the case: at once, or after it when it is not in the table yet."""
        if inspect(case).pending:
            self._later += rows
        else:
            self.session.add_all(rows)

    def write_later(self) -> None:
        """Write what was put off: lines of counts, and what refers to new cases."""
        self.session.flush()
        if self._later:
            self.session.add_all(self._later)
            self._later.clear()
            self.session.flush()
        write_rounds(self.session, self.site_id, self._rounds.values())
        self._rounds.clear()
        changes = [(self._stored[count_id], lines) for count_id, lines in self._lines.items()]
        count_lines.write_lines(self.session, self.site_id, changes)
        self._stored |= self._lines
        self._lines.clear()

    # -- counts and cases

    def load_tasks(self, task_ids: Iterable[str]) -> None:
        """Look up many at once, and keep them at hand."""
        wanted = {task_id for task_id in task_ids if task_id and task_id not in self._tasks}
        if wanted:
            found = task_rows.find_tasks(self.session, self.site_id, wanted)
            self._tasks |= {task_id: found.get(task_id) for task_id in wanted}

    def task(self, task_id: str) -> CountTaskRow | None:
        """The task, or None for none."""
        if not task_id:
            return None
        if task_id not in self._tasks:
            self.load_tasks([task_id])
        return self._tasks[task_id]

    def load_counts(self, count_ids: Iterable[str]) -> None:
        """Look up many at once."""
        wanted = sorted({i for i in count_ids if i not in self._counts})
        if wanted:
            self.counts_are(counts.find_counts(self.session, self.site_id, wanted).values())

    def counts_are(self, rows: Iterable[CountRow]) -> None:
        """Keep rows at hand that were just looked up."""
        self._counts.update((row.count_id, row) for row in rows)

    def count(self, count_id: str) -> CountRow | None:
        if count_id not in self._counts:
            found = self.session.get(CountRow, (self.site_id, count_id))
            if found is None:
                return None
            self._counts[count_id] = found
        return self._counts[count_id]

    def rounds(self, case_id: str) -> Sequence[CaseRound]:
        """The counts of a case, in their order, as they stand in this transaction."""
        if case_id in self._rounds:
            return self._rounds[case_id][1]
        if self.ahead is not None and case_id in self.ahead.rounds:
            return self.ahead.rounds[case_id]
        return rounds_by_case(self.session, self.site_id, [case_id]).get(case_id, [])

    def rounds_are(self, case_id: str, rounds: Sequence[CaseRound]) -> None:
        """What `write_later` is to write."""
        stored = self._rounds[case_id][0] if case_id in self._rounds else self.rounds(case_id)
        self._rounds[case_id] = stored, rounds

    def note_live(self, case: ExceptionCaseRow) -> None:
        """The case is open from now on."""
        if self.ahead is not None:
            self.ahead.note_live(case)

    def live_cases(self, sku: str) -> list[ExceptionCaseRow]:
        """Open line cases of a SKU in every bin."""
        found = self.ahead.live_cases(sku) if self.ahead is not None else None
        if found is None:
            found = case_rows.live_cases_of_sku(self.session, self.site_id, sku)
        return found

    # -- stock and documents

    def open_orders(self, sku: str) -> list[DocumentLine]:
        """Lines of orders that wait for a SKU, by promised date."""
        found = self.ahead.open_orders(sku) if self.ahead is not None else None
        return records.open_orders_for(self.session, self.site_id, sku) if found is None else found

    def documents(self, sku: str) -> list[DocumentLine]:
        """Lines of a SKU in documents whose goods have moved, or may have."""
        found = self.ahead.documents(sku) if self.ahead is not None else None
        if found is None:
            read = casework_stock.documents_that_may_hide(self.session, self.site_id, [sku])
            found = read.get(sku, [])
        return found

    def movements(self, place: str, sku: str, since: datetime, until: datetime) -> list[Movement]:
        """Movements of a SKU in a bin between two instants, both included, by time."""
        found = self.ahead.movements(place, sku, since, until) if self.ahead is not None else None
        if found is None:
            found = ledger.movements_of_bin(
                self.session, self.site_id, place, since, until, sku=sku
            )
        return found

    # -- records

    def load_bins(self, codes: Iterable[str]) -> None:
        """Look up many at once."""
        wanted = {code for code in codes if code not in self._bins}
        if wanted:
            found = records.find_bins(self.session, self.site_id, wanted)
            self._bins |= {code: found.get(code) for code in wanted}

    def bin(self, code: str) -> Bin | None:
        if code not in self._bins:
            self.load_bins([code])
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
            self.load_factors([sku])
        return self._factors[sku]

    def load_factors(self, skus: Iterable[str]) -> None:
        """Look up many at once."""
        wanted = {sku for sku in skus if sku not in self._factors}
        if wanted:
            found = records.barcodes_of_skus(self.session, self.site_id, wanted)
            for sku in wanted:
                self._factors[sku] = {code.unit: code.factor for code in found.get(sku, [])}

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
        if rule is not None:
            return rule.owner, rule.lead
        if zone not in self._keepers:
            self._keepers[zone] = self._keeper(zone)
        return self._keepers[zone]

    def _keeper(self, zone: str) -> tuple[str, str]:
        """(owner, lead) where no rule names one."""
        lead = next((p for p in self.active if p.role in LEADS), None)
        lead_id = lead.user_id if lead else ""
        supervisors = [p for p in self.active if p.role is Role.SUPERVISOR]
        of_zone = [p for p in supervisors if zone in p.zones]
        of_all = [p for p in supervisors if not p.zones]
        for person in (*of_zone, *of_all, *supervisors):
            return person.user_id, lead_id
        return lead_id, lead_id
