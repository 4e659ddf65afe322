"""Counting what is in the open bin: scans, keypad, damaged, unknown, lots, undo, edits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from app.contract.count_fold import LineKey
from app.contract.events import (
    ConditionMarked,
    Entered,
    EventVoided,
    ItemCounted,
    Payload,
    ScanFact,
    StockLine,
    UnknownNoted,
)
from app.contract.vocabulary import Condition, CountScope, Tracking, Unit, quantity_text
from app.counting import session
from app.counting.bins import Bins
from app.counting.floor import step
from app.counting.state import (
    Choice,
    ChooseSheet,
    EditSheet,
    KeypadSheet,
    LotSheet,
    Pack,
    SearchHit,
    SearchSheet,
    Stage,
    Tone,
    TypeSheet,
)

SEARCH_LIMIT = 20


class Items(Bins):
    """Verbs about lines."""

    # -- scans

    def _count_scan(
        self,
        line: StockLine,
        entered: Entered,
        scan: ScanFact | None,
        *,
        expiry: date | None = None,
        first: Sequence[Payload] = (),
    ) -> None:
        """One more piece, or pack, of an item. `first` is recorded in the same step, before it."""
        count = self.state.count
        assert count is not None, "a bin must be open"
        if count.fold.scope is CountScope.SINGLE_SKU and line.sku != count.fold.sku:
            wanted = count.fold.sku or ""
            self.say(Tone.ATTENTION, "band.only_this_item", {"item": self.title_of(wanted)})
            return
        if self._lacks(line):
            self._ask_lot(line, entered, scan)
            return
        if line.serial and session.has_serial(count.fold, line.sku, line.serial):
            self.say(Tone.ATTENTION, "band.serial_twice", raw=line.serial)
            return
        counted = ItemCounted(
            line=line,
            entered=entered,
            scan=scan,
            expiry=expiry.isoformat() if expiry else None,
        )
        self._set(stage=Stage.COUNT, count=self._record(*first, counted), sheet=None)
        self._tell_counted(line, entered, expiry)

    def _tell_counted(self, line: StockLine, entered: Entered, expiry: date | None) -> None:
        params = {"item": self.title_of(line.sku), "sku": line.sku}
        if expiry is not None and expiry < self.now().date():
            params["date"] = expiry.isoformat()
            self.say(Tone.ATTENTION, "band.expired", params)
            return
        pieces = Decimal(entered.quantity) * Decimal(entered.factor)
        many = pieces != 1
        self.say(
            Tone.CASE if many else Tone.ACCEPT,
            "band.counted",
            params,
            added=f"+{quantity_text(pieces)}" if many else "",
        )

    def _lacks(self, line: StockLine) -> bool:
        known = self.reference.sku(line.sku)
        if known is None:
            return False
        if known.tracking is Tracking.SERIAL:
            return not line.serial
        return known.tracking is Tracking.LOT and not line.lot

    def _ask_lot(self, line: StockLine, entered: Entered, scan: ScanFact | None) -> None:
        known = self.reference.sku(line.sku)
        wants_serial = known is not None and known.tracking is Tracking.SERIAL
        count = self.state.count
        lots = [c.key.lot for c in count.fold.lines if c.key.sku == line.sku] if count else []
        self._set(
            stage=Stage.COUNT,
            sheet=LotSheet(
                line=line,
                title=self.title_of(line.sku),
                wants_serial=wants_serial,
                entered=entered,
                scan=scan,
                last_lot=lots[-1] if lots else "",
            ),
            band=self._band(
                Tone.ATTENTION, "band.serial_needed" if wants_serial else "band.lot_needed"
            ),
        )

    @step
    def give_lot(self, text: str, scan: ScanFact | None = None) -> None:
        """The lot or serial of the item just scanned; "" says that there is none on the pack."""
        sheet, count = self.state.sheet, self.state.count
        if not isinstance(sheet, LotSheet) or count is None:
            return
        text = text.strip()[:64]
        named = {"serial": text} if sheet.wants_serial else {"lot": text}
        line = StockLine(sku=sheet.line.sku, **named)
        if line.serial and session.has_serial(count.fold, line.sku, line.serial):
            self.say(Tone.ATTENTION, "band.serial_twice", raw=text)
            return
        counted = ItemCounted(line=line, entered=sheet.entered, scan=scan or sheet.scan)
        self._set(count=self._record(counted), sheet=None)
        self._tell_counted(line, sheet.entered, None)

    def ask_which(self, choices: tuple[Choice, ...], scan: ScanFact) -> None:
        """A code with more than one meaning: the person chooses, nothing is guessed."""
        self._set(
            sheet=ChooseSheet(choices=choices, scan=scan),
            band=self._band(Tone.ATTENTION, "band.which_one", raw=scan.raw),
        )

    @step
    def choose_item(self, index: int) -> None:
        """One of the meanings was tapped."""
        sheet = self.state.sheet
        if not isinstance(sheet, ChooseSheet) or not 0 <= index < len(sheet.choices):
            return
        choice = sheet.choices[index]
        self._set(sheet=None)
        if choice.bin:
            self._bin_read(choice.bin, sheet.scan)
            return
        line = StockLine(sku=choice.sku, lot=choice.lot)
        entered = Entered(quantity="1", unit=choice.unit, factor=choice.factor)
        self._count_scan(line, entered, sheet.scan)

    def _bin_read(self, bin_code: str, scan: ScanFact) -> None:
        raise NotImplementedError

    # -- unknown barcodes

    def note_unknown(self, scan: ScanFact) -> None:
        """A code nobody knows is kept at once, as a line of its own; counting goes on."""
        after = self._record(UnknownNoted(scan=scan))
        self._set(stage=Stage.COUNT, count=after, sheet=None)
        self.say(Tone.ATTENTION, "band.unknown", raw=scan.raw, unknown=scan)

    def search(self, query: str = "") -> None:
        """Find an item by code or words, in the site's list on the device."""
        sheet = self.state.sheet
        found = self.reference.search_skus(query, SEARCH_LIMIT)
        hits = tuple(SearchHit(sku=s.sku, title=s.description or s.sku) for s in found)
        if isinstance(sheet, SearchSheet):
            self._set(sheet=replace(sheet, query=query, hits=hits))
            return
        band = self.state.band
        unknown = band.unknown if band else None
        self._set(sheet=SearchSheet(query=query, hits=hits, scan=unknown))

    def search_for(self, scan: ScanFact) -> None:
        """A typed code that nobody knows: most often a slip, so it is looked for before it is kept."""
        found = self.reference.search_skus(scan.raw, SEARCH_LIMIT)
        hits = tuple(SearchHit(sku=s.sku, title=s.description or s.sku) for s in found)
        self._set(
            sheet=SearchSheet(query=scan.raw, hits=hits, scan=scan, can_keep=True),
            band=self._band(Tone.ATTENTION, "band.typed_unknown", raw=scan.raw),
        )

    @step
    def keep_unknown(self) -> None:
        """The typed code is right, only nobody knows it."""
        sheet = self.state.sheet
        if isinstance(sheet, SearchSheet) and sheet.scan is not None and sheet.can_keep:
            self.note_unknown(sheet.scan)

    @step
    def pick(self, sku: str) -> None:
        """An item was found by searching: the unknown code becomes it, or its keypad opens."""
        sheet, count = self.state.sheet, self.state.count
        if not isinstance(sheet, SearchSheet) or count is None:
            return
        line = StockLine(sku=sku)
        if sheet.scan is None:
            self._set(sheet=None)
            self._keypad_for(LineKey(sku=sku))
            return
        undo: list[Payload] = []
        if not sheet.can_keep:
            kept = self._last_unknown(sheet.scan)
            undo = [EventVoided(voids=kept)] if kept else []
        self._count_scan(line, Entered(quantity="1"), sheet.scan, first=undo)

    def _keypad_for(self, key: LineKey) -> None:
        raise NotImplementedError

    def _last_unknown(self, scan: ScanFact) -> str | None:
        count = self.state.count
        noted = count.fold.unknown if count else ()
        same = (u for u in noted if (u.raw, u.symbology) == (scan.raw, scan.symbology))
        found = next(same, None)
        return found.event_ids[-1] if found else None

    # -- undo and edits

    @step
    def undo(self) -> None:
        """Take back the last entry. It stays in the record; the undo is added to it."""
        count = self.state.count
        target = session.to_undo(count) if count else None
        if count is None or target is None:
            self.say(Tone.REJECT, "band.nothing_to_undo")
            return
        after = self._record(EventVoided(voids=target.id))
        self._set(stage=Stage.COUNT, count=after, sheet=None)
        key = session.line_of(target)
        payload = target.payload
        name = payload.scan.raw if isinstance(payload, UnknownNoted) else ""
        self.say(Tone.UNDO, "band.undone", {"item": self.title_of(key.sku) if key else name})

    def select(self, key: LineKey) -> None:
        """A row was tapped: it becomes the current line and can be changed."""
        count = self.state.count
        line = count.fold.line(key) if count else None
        if count is None or line is None:
            return
        sheet = EditSheet(
            key=key, title=self.title_of(key.sku), quantity=quantity_text(line.quantity)
        )
        self._set(count=replace(count, current=key), sheet=sheet, band=None)

    @step
    def change_by(self, step_by: int) -> None:
        """Minus one or plus one on the edited line; below zero there is nothing."""
        sheet, count = self.state.sheet, self.state.count
        if not isinstance(sheet, EditSheet) or count is None:
            return
        total = session.quantity_of(count.fold, sheet.key) + step_by
        if total < 0:
            return
        self._set_total(sheet.key, total)
        self._set(sheet=replace(sheet, quantity=quantity_text(total), is_deleting=False))

    def _set_total(self, key: LineKey, total: Decimal) -> None:
        after = self._record(
            ItemCounted(
                line=_stock_line(key),
                condition=key.condition,
                entered=Entered(quantity=quantity_text(total)),
                mode="set",
            )
        )
        self._set(count=replace(after, current=key))

    def ask_delete(self) -> None:
        """First half of deleting a line."""
        if isinstance(self.state.sheet, EditSheet):
            self._set(sheet=replace(self.state.sheet, is_deleting=True))

    @step
    def delete_line(self) -> None:
        """The line was a mistake: all its entries are voided, it was *not counted* then."""
        sheet, count = self.state.sheet, self.state.count
        if not isinstance(sheet, EditSheet) or count is None:
            return
        ids = session.entries_of(count, sheet.key)
        after = self._record(*(EventVoided(voids=event_id) for event_id in ids))
        self._set(count=after, sheet=None)
        self.say(Tone.UNDO, "band.line_deleted", {"item": sheet.title})

    def type_code(self) -> None:
        """Type a code that cannot be scanned."""
        self._set(sheet=TypeSheet())

    @step
    def close_sheet(self) -> None:
        """Back from any sheet; nothing was stored by opening it. Its question goes with it."""
        keeps_band = isinstance(self.state.sheet, KeypadSheet | EditSheet | TypeSheet)
        if isinstance(self.state.sheet, KeypadSheet):
            self.forget_typed()
        self._set(sheet=None, band=self.state.band if keeps_band else None)

    # -- damaged

    @step
    def damage_one(self) -> None:
        """The DAMAGED label was scanned: one piece of the current line, for glove-only work."""
        count = self.state.count
        key = count.current if count else None
        if key is None or key.condition is not Condition.GOOD:
            self.say(Tone.REJECT, "band.damaged_what")
            return
        self._mark_damaged(key, Decimal(1), Pack())

    def _mark_damaged(self, key: LineKey, quantity: Decimal, pack: Pack) -> None:
        count = self.state.count
        assert count is not None, "a bin must be open"
        there = session.quantity_of(count.fold, key)
        if quantity * pack.factor > there:
            params = {"there": quantity_text(there), "item": self.title_of(key.sku)}
            self.say(Tone.REJECT, "band.damaged_too_many", params)
            return
        marked = ConditionMarked(
            line=_stock_line(key),
            from_condition=key.condition,
            to_condition=Condition.DAMAGED,
            entered=Entered(
                quantity=quantity_text(quantity),
                unit=pack.unit,
                factor=quantity_text(pack.factor),
            ),
        )
        self._set(count=self._record(marked), sheet=None)
        self.forget_typed()
        params = {
            "item": self.title_of(key.sku),
            "damaged": quantity_text(quantity * pack.factor),
        }
        self.say(Tone.ATTENTION, "band.damaged", params)

    def packs_of(self, sku: str) -> tuple[Pack, ...]:
        """The units the item can be entered in."""
        units: list[tuple[Unit, Decimal]] = [
            (b.unit, Decimal(b.factor)) for b in self.reference.barcodes_of(sku)
        ]
        return session.packs_of(units)


def _stock_line(key: LineKey) -> StockLine:
    return StockLine(sku=key.sku, lot=key.lot, serial=key.serial)
