"""A small warehouse on a real database: stock it, count in it, decide about it. One line per deed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import col, select

from app.contract.events import BinClosed, BinEmpty, BinOpened, Payload, ScanFact, UnknownNoted
from app.contract.review import Action, Decision, DecisionResult
from app.contract.vocabulary import (
    Condition,
    CountScope,
    PhysicalState,
    ReasonCode,
    Role,
    ScanSource,
    Unit,
)
from app.contract.wire import ClockReading, ClockSample, EnrolRequest, PushReply, PushRequest
from server.clock import Rim
from server.domain.people import Person
from server.domain.stock import Movement
from server.services import access, casework, enrolment, intake, reconciling
from server.services.access import NewPerson
from server.services.epochs import ensure_epoch
from server.storage import ledger
from server.storage.columns import to_u, to_us
from server.storage.engine import Database
from server.storage.tables_casework import ExceptionCaseRow
from server.storage.tables_records import (
    BarcodeRow,
    BinRow,
    DocumentLineRow,
    DocumentRow,
    SkuRow,
)
from server.storage.tables_sync import CompareLaterRow
from tests.support.devices import SimpleDevice
from tests.support.events import an_id, counted
from tests.support.rim import ServerTime, a_rim
from tests.support.server import NOW, SITE

LONG_AGO = NOW - timedelta(days=30)
PEOPLE = (
    NewPerson(user_id="ana", name="Ana", role=Role.COUNTER),
    NewPerson(user_id="ben", name="Ben", role=Role.COUNTER),
    NewPerson(user_id="cem", name="Cem", role=Role.COUNTER),
    NewPerson(user_id="dia", name="Dia", role=Role.COUNTER),
    NewPerson(user_id="sue", name="Sue", role=Role.SUPERVISOR, approve_limit=Decimal(500)),
    NewPerson(user_id="sam", name="Sam", role=Role.SUPERVISOR, approve_limit=Decimal(500)),
    NewPerson(user_id="lea", name="Lea", role=Role.LEAD, approve_limit=Decimal(100_000)),
)
MIDNIGHT = datetime(NOW.year, NOW.month, NOW.day, tzinfo=UTC)


def clock(text: str) -> datetime:
    """ "10:05" on the tests' day, which is before the tests' now (12:00)."""
    hours, minutes = (int(part) for part in text.split(":"))
    return MIDNIGHT + timedelta(hours=hours, minutes=minutes)


@dataclass
class Floor:
    """One site with people; bins and SKUs come into being when they are first named."""

    database: Database
    time: ServerTime = field(default_factory=ServerTime)
    seed: int = 1
    rim: Rim = field(init=False)
    devices: dict[str, SimpleDevice] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    serial: int = 0

    def __post_init__(self) -> None:
        self.rim = a_rim(self.time, self.seed)
        access.add_people(self.database, SITE, PEOPLE, rim=self.rim)

    # -- records -----------------------------------------------------------------------------------

    def bins(self, *codes: str, zone: str = "A") -> None:
        with self.database.write() as session:
            for code in codes:
                if code not in self.names:
                    walk = len(self.names)
                    session.add(
                        BinRow(site_id=SITE, bin=code, barcode=code, zone=zone, walk_order=walk)
                    )
                    self.names.add(code)
            session.commit()

    def sku(self, code: str = "S1", *, cost: str = "2", price: str = "5", **fields: Any) -> None:
        packs = fields.pop("packs", {})
        with self.database.write() as session:
            session.add(
                SkuRow(
                    site_id=SITE,
                    sku=code,
                    description=f"Thing {code}",
                    unit_cost_u=to_u(Decimal(cost)),
                    cost_set_us=to_us(LONG_AGO),
                    price_u=to_u(Decimal(price)),
                    **fields,
                )
            )
            session.flush()
            for unit, factor in {Unit.EACH: "1", **packs}.items():
                session.add(
                    BarcodeRow(
                        site_id=SITE,
                        barcode=f"{code}-{unit}",
                        sku=code,
                        unit=unit.value,
                        factor_u=to_u(Decimal(factor)),
                    )
                )
            session.commit()

    def document(
        self, name: str, state: str, sku: str, quantity: str, *, promised: datetime | None = None
    ) -> None:
        kind, _, number = name.partition("/")
        with self.database.write() as session:
            session.add(DocumentRow(site_id=SITE, kind=kind, number=number, state=state))
            session.flush()
            session.add(
                DocumentLineRow(
                    site_id=SITE,
                    kind=kind,
                    number=number,
                    line="1",
                    sku=sku,
                    quantity_u=to_u(Decimal(quantity)),
                    price_u=to_u(Decimal(5)),
                    promised_us=to_us(promised) if promised else None,
                )
            )
            session.commit()

    # -- stock -------------------------------------------------------------------------------------

    def move(
        self,
        quantity: str,
        *,
        frm: str = "@supplier",
        to: str = "@customer",
        sku: str = "S1",
        at: datetime = LONG_AGO,
        from_state: PhysicalState = PhysicalState.AVAILABLE,
        to_state: PhysicalState = PhysicalState.AVAILABLE,
        name: str | None = None,
        document: str = "",
        kind: str = "move",
        lot: str = "",
        serial: str = "",
    ) -> Movement:
        """Post one movement and let the cases hear of it."""
        self.serial += 1
        movement = Movement(
            movement_id=name or f"m{self.serial}",
            occurred_at=at,
            recorded_at=self.time.now(),
            kind=kind,
            sku=sku,
            lot=lot,
            serial=serial,
            quantity=Decimal(quantity),
            from_bin=frm,
            from_state=from_state,
            to_bin=to,
            to_state=to_state,
            document=document,
        )
        self.post([movement])
        return movement

    def post(self, movements: Iterable[Movement]) -> None:
        moves = list(movements)
        touched = {(p, m.sku) for m in moves for p in (m.from_bin, m.to_bin) if p[0] != "@"}
        with self.database.write() as session:
            ledger.post(session, SITE, moves)
            reconciling.movements_changed(
                session,
                SITE,
                touched,
                self.time.now(),
                self.rim.new_id,
                since={
                    place: min(m.occurred_at for m in moves if place in (m.from_bin, m.to_bin))
                    for place, _ in touched
                },
            )
            session.commit()

    def stock(self, bin: str, sku: str = "S1", quantity: str = "10", **fields: Any) -> None:
        """So many have been in the bin for a month."""
        self.bins(bin)
        self.move(quantity, to=bin, sku=sku, **fields)

    # -- counting ----------------------------------------------------------------------------------

    def device(self, person: str) -> SimpleDevice:
        if person not in self.devices:
            code = enrolment.make_enrol_code(
                self.database, SITE, rim=self.rim, minutes=10, actor="sue"
            )
            reply = enrolment.enrol(
                self.database,
                SITE,
                EnrolRequest(
                    token=code.code,
                    install_id=an_id(),
                    device_name=f"{person}'s scanner",
                    app_version="1",
                ),
                rim=self.rim,
            )
            with self.database.read() as session:
                device = access.device_of_token(session, SITE, reply.device_token)
            self.devices[person] = SimpleDevice(
                database=self.database, rim=self.rim, device=device, token=reply.device_token
            )
        return self.devices[person]

    def count(
        self,
        person: str,
        bin: str,
        items: Mapping[str, str] | Iterable[Payload] = (),
        *,
        at: datetime | None = None,
        push: bool = True,
        task: str | None = None,
        scope: CountScope = CountScope.WHOLE_BIN,
        sku: str | None = None,
        end: Payload | None = None,
        minutes: float = 1,
        device: str | None = None,
    ) -> str:
        """Open the bin, count, close it: `minutes` from opening to closing, ending at `at`.

        Items are SKU -> each, or payloads of one's own.
        """
        count_id = an_id()
        ended = at or self.time.now() - timedelta(minutes=1)
        payloads: list[Payload] = [BinOpened(bin=bin, scope=scope, sku=sku)]
        if isinstance(items, Mapping):
            payloads += [counted(code, quantity) for code, quantity in items.items()]
        else:
            payloads += list(items)
        if len(payloads) == 1 and scope is CountScope.WHOLE_BIN:
            payloads.append(BinEmpty())
        payloads.append(end or BinClosed())
        owner = self.device(device or person)
        step = timedelta(minutes=minutes) / max(1, len(payloads) - 1)
        opened = ended - timedelta(minutes=minutes)
        for index, payload in enumerate(payloads):
            ms = int((opened + index * step).timestamp() * 1000)
            owner.record(payload, count_id, user_id=person, task_id=task, wall_ms=ms, boot_ms=ms)
        if push:
            self.push(device or person)
        return count_id

    def push(self, person: str) -> PushReply:
        """Send what the device has, with a clock exchange that leaves hardly a doubt."""
        owner = self.devices[person]
        now_ms = int(self.time.now().timestamp() * 1000)
        sample = ClockSample(
            boot_id="boot-1",
            t0_boot_ms=now_ms,
            t0_wall_ms=now_ms,
            t1_ms=now_ms,
            t2_ms=now_ms,
            t3_boot_ms=now_ms,
        )
        request = PushRequest(
            proto=1,
            server_epoch=ensure_epoch(self.database, SITE, self.rim),
            install_id=owner.device.install_id,
            clock=ClockReading(wall_ms=now_ms, boot_ms=now_ms, boot_id="boot-1"),
            samples=(sample,),
            events=tuple(owner.pending),
        )
        owner.pending.clear()
        reply = intake.push(self.database, SITE, owner.device, request, rim=self.rim)
        # Intake keeps the events when judging them fails; a test must not take that for success.
        with self.database.read() as session:
            failed = [row.error for row in session.exec(select(CompareLaterRow))]
        assert not failed, failed
        return reply

    # -- cases -------------------------------------------------------------------------------------

    def person(self, user_id: str) -> Person:
        new = next(p for p in PEOPLE if p.user_id == user_id)
        return Person(
            user_id=new.user_id, name=new.name, role=new.role, approve_limit=new.approve_limit
        )

    def cases(self, **wanted: Any) -> list[ExceptionCaseRow]:
        """Cases by line, oldest first; filtered by equal columns."""
        with self.database.read() as session:
            rows = session.exec(
                select(ExceptionCaseRow).order_by(
                    col(ExceptionCaseRow.bin),
                    col(ExceptionCaseRow.sku),
                    col(ExceptionCaseRow.condition),
                    col(ExceptionCaseRow.opened_us),
                    col(ExceptionCaseRow.case_id),
                )
            ).all()
            session.expunge_all()
        return [r for r in rows if all(getattr(r, k) == v for k, v in wanted.items())]

    def case(self, **wanted: Any) -> ExceptionCaseRow:
        """The only such case."""
        found = self.cases(**wanted)
        assert len(found) == 1, [(c.bin, c.sku, c.kind, c.state, c.subject) for c in self.cases()]
        return found[0]

    def decide(
        self, case: ExceptionCaseRow | str, action: Action, by: str = "sue", **fields: Any
    ) -> DecisionResult:
        decision = Decision(decision_id=fields.pop("decision_id", an_id()), action=action, **fields)
        case_id = case if isinstance(case, str) else case.case_id
        return casework.decide(
            self.database, SITE, case_id, decision, self.person(by), rim=self.rim
        )

    def approve(self, case: ExceptionCaseRow | str, by: str = "sue", **fields: Any) -> Any:
        fields.setdefault("reason", ReasonCode.UNKNOWN_CAUSE)
        return self.decide(case, Action.APPROVE, by, **fields)

    def book(self, bin: str, at: datetime | None = None) -> dict[tuple[str, str], Decimal]:
        """(SKU, state) -> quantity, now."""
        with self.database.read() as session:
            found = ledger.book_of_bin(session, SITE, bin, at or self.time.now())
        return {(k.sku, k.state.value): q for k, q in sorted(found.items())}


def an_unknown(raw: str, quantity: str = "1") -> UnknownNoted:
    return UnknownNoted(
        scan=ScanFact(raw=raw, symbology="EAN13", source=ScanSource.CAMERA), quantity=quantity
    )


def damaged_of(sku: str, quantity: str) -> Payload:
    return counted(sku, quantity, condition=Condition.DAMAGED)


def shuffled(things: Iterable[Any], seed: int) -> list[Any]:
    """The same things in another order."""
    found = list(things)
    random.Random(seed).shuffle(found)
    return found
