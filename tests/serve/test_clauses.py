"""Clicks make filters that mean what they say, whatever is in a field's name or value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.index.where import Predicate
from similia.serve.clauses import bounds, chosen, column, join, literal, ranged, split, toggled, without

NAMES = st.sampled_from(["area", "date", "year", "Main area", 'a"b', "select", "and", "öl", "x-y", "1st", "contains"])
TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
FILTERS = [
    "",
    "n > 2",
    "n = 1 OR n = 2",
    "n BETWEEN 1 AND 5",
    "(n = 1 OR n = 2) AND NOT n IN (3)",
    "other LIKE '% AND %'",
]


def passes(where: str, row: dict[str, Any], types: dict[str, str]) -> bool:
    """What the filter language itself says about one item."""
    if not where:
        return True
    return bool(Predicate.parse(where, types).mask({name: [value] for name, value in row.items()})[0])


@given(NAMES, TEXTS, TEXTS, st.sampled_from(FILTERS), st.integers(0, 6))
def test_a_click_narrows_to_the_value(name: str, value: str, other: str, before: str, n: int) -> None:
    types = {name: "category", "n": "integer", "other": "text"}
    where = toggled(before, name, "category", value)
    assert literal(value) in chosen(where, name, "category")
    for there in (value, other):
        row = {name: there, "n": n, "other": "x AND y"}
        assert passes(where, row, types) == (passes(before, row, types) and there == value)


@given(NAMES, st.lists(TEXTS, min_size=1, max_size=4, unique=True), st.sampled_from(FILTERS))
def test_clicks_on_several_values_mean_any_of_them(name: str, values: list[str], before: str) -> None:
    types = {name: "category", "n": "integer", "other": "text"}
    where = before
    for value in values:
        where = toggled(where, name, "category", value)
    assert chosen(where, name, "category") == [literal(value) for value in values]
    for value in [*values, "something else that is long"]:
        row = {name: value, "n": 2, "other": "x AND y"}
        assert passes(where, row, types) == (passes(before, row, types) and value in values)
    for value in values:
        where = toggled(where, name, "category", value)
    assert chosen(where, name, "category") == []
    for n in range(7):
        row = {name: values[0], "n": n, "other": "x AND y"}
        assert passes(where, row, types) == passes(before, row, types)


@given(NAMES, st.lists(st.sampled_from(["a", "b'c", "%"]), min_size=1, max_size=3, unique=True))
def test_clicks_on_a_list_ask_for_all(name: str, values: list[str]) -> None:
    where = ""
    for value in values:
        where = toggled(where, name, "list", value)
    assert passes(where, {name: [*values, "more"]}, {name: "list"})
    assert not passes(where, {name: values[1:]}, {name: "list"})
    assert without(where, name, "list") == ""


@pytest.mark.parametrize(
    ("kind", "value", "other"), [("boolean", True, False), ("integer", -3, 3), ("number", 2.5, 2.0)]
)
def test_values_of_other_types(kind: str, value: Any, other: Any) -> None:
    where = toggled("", "f", kind, value)
    assert passes(where, {"f": value}, {"f": kind})
    assert not passes(where, {"f": other}, {"f": kind})
    assert toggled(where, "f", kind, value) == ""


@given(NAMES, st.dates(), st.dates(), st.dates(), st.sampled_from(FILTERS))
def test_ranges_of_dates(name: str, low: Any, high: Any, day: Any, before: str) -> None:
    types = {name: "date", "n": "integer", "other": "text"}
    where = ranged(before, name, low=low.isoformat(), high=high.isoformat())
    row = {name: day.isoformat(), "n": 3, "other": "x AND y"}
    assert passes(where, row, types) == (passes(before, row, types) and low <= day <= high)
    assert bounds(where, name) == {">=": literal(low.isoformat()), "<=": literal(high.isoformat())}
    assert passes(without(where, name, "date"), row, types) == passes(before, row, types)
    again = ranged(where, name, below=day.isoformat())
    assert bounds(again, name) == {"<": literal(day.isoformat())}


@given(st.text(st.sampled_from("ab ()'\"ANDORBTWE=<>1"), max_size=40), TEXTS)
def test_no_filter_however_broken_breaks_a_click(before: str, value: str) -> None:
    where = toggled(before, "area", "category", value)
    assert isinstance(join(split(where)), str)
    assert column("area") in where or value


def test_what_was_written_by_hand_stays() -> None:
    where = "lower(title) LIKE '%and%' AND area = 'x'"
    assert split(toggled(where, "area", "category", "x")) == ["lower(title) LIKE '%and%'"]
    assert chosen("area = 'x' OR n = 1", "area", "category") == []
