"""Tables of counts as judged, exception cases, what people decided, and what was posted. Rows only.

Facts (events, movements) live elsewhere. What is kept here is either somebody's word (decisions,
histories, adjustments, rules) or the present conclusion from the facts, written in the transaction
that learned them so that the queue can be read without judging anything.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from server.storage.columns import CodeText

_LIVE = text("is_live")
HAS_ENDED = text("ended_us > 0")
"""As the index of the ended cases says it, so that a query is seen to be covered by it."""
_FIRST = text("reverses = ''")
_OPEN_FIRST_COUNT = text("case_id = '' AND state IN ('planned', 'assigned', 'counting')")


class CountTaskRow(SQLModel, table=True):
    """Somebody is to count a bin. A recount differs only in columns that no device is told."""

    __tablename__ = "count_task"
    __table_args__ = (
        Index("ix_count_task_state", "site_id", "state", "bin"),
        Index("ix_count_task_bin", "site_id", "bin", "state"),
        Index(
            "uq_count_task_open",
            "site_id",
            "bin",
            unique=True,
            sqlite_where=_OPEN_FIRST_COUNT,
            postgresql_where=_OPEN_FIRST_COUNT,
        ),
    )

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    task_id: str = Field(primary_key=True, sa_type=CodeText)
    bin: str = Field(sa_type=CodeText)
    scope: str = Field(default="whole_bin", sa_type=CodeText)
    sku: str = Field(default="", sa_type=CodeText)
    """The SKU of a single-SKU count, else ""."""
    state: str = Field(default="planned", sa_type=CodeText)
    assigned_to: str = Field(default="", sa_type=CodeText)
    """"" is whoever comes by."""
    case_id: str = Field(default="", sa_type=CodeText)
    """The case a recount was first asked for; "" for a first count. Never sent to a device."""
    round_index: int = 0
    why: str = ""
    """Why it was planned. Never sent to a device."""
    due_on: str = Field(default="", sa_type=CodeText)
    created_us: int = Field(sa_type=BigInteger)
    created_by: str = Field(sa_type=CodeText)


class CountRow(SQLModel, table=True):
    """One count as its events fold: by whom, of which bin, when."""

    __tablename__ = "count"
    __table_args__ = (
        Index("ix_count_bin", "site_id", "bin", "opened_earliest_us"),
        Index("ix_count_task", "site_id", "task_id"),
        Index("ix_count_ended", "site_id", "ended_latest_us"),
    )

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    count_id: str = Field(primary_key=True, sa_type=CodeText)
    bin: str = Field(sa_type=CodeText)
    scope: str = Field(sa_type=CodeText)
    sku: str = Field(default="", sa_type=CodeText)
    task_id: str = Field(default="", sa_type=CodeText)
    counted_by: str = Field(default="", sa_type=CodeText)
    """"" when nobody was signed in: kept, and proves nothing."""
    install_id: str = Field(sa_type=CodeText)
    device_name: str = ""
    status: str = Field(sa_type=CodeText)
    """counting, closed, left: what the events say."""
    opened_earliest_us: int = Field(sa_type=BigInteger)
    opened_latest_us: int = Field(sa_type=BigInteger)
    ended_earliest_us: int = Field(sa_type=BigInteger)
    ended_latest_us: int = Field(sa_type=BigInteger)
    received_us: int = Field(sa_type=BigInteger)
    """When the last of its events arrived here."""
    is_empty: bool = False
    """A person confirmed that nothing is in the bin."""


class CountLineRow(SQLModel, table=True):
    """One cell of a closed count, judged. Kept for reports; recomputed whenever facts change."""

    __tablename__ = "count_line"
    __table_args__ = (
        ForeignKeyConstraint(["site_id", "count_id"], ["count.site_id", "count.count_id"]),
    )

    site_id: str = Field(primary_key=True, sa_type=CodeText)
    count_id: str = Field(primary_key=True, sa_type=CodeText)
    sku: str = Field(primary_key=True, sa_type=CodeText)
    lot: str = Field(primary_key=True, sa_type=CodeText)
    serial: str = Field(primary_key=True, sa_type=CodeText)
    condition: str = Field(primary_key=True, sa_type=CodeText)
    is_counted: bool
    """False: zero because a named person closed the bin."""
    quantity_u: int = Field(sa_type=BigInteger)
    earliest_us: int = Field(sa_type=BigInteger)
    latest_us: int = Field(sa_type=BigInteger)
    expiry: str = Field(default="", sa_type=CodeText)
    book_low_u: int = Field(default=0, sa_type=BigInteger)
    book_high_u: int = Field(default=0, sa_type=BigInteger)
    """The book over the line's time, without what its own case posted."""
    verdict: str = Field(default="", sa_type=CodeText)
    """"" while the count is not judged."""
    is_inside: bool = True
    unit_cost_u: int = Field(default=0, sa_type=BigInteger)


