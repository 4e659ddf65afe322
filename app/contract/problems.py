"""The catalogue of refusals: one stable code each, for machines; a sentence in three parts, for people.

A code is never renamed nor reused; a retired one stays listed. Answers are RFC 9457 problem
documents. The pattern of every text: what happened, what it means, what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One kind of refusal. `detail` is a format string over the parameters it names."""

    code: str
    status: int
    title: str
    detail: str


class RefusalError(Exception):
    """A command that cannot be carried out, for a reason the catalogue names.

    Not a bug (those crash) and not an outage (those are values that are retried).
    """

    def __init__(self, code: str, **params: Any) -> None:
        self.problem = CATALOGUE[code]
        self.params = params
        self.detail = self.problem.detail.format(**params)
        super().__init__(f"{code}: {self.detail}")

    @property
    def code(self) -> str:
        return self.problem.code


def _p(code: str, status: int, title: str, detail: str) -> Problem:
    return Problem(code=code, status=status, title=title, detail=detail)


_ALL = (
    # -- requests and access
    _p(
        "request-invalid",
        422,
        "The request is not understood",
        "{where}: {reason}. Nothing was changed.",
    ),
    _p(
        "body-too-large",
        413,
        "The request is too large",
        "At most {limit} bytes are read. Send it in parts.",
    ),
    _p("not-found", 404, "It is not known here", "{what} {id!r} is not known at this site."),
    _p(
        "token-missing",
        401,
        "Not signed in",
        "This address needs a bearer token. Sign in or enrol first.",
    ),
    _p(
        "token-unknown",
        401,
        "Not signed in any more",
        "The token is not known or has ended. Sign in again.",
    ),
    _p(
        "device-revoked",
        403,
        "This device was revoked",
        "Its counts stay on it. Ask the supervisor to enrol it.",
    ),
    _p(
        "role-forbidden",
        403,
        "Not allowed for your role",
        "A {role} may not {what}. Ask a supervisor.",
    ),
    _p("pin-wrong", 401, "Wrong PIN", "That PIN does not belong to {user}. {left} tries are left."),
    _p("pin-locked", 429, "Too many wrong PINs", "Wait {seconds} s, then try again."),
    # -- enrolment and sync
    _p(
        "enrol-token-unknown",
        403,
        "This enrolment code is not valid",
        "It was used, ran out or never was. Ask the supervisor for a new one.",
    ),
    _p(
        "proto-unsupported",
        426,
        "The app is too old",
        "Please update the app. What is counted stays on it and is sent first.",
    ),
    _p(
        "epoch-changed",
        409,
        "The server was restored",
        "Ask hello again, then send everything it lacks.",
    ),
    _p("install-forked", 409, "Two devices say they are this one", "Enrol this device again."),
    _p("cursor-gone", 410, "The reference data is too old", "Fetch the snapshot again."),
    _p(
        "snapshot-none",
        404,
        "There is no prebuilt file",
        "The site is small enough to be fetched page by page.",
    ),
    _p(
        "too-many-events",
        413,
        "Too many events at once",
        "At most {limit} events a push. Send fewer.",
    ),
    # -- why an event is quarantined (codes inside a 200)
    _p("event-malformed", 422, "The event cannot be read", "{reason}"),
    _p(
        "event-id-differs",
        422,
        "The event's id differs",
        "Envelope and content name different events.",
    ),
    _p(
        "seq-taken",
        409,
        "The place in the sequence is taken",
        "Another event has number {seq} of this install.",
    ),
    _p(
        "event-differs",
        409,
        "The event is known with other content",
        "Event {id} was stored before with other bytes. Both are kept.",
    ),
    _p(
        "chain-broken",
        422,
        "The chain of events is broken",
        "The event names another predecessor than the one with number {seq}.",
    ),
    _p("unknown-bin", 422, "The bin is not known", "{bin} is not a bin of this site."),
    _p("unknown-sku", 422, "The SKU is not known", "{sku} is not a SKU of this site."),
    _p("unknown-user", 422, "The person is not known", "{user} may not count at this site."),
    _p(
        "future-clock",
        422,
        "The device's clock is ahead",
        "The event says {at}; the server has {now}.",
    ),
    _p("event-not-usable", 422, "The event cannot be used", "{reason}"),
    # -- imports
    _p("row-invalid", 422, "A row cannot be used", "Line {line}, column {column}: {reason}"),
    _p(
        "row-conflict",
        409,
        "The row is known with other content",
        "{id} was imported before and differs in {fields}. Give the change a new id.",
    ),
    _p("file-unreadable", 422, "The file cannot be read", "{reason}"),
    _p(
        "import-refused",
        422,
        "Nothing was imported",
        "{bad} of {rows} rows cannot be used. Mend them and "
        "send the file again; the good rows were not kept either.",
    ),
    # -- records and states
    _p(
        "transition-refused",
        409,
        "Not possible in this state",
        "A {record} that is {state} cannot {event}.",
    ),
    _p(
        "version-stale",
        409,
        "It changed while you looked",
        "You decided on version {seen}, it is {now} now. Look again and decide.",
    ),
    # -- casework
    _p(
        "approver-counted",
        403,
        "You counted this line",
        "Somebody who counted it cannot approve it. Ask another supervisor.",
    ),
    _p(
        "approver-limit",
        403,
        "Above your limit",
        "{value} {currency} is above your limit of {limit}. Escalate it.",
    ),
    _p(
        "second-approver",
        409,
        "A second approver is needed",
        "Above {limit} {currency} two people approve. Your approval is noted.",
    ),
    _p(
        "recounter-counted",
        409,
        "That person has counted this bin",
        "A recount needs somebody who has not counted {bin} for this case.",
    ),
    _p(
        "no-recounter",
        409,
        "Nobody is left to recount",
        "Everybody who may count has counted {bin}. Decide on what there is, or name somebody.",
    ),
    _p(
        "variance-ambiguous",
        409,
        "The variance is not certain",
        "Stock moved during the count: it lies between {low} and {high}. Ask for a recount.",
    ),
    _p("reason-missing", 422, "A reason is needed", "Choose why the stock was wrong."),
    _p(
        "already-posted",
        409,
        "Already posted",
        "This case was posted at {at} by {who}. Nothing was posted again.",
    ),
    _p(
        "not-agreed",
        409,
        "The counts do not agree yet",
        "Two people must find the same variance, or a lead decides.",
    ),
    _p(
        "decision-differs",
        409,
        "This decision was made with other words",
        "Decision {id} was sent before as {known}. Nothing was changed: a new decision needs a new id.",
    ),
    _p("parameter-missing", 422, "Something is missing", "{action} needs {parameter}."),
    _p(
        "storage-full",
        507,
        "The server's disk is full",
        "Nothing was changed. Free some space and send it again.",
    ),
    _p("slow-down", 429, "Too many tries", "Wait {seconds} s, then try again."),
    _p("busy", 503, "The server is busy", "Try again in {seconds} s. Nothing was changed."),
    _p(
        "internal",
        500,
        "Something went wrong here",
        "It was written to the log as {ref}. Nothing was changed.",
    ),
)

CATALOGUE: dict[str, Problem] = {problem.code: problem for problem in _ALL}
"""Every refusal by its code."""
