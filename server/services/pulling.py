"""What a device is told: reference data by revision, page by page. Never anything expected.

A device gets bins, SKUs, barcodes, who may sign in, and the tasks that are open. Its PIN verifiers are
made for it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from app.contract.checksums import (
    add_checksum,
    barcode_id,
    checksum_text,
    row_checksum,
    split_barcode_id,
)
from app.contract.pins import pin_verifier
from app.contract.problems import RefusalError
from app.contract.vocabulary import quantity_text
from app.contract.wire import (
    PULL_ROWS_MAX,
    Change,
    Checkpoint,
    PullReply,
    RefBarcode,
    RefBin,
    RefKind,
    RefSku,
    RefUser,
    Reply,
)
from server.clock import Rim
from server.domain.people import Device
from server.services.epochs import EPOCH, ensure_epoch
from server.storage import access, changes
from server.storage.changes import ChangeMark
from server.storage.columns import from_u, to_us
from server.storage.engine import Database
from server.storage.tables_records import BarcodeRow, BinRow, SkuRow
from server.storage.tasks import ref_tasks

PEOPLE_AND_TASKS = (RefKind.TASK, RefKind.USER)
"""Kinds that a prebuilt snapshot does not hold: they are for one device, or change by the minute."""
_CHUNK = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a device has followed: everything up to `rev`; after a snapshot, people and tasks only
    up to `small`."""

    epoch: str
    rev: int
    small: int
    sure: int = 0
    """Where the numbering stood when the device began with nothing: what was deleted up to there it
    never got, so it needs no tombstone of it."""

    def text(self) -> str:
        """As it travels; opaque to the device."""
        return f"1~{self.epoch}~{self.rev}~{self.small}~{self.sure}"

    @property
    def needs_tombstones_after(self) -> int:
        """Deletions above this revision must still be known."""
        return max(self.sure, min(self.rev, self.small))

    @staticmethod
    def parse(text: str) -> Cursor:
        """Raises RefusalError cursor-gone for anything that is not ours: the device starts afresh."""
        parts = text.split("~")
        numbers = [p for p in parts[2:] if p.isascii() and p.isdigit() and len(p) < 19]
        if len(parts) != 5 or parts[0] != "1" or len(numbers) != 3:
            raise RefusalError("cursor-gone")
        rev, small, sure = (int(number) for number in numbers)
        return Cursor(epoch=parts[1], rev=rev, small=small, sure=sure)


def pull(
    database: Database, site_id: str, device: Device, cursor: str | None, limit: int, *, rim: Rim
) -> PullReply:
    """The next page after the cursor; from the beginning without one.

    Raises cursor-gone (410) when it is of another epoch, ahead of us (we were restored), or so old
    that deletions since then are forgotten.
    """
    now_ms = to_us(rim.now()) // 1000
    epoch = ensure_epoch(database, site_id, rim)
    with database.read() as session:
        epoch = changes.server_mark(session, site_id, EPOCH) or epoch
        here = changes.position(session, site_id)
        start = Cursor(epoch=epoch, rev=0, small=0, sure=here.rev)
        if cursor:
            start = Cursor.parse(cursor)
        if start.epoch != epoch or max(start.rev, start.small, start.sure) > here.rev:
            raise RefusalError("cursor-gone")
        if start.needs_tombstones_after < here.forgotten:
            raise RefusalError("cursor-gone")
        marks, after = _page(session, site_id, start, here.rev, min(limit, PULL_ROWS_MAX))
        has_more = after.rev < here.rev or after.small < here.rev
        page = _with_rows(session, site_id, device, marks)
        checkpoint = None if has_more else _checkpoint(session, site_id, device, here.rev)
    return PullReply(
        server_epoch=epoch,
        t1_ms=now_ms,
        t2_ms=to_us(rim.now()) // 1000,
        changes=tuple(page),
        cursor=after.text(),
        has_more=has_more,
        checkpoint=checkpoint,
    )


def _page(
    session: Session, site_id: str, start: Cursor, up_to: int, limit: int
) -> tuple[list[ChangeMark], Cursor]:
    """One page: first the people and tasks a snapshot left out, then everything in order."""
    if start.small < start.rev:
        marks = changes.changes_between(
            session,
            site_id,
            after=start.small,
            up_to=start.rev,
            limit=limit,
            kinds=PEOPLE_AND_TASKS,
        )
        small = marks[-1].rev if len(marks) == limit else start.rev
        return marks, replace(start, small=small)
    marks = changes.changes_between(session, site_id, after=start.rev, up_to=up_to, limit=limit)
    rev = marks[-1].rev if len(marks) == limit else up_to
    return marks, replace(start, rev=rev, small=rev)


