"""Tables of the stock ledger: immutable movements, and checkpoints that make reading it quick."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from server.storage.columns import CodeText


class MovementRow(SQLModel, table=True):
    """One double entry. Never updated, never deleted: the database itself refuses (see migration).

    No foreign keys to bin or sku: outside places are no bins, and a million rows would pay for two
    more look-ups each. Imports check both, `blindcount verify` checks again.
    """

    __tablename__ = "movement"
    __table_args__ = (
        CheckConstraint("quantity_u > 0", name="ck_movement_quantity"),
        CheckConstraint(
            "from_bin <> to_bin OR from_state <> to_state", name="ck_movement_goes_somewhere"
        ),
        Index("ix_movement_from", "site_id", "from_bin", "occurred_us"),
        Index("ix_movement_to", "site_id", "to_bin", "occurred_us"),
        Index("ix_movement_sku", "site_id", "sku", "occurred_us"),
        Index("ix_movement_at", "site_id", "occurred_us", "movement_id"),
        Index(
            "ix_movement_document",
            "site_id",
            "document",
            sqlite_where=text("document <> ''"),
            postgresql_where=text("document <> ''"),
        ),
    )

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    movement_id: str = Field(primary_key=True, sa_type=CodeText)
    occurred_us: int = Field(sa_type=BigInteger)
    recorded_us: int = Field(sa_type=BigInteger)
    kind: str = Field(sa_type=CodeText)
    sku: str = Field(sa_type=CodeText)
    lot: str = Field(default="", sa_type=CodeText)
    serial: str = Field(default="", sa_type=CodeText)
    quantity_u: int = Field(sa_type=BigInteger)
    unit: str = Field(default="each", sa_type=CodeText)
    factor_u: int = Field(default=1_000_000, sa_type=BigInteger)
    """Base units in one `unit` when it was posted; a later change of pack size restates nothing."""
    from_bin: str = Field(sa_type=CodeText)
    from_state: str = Field(sa_type=CodeText)
    to_bin: str = Field(sa_type=CodeText)
    to_state: str = Field(sa_type=CodeText)
    document: str = Field(default="", sa_type=CodeText)
    source: str = Field(default="", sa_type=CodeText)
    """"import/<id>" or "case/<id>": what the ledger was told by."""


class CheckpointRow(SQLModel, table=True):
    """A bin's whole book at an instant was worked out and kept: everything that occurred up to it."""

    __tablename__ = "checkpoint"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    bin: str = Field(primary_key=True, sa_type=CodeText)
    at_us: int = Field(primary_key=True, sa_type=BigInteger)
    legs: int
    """How many entries of the bin lie between this checkpoint and the one before it."""


class CheckpointLineRow(SQLModel, table=True):
    """One key's balance in a checkpoint. Keys with nothing on book are left out."""

    __tablename__ = "checkpoint_line"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    bin: str = Field(primary_key=True, sa_type=CodeText)
    at_us: int = Field(primary_key=True, sa_type=BigInteger)
    sku: str = Field(primary_key=True, sa_type=CodeText)
    lot: str = Field(primary_key=True, sa_type=CodeText)
    serial: str = Field(primary_key=True, sa_type=CodeText)
    state: str = Field(primary_key=True, sa_type=CodeText)
    quantity_u: int = Field(sa_type=BigInteger)
