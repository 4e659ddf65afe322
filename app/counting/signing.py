"""Who is counting: choosing oneself, the PIN, the lock, changing over."""

from __future__ import annotations

import json
from datetime import timedelta

from app.contract.events import SessionClosed, SessionOpened
from app.contract.vocabulary import COUNTING_ROLES
from app.contract.wire import RefUser
from app.counting import session
from app.counting.floor import FloorCore, step
from app.counting.state import Person, Stage, SwitchUserSheet, Tone
from app.store.pins import PinOutcome, PinVerdict

IDLE_LOCK = timedelta(minutes=10)
"""A device left on a shelf asks for the PIN again after this; the open bin stays open."""

SEEN_EVERY = timedelta(seconds=30)
SESSION = "floor.session"


class Signing(FloorCore):
    """Verbs about the person."""

    _seen_at: str = ""

    @step
    def start(self) -> None:
        """Find out where the device stands: enrolled, loaded, and who was counting a moment ago.

        After a kill the same person is taken back to exactly the open bin; after ten idle minutes
        the PIN comes first.
        """
        self.refresh()
        if self.state.stage is not Stage.SIGN_IN:
            return
        remembered = self._remembered()
        if remembered is not None:
            self._enter(remembered)

    def start_anew(self) -> None:
        """The device's file was found damaged and set aside: nobody is signed in, no bin is open."""
        self._set(
            stage=Stage.LOADING,
            user=None,
            chosen=None,
            count=None,
            task=None,
            sheet=None,
            band=None,
            tasks=(),
            finished=(),
            blocked="",
            salvaged=True,
        )
        self.refresh()

    def _remembered(self) -> Person | None:
        kept = self.store.setting(SESSION)
        if kept is None:
            return None
        words = json.loads(kept)
        idle_s = self.now().timestamp() - float(words["seen_s"])
        person = self._counting(words["user_id"])
        # A clock set back gives a negative age: then the PIN is asked for.
        return person if 0 <= idle_s < IDLE_LOCK.total_seconds() else None

    def choose(self, user_id: str | None) -> None:
        """Somebody tapped a name or scanned a badge; the PIN comes next. None: choose again."""
        person = next((p for p in self.state.people if p.user_id == user_id), None)
        if user_id is not None and person is None:
            self.say(Tone.REJECT, "band.badge_unknown")
            return
        self._set(chosen=person, band=None)

    def verifier(self) -> RefUser | None:
        """The record against which the chosen person's PIN is checked."""
        chosen = self.state.chosen
        if chosen is None:
            return None
        return next((u for u in self.reference.users() if u.user_id == chosen.user_id), None)

    def check_pin(self, pin: str) -> PinOutcome:
        """Look at a PIN: slow on purpose, safe to call on a worker thread."""
        known = self.verifier()
        if known is None:
            return PinOutcome(verdict=PinVerdict.NOT_ENROLLED)
        return self.store.check_pin(known, pin)

    @step
    def settle_pin(self, outcome: PinOutcome) -> None:
        """What the look at the PIN came to: in, or one of the sentences."""
        chosen = self.state.chosen
        if chosen is None:
            return
        if outcome.verdict is PinVerdict.RIGHT and not self.may_count(chosen.user_id):
            self.say(Tone.REJECT, "band.only_reviews", {"name": chosen.name})
            return
        if outcome.verdict is PinVerdict.RIGHT:
            self._append([SessionOpened()], user_id=chosen.user_id)
            self._enter(chosen)
            return
        params = {
            "name": chosen.name,
            "left": str(outcome.tries_left),
            "seconds": str(outcome.wait_seconds),
        }
        self.say(Tone.REJECT, f"band.pin_{outcome.verdict.value}", params)

    def sign_in(self, user_id: str, pin: str) -> PinOutcome:
        """Choose, look and settle in one go (scripts and tests; screens look on a thread)."""
        self.choose(user_id)
        outcome = self.check_pin(pin)
        self.settle_pin(outcome)
        return outcome

    def may_count(self, user_id: str) -> bool:
        """Whether this device knows the person as one who counts: counters, supervisors, leads."""
        return self._counting(user_id) is not None

    def _counting(self, user_id: str) -> Person | None:
        known = (p for p in self.state.people if p.user_id == user_id)
        return next((p for p in known if p.role in COUNTING_ROLES), None)

    @step
    def count_as(self, user_id: str) -> None:
        """A reviewer whose PIN the server has just accepted on this device takes up the scanner.

        Whoever was counting is signed out; their open bin stays theirs. Unknown people change nothing.
        """
        person = self._counting(user_id)
        if person is None or person == self.state.user:
            return
        self._close_session("switched", keep_chosen=False)
        self._append([SessionOpened()], user_id=person.user_id)
        self._enter(person)

    def _enter(self, person: Person) -> None:
        self._set(user=person, chosen=None, band=None, sheet=None, stage=Stage.TASKS)
        self._remember()
        self.refresh()
        self._resume()

    def _resume(self) -> None:
        """The bin this person has open, exactly as it was stored."""
        user = self.state.user
        assert user is not None, "only after a sign-in"
        mine = [s for s in self.store.unfinished_counts() if s.user_id == user.user_id]
        if not mine:
            return
        self._open_stored(mine[-1].count_id)

    def _open_stored(self, count_id: str) -> None:
        count = session.open_count(self.store.events_of_count(count_id))
        if count is None:
            return
        place = self.reference.bin(count.bin)
        self._walked = place.walk_order if place else self._walked
        self._set(stage=Stage.COUNT, count=count, task=None, sheet=None, band=None)
        self.take_up_typed()

    def take_up_typed(self) -> None:
        """What stood on the keypad; the keypad's own class knows how."""
        raise NotImplementedError

    def _remember(self) -> None:
        user = self.state.user
        if user is None:
            return
        seen = {"user_id": user.user_id, "seen_s": self.now().timestamp()}
        self.store.set_setting(SESSION, json.dumps(seen))

    @step
    def touch(self, idle: timedelta) -> None:
        """Told every half minute how long nobody touched the device: remember, or lock."""
        if self.state.user is None:
            return
        if idle >= IDLE_LOCK:
            self._close_session("locked", keep_chosen=True)
        elif idle < SEEN_EVERY:
            self._remember()

    @step
    def sign_out(self) -> None:
        """The person leaves; an open bin stays theirs."""
        self._close_session("signed_out", keep_chosen=False)

    def ask_switch(self, user_id: str) -> None:
        """A badge was scanned while somebody is signed in."""
        user = self.state.user
        person = next((p for p in self.state.people if p.user_id == user_id), None)
        if person is None:
            self.say(Tone.REJECT, "band.badge_unknown")
        elif user is not None and person.user_id == user.user_id:
            self.say(Tone.QUIET, "band.badge_same", {"name": person.name})
        else:
            self._set(sheet=SwitchUserSheet(user_id=person.user_id, name=person.name))

    @step
    def switch_user(self) -> None:
        """Confirmed: the other person types a PIN."""
        sheet = self.state.sheet
        if not isinstance(sheet, SwitchUserSheet):
            return
        other = next(p for p in self.state.people if p.user_id == sheet.user_id)
        self._close_session("switched", keep_chosen=False)
        self._set(chosen=other)

    def _close_session(self, why: str, *, keep_chosen: bool) -> None:
        user = self.state.user
        if user is None:
            return
        self._append([SessionClosed.model_validate({"why": why})])
        self.store.set_setting(SESSION, None)
        self._set(
            stage=Stage.SIGN_IN,
            user=None,
            chosen=user if keep_chosen else None,
            count=None,
            task=None,
            sheet=None,
            band=None,
            tasks=(),
            finished=(),
        )