def _with_rows(
    session: Session, site_id: str, device: Device, marks: Sequence[ChangeMark]
) -> list[Change]:
    """The marks with what the records say now; a record that is gone meanwhile is a deletion."""
    rows: dict[tuple[RefKind, str], Reply] = {}
    for kind in RefKind:
        ids = [m.row_id for m in marks if m.kind is kind and not m.is_deleted]
        for start in range(0, len(ids), _CHUNK):
            found = _READERS[kind](session, site_id, device, ids[start : start + _CHUNK])
            rows.update({(kind, row_id): row for row_id, row in found.items()})
    return [_change(mark, rows.get((mark.kind, mark.row_id))) for mark in marks]


def _change(mark: ChangeMark, row: Reply | None) -> Change:
    return Change(
        kind=mark.kind,
        op="put" if row is not None else "del",
        id=mark.row_id,
        rev=mark.rev,
        data=row.model_dump(mode="json", exclude_defaults=True) if row is not None else None,
    )


def _checkpoint(session: Session, site_id: str, device: Device, rev: int) -> Checkpoint:
    """What the device must have after this page. Tasks are counted as they are shown now."""
    counts: dict[str, int] = {}
    checksum = 0
    for kind, (live, total) in changes.totals(session, site_id).items():
        if kind not in PEOPLE_AND_TASKS:
            counts[kind.value] = live
            checksum = add_checksum(checksum, total)
    for kind in PEOPLE_AND_TASKS:
        marks = changes.live_marks(session, site_id, kind)
        shown = _with_rows(session, site_id, device, marks)
        live_marks = [m for m, change in zip(marks, shown, strict=True) if change.op == "put"]
        counts[kind.value] = len(live_marks)
        for mark in live_marks:
            checksum = add_checksum(checksum, row_checksum(kind, mark.row_id, mark.rev))
    return Checkpoint(rev=rev, counts=counts, checksum=checksum_text(checksum))


# -- reading the records


def _bins(session: Session, site_id: str, _device: Device, ids: Sequence[str]) -> dict[str, Reply]:
    rows = session.exec(select(BinRow).where(BinRow.site_id == site_id, col(BinRow.bin).in_(ids)))
    return {row.bin: RefBin.model_validate(row.model_dump()) for row in rows}


def _skus(session: Session, site_id: str, _device: Device, ids: Sequence[str]) -> dict[str, Reply]:
    rows = session.exec(select(SkuRow).where(SkuRow.site_id == site_id, col(SkuRow.sku).in_(ids)))
    # Named one by one: cost, price and class are nobody's business on a counter's device.
    return {
        row.sku: RefSku.model_validate(
            {
                "sku": row.sku,
                "description": row.description,
                "tracking": row.tracking,
                "state": row.state,
            }
        )
        for row in rows
    }


def _barcodes(
    session: Session, site_id: str, _device: Device, ids: Sequence[str]
) -> dict[str, Reply]:
    pairs = [split_barcode_id(row_id) for row_id in ids]
    rows = session.exec(
        select(BarcodeRow).where(
            BarcodeRow.site_id == site_id,
            tuple_(col(BarcodeRow.barcode), col(BarcodeRow.sku)).in_(pairs),
        )
    )
    return {
        barcode_id(row.barcode, row.sku): RefBarcode.model_validate(
            {
                "barcode": row.barcode,
                "sku": row.sku,
                "unit": row.unit,
                "factor": quantity_text(from_u(row.factor_u)),
            }
        )
        for row in rows
    }


def _users(session: Session, site_id: str, device: Device, ids: Sequence[str]) -> dict[str, Reply]:
    row = access.device_row(session, site_id, device.device_id)
    assert row is not None, "its token was looked up"
    pepper = bytes.fromhex(row.pin_pepper)
    return {
        person.user_id: RefUser(
            user_id=person.user_id,
            name=person.name,
            role=access.to_person(person).role,
            pin_salt=person.pin_salt,
            pin_verifier=pin_verifier(pepper, bytes.fromhex(person.pin_prehash)),
        )
        for person in access.people_with_pins(session, site_id, ids)
    }


def _tasks(session: Session, site_id: str, _device: Device, ids: Sequence[str]) -> dict[str, Reply]:
    return dict(ref_tasks(session, site_id, ids))


_READERS: dict[RefKind, Callable[[Session, str, Device, Sequence[str]], dict[str, Reply]]] = {
    RefKind.BIN: _bins,
    RefKind.SKU: _skus,
    RefKind.BARCODE: _barcodes,
    RefKind.USER: _users,
    RefKind.TASK: _tasks,
}