class ExceptionCaseRow(SQLModel, table=True):
    """Something that does not agree: whose it is, what it costs, what happens next."""

    __tablename__ = "exception_case"
    __table_args__ = (
        Index(
            "uq_exception_case_line",
            "site_id",
            "bin",
            "sku",
            "lot",
            "condition",
            "subject",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_exception_case_queue", "site_id", "is_live", "rank", "case_id", "value_u"),
        Index(
            "ix_exception_case_ended",
            "site_id",
            "ended_us",
            "case_id",
            sqlite_where=HAS_ENDED,
            postgresql_where=HAS_ENDED,
        ),
        Index("ix_exception_case_bin", "site_id", "bin", "sku"),
        Index("ix_exception_case_sku", "site_id", "sku", "is_live"),
        Index(
            "ix_exception_case_due",
            "site_id",
            "due_us",
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
    )

    # A case's columns are set one by one, thirty of them when it opens. SQLModel would set each a
    # second time, as pydantic's: half of what opening a case took.
    __setattr__ = object.__setattr__  # type: ignore[assignment]  # the same, but for its names

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    case_id: str = Field(primary_key=True, sa_type=CodeText)
    bin: str = Field(default="", sa_type=CodeText)
    zone: str = Field(default="", sa_type=CodeText)
    sku: str = Field(default="", sa_type=CodeText)
    lot: str = Field(default="", sa_type=CodeText)
    condition: str = Field(default="good", sa_type=CodeText)
    subject: str = Field(default="", sa_type=CodeText)
    """"" for a line of stock; else what the case is about: "barcode/<raw>", "held/<id>"."""
    kind: str = Field(sa_type=CodeText)
    state: str = Field(sa_type=CodeText)
    is_live: bool = True
    version: int = 1
    verdict: str = Field(default="", sa_type=CodeText)
    standing: str = Field(default="", sa_type=CodeText)
    """What the rounds prove together; "" for a case without rounds."""
    rounds: int = 0
    """Rounds that are used as proof."""
    variance_low_u: int = Field(default=0, sa_type=BigInteger)
    variance_high_u: int = Field(default=0, sa_type=BigInteger)
    parts: str = "{}"
    """JSON: serial -> [low, high] still to settle, "" when the SKU has no serials."""
    value_u: int = Field(default=0, sa_type=BigInteger)
    """Absolute money at stake, serial by serial, at unit cost."""
    unit_cost_u: int = Field(default=0, sa_type=BigInteger)
    rank: int = 100
    """100 - priority, so that the index reads the queue in its order."""
    priority_why: str = ""
    orders_at_risk: int = 0
    owner_id: str = Field(default="", sa_type=CodeText)
    lead_id: str = Field(default="", sa_type=CodeText)
    """Who it goes to when it is overdue."""
    opened_us: int = Field(sa_type=BigInteger)
    due_us: int = Field(sa_type=BigInteger)
    ended_us: int = Field(default=0, sa_type=BigInteger)
    """When nobody had to do anything more; 0 while somebody has to."""
    next_action: str = Field(default="", sa_type=CodeText)
    next_words: str = ""
    top_proposal: str = Field(default="", sa_type=CodeText)
    title: str = ""
    """In words, what was found: for kinds that are not about a variance."""
    evidence: str = "{}"
    """JSON of facts that only this kind has: raw code, event ids, reason."""
    corrects: str = Field(default="", sa_type=CodeText)
    """The case whose posting late facts have overtaken."""
    ended_by_facts: bool = False
    """True: facts ended it, so facts may open it again."""
    approved_by: str = Field(default="", sa_type=CodeText)
    """The first of two approvals, waiting for the second."""
    recount_task_id: str = Field(default="", sa_type=CodeText)
    recount_after: int = 0
    """Rounds there were when the recount was asked for: it is awaited until there are more."""
    settled_as: str = Field(default="", sa_type=CodeText)
    """posted, explained, dismissed: how it bears on its counts; "" while it does not."""
    settled_parts: str = "{}"
    """JSON: serial -> quantity that was accepted as explained."""
    first_order_us: int = Field(default=0, sa_type=BigInteger)
    """When its first count began."""
    last_order_us: int = Field(default=0, sa_type=BigInteger)
    last_order_id: str = Field(default="", sa_type=CodeText)
    """When its last count began, and that count: later ones met the settled book."""


class CaseRoundRow(SQLModel, table=True):
    """A count that is evidence in a case, in its place; not every one is proof."""

    __tablename__ = "case_round"
    __table_args__ = (
        ForeignKeyConstraint(
            ["site_id", "case_id"], ["exception_case.site_id", "exception_case.case_id"]
        ),
        Index("ix_case_round_count", "site_id", "count_id"),
    )

    site_id: str = Field(primary_key=True, sa_type=CodeText)
    case_id: str = Field(primary_key=True, sa_type=CodeText)
    count_id: str = Field(primary_key=True, sa_type=CodeText)
    position: int
    is_used: bool = True
    why_not: str = ""


class CaseHistoryRow(SQLModel, table=True):
    """One change of one case. Append-only."""

    __tablename__ = "case_history"
    __table_args__ = (
        ForeignKeyConstraint(
            ["site_id", "case_id"], ["exception_case.site_id", "exception_case.case_id"]
        ),
        Index("ix_case_history_case", "site_id", "case_id", "number"),
        Index("ix_case_history_at", "site_id", "at_us", "history_id"),
    )

    site_id: str = Field(primary_key=True, sa_type=CodeText)
    history_id: str = Field(primary_key=True, sa_type=CodeText)
    case_id: str = Field(sa_type=CodeText)
    number: int
    """From 1 in each case: the order in which things happened, whatever the clock says."""
    at_us: int = Field(sa_type=BigInteger)
    who: str = Field(sa_type=CodeText)
    event: str = Field(sa_type=CodeText)
    from_state: str = Field(default="", sa_type=CodeText)
    to_state: str = Field(sa_type=CodeText)
    why: str = ""
    through: str = Field(default="", sa_type=CodeText)
    """"decision/<id>", "count/<id>", "ledger": what brought it about."""


class AdjustmentRow(SQLModel, table=True):
    """An approved change of the book. Posted once per case; reversed by another row, never edited."""

    __tablename__ = "adjustment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["site_id", "case_id"], ["exception_case.site_id", "exception_case.case_id"]
        ),
        Index(
            "uq_adjustment_case",
            "site_id",
            "case_id",
            unique=True,
            sqlite_where=_FIRST,
            postgresql_where=_FIRST,
        ),
        Index("ix_adjustment_dated", "site_id", "dated_us", "adjustment_id"),
    )

    site_id: str = Field(primary_key=True, sa_type=CodeText)
    adjustment_id: str = Field(primary_key=True, sa_type=CodeText)
    case_id: str = Field(sa_type=CodeText)
    kind: str = Field(sa_type=CodeText)
    """adjustment (against shrink or found), transfer (zero shrink), reversal."""
    reason: str = Field(sa_type=CodeText)
    note: str = ""
    dated_us: int = Field(sa_type=BigInteger)
    """The count's time: the book is right from then on."""
    posted_us: int = Field(sa_type=BigInteger)
    approved_by: str = Field(sa_type=CodeText)
    second_by: str = Field(default="", sa_type=CodeText)
    unit_cost_u: int = Field(sa_type=BigInteger)
    cost_us: int = Field(sa_type=BigInteger)
    """The day the unit cost is of."""
    reverses: str = Field(default="", sa_type=CodeText)


