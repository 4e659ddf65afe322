"""Reading the records: stock as of any instant, movements, documents, history. Never for counters.

What is on book is what a count is compared with, so nobody who counts may read it here: the roles are
checked on the server, whatever the screen shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from app.contract.problems import RefusalError
from app.contract.vocabulary import PhysicalState, Role, quantity_text
from server.api.auth import one_of
from server.api.deps import ContextDep
from server.api.paging import CursorParam, LimitParam, decode_cursor, encode_cursor
from server.api.problems import problem_answers
from server.domain.people import Person
from server.domain.records import Record
from server.services.exporting import ExportKind, export_lines
from server.services.record_histories import full_history_of
from server.storage.columns import to_us
from server.storage.pages import (
    Document,
    DocumentFilter,
    MovementFilter,
    document_page,
    movement_page,
    stock_page,
)

router = APIRouter(
    prefix="/api/v1", tags=["records"], responses=problem_answers(401, 403, 404, 422)
)

ReaderDep = Annotated[
    Person,
    Depends(
        one_of(
            Role.SUPERVISOR,
            Role.LEAD,
            Role.FINANCE,
            Role.AUDITOR,
            Role.INTEGRATOR,
            what="read stock and movements",
        )
    ),
]
CodeParam = Annotated[str, StringConstraints(max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
TimeParam = Annotated[AwareDatetime, Query(ge="1970-01-01T00:00:00Z", lt="2200-01-01T00:00:00Z")]


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class StockRow(Answer):
    """One key of the book. `quantity` is in base units and may be negative."""

    bin: str
    sku: str
    lot: str
    serial: str
    state: PhysicalState
    quantity: str


class StockPage(Answer):
    as_of: datetime
    items: tuple[StockRow, ...]
    next_cursor: str | None


class MovementView(Answer):
    """A movement as it was posted. `quantity` is in base units; `unit` and `factor` as posted."""

    movement_id: str
    occurred_at: datetime
    recorded_at: datetime
    kind: str
    sku: str
    lot: str
    serial: str
    quantity: str
    unit: str
    factor: str
    from_bin: str
    from_state: PhysicalState
    to_bin: str
    to_state: PhysicalState
    document: str


class MovementPage(Answer):
    items: tuple[MovementView, ...]
    next_cursor: str | None


class LineView(Answer):
    """What was promised, and how far it has come. Quantities in base units; price per base unit."""

    line: str
    sku: str
    quantity: str
    price: str
    promised_at: datetime | None
    reserved: str
    picked: str
    packed: str
    shipped: str
    returned: str
    received: str


class DocumentView(Answer):
    kind: str
    number: str
    state: str
    owner: str
    party: str
    refers_to: str
    currency: str
    lines: tuple[LineView, ...]


class DocumentPage(Answer):
    items: tuple[DocumentView, ...]
    next_cursor: str | None


class HistoryView(Answer):
    """One change of a record. `changes` is field -> [before, after]."""

    at: datetime
    actor: str
    event: str
    from_state: str
    to_state: str
    why: str
    via: str
    changes: dict[str, list[str | int | None]]


@router.get("/stock")
def stock(
    context: ContextDep,
    _person: ReaderDep,
    *,
    bin: Annotated[CodeParam | None, Query()] = None,
    sku: Annotated[CodeParam | None, Query()] = None,
    as_of: Annotated[
        TimeParam | None, Query(description="an instant with its zone; now when left out")
    ] = None,
    cursor: CursorParam = None,
    limit: LimitParam = 200,
) -> StockPage:
    """What the book says was in the warehouse at an instant, by bin, SKU, lot, serial and state."""
    at = context.rim.now() if as_of is None else as_of
    after = decode_cursor(cursor, (str, str, str, str, str))
    with context.database.read() as session:
        rows = stock_page(
            session,
            context.site_id,
            at,
            bin=bin,
            sku=sku,
            after=after,  # type: ignore[arg-type]  # its shape was checked
            limit=limit + 1,
        )
    shown = rows[:limit]
    last = shown[-1][0] if len(rows) > limit else None
    return StockPage(
        as_of=at,
        items=tuple(
            StockRow(
                bin=key.bin,
                sku=key.sku,
                lot=key.lot,
                serial=key.serial,
                state=key.state,
                quantity=quantity_text(quantity),
            )
            for key, quantity in shown
        ),
        next_cursor=None
        if last is None
        else encode_cursor((last.bin, last.sku, last.lot, last.serial, last.state.value)),
    )


@router.get("/movements")
def movements(
    context: ContextDep,
    _person: ReaderDep,
    *,
    bin: Annotated[CodeParam | None, Query(description="left or entered this bin")] = None,
    sku: Annotated[CodeParam | None, Query()] = None,
    document: Annotated[CodeParam | None, Query(description="like order/991")] = None,
    since: Annotated[TimeParam | None, Query(description="occurred at or after")] = None,
    until: Annotated[TimeParam | None, Query(description="occurred at or before")] = None,
    cursor: CursorParam = None,
    limit: LimitParam = 200,
) -> MovementPage:
    """Movements by the time at which they occurred."""
    after = decode_cursor(cursor, (int, str))
    wanted = MovementFilter(bin=bin, sku=sku, document=document, since=since, until=until)
    with context.database.read() as session:
        rows = movement_page(
            session,
            context.site_id,
            wanted,
            after,  # type: ignore[arg-type]  # its shape was checked
            limit + 1,
        )
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    return MovementPage(
        items=tuple(
            MovementView(
                movement_id=m.movement_id,
                occurred_at=m.occurred_at,
                recorded_at=m.recorded_at,
                kind=m.kind,
                sku=m.sku,
                lot=m.lot,
                serial=m.serial,
                quantity=quantity_text(m.quantity),
                unit=m.unit,
                factor=quantity_text(m.factor),
                from_bin=m.from_bin,
                from_state=m.from_state,
                to_bin=m.to_bin,
                to_state=m.to_state,
                document=m.document,
            )
            for m in shown
        ),
        next_cursor=None
        if last is None
        else encode_cursor((to_us(last.occurred_at), last.movement_id)),
    )


def _document_routes(kind: Record, path: str, words: str) -> None:
    """The list and the single document of one kind."""

    @router.get(f"/{path}", name=f"list_{kind.value}s", description=f"{words}, by number.")
    def listed(
        context: ContextDep,
        _person: ReaderDep,
        *,
        state: Annotated[CodeParam | None, Query()] = None,
        sku: Annotated[CodeParam | None, Query(description="has a line of this SKU")] = None,
        cursor: CursorParam = None,
        limit: LimitParam = 100,
    ) -> DocumentPage:
        after = decode_cursor(cursor, (str,))
        with context.database.read() as session:
            found = document_page(
                session,
                context.site_id,
                DocumentFilter(kind=kind.value, state=state, sku=sku),
                None if after is None else str(after[0]),
                limit + 1,
            )
        shown = found[:limit]
        return DocumentPage(
            items=tuple(_document_view(document) for document in shown),
            next_cursor=encode_cursor((shown[-1].number,)) if len(found) > limit else None,
        )

    @router.get(f"/{path}/{{number}}", name=f"get_{kind.value}", description=f"One of: {words}.")
    def one(
        context: ContextDep, _person: ReaderDep, number: Annotated[CodeParam, Path()]
    ) -> DocumentView:
        with context.database.read() as session:
            found = document_page(
                session,
                context.site_id,
                DocumentFilter(kind=kind.value, number=number),
                None,
                1,
            )
        if not found:
            raise RefusalError("not-found", what=kind.value.replace("_", " "), id=number)
        return _document_view(found[0])


for _kind, _path, _words in (
    (Record.ORDER, "orders", "Orders with what was promised and what has become of it"),
    (Record.PURCHASE_ORDER, "purchase-orders", "Purchase orders with what was received"),
    (Record.SHIPMENT, "shipments", "Shipments"),
    (Record.RETURN, "returns", "Returns"),
    (Record.PAYOUT, "payouts", "Payouts"),
):
    _document_routes(_kind, _path, _words)


@router.get(
    "/exports/{kind}",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def export(
    context: ContextDep,
    _person: ReaderDep,
    kind: ExportKind,
    as_of: Annotated[TimeParam | None, Query(description="for stock; now when left out")] = None,
) -> StreamingResponse:
    """Records as CSV that imports again to the same state, sent while it is read."""
    at = context.rim.now() if as_of is None else as_of

    def lines() -> Iterator[str]:
        with context.database.read() as session:
            yield from export_lines(session, context.site_id, kind, at)

    disposition = f'attachment; filename="{kind.value}.csv"'
    return StreamingResponse(
        lines(), media_type="text/csv", headers={"Content-Disposition": disposition}
    )


@router.get("/history/{record}/{record_id}")
def history(
    context: ContextDep,
    _person: ReaderDep,
    record: Record,
    record_id: Annotated[CodeParam, Path()],
) -> list[HistoryView]:
    """Everything that happened to a record, oldest first; empty when it is not known."""
    with context.database.read() as session:
        changes = full_history_of(session, context.site_id, record, record_id)
    return [
        HistoryView(
            at=change.at,
            actor=change.actor,
            event=change.event,
            from_state=change.from_state,
            to_state=change.to_state,
            why=change.why,
            via=change.via,
            changes={name: list(both) for name, both in change.changes.items()},
        )
        for change in changes
    ]


def _document_view(document: Document) -> DocumentView:
    def text(quantity: Decimal) -> str:
        return quantity_text(quantity)

    return DocumentView(
        kind=document.kind,
        number=document.number,
        state=document.state,
        owner=document.owner,
        party=document.party,
        refers_to=document.refers_to,
        currency=document.currency,
        lines=tuple(
            LineView(
                line=line.line,
                sku=line.sku,
                quantity=text(line.quantity),
                price=text(line.price),
                promised_at=line.promised_at,
                reserved=text(line.progress.reserved),
                picked=text(line.progress.picked),
                packed=text(line.progress.packed),
                shipped=text(line.progress.shipped),
                returned=text(line.progress.returned),
                received=text(line.progress.received),
            )
            for line in document.lines
        ),
    )
