"""Events keep their bytes, ids and quantities keep their form."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.contract.codec import MalformedEventError, decode_event, encode_event, hash_event
from app.contract.ids import is_uuid7, uuid7
from app.contract.problems import CATALOGUE, RefusalError
from app.contract.vocabulary import CountedText, QuantityText, quantity_text
from tests.support.events import a_count_of, counted


def test_an_event_survives_the_trip_and_its_bytes_are_stable():
    event = a_count_of([counted("S1", "1.50")])[0]
    raw = encode_event(event)

    assert decode_event(raw) == event
    assert encode_event(decode_event(raw)) == raw
    assert json.loads(raw)["payload"]["entered"]["quantity"] == "1.50"
    assert hash_event(raw) != hash_event(raw + " ")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "[]",
        "{}",
        "\ufeff{}",
        '{"v":1}',
        "null",
        "1e400",
        '{"payload":{"type":"item.deleted"}}',
        "[" * 10_000,
    ],
)
def test_what_is_not_an_event_is_refused_with_a_reason(raw):
    with pytest.raises(MalformedEventError, match=r".+: .+"):
        decode_event(raw)


def test_an_unknown_field_is_refused_so_that_nothing_is_dropped_silently():
    raw = encode_event(a_count_of([counted("S1", "1")])[0])

    with pytest.raises(MalformedEventError, match="expected_quantity"):
        decode_event(raw[:-1] + ',"expected_quantity":"7"}')


@pytest.mark.parametrize("text", ["0", "12", "0.5", "000", "1.000000"])
def test_plain_decimals_are_quantities(text):
    assert TypeAdapter(CountedText).validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1e3",
        "1,5",
        "１２",
        "NaN",
        "Infinity",
        "1.0000001",
        "10000000000",
        " 1",
        "1_000",
        "0x1",
        "--1",
    ],
)
def test_anything_else_is_not(text):
    with pytest.raises(ValidationError):
        TypeAdapter(QuantityText).validate_python(text)


def test_a_counted_quantity_is_never_negative():
    with pytest.raises(ValidationError):
        TypeAdapter(CountedText).validate_python("-1")


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9
    )
)
def test_the_canonical_text_of_a_quantity_keeps_its_value(value):
    text = quantity_text(value)

    assert Decimal(text) == value
    assert "e" not in text.lower()
    assert not text.endswith((".", ".0"))


@given(st.integers(0, (1 << 48) - 1), st.binary(min_size=10, max_size=10))
def test_ids_are_version_seven_and_order_by_time(ms, noise):
    made = uuid7(ms, noise)

    assert is_uuid7(made)
    assert int(made.replace("-", "")[:12], 16) == ms


@pytest.mark.parametrize("text", ["", "nil", "00000000-0000-4000-8000-000000000000", "X" * 36])
def test_other_ids_are_not_version_seven(text):
    assert not is_uuid7(text)


def test_every_problem_has_a_code_a_status_and_a_way_out():
    assert all(400 <= problem.status < 600 for problem in CATALOGUE.values())
    assert all(problem.detail.endswith((".", "}")) for problem in CATALOGUE.values())
    assert RefusalError("approver-limit", value="10", currency="EUR", limit="5").detail.startswith(
        "10 EUR"
    )