class AdjustmentPartRow(SQLModel, table=True):
    """What one movement of an adjustment did to one line, signed; a transfer touches two lines."""

    __tablename__ = "adjustment_part"
    __table_args__ = (
        ForeignKeyConstraint(
            ["site_id", "adjustment_id"], ["adjustment.site_id", "adjustment.adjustment_id"]
        ),
        Index("ix_adjustment_part_case", "site_id", "case_id"),
        Index("ix_adjustment_part_bin", "site_id", "bin", "sku"),
    )

    site_id: str = Field(primary_key=True, sa_type=CodeText)
    adjustment_id: str = Field(primary_key=True, sa_type=CodeText)
    movement_id: str = Field(primary_key=True, sa_type=CodeText)
    bin: str = Field(primary_key=True, sa_type=CodeText)
    condition: str = Field(primary_key=True, sa_type=CodeText)
    sku: str = Field(sa_type=CodeText)
    lot: str = Field(default="", sa_type=CodeText)
    serial: str = Field(default="", sa_type=CodeText)
    quantity_u: int = Field(sa_type=BigInteger)
    case_id: str = Field(default="", sa_type=CodeText)
    """The case whose counts this settles; "" for the side nobody had a case about."""


class DecisionRow(SQLModel, table=True):
    """Somebody's word on a case, and what came of it. The id makes a repetition harmless."""

    __tablename__ = "decision"
    __table_args__ = (Index("ix_decision_at", "site_id", "at_us"),)

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    decision_id: str = Field(primary_key=True, sa_type=CodeText)
    case_id: str = Field(primary_key=True, sa_type=CodeText)
    """One decision may be about many cases (bulk)."""
    at_us: int = Field(sa_type=BigInteger)
    user_id: str = Field(sa_type=CodeText)
    action: str = Field(sa_type=CodeText)
    reason: str = Field(default="", sa_type=CodeText)
    note: str = ""
    proposal: str = Field(default="", sa_type=CodeText)
    """The proposal that was followed, if any."""
    top_proposal: str = Field(default="", sa_type=CodeText)
    """The one that stood on top when it was decided."""
    done: bool = True
    problem: str = Field(default="", sa_type=CodeText)
    message: str = ""


