from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.collection.sources.values import (
    cell_kind,
    cell_number,
    date_text,
    datetime_text,
    decimal_value,
    moment_kind,
)

CELLS = {
    "integer": ["5", "-12", "0", " 12", "12 ", "9223372036854775807", "-9223372036854775808"],
    "number": ["1.50", ".5", "5.", "1e5", "-0", "-0.0", "1E-300", " 2.5 "],
    "special": ["NaN", "nan", "inf", "-Infinity"],
    "boolean": ["true", "False", "TRUE", " true "],
    "date": ["2025-03-01", "0001-01-01", "1969-07-20", " 2025-03-01 "],
    "datetime": [
        "2025-03-01 10:20",
        "2025-03-01T10:20:30",
        "2025-03-01T10:20:30.5+02:00",
        "2025-03-01T10:20:30Z",
        "1900-01-01T00:00:00.123456",
    ],
    "list": ["[1, 2]", "[]", '["a", null]'],
    "json": ['{"a": 1}', "{}"],
    "text": [
        "007",
        "00.5",
        "+1",
        "+49123456",
        "1_000",
        "0x1F",
        "1,5",
        "12 %",
        "1e999",
        "9223372036854775808",
        "-9223372036854775809",
        "yes",
        "no",
        "t",
        "2025-13-01",
        "2025-02-29",
        "01.03.2025",
        "3/1/25",
        "2025-03",
        "2025-W01-1",
        "2025-03-01T25:00",
        "2025-03-01T10:20:60",
        "0000-01-01",
        "10000-01-01",
        "0001-01-01T00:00:00+02:00",
        "2025-03-01T10:20:30.1234567",
        "[1, 2",
        "[citation needed]",
        "{x}",
        '{"a": 1, "a": 2}',
        " ",
        "\t5",
        "5\n",
        "٣",
        "nano",
        "infinite",
    ],
}


@pytest.mark.parametrize(("kind", "cell"), [(kind, cell) for kind, cells in CELLS.items() for cell in cells])
def test_every_cell_of_the_table_is_read_as_it_says(kind: str, cell: str) -> None:
    assert cell_kind(cell) == kind


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_keep_every_digit(value: int) -> None:
    assert cell_kind(str(value)) == "integer"
    assert cell_number(str(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_come_back_as_they_were(value: float) -> None:
    found = cell_number(repr(value))
    assert found == value
    assert math.copysign(1, found) == math.copysign(1, value)


@given(st.text(max_size=20))
def test_whatever_is_no_text_can_be_turned(cell: str) -> None:
    kind = cell_kind(cell)
    if kind in ("integer", "number", "special"):
        float(cell)
    if kind == "datetime":
        assert datetime_text(cell) is not None
    if kind == "date":
        assert date_text(cell) is not None


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)),
    st.none() | st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["T", " "]),
)
def test_datetimes_become_utc_and_stay_equal(moment: datetime, offset: int | None, separator: str) -> None:
    if offset is not None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    text = datetime_text(moment.isoformat(separator))
    assert text is not None
    expected = moment if offset is None else moment.astimezone(UTC).replace(tzinfo=None)
    assert text == expected.isoformat()
    assert datetime_text(text) == text
    assert moment_kind(text) == "datetime"


def test_nanoseconds_are_not_cut_off() -> None:
    assert datetime_text("2025-03-01T10:20:30.123456000") == "2025-03-01T10:20:30.123456"
    assert datetime_text("2025-03-01T10:20:30.123456789") is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**8), max_value=10**8))
def test_decimals_of_few_digits_become_numbers_that_spell_them(value: Decimal) -> None:
    found = decimal_value(value)
    assert isinstance(found, int | float)
    assert Decimal(repr(found)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_lose_nothing(value: Decimal) -> None:
    found = decimal_value(value)
    assert Decimal(found if isinstance(found, str) else repr(found)) == value
