"""Rows of the reference file: bins, SKUs, barcodes, tasks, people.

The tables are made from the contract's SQL, because the server prebuilds such files; a test holds
these classes to it. Nothing here has room for an expected quantity.
"""

from __future__ import annotations

from sqlalchemy import Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class ReferenceTable(SQLModel, registry=registry()):
    """Base that keeps these tables apart from every other SQLModel of the process."""


class BinRow(ReferenceTable, table=True):
    __tablename__ = "bin"

    bin: str = Field(primary_key=True, sa_type=Text)
    barcode: str = Field(sa_type=Text)
    zone: str = Field(sa_type=Text)
    aisle: str = Field(sa_type=Text)
    bay: str = Field(sa_type=Text)
    level: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    walk_order: int
    state: str = Field(sa_type=Text)
    rev: int


class SkuRow(ReferenceTable, table=True):
    __tablename__ = "sku"

    sku: str = Field(primary_key=True, sa_type=Text)
    description: str = Field(sa_type=Text)
    tracking: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    rev: int


class BarcodeRow(ReferenceTable, table=True):
    """One barcode may stand for several SKUs (a relabelled pack): the person then chooses."""

    __tablename__ = "barcode"

    barcode: str = Field(primary_key=True, sa_type=Text)
    sku: str = Field(primary_key=True, sa_type=Text)
    unit: str = Field(sa_type=Text)
    factor: str = Field(sa_type=Text)
    rev: int


class TaskRow(ReferenceTable, table=True):
    __tablename__ = "task"

    task_id: str = Field(primary_key=True, sa_type=Text)
    bin: str = Field(sa_type=Text)
    scope: str = Field(sa_type=Text)
    sku: str | None = Field(default=None, sa_type=Text)
    assigned_to: str | None = Field(default=None, sa_type=Text)
    walk_order: int
    due_on: str | None = Field(default=None, sa_type=Text)
    rev: int


class UserRow(ReferenceTable, table=True):
    __tablename__ = "user"

    user_id: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    pin_salt: str = Field(sa_type=Text)
    pin_verifier: str = Field(sa_type=Text)
    rev: int


class TotalRow(ReferenceTable, table=True):
    """Rows and checksum of one kind, moved along with its rows; compared at each checkpoint."""

    __tablename__ = "total"

    kind: str = Field(primary_key=True, sa_type=Text)
    live: int
    checksum: str = Field(sa_type=Text)
    """Hex: an unsigned 64-bit number does not fit a SQLite integer."""


class MarkRow(ReferenceTable, table=True):
    """Named marks of the file: the cursor, whether a first load is complete."""

    __tablename__ = "mark"

    name: str = Field(primary_key=True, sa_type=Text)
    value: str = Field(sa_type=Text)
