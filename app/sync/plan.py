"""What to do after each outcome: pure. The engine only carries it out.

docs/protocol.md has the table this implements; nothing here reads a clock or a disk.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from app.contract.wire import Limits
from app.sync.limits import PROTOCOL_LIMITS, within_protocol
from app.sync.outcomes import Failed, Refused, Trouble

BATCH_FIRST = 100
BATCH_MAX = 500
BATCH_LEAST = 10
"""Time-outs alone never make a batch smaller: below it the round trip is what costs."""
QUICK_MS = 2_000
"""A batch that took less may double; one that timed out is halved."""
BACKOFF_BASE_MS = 1_000
BACKOFF_CAP_MS = 300_000
OFFLINE_CAP_MS = 20_000
"""Where nothing could be sent no server is spared by waiting; a picker who walks out of the dead zone
sees the counts go at once. A quarter of a second of radio every ten seconds is what it costs."""
DEBOUNCE_MS = 2_000
"""A scan starts an attempt only so much later: the next scans go with it."""
PATIENCE_MS = 30_000
"""While counts are unsent a new scan brings the next attempt at least this near."""
IDLE_MS = 20_000
"""How often an idle device asks for news."""
PAUSED_MS = 300_000
"""How often, more or less, a device that must be enrolled again or updated asks whether that has changed.

One request each: with the jitter of a quarter at most 16 an hour.
"""
ASKED_CAP_MS = 3_600_000
"""A server that asks for more time than this is asked again all the same."""
HELLO_AFTER_MS = 600_000


class Need(StrEnum):
    """What a person must do before counts can go up. Nothing is lost meanwhile."""

    NOTHING = "nothing"
    ENROL = "enrol"
    """Not enrolled, revoked, or its token ended."""
    ENROL_ANEW = "enrol_anew"
    """Two devices say they are this one: enrol again, as a new install."""
    UPDATE = "update"


class Step(StrEnum):
    """What comes next."""

    GO_ON = "go_on"
    WAIT = "wait"
    SAY_HELLO = "say_hello"
    """The server is another one than we knew: ask how far it holds us, then go on."""
    SEND_ALONE = "send_alone"
    """The one event left in the batch is what it cannot read: send it as opaque bytes."""
    START_AFRESH = "start_afresh"
    """Our reference data is too old or wrong: fetch all of it."""
    STOP = "stop"
    """A person must do something: see `need`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All the engine remembers between attempts. Small, and safe to lose."""

    batch: int = BATCH_FIRST
    limits: Limits = PROTOCOL_LIMITS
    """Of the last hello, within the protocol's own."""
    failures: int = 0
    """Attempts that failed in a row."""
    trouble: Trouble | None = None
    need: Need = Need.NOTHING
    retry_after_ms: int | None = None

    @property
    def events(self) -> int:
        """How many events the next batch may have."""
        return min(self.batch, self.limits.events)


def after_hello(plan: Plan, limits: Limits) -> Plan:
    """The server can take what we send, as much at once as it said."""
    return replace(plan, limits=within_protocol(limits), need=Need.NOTHING)


def after_delivery(
    plan: Plan, *, sent: int, round_trip_ms: int, backoff_ms: int | None = None
) -> Plan:
    """An exchange went well: the next batch may be larger, but not sooner than the server asks."""
    batch = plan.batch
    if sent >= plan.batch and round_trip_ms < QUICK_MS:
        batch = min(BATCH_MAX, plan.batch * 2)
    asked = None if backoff_ms is None else min(max(0, backoff_ms), ASKED_CAP_MS)
    return replace(
        plan, batch=batch, failures=0, trouble=None, retry_after_ms=asked, need=Need.NOTHING
    )


def after_success(plan: Plan) -> Plan:
    """Everything went up and everything new came down."""
    return replace(plan, failures=0, trouble=None, retry_after_ms=None, need=Need.NOTHING)