class ToleranceRow(SQLModel, table=True):
    """One rule of how much may be off. NULL: that measure does not judge."""

    __tablename__ = "tolerance"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    scope: str = Field(primary_key=True, sa_type=CodeText)
    key: str = Field(primary_key=True, sa_type=CodeText)
    percent_plus_u: int | None = Field(default=None, sa_type=BigInteger)
    percent_minus_u: int | None = Field(default=None, sa_type=BigInteger)
    units_plus_u: int | None = Field(default=None, sa_type=BigInteger)
    units_minus_u: int | None = Field(default=None, sa_type=BigInteger)
    money_plus_u: int | None = Field(default=None, sa_type=BigInteger)
    money_minus_u: int | None = Field(default=None, sa_type=BigInteger)


class OwnerRuleRow(SQLModel, table=True):
    """Who owns which cases, and who gets them when they are overdue."""

    __tablename__ = "owner_rule"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    zone: str = Field(primary_key=True, sa_type=CodeText)
    kind: str = Field(primary_key=True, sa_type=CodeText)
    value_from: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    owner: str = Field(sa_type=CodeText)
    lead: str = Field(sa_type=CodeText)


class CaseworkPolicyRow(SQLModel, table=True):
    """The few numbers a site sets for its casework."""

    __tablename__ = "casework_policy"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    rounds_max: int = 3
    second_above_u: int | None = Field(default=None, sa_type=BigInteger)
    """Money above which two people approve; NULL: never."""
