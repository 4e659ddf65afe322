"""What must hold of the ledger and the records, asked of the database: each query yields what does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from app.contract.vocabulary import OutsidePlace, PhysicalState
from server.domain.records import STOCK_MOVES

_OUTSIDE = ", ".join(f"'{place.value}'" for place in OutsidePlace)
_STATES = ", ".join(f"'{state.value}'" for state in PhysicalState)
_MOVES = ", ".join(sorted(f"'{a.value}>{b.value}'" for a, b in STOCK_MOVES))

QUERIES = {
    "movement-bin-unknown": f"""
        SELECT m.movement_id, 'names a bin that is not known' FROM movement m
        WHERE m.site_id = :site_id AND (
          (m.from_bin NOT IN ({_OUTSIDE}) AND NOT EXISTS (SELECT 1 FROM bin b
             WHERE b.site_id = m.site_id AND b.bin = m.from_bin))
          OR (m.to_bin NOT IN ({_OUTSIDE}) AND NOT EXISTS (SELECT 1 FROM bin b
             WHERE b.site_id = m.site_id AND b.bin = m.to_bin)))""",
    "movement-sku-unknown": """
        SELECT m.movement_id, 'names the SKU ' || m.sku || ', which is not known' FROM movement m
        WHERE m.site_id = :site_id AND NOT EXISTS (SELECT 1 FROM sku s
          WHERE s.site_id = m.site_id AND s.sku = m.sku)""",
    "movement-impossible": f"""
        SELECT movement_id, from_state || ' in ' || from_bin || ' to ' || to_state || ' in ' || to_bin
        FROM movement WHERE site_id = :site_id AND (
          quantity_u <= 0 OR from_state NOT IN ({_STATES}) OR to_state NOT IN ({_STATES})
          OR (from_bin = to_bin AND from_state = to_state)
          OR (from_bin IN ({_OUTSIDE}) AND to_bin IN ({_OUTSIDE}))
          OR (from_bin NOT IN ({_OUTSIDE}) AND to_bin NOT IN ({_OUTSIDE})
              AND document NOT LIKE 'movement/%'
              AND from_state || '>' || to_state NOT IN ({_MOVES})))""",
    "recorded-before-it-occurred": """
        SELECT movement_id, 'was recorded more than an hour before it occurred' FROM movement
        WHERE site_id = :site_id AND recorded_us < occurred_us - 3600000000""",
    "history-disagrees": """
        SELECT record || ' ' || record_id, 'is ' || state || ', its history says ' || to_state FROM (
          SELECT r.record, r.record_id, r.state, h.to_state,
                 row_number() OVER (PARTITION BY r.record, r.record_id
                                    ORDER BY h.at_us DESC, h.history_id DESC) AS place
          FROM (SELECT 'bin' AS record, bin AS record_id, state FROM bin WHERE site_id = :site_id
                UNION ALL SELECT 'sku', sku, state FROM sku WHERE site_id = :site_id
                UNION ALL SELECT kind, number, state FROM document WHERE site_id = :site_id) r
          LEFT JOIN record_history h ON h.site_id = :site_id AND h.record = r.record
                AND h.record_id = r.record_id) AS latest
        WHERE place = 1 AND (to_state IS NULL OR to_state <> state)""",
}
"""Defects: no import and no screen can bring these about."""

WARNINGS = {
    "document-unknown": """
        SELECT DISTINCT m.document, 'is named by movements and not known' FROM movement m
        WHERE m.site_id = :site_id AND m.document <> '' AND m.document NOT LIKE 'case/%'
          AND m.document NOT LIKE 'movement/%' AND NOT EXISTS (SELECT 1 FROM document d
            WHERE d.site_id = m.site_id AND d.kind || '/' || d.number = m.document)""",
    "moved-before-opening": """
        SELECT o.to_bin || ' ' || o.sku, 'has movements before its opening stock: both are counted'
        FROM movement o WHERE o.site_id = :site_id AND o.kind = 'opening' AND EXISTS (
          SELECT 1 FROM movement m WHERE m.site_id = o.site_id AND m.sku = o.sku
            AND m.lot = o.lot AND m.serial = o.serial AND m.occurred_us < o.occurred_us
            AND ((m.to_bin = o.to_bin AND m.to_state = o.to_state)
              OR (m.from_bin = o.to_bin AND m.from_state = o.to_state)))""",
    "serial-in-two-places": f"""
        SELECT sku || ' ' || serial, 'is in ' || count(*) || ' places' FROM (
          SELECT bin, sku, serial, sum(q) AS held FROM (
            SELECT to_bin AS bin, sku, serial, quantity_u AS q FROM movement
            WHERE site_id = :site_id AND serial <> ''
            UNION ALL SELECT from_bin, sku, serial, -quantity_u FROM movement
            WHERE site_id = :site_id AND serial <> '') AS entries
          WHERE bin NOT IN ({_OUTSIDE}) GROUP BY bin, sku, serial HAVING sum(q) > 0) AS there
        GROUP BY sku, serial HAVING count(*) > 1""",
}
"""What can be true of an honest ledger, and is worth a look."""

_INSIDE_AND_OUT = text(
    f"""
    SELECT sku, lot, serial, sum(CASE WHEN inside THEN q ELSE 0 END) AS inside,
           sum(CASE WHEN inside THEN 0 ELSE q END) AS outside FROM (
      SELECT sku, lot, serial, to_bin NOT IN ({_OUTSIDE}) AS inside, quantity_u AS q
      FROM movement WHERE site_id = :site_id
      UNION ALL
      SELECT sku, lot, serial, from_bin NOT IN ({_OUTSIDE}), -quantity_u
      FROM movement WHERE site_id = :site_id) AS entries
    GROUP BY sku, lot, serial
    """
)


def broken(session: Session, site_id: str, query: str, limit: int) -> list[tuple[str, str]]:
    """(what, what is wrong with it), at most `limit`."""
    found = session.connection().execute(text(f"{query} LIMIT {int(limit)}"), {"site_id": site_id})
    return [(str(what), str(words)) for what, words in found]


def inside_and_outside(
    session: Session, site_id: str
) -> Iterator[tuple[tuple[str, str, str], int, int]]:
    """((sku, lot, serial), millionths inside the warehouse, millionths outside), from the movements."""
    for sku, lot, serial, inside, outside in session.connection().execute(
        _INSIDE_AND_OUT, {"site_id": site_id}
    ):
        yield (sku, lot, serial), int(inside), int(outside)


def sqlite_problems(session: Session) -> list[str]:
    """What SQLite itself finds wrong with the file; empty on PostgreSQL, which checks as it goes."""
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        return []
    rows: list[Any] = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
    problems = [str(row) for row in rows if row != "ok"]
    broken_keys = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(20)
    return problems + [
        f"row {key[1]} of {key[0]} names a {key[2]} that is gone" for key in broken_keys
    ]
