"""Sentences about a case, made of the catalogue's words. Pure."""

from __future__ import annotations

from datetime import datetime

from app.contract.review import Action, CaseDetail, CaseRow, HistoryEntry
from app.contract.vocabulary import CaseKind
from app.i18n.words import Words
from app.review.answers import Trouble
from app.review.state import Filters, ReviewState
from app.screens.review.figures import clock, due, is_zero, lasting, money, signed, span


def has_amount(row: CaseRow) -> bool:
    """Whether the case is about a number of units at all; a barcode nobody knows is not."""
    is_nothing = is_zero(row.variance.low) and is_zero(row.variance.high)
    return row.verdict is not None or not is_nothing


def has_cost(case: CaseDetail) -> bool:
    """Whether money or a promise is in question."""
    return has_amount(case) or bool(case.impact.orders) or not is_zero(case.impact.margin_at_risk)


def variance_words(row: CaseRow, say: Words) -> str:
    """The variance, "from … to" when stock moved meanwhile; "" where no stock is in question."""
    return span(row.variance, signed, say) if has_amount(row) else ""


def value_words(row: CaseRow, say: Words) -> str:
    """The same in money."""
    if not has_amount(row):
        return ""
    return span(row.value, lambda text: money(text, row.currency), say)


def item_words(row: CaseRow, say: Words) -> str:
    """The item as people call it; a bin as a whole where no item is meant."""
    return row.description or row.sku or say(f"review.kind.{row.kind.value}")


def when_words(row: CaseRow, now: datetime, say: Words) -> str:
    """By when it must be done; or when it ended."""
    if row.ended_at is not None:
        return say("review.ended", time=clock(row.ended_at, now))
    return due(row.due_at, now, say)


def title_key(state: ReviewState) -> str:
    """i18n key of the list's name."""
    return "review.queue.title_ended" if state.filters.is_ended else "review.queue.title"


def next_words(row: CaseRow, say: Words) -> str:
    """What happens next, or how it ended. The server says it; an older one may only name the action."""
    if row.ended_at is not None:
        return state_words(row.state.value, say)
    if row.next_words:
        return row.next_words
    if row.next_action is not None:
        return say(f"review.act.{row.next_action.value}")
    return say("review.next.none")


def row_name(
    row: CaseRow,
    now: datetime,
    say: Words,
    *,
    is_shown: bool = False,
    is_marked: bool | None = None,
    refused: str = "",
) -> str:
    """The whole row in one sentence, for those who hear the screen."""
    name = say(
        "review.row.name" if has_amount(row) else "review.row.name_bare",
        bin=row.bin,
        item=item_words(row, say),
        variance=variance_words(row, say),
        value=value_words(row, say),
        priority=row.priority,
        owner=owner_words(row, say),
        due=when_words(row, now, say),
        next=next_words(row, say),
        age=lasting(now - row.opened_at, say),
    )
    if refused:
        name = f"{name} {say('review.row.refused', why=refused)}"
    if is_marked is not None:
        name = f"{name} {say('review.row.marked' if is_marked else 'review.row.unmarked')}"
    return f"{name} {say('review.row.shown')}" if is_shown else name


def owner_words(row: CaseRow, say: Words) -> str:
    """Who owns it; nobody is said plainly."""
    return row.owner_name or row.owner_id or say("review.owner.nobody")


def what_changed(case: CaseDetail, now: datetime, say: Words) -> str:
    """The newest change of the case, who made it and when."""
    if not case.history:
        return say("review.changed.opened", time=clock(case.opened_at, now))
    return history_words(max(case.history, key=lambda entry: entry.at), now, say)


def history_words(entry: HistoryEntry, now: datetime, say: Words) -> str:
    """One change: who, what, why and when."""
    key = f"review.event.{entry.event}"
    what = say(key) if say.has(key) else state_words(entry.to_state, say)
    who = say("review.who.system") if entry.who in ("", "system") else entry.who
    shown = say("review.changed", who=who, what=what, time=clock(entry.at, now))
    return (
        f"{shown} {say('review.changed.why', why=why_words(entry.why, say))}"
        if entry.why
        else shown
    )


def why_words(why: str, say: Words) -> str:
    """A reason code in its words, a note as it was written."""
    code, stop, note = why.partition(": ")
    if not say.has(f"reason.{code}"):
        return why
    return f"{say(f'reason.{code}')}{stop}{note}"


def state_words(state: str, say: Words) -> str:
    """A case's state in words."""
    key = f"review.state.{state}"
    return say(key) if say.has(key) else state


def trouble_words(trouble: Trouble, say: Words) -> str:
    """A refusal: what happened, what it means, what to do."""
    key = f"problem.{trouble.code}"
    if say.has(key):
        return say(key, **trouble.params)
    title = f"{trouble.title}. " if trouble.title else ""
    return f"{title}{trouble.detail}"


def outage_words(state: ReviewState, say: Words) -> str:
    """Why there is no connection, what it means for what was decided, and what happens next."""
    kind = state.outage.value if state.outage is not None else "unreached"
    if state.pending is not None and state.pending.tries:
        return say(f"review.outage.{kind}.pending", bin=state.pending.bin)
    return say(f"review.outage.{kind}")


def action_words(case: CaseDetail, action: Action, say: Words) -> str:
    """What a button does; an approval says what is posted."""
    if action is Action.APPROVE and case.variance.low == case.variance.high:
        return say("review.act.approve_units", units=signed(case.variance.low))
    if action is Action.CLOSE and case.kind is CaseKind.UNKNOWN_BARCODE:
        return say("review.act.close_barcode")
    return say(f"review.act.{action.value}")


def nothing_words(filters: Filters, say: Words) -> str:
    """An empty list: good news, or a filter that matches nothing."""
    if filters == Filters(is_ended=True):
        return say("review.queue.none_ended")
    return say("review.queue.none" if filters.is_everything else "review.queue.none_filtered")
