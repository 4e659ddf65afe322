"""What has become of a document's lines, told by the movements that name it. Derived, never stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select
from sqlmodel import Session

from app.contract.vocabulary import PhysicalState
from server.storage.columns import from_u
from server.storage.tables_ledger import MovementRow
from server.storage.tables_records import DocumentLineRow

_MOVEMENT = MovementRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
_CHUNK = 400

LineId = tuple[str, str, str]
"""(kind, number, line)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineProgress:
    """Base units of a line that have reached each state, put-backs taken off again.

    Cumulative: a shipped unit was picked and packed too. `reserved` is what is reserved *now*.
    """

    reserved: Decimal = Decimal(0)
    picked: Decimal = Decimal(0)
    packed: Decimal = Decimal(0)
    shipped: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    received: Decimal = Decimal(0)
    """Came in from the supplier (purchase orders)."""


def progress_of_lines(
    session: Session, site_id: str, lines: Sequence[DocumentLineRow]
) -> dict[LineId, LineProgress]:
    """The progress of each line. Where a document has two lines of one SKU the first is filled first."""
    documents = sorted({f"{line.kind}/{line.number}" for line in lines})
    net = _net_by_state(session, site_id, documents)
    result: dict[LineId, LineProgress] = {}
    left = {key: _reached(states) for key, states in net.items()}
    counted = _lines_per_key(lines)
    for line in sorted(lines, key=lambda row: (row.kind, row.number, row.line)):
        key = (f"{line.kind}/{line.number}", line.sku)
        counted[key] -= 1
        share = _take(left.get(key, {}), from_u(line.quantity_u), is_last=counted[key] == 0)
        result[(line.kind, line.number, line.line)] = LineProgress(**share)
    return result


def _lines_per_key(lines: Iterable[DocumentLineRow]) -> dict[tuple[str, str], int]:
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for line in lines:
        counted[(f"{line.kind}/{line.number}", line.sku)] += 1
    return counted


def _net_by_state(
    session: Session, site_id: str, documents: list[str]
) -> dict[tuple[str, str], dict[str, Decimal]]:
    """(document, sku) -> state -> what entered it less what left it, over the document's movements."""
    table = _MOVEMENT.c
    net: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for start in range(0, len(documents), _CHUNK):
        query = (
            select(
                table.document,
                table.sku,
                table.from_bin,
                table.from_state,
                table.to_state,
                func.sum(table.quantity_u),
            )
            .where(
                table.site_id == site_id,
                table.document != "",
                table.document.in_(documents[start : start + _CHUNK]),
            )
            .group_by(table.document, table.sku, table.from_bin, table.from_state, table.to_state)
        )
        for document, sku, from_bin, from_state, to_state, total in session.connection().execute(
            query
        ):
            states = net[(document, sku)]
            states[to_state] += from_u(int(total))
            states[from_state] -= from_u(int(total))
            if from_bin == "@supplier":
                states["received"] += from_u(int(total))
    return net


def _reached(net: dict[str, Decimal]) -> dict[str, Decimal]:
    """How many have got at least as far as each state."""

    def now_in(state: PhysicalState) -> Decimal:
        return max(Decimal(0), net.get(state.value, Decimal(0)))

    returned = now_in(PhysicalState.RETURNED)
    shipped = now_in(PhysicalState.SHIPPED) + returned
    packed = now_in(PhysicalState.PACKED) + shipped
    return {
        "reserved": now_in(PhysicalState.RESERVED),
        "picked": now_in(PhysicalState.PICKED) + packed,
        "packed": packed,
        "shipped": shipped,
        "returned": returned,
        "received": net.get("received", Decimal(0)),
    }


def _take(left: dict[str, Decimal], wanted: Decimal, *, is_last: bool) -> dict[str, Decimal]:
    """A line's share: up to its quantity, and whatever remains for the last line of that SKU."""
    share: dict[str, Decimal] = {}
    for name, quantity in left.items():
        share[name] = quantity if is_last else min(quantity, wanted)
        left[name] = quantity - share[name]
    return share
