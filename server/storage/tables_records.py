"""Tables of the records the book is about: site, bin, SKU, barcode, documents; and their history.

Rows only. `site_id` leads every key. States are the words of server/domain/records.py.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from server.storage.columns import CodeText


class SiteRow(SQLModel, table=True):
    """The warehouse this database serves, and the currency its money is in."""

    __tablename__ = "site"

    site_id: str = Field(primary_key=True, sa_type=CodeText)
    name: str
    currency: str = Field(default="EUR", sa_type=CodeText)
    created_us: int = Field(sa_type=BigInteger)


class BinRow(SQLModel, table=True):
    """A place where stock is counted."""

    __tablename__ = "bin"
    __table_args__ = (UniqueConstraint("site_id", "barcode", name="uq_bin_barcode"),)

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    bin: str = Field(primary_key=True, sa_type=CodeText)
    barcode: str = Field(sa_type=CodeText)
    zone: str = Field(default="", sa_type=CodeText)
    aisle: str = Field(default="", sa_type=CodeText)
    bay: str = Field(default="", sa_type=CodeText)
    level: str = Field(default="", sa_type=CodeText)
    kind: str = Field(default="pick", sa_type=CodeText)
    walk_order: int = 0
    state: str = Field(default="active", sa_type=CodeText)
    owner: str = Field(default="", sa_type=CodeText)


class SkuRow(SQLModel, table=True):
    """What is stocked. Money is in millionths of `currency` per base unit."""

    __tablename__ = "sku"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    sku: str = Field(primary_key=True, sa_type=CodeText)
    description: str = ""
    tracking: str = Field(default="none", sa_type=CodeText)
    abc_class: str = Field(default="C", sa_type=CodeText)
    unit_cost_u: int = Field(default=0, sa_type=BigInteger)
    cost_set_us: int = Field(sa_type=BigInteger)
    """When `unit_cost_u` was last set: the cost date of an adjustment."""
    price_u: int = Field(default=0, sa_type=BigInteger)
    currency: str = Field(default="EUR", sa_type=CodeText)
    state: str = Field(default="active", sa_type=CodeText)
    owner: str = Field(default="", sa_type=CodeText)


class BarcodeRow(SQLModel, table=True):
    """A code printed on a pack of a SKU. One code may stand for two SKUs: then a person chooses."""

    __tablename__ = "barcode"
    __table_args__ = (
        ForeignKeyConstraint(["site_id", "sku"], ["sku.site_id", "sku.sku"]),
        Index("ix_barcode_sku", "site_id", "sku"),
    )

    site_id: str = Field(primary_key=True, sa_type=CodeText)
    barcode: str = Field(primary_key=True, sa_type=CodeText)
    sku: str = Field(primary_key=True, sa_type=CodeText)
    unit: str = Field(default="each", sa_type=CodeText)
    factor_u: int = Field(default=1_000_000, sa_type=BigInteger)
    """Base units in one such pack, in millionths."""


class DocumentRow(SQLModel, table=True):
    """An order, purchase order, shipment, return or payout, as the host system says it stands."""

    __tablename__ = "document"
    __table_args__ = (Index("ix_document_state", "site_id", "kind", "state", "number"),)

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    kind: str = Field(primary_key=True, sa_type=CodeText)
    number: str = Field(primary_key=True, sa_type=CodeText)
    state: str = Field(sa_type=CodeText)
    owner: str = Field(default="", sa_type=CodeText)
    party: str = Field(default="", sa_type=CodeText)
    refers_to: str = Field(default="", sa_type=CodeText)
    """The document this one is about, written like a movement's: "order/991"."""
    currency: str = Field(default="EUR", sa_type=CodeText)


class DocumentLineRow(SQLModel, table=True):
    """What was promised, ordered, sent or paid. Progress is derived from movements, never stored."""

    __tablename__ = "document_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["site_id", "kind", "number"],
            ["document.site_id", "document.kind", "document.number"],
        ),
        Index("ix_document_line_sku", "site_id", "sku", "kind", "number"),
    )

    site_id: str = Field(primary_key=True, sa_type=CodeText)
    kind: str = Field(primary_key=True, sa_type=CodeText)
    number: str = Field(primary_key=True, sa_type=CodeText)
    line: str = Field(primary_key=True, sa_type=CodeText)
    sku: str = Field(default="", sa_type=CodeText)
    """"" on a payout's line, which is money alone."""
    quantity_u: int = Field(default=0, sa_type=BigInteger)
    price_u: int = Field(default=0, sa_type=BigInteger)
    promised_us: int | None = Field(default=None, sa_type=BigInteger)


class RecordHistoryRow(SQLModel, table=True):
    """One change of one record: who or what, when, from, to, why, through what. Append-only."""

    __tablename__ = "record_history"
    __table_args__ = (
        Index("ix_record_history_record", "site_id", "record", "record_id", "history_id"),
    )

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    history_id: str = Field(primary_key=True, sa_type=CodeText)
    record: str = Field(sa_type=CodeText)
    """Which kind of record: a Record of server/domain/records.py."""
    record_id: str = Field(sa_type=CodeText)
    at_us: int = Field(sa_type=BigInteger)
    actor: str = Field(sa_type=CodeText)
    event: str = Field(sa_type=CodeText)
    from_state: str = Field(default="", sa_type=CodeText)
    to_state: str = Field(sa_type=CodeText)
    why: str = ""
    via: str = Field(default="", sa_type=CodeText)
    """"import/<id>", "device/<id>", "api", "cli": what the change came through."""
    changes: str = ""
    """JSON object of field -> [before, after] for what changed besides the state; "" for none."""


class ImportRow(SQLModel, table=True):
    """One import that was carried out, and what came of it."""

    __tablename__ = "import_run"
    __table_args__ = (Index("ix_import_run_at", "site_id", "finished_us"),)

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    import_id: str = Field(primary_key=True, sa_type=CodeText)
    kind: str = Field(sa_type=CodeText)
    name: str = ""
    """The file's name as given, or "" for rows sent in a request."""
    actor: str = Field(sa_type=CodeText)
    started_us: int = Field(sa_type=BigInteger)
    finished_us: int = Field(sa_type=BigInteger)
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    report: str = ""
    """The whole report as JSON, as it was answered."""
