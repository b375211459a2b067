from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.collection.sources.infer import CATEGORY_VALUES, Column, join

KINDS = ("boolean", "integer", "number", "special", "date", "datetime", "text", "vector", "list", "json")

json_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["a", "2025-01-01", "x y", ""])
json_values = st.one_of(
    json_scalars,
    st.lists(st.floats(width=32, allow_nan=False), min_size=8, max_size=8),
    st.lists(json_scalars, max_size=3),
    st.dictionaries(st.sampled_from("ab"), json_scalars, max_size=2),
)
cells = st.none() | st.sampled_from(
    [
        "1",
        "-5",
        "2.5",
        "NaN",
        "true",
        "2025-01-01",
        "2025-01-01 10:00",
        "x",
        "007",
        "[1]",
        '{"a":1}',
        "[1,2,3,4,5,6,7,8]",
    ]
)


@given(st.lists(json_values, max_size=30), st.data())
def test_the_type_does_not_depend_on_order_or_batches(values: list[Any], data: st.DataObject) -> None:
    _check_order(values, data, textual=False)


@given(st.lists(cells, max_size=30), st.data())
def test_the_type_of_cells_does_not_depend_on_order_or_batches(values: list[Any], data: st.DataObject) -> None:
    _check_order(values, data, textual=True)


def _check_order(values: list[Any], data: st.DataObject, *, textual: bool) -> None:
    whole, parts = Column("a"), Column("a")
    whole.observe(values, textual=textual)
    shuffled = data.draw(st.permutations(values))
    start = 0
    while start < len(shuffled):
        size = data.draw(st.integers(1, 5))
        parts.observe(shuffled[start : start + size], textual=textual)
        start += size
    assert whole.type() == parts.type()
    assert (whole.nulls, whole.count) == (parts.nulls, parts.count) == (values.count(None), len(values))


def test_a_wider_set_of_kinds_never_has_a_narrower_type() -> None:
    """The joins form an order: what holds more kinds holds every type that fewer kinds gave."""
    holds = {
        "boolean": {"boolean"},
        "integer": {"integer"},
        "number": {"integer", "number"},
        "date": {"date"},
        "datetime": {"date", "datetime"},
        "text": {"boolean", "integer", "number", "date", "datetime", "text"},
        "vector": {"vector"},
        "list": {"vector", "list"},
        "json": set(KINDS),
    }
    for first, second in combinations([frozenset(some) for size in (1, 2, 3) for some in combinations(KINDS, size)], 2):
        if first < second and first != {"special"}:  # NaN alone is a word, beside numbers it is one of them
            narrow, wide = join(first), join(second)
            assert narrow is not None
            assert wide is not None
            assert narrow in holds[wide], (first, second)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([None, None], "text"),
        ([True, None], "boolean"),
        ([1, 2**63 - 1], "integer"),
        ([1, 2**63], "number"),
        ([1, 2.5], "number"),
        ([float("nan")], "number"),
        ([True, 1], "text"),
        ([1, "a"], "text"),
        (["2025-01-01", None], "date"),
        (["2025-01-01", "2025-01-01T10:00:00"], "datetime"),
        (["2025-01-01", ""], "text"),
        (["5", "6"], "text"),
        (["a", "a", "b", "b"], "category"),
        (["a", "a", 5, 5], "text"),
        (["a" * 65] * 4, "text"),
        ([[0.5] * 8, [1] * 8], "vector"),
        ([[0.5] * 8, None], "vector"),
        ([[0.5] * 8, [1] * 9], "list"),
        ([[0.5] * 7], "list"),
        ([[0.5] * 7 + [float("nan")]], "list"),
        ([[0.5] * 7 + [1e300]], "list"),
        ([[0.5] * 7 + [10**400]], "list"),
        ([[True] * 8], "list"),
        ([["a"], []], "list"),
        ([["a"], "b"], "json"),
        ([[["a"]]], "json"),
        ([{"a": 1}, [1]], "json"),
        ([np.zeros(8, np.float32)], "vector"),
        ([np.zeros(8, np.float32), [0.5] * 8], "vector"),
        ([np.zeros(8, np.float32), np.zeros(9, np.float32)], "list"),
        ([np.full(8, np.nan, np.float32)], "list"),
    ],
)
def test_types_of_json_values(values: list[Any], expected: str) -> None:
    column = Column("a")
    column.observe(values)
    assert column.type() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["5", "2.5"], "number"),
        (["5", "NaN"], "number"),
        (["NaN", "inf"], "text"),
        (["5", "007"], "text"),
        (["true", "1"], "text"),
        (["[1]", "[2, 3]"], "list"),
        (["[1,2,3,4,5,6,7,8]"] * 2, "vector"),
        (["[1,2,3,4,5,6,7,8]", "[1]"], "list"),
        (['{"a": 1}', "[1]"], "json"),
        (["[1]", "see [2]"], "text"),
        (["[1]", "5"], "text"),
        ([None, None], "text"),
    ],
)
def test_types_of_cells(values: list[str | None], expected: str) -> None:
    column = Column("a")
    column.observe(values, textual=True)
    assert column.type() == expected


def test_what_a_format_declares_helps_where_values_do_not_tell() -> None:
    empty, words = Column("a"), Column("a")
    empty.observe([None])
    words.observe(["a", "b"])
    assert empty.type("datetime") == "datetime"
    assert words.type("category") == "category"
    assert words.type("integer") == "text"


def test_a_category_has_a_bounded_number_of_values() -> None:
    column = Column("a")
    column.observe([f"c{value}" for value in range(CATEGORY_VALUES)] * 3)
    assert column.type() == "category"
    column.observe(["one more"])
    assert column.type() == "text"
