"""The keypad of the current line: digits, SET, ADD, units, the one question about large numbers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.contract.count_fold import LineKey
from app.contract.events import Entered, ItemCounted
from app.contract.vocabulary import Condition, quantity_text
from app.counting import session
from app.counting.floor import step
from app.counting.items import Items, _stock_line
from app.counting.state import KeypadPurpose, KeypadSheet, Pack, Tone
from app.counting.typed import typed_line, typed_text, with_typed


class Keypad(Items):
    """Verbs of the keypad."""

    def open_keypad(self) -> None:
        """Type a quantity for the current line; without one, find the item first."""
        count = self.state.count
        if count is None:
            return
        if count.current is None:
            self.search()
            return
        self._keypad_for(count.current)

    def open_damaged(self) -> None:
        """How many of the current line are damaged?"""
        count = self.state.count
        key = count.current if count else None
        if key is None or key.condition is not Condition.GOOD:
            self.say(Tone.REJECT, "band.damaged_what")
            return
        self._keypad_for(key, KeypadPurpose.DAMAGED)

    def _keypad_for(self, key: LineKey, purpose: KeypadPurpose = KeypadPurpose.COUNT) -> None:
        count = self.state.count
        assert count is not None, "a bin must be open"
        sheet = KeypadSheet(
            key=key,
            title=self.title_of(key.sku),
            packs=self.packs_of(key.sku),
            pack=Pack(),
            purpose=purpose,
            total=session.quantity_of(count.fold, key),
        )
        self._set(sheet=sheet)

    @step
    def press(self, key: str) -> None:
        """One key: a digit, "." , "back" or "clear". What stands there then survives a kill."""
        sheet = self.state.sheet
        if not isinstance(sheet, KeypadSheet):
            return
        digits = sheet.digits
        if key == "clear":
            digits = ""
        elif key == "back":
            digits = digits[:-1]
        elif key == "." and "." not in digits:
            digits = (digits or "0") + "."
        elif key.isdigit() and len(digits) < session.DIGITS_MAX:
            digits = key if digits == "0" else digits + key
        self._set(sheet=replace(sheet, digits=digits, large=""))
        self._keep_typed()

    def _keep_typed(self) -> None:
        sheet, place = self.state.sheet, self._place_of_draft()
        if place and isinstance(sheet, KeypadSheet):
            self.store.save_draft(**place, content=typed_text(sheet))

    def take_up_typed(self) -> None:
        """The open bin's keypad as somebody left it: the app was killed while digits stood there."""
        place = self._place_of_draft()
        text = self.store.draft(**place) if place else None
        count = self.state.count
        if text is None or count is None:
            return
        try:
            key = typed_line(text)
            if key not in {line.key for line in count.fold.lines}:
                return
            self._keypad_for(key)
            assert isinstance(self.state.sheet, KeypadSheet), "just opened"
            self._set(sheet=with_typed(self.state.sheet, text))
        except (ValueError, KeyError, TypeError):
            self.store.clear_draft(**place)

    @step
    def use_pack(self, pack: Pack) -> None:
        """Type in pieces or in one of the packs."""
        sheet = self.state.sheet
        if isinstance(sheet, KeypadSheet) and pack in sheet.packs:
            self._set(sheet=replace(sheet, pack=pack, large=""))
            self._keep_typed()

    @step
    def enter(self, mode: str) -> None:
        """SET makes the typed number the line's total, ADD adds it; `mode` is "set" or "add".

        A large number is asked about once; the same button again means yes.
        """
        sheet = self.state.sheet
        if not isinstance(sheet, KeypadSheet):
            return
        quantity = _number(sheet.digits)
        if quantity is None:
            self.say(Tone.REJECT, "band.type_number")
            return
        pieces = quantity * sheet.pack.factor
        if sheet.large != mode and session.is_large(pieces, sheet.packs):
            self._set(sheet=replace(sheet, large=mode))
            self.say(Tone.ATTENTION, "band.large_number", {"number": f"{pieces:,f}"})
            return
        if sheet.purpose is KeypadPurpose.DAMAGED:
            self._mark_damaged(sheet.key, quantity, sheet.pack)
            return
        self._enter_quantity(sheet, quantity, mode)

    def _enter_quantity(self, sheet: KeypadSheet, quantity: Decimal, mode: str) -> None:
        counted = ItemCounted.model_validate(
            {
                "line": _stock_line(sheet.key),
                "condition": sheet.key.condition,
                "entered": Entered(
                    quantity=quantity_text(quantity),
                    unit=sheet.pack.unit,
                    factor=quantity_text(sheet.pack.factor),
                ),
                "mode": mode,
            }
        )
        self._set(count=self._record(counted), sheet=None)
        self.forget_typed()
        pieces = quantity * sheet.pack.factor
        params = {"item": sheet.title, "sku": sheet.key.sku, "number": quantity_text(pieces)}
        added = f"+{quantity_text(pieces)}" if mode == "add" else ""
        key = "band.counted" if mode == "add" else "band.set_to"
        self.say(Tone.ACCEPT, key, params, added=added)

    def settle_keypad(self) -> bool:
        """A scan arrived while digits stood there: they belong to the line before. False: ask first."""
        sheet = self.state.sheet
        if not isinstance(sheet, KeypadSheet) or not sheet.digits:
            return True
        self.enter("add" if sheet.purpose is KeypadPurpose.DAMAGED else "set")
        return not isinstance(self.state.sheet, KeypadSheet)


def _number(digits: str) -> Decimal | None:
    return Decimal(digits) if digits and digits != "." else None
