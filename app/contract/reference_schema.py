"""The schema of a reference file, as SQL text: both halves write such files. No I/O here.

The server prebuilds one for a first load, the device keeps one up to date. It has no room for an
expected quantity. A change of these statements is a new REFERENCE_SCHEMA.
"""

from __future__ import annotations

REFERENCE_SCHEMA = 1
"""Kept as the file's user_version; a device rebuilds a file of another number."""

REFERENCE_DDL = (
    """CREATE TABLE IF NOT EXISTS bin (
        bin TEXT NOT NULL PRIMARY KEY, barcode TEXT NOT NULL, zone TEXT NOT NULL,
        aisle TEXT NOT NULL, bay TEXT NOT NULL, level TEXT NOT NULL, kind TEXT NOT NULL,
        walk_order INTEGER NOT NULL, state TEXT NOT NULL, rev INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS bin_by_barcode ON bin (barcode)",
    """CREATE TABLE IF NOT EXISTS sku (
        sku TEXT NOT NULL PRIMARY KEY, description TEXT NOT NULL, tracking TEXT NOT NULL,
        state TEXT NOT NULL, rev INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS barcode (
        barcode TEXT NOT NULL, sku TEXT NOT NULL, unit TEXT NOT NULL, factor TEXT NOT NULL,
        rev INTEGER NOT NULL, PRIMARY KEY (barcode, sku)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS barcode_by_sku ON barcode (sku)",
    """CREATE TABLE IF NOT EXISTS task (
        task_id TEXT NOT NULL PRIMARY KEY, bin TEXT NOT NULL, scope TEXT NOT NULL, sku TEXT,
        assigned_to TEXT, walk_order INTEGER NOT NULL, due_on TEXT, rev INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS user (
        user_id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL,
        pin_salt TEXT NOT NULL, pin_verifier TEXT NOT NULL, rev INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    # Rows and checksum of one kind; hex, because SQLite's integers are signed.
    """CREATE TABLE IF NOT EXISTS total (
        kind TEXT NOT NULL PRIMARY KEY, live INTEGER NOT NULL, checksum TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS mark (
        name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
)
