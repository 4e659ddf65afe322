"""What the queue's filters are called in a request. Pure."""

from __future__ import annotations

from typing import Any

from app.review.state import Filters


def filter_query(filters: Filters, user_id: str) -> dict[str, str]:
    """The filters as the server's query parameters; what is not filtered is left out."""
    query: dict[str, Any] = {
        "owner": user_id if filters.is_mine else filters.owner,
        "overdue": "true" if filters.is_overdue else "",
        "kind": filters.kind.value if filters.kind is not None else "",
        "zone": filters.zone,
        "find": filters.find,
        "ended": "true" if filters.is_ended else "",
    }
    return {name: value for name, value in query.items() if value}
