"""Builders of movements for tests: each says only what matters to the test at hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from app.contract.vocabulary import PhysicalState
from server.domain.stock import Movement
from tests.support.server import NOW


def a_movement(
    movement_id: str,
    quantity: str,
    *,
    from_: str = "@supplier",
    to: str = "@customer",
    hours_ago: float = 1,
    late_hours: float = 0,
    **overrides: Any,
) -> Movement:
    """So many of SKU S-1, available on both sides, so long before the tests' now."""
    occurred_at = NOW - timedelta(hours=hours_ago)
    fields: dict[str, Any] = {
        "movement_id": movement_id,
        "occurred_at": occurred_at,
        "recorded_at": occurred_at + timedelta(hours=late_hours),
        "kind": "test",
        "sku": "S-1",
        "quantity": Decimal(quantity),
        "from_bin": from_,
        "from_state": PhysicalState.AVAILABLE,
        "to_bin": to,
        "to_state": PhysicalState.AVAILABLE,
    }
    return Movement(**(fields | overrides))
