"""Stored times and quantities come back exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.storage.columns import from_u, from_us, to_u, to_us


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_comes_back_to_the_microsecond(at):
    assert from_us(to_us(at)) == at


@given(st.decimals(places=6, min_value=-(10**9), max_value=10**9))
def test_a_quantity_comes_back_exactly(amount):
    assert from_u(to_u(amount)) == amount


def test_what_would_be_rounded_is_refused():
    with pytest.raises(ValueError, match="six decimal"):
        to_u(Decimal("0.0000001"))


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        to_us(datetime(2026, 1, 1))  # noqa: DTZ001  # that it is naive is the point
