"""Every screen accepts a scan; here it is routed by what it means and by what is being asked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.contract.events import Entered, ScanFact, StockLine
from app.contract.vocabulary import ScanSource, Unit, quantity_text
from app.counting.floor import scan_fact, step
from app.counting.keypad import Keypad
from app.counting.state import (
    Choice,
    EmptySheet,
    KeypadPurpose,
    KeypadSheet,
    LotSheet,
    Stage,
    Tone,
)
from app.scanner.events import ScanEvent
from app.scanner.label import (
    Ambiguous,
    Badge,
    BarcodeHit,
    BinLabel,
    CaseLabel,
    Command,
    CommandKind,
    EnrolmentCode,
    Gs1Label,
    Meaning,
    SkuLabel,
    SsccLabel,
    Unknown,
    UnknownReason,
    interpret_event,
)

MISREADS = frozenset(
    {
        UnknownReason.CHECK_DIGIT_WRONG,
        UnknownReason.UNKNOWN_COMMAND,
        UnknownReason.EMPTY_BADGE,
        UnknownReason.ENROLMENT_BROKEN,
        UnknownReason.TOO_LONG,
        UnknownReason.UNPRINTABLE,
        UnknownReason.EMPTY,
    }
)
"""A code that is broken is scanned again; only a whole code that nobody knows is kept."""

SIGNED_IN = frozenset({Stage.TASKS, Stage.SCAN_BIN, Stage.COUNT, Stage.FINISH})


class Scans(Keypad):
    """The verb `scan`."""

    @step
    def scan(self, event: ScanEvent) -> None:
        """Somebody scanned or typed a code."""
        meaning = interpret_event(event, self.directory)
        fact = scan_fact(event)
        stage = self.state.stage
        if stage is Stage.SIGN_IN:
            self._scan_signing_in(meaning)
        elif stage in SIGNED_IN:
            self._scan_counting(meaning, fact)

    def unreadable(self, *, is_cut_off: bool = True) -> None:
        """The scanner sent something that is no whole scan, or nothing that a label can carry."""
        self.say(Tone.REJECT, "band.unreadable" if is_cut_off else "band.no_code")

    def _scan_signing_in(self, meaning: Meaning) -> None:
        if isinstance(meaning, Badge):
            self.choose(meaning.user_id)
        else:
            self.say(Tone.REJECT, "band.scan_badge")

    def _scan_counting(self, meaning: Meaning, fact: ScanFact) -> None:
        sheet = self.state.sheet
        if isinstance(sheet, LotSheet) and self._is_lot(meaning, sheet):
            self._lot_scanned(meaning, fact)
            return
        had_keypad = isinstance(sheet, KeypadSheet) and sheet.purpose is KeypadPurpose.COUNT
        if not self.settle_keypad():
            return
        match meaning:
            case Badge():
                self.ask_switch(meaning.user_id)
            case Command():
                self._command(meaning.kind)
            case BinLabel():
                self._bin_read(meaning.bin, fact)
            case EnrolmentCode():
                self.say(Tone.QUIET, "band.enrolled_already")
            case _ if self.state.stage in (Stage.TASKS, Stage.SCAN_BIN):
                self.say(Tone.REJECT, "band.scan_bin_first")
            case Unknown():
                self._unknown(meaning, fact)
            case _:
                self._item_read(meaning, fact)
                self._keep_keypad(had_keypad)

    def _keep_keypad(self, had_keypad: bool) -> None:
        """In keypad counting the keypad stays, now for the item just scanned."""
        count = self.state.count
        is_free = self.state.sheet is None and count is not None and count.current is not None
        if had_keypad and is_free and count is not None and count.current is not None:
            self._keypad_for(count.current)

    # -- bins

    def _bin_read(self, bin_code: str, scan: ScanFact) -> None:
        count, stage = self.state.count, self.state.stage
        if count is None or stage in (Stage.TASKS, Stage.SCAN_BIN):
            self.scan_bin(bin_code, scan)
        elif bin_code == count.bin:
            self._same_bin()
        elif stage is Stage.FINISH and not isinstance(self.state.sheet, EmptySheet):
            self.send()
            if self.state.count is None:
                self._set(task=None)
                self.scan_bin(bin_code, scan)
        else:
            self.ask_other_bin(bin_code, scan)

    def _same_bin(self) -> None:
        """The open bin's own label: finish; once more: yes, send it, or yes, it is empty."""
        if isinstance(self.state.sheet, EmptySheet):
            self.confirm_empty()
        elif self.state.stage is Stage.FINISH:
            self.send()
        else:
            self.finish()

    # -- command labels

    def _command(self, kind: CommandKind) -> None:
        if self.state.count is None:
            if kind is CommandKind.EMPTY and self.state.task is not None:
                self.say(Tone.REJECT, "band.scan_bin_first")
            else:
                self.say(Tone.REJECT, "band.command_in_bin")
            return
        match kind:
            case CommandKind.FINISH:
                self._same_bin()
            case CommandKind.UNDO:
                self.undo()
            case CommandKind.DAMAGED:
                self.damage_one()
            case CommandKind.EMPTY:
                if isinstance(self.state.sheet, EmptySheet):
                    self.confirm_empty()
                else:
                    self.ask_empty()

    # -- items

    def _unknown(self, meaning: Unknown, fact: ScanFact) -> None:
        if meaning.reason in MISREADS:
            self.say(Tone.REJECT, "band.misread", raw=fact.raw)
        elif fact.source is ScanSource.TYPED:
            self.search_for(fact)
        else:
            self.note_unknown(fact)

    def _item_read(self, meaning: Meaning, fact: ScanFact) -> None:
        match meaning:
            case SkuLabel():
                self._count_scan(StockLine(sku=meaning.sku), _one(meaning.unit, 1), fact)
            case CaseLabel():
                entered = _one(meaning.unit, meaning.factor)
                self._count_scan(StockLine(sku=meaning.sku), entered, fact)
            case Gs1Label():
                self._gs1(meaning, fact)
            case SsccLabel() if meaning.content is not None and meaning.content.hit is not None:
                self._gs1(meaning.content, fact)
            case SsccLabel():
                self.say(Tone.ATTENTION, "band.pallet_label", raw=meaning.sscc)
            case Ambiguous():
                self.ask_which(self._choices(meaning), fact)
            case _:
                self.note_unknown(fact)

    def _gs1(self, label: Gs1Label, fact: ScanFact) -> None:
        if label.hit is None:
            self.note_unknown(fact)
            return
        message = label.message
        line = StockLine(
            sku=label.hit.sku, lot=(message.lot or "")[:64], serial=(message.serial or "")[:64]
        )
        entered = Entered(
            quantity=quantity_text(_packs(label, label.hit)),
            unit=label.hit.unit,
            factor=str(label.hit.factor),
        )
        expiry: date | None = message.expiry
        self._count_scan(self._tracked(line), entered, fact, expiry=expiry)

    def _tracked(self, line: StockLine) -> StockLine:
        """A lot or serial on the label of an item that is not kept by it is not an identity."""
        known = self.reference.sku(line.sku)
        tracking = known.tracking.value if known else "none"
        return StockLine(
            sku=line.sku,
            lot=line.lot if tracking != "none" else "",
            serial=line.serial if tracking == "serial" else "",
        )

    def _choices(self, meaning: Ambiguous) -> tuple[Choice, ...]:
        found: list[Choice] = []
        for candidate in meaning.candidates:
            choice = self._choice(candidate.meaning)
            if choice is not None and choice not in found:
                found.append(choice)
        return tuple(found)

    def _choice(
        self, meaning: BinLabel | SkuLabel | CaseLabel | Gs1Label | SsccLabel
    ) -> Choice | None:
        match meaning:
            case BinLabel():
                return Choice(sku="", title=meaning.bin, bin=meaning.bin)
            case SkuLabel():
                return self._hit_choice(BarcodeHit(sku=meaning.sku, unit=meaning.unit, factor=1))
            case CaseLabel():
                hit = BarcodeHit(sku=meaning.sku, unit=meaning.unit, factor=meaning.factor)
                return self._hit_choice(hit)
            case Gs1Label() if meaning.hit is not None:
                return self._hit_choice(meaning.hit, lot=meaning.message.lot or "")
            case _:
                return None

    def _hit_choice(self, hit: BarcodeHit, lot: str = "") -> Choice:
        return Choice(
            sku=hit.sku,
            title=self.title_of(hit.sku),
            unit=hit.unit,
            factor=str(hit.factor),
            lot=lot,
        )

    # -- lots

    def _is_lot(self, meaning: Meaning, sheet: LotSheet) -> bool:
        """Whether a scan answers "which lot?": anything that is not a label of our own."""
        if isinstance(meaning, Gs1Label):
            wanted = meaning.message.serial if sheet.wants_serial else meaning.message.lot
            return wanted is not None
        return isinstance(meaning, Unknown) and meaning.reason not in MISREADS

    def _lot_scanned(self, meaning: Meaning, fact: ScanFact) -> None:
        sheet = self.state.sheet
        assert isinstance(sheet, LotSheet), "asked before"
        text = fact.raw
        if isinstance(meaning, Gs1Label):
            message = meaning.message
            text = (message.serial if sheet.wants_serial else message.lot) or ""
        self.give_lot(text, fact)


def _packs(label: Gs1Label, hit: BarcodeHit) -> Decimal:
    """How many packs a GS1 label stands for.

    A case that says how many pieces it holds (`(01)case (37)12`) is one case, not twelve; what lies
    inside a pallet (`(02)case (37)4`) is four, and so is a count of single pieces.
    """
    message = label.message
    if message.count is None:
        return Decimal(1)
    is_own_content = not message.is_content and hit.factor > 1 and message.count == hit.factor
    return Decimal(1) if is_own_content else message.count


def _one(unit: Unit, factor: int) -> Entered:
    return Entered(quantity="1", unit=unit, factor=quantity_text(Decimal(factor)))