def after_failure(plan: Plan, failed: Failed, *, sent: int) -> tuple[Plan, Step]:
    """Nobody we know answered: keep everything, come back later, with less at once."""
    least = {Trouble.NO_ANSWER: BATCH_LEAST, Trouble.TOO_BIG: 1}.get(failed.trouble)
    batch = plan.batch
    if least is not None and sent > least:
        batch = max(least, sent // 2)
    waiting = replace(
        plan,
        batch=batch,
        failures=plan.failures + 1,
        trouble=failed.trouble,
        retry_after_ms=failed.retry_after_ms,
    )
    return waiting, Step.WAIT


_NEEDS = {
    "token-unknown": Need.ENROL,
    "token-missing": Need.ENROL,
    "device-revoked": Need.ENROL,
    "install-forked": Need.ENROL_ANEW,
    "proto-unsupported": Need.UPDATE,
}
_STEPS = {"epoch-changed": Step.SAY_HELLO, "cursor-gone": Step.START_AFRESH}
_ABOUT_THE_BATCH = frozenset({"request-invalid", "body-too-large", "too-many-events"})


def after_refusal(plan: Plan, refused: Refused, *, sent: int) -> tuple[Plan, Step]:
    """Our server said no. Whatever it said, no event is dropped."""
    if refused.code in _NEEDS:
        need = _NEEDS[refused.code]
        return replace(plan, need=need, failures=plan.failures + 1, trouble=None), Step.STOP
    if refused.code in _STEPS:
        return plan, _STEPS[refused.code]
    if refused.code in _ABOUT_THE_BATCH and sent > 1:
        return replace(plan, batch=max(1, sent // 2)), Step.GO_ON
    if refused.code in _ABOUT_THE_BATCH and sent == 1:
        return plan, Step.SEND_ALONE
    waiting = replace(
        plan,
        failures=plan.failures + 1,
        trouble=Trouble.SERVER_ERROR,
        retry_after_ms=refused.retry_after_ms,
    )
    return waiting, Step.WAIT


_NOTHING_SENT = frozenset({Trouble.OFFLINE, Trouble.PORTAL})


def after_no_progress(plan: Plan) -> Plan:
    """The server answered and confirmed nothing new of what is left: come back later."""
    return replace(plan, failures=plan.failures + 1, trouble=Trouble.SERVER_ERROR)


def backoff_ms(failures: int, chance: float, cap_ms: int = BACKOFF_CAP_MS) -> int:
    """Full jitter, U(0, min(cap, base * 2^n)): a thousand devices do not come back at once (AWS)."""
    ceiling = min(cap_ms, BACKOFF_BASE_MS * 2 ** min(failures, 20))
    return int(ceiling * chance)


def _about(period_ms: int, chance: float) -> int:
    """A quarter less to a quarter more: devices that began together do not ask together."""
    return int(period_ms * (0.75 + chance / 2))


def next_delay_ms(plan: Plan, *, unsent: int, chance: float) -> int:
    """How long until the next attempt. Always a number: there is always a next attempt."""
    if plan.need is not Need.NOTHING:
        return _about(PAUSED_MS, chance)
    if plan.failures:
        # Not sooner than the server asked, and not all at the same instant after it.
        asked = 0 if plan.retry_after_ms is None else plan.retry_after_ms
        cap_ms = OFFLINE_CAP_MS if plan.trouble in _NOTHING_SENT else BACKOFF_CAP_MS
        return max(100, asked + backoff_ms(plan.failures, chance, cap_ms))
    if plan.retry_after_ms:
        # A server that is well and busy: what is unsent waits, and not all of us end that at once.
        return plan.retry_after_ms + backoff_ms(1, chance)
    return 0 if unsent else _about(IDLE_MS, chance)


def after_poke(plan: Plan, *, due_in_ms: int, since_attempt_ms: int, is_urgent: bool) -> int:
    """The delay after somebody wants an attempt: a person now, a scan soon, in an outage not every scan."""
    if plan.need is not Need.NOTHING and not is_urgent:
        return due_in_ms
    if is_urgent:
        return 0
    if plan.failures == 0:
        return due_in_ms if plan.retry_after_ms else min(due_in_ms, DEBOUNCE_MS)
    asked = 0 if plan.retry_after_ms is None else plan.retry_after_ms
    return min(due_in_ms, max(DEBOUNCE_MS, max(PATIENCE_MS, asked) - since_attempt_ms))
