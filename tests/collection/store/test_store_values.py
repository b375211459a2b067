"""Odd values come back as they went in, and are filtered as documented."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from similia.collection.store import Store
from similia.collection.store.schema import TYPES, widen
from similia.errors import InputError

text = st.text(st.characters(exclude_categories=["Cs"]))
odd = st.sampled_from(["", "\0", "a\0b", "😀", "שלום عالم", "' OR 1=1 --", '"', "\\", "\u2028", "NULL", "x" * 100_000])
scalar = st.none() | st.booleans() | st.integers() | st.floats() | text | odd
nested = st.recursive(scalar, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4))
names = text | st.sampled_from(
    ["", "a.b", 'a"b', "a'b", "a\\b", "$", "[0]", "a\0b", "😀", "rowid", "key", "f1", "'); --"]
)
date = st.dates().map(str)
datetime = st.datetimes().map(lambda moment: moment.isoformat())
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": text | odd,
    "category": text | odd,
    "integer": st.integers() | st.sampled_from([2**63, -(2**63) - 1, 2**63 - 1, 10**400]),
    "number": st.floats() | st.integers(),
    "boolean": st.booleans(),
    "date": date,
    "datetime": datetime,
    "list": st.lists(nested, max_size=4),
    "json": nested,
    "vector": st.lists(st.floats(allow_nan=False, width=32), min_size=8, max_size=8),
    "image": text,
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    types = draw(st.dictionaries(names, st.sampled_from(TYPES), max_size=5))
    record = st.fixed_dictionaries({}, optional={name: st.none() | VALUES[kind] for name, kind in types.items()})
    return types, draw(st.dictionaries(text | odd, record, max_size=6))


def same(left: Any, right: Any) -> bool:
    """Equal with types, NaN equal to NaN and 0.0 different from -0.0."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


@settings(max_examples=35, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables(), st.data())
def test_round_trip(table: tuple[dict[str, str], dict[str, dict[str, Any]]], data: st.DataObject) -> None:
    types, items = table
    with tempfile.TemporaryDirectory() as place:
        store = Store.create(Path(place) / "c")
        with store.change("add", {}) as change, change.transaction():
            change.set_fields(types)
            ids = change.put(list(items), list(items.values()), vectors={}).ids
        assert store.keys(ids) == list(items)
        assert same(store.records(ids), list(items.values()))
        assert store.ids(list(items)).tolist() == ids.tolist()
        for name, kind in types.items():
            expected = [record.get(name) for record in items.values()]
            found = store.values(name, ids)
            if kind == "number":
                expected = [_number(value) for value in expected]
                assert same(found, expected)
            elif kind == "datetime":
                assert [None if value is None else value[:10] for value in found] == [
                    None if value is None else value[:10] for value in expected
                ]
            elif kind == "category":
                assert found == expected
            else:
                assert same(found, expected), (kind, name)
            assert sum(count for _, count in store.facets(name, limit=100)) >= 0
        if types:  # and when a type widens
            name = data.draw(st.sampled_from(sorted(types)))
            wider = data.draw(st.sampled_from(TYPES))
            with store.change("widen", {}) as change, change.transaction():
                change.set_fields({name: wider})
            assert store.fields()[name].type == widen(types[name], wider)
            assert same(store.records(ids), list(items.values()))
            assert store.check().ok
            store.undo()
            assert store.fields()[name].type == types[name]
        report = store.check()
        assert report.ok, report
        assert not report.mended
        store.close()


def _number(value: Any) -> float | None:
    try:
        return None if value is None or math.isnan(value) else float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@given(st.sampled_from(TYPES), st.sampled_from(TYPES), st.sampled_from(TYPES))
def test_widening_is_a_join(a: str, b: str, c: str) -> None:
    assert widen(a, a) == a
    assert widen(a, b) == widen(b, a)
    assert widen(widen(a, b), b) == widen(a, b)
    assert widen(widen(a, b), c) in (widen(a, widen(b, c)), "text", "json")


def test_a_megabyte_of_text(store: Store) -> None:
    long = "wörd " * 200_000 + "needle"
    with store.change("add", {}) as change, change.transaction():
        change.set_fields({"t": "text"})
        ids = change.put(["k"], [{"t": long}], vectors={}).ids
    assert store.records(ids) == [{"t": long}]
    assert store.text_search("needle", 1).ids[0, 0] == ids[0]


def test_types_widen_with_their_values_and_back(store: Store) -> None:
    records = [{"n": 7, "d": "1931-05-07", "c": "red"}, {"n": 2**70, "d": None, "c": "blue car"}]
    with store.change("add", {}) as change, change.transaction():
        change.set_fields({"n": "integer", "d": "date", "c": "category"})
        ids = change.put(["a", "b"], records, vectors={}).ids
    with store.change("widen", {}) as change:
        with change.transaction():
            change.set_fields({"n": "number", "d": "datetime", "c": "text"})
        assert store.values("n", ids) == [7.0, 2.0**70]
        assert store.values("d", ids) == ["1931-05-07T00:00:00", None]
        with change.transaction():
            change.set_fields({"n": "date", "d": "list"})
            change.put(["x"], [{"n": "seven", "d": [1]}], vectors={})
    assert {name: field.type for name, field in store.fields().items()} == {"n": "text", "d": "json", "c": "text"}
    assert store.values("n", ids) == [7, 2**70]
    assert store.facets("n") == [("1180591620717411303424", 1), ("7", 1), ("seven", 1)]
    assert store.text_search("7", 5).ids[0, 0] == ids[0]
    assert store.text_search("car", 5).ids[0, 0] == ids[1]
    assert store.records(ids) == records
    store.undo()
    assert {name: field.type for name, field in store.fields().items()} == {
        "n": "integer",
        "d": "date",
        "c": "category",
    }
    assert store.values("n", ids) == [7, 2**70]
    assert store.facets("d") == [("1931-05-07", 1)]
    assert store.text_search("7", 5).ids[0, 0] == -1
    assert store.text_search("car", 5).ids[0, 0] == ids[1]
    assert store.check().ok


def test_datetimes_are_compared_in_utc(store: Store) -> None:
    with store.change("add", {}) as change, change.transaction():
        change.set_fields({"at": "datetime"})
        ids = change.put(["a"], [{"at": "2024-03-01T00:30:00+02:00"}], vectors={}).ids
    assert store.values("at", ids) == ["2024-02-29T22:30:00"]
    assert store.records(ids) == [{"at": "2024-03-01T00:30:00+02:00"}]


def test_numpy_values_are_taken_as_plain_ones(store: Store) -> None:
    record = {"n": np.int64(5), "x": np.float32(0.5), "v": np.arange(3, dtype=np.float32), "b": np.bool_(True)}
    with store.change("add", {}) as change, change.transaction():
        change.set_fields({"n": "integer", "x": "number", "v": "vector", "b": "boolean"})
        ids = change.put(["a"], [record], vectors={}).ids
    assert store.records(ids) == [{"n": 5, "x": 0.5, "v": [0.0, 1.0, 2.0], "b": True}]
    assert store.values("n", ids) == [5]


@pytest.mark.parametrize("count", [9, 40])
def test_more_text_fields_than_there_was_room_for(store: Store, count: int) -> None:
    with store.change("add", {}) as change, change.transaction():
        change.set_fields({"first": "text"})
        change.put(["a"], [{"first": "early bird"}], vectors={})
    types = {f"t{number}": "text" for number in range(count)}
    with store.change("add", {}) as change, change.transaction():
        change.set_fields(types)
        change.put(["b"], [{name: f"word{name}" for name in types}], vectors={})
    assert store.text_search("bird", 2).ids[0].tolist() == [1, -1]
    assert store.text_search(f"wordt{count - 1}", 2, fields=[f"t{count - 1}"]).ids[0].tolist() == [2, -1]
    assert store.text_search("bird", 2, fields=["t3"]).ids[0].tolist() == [-1, -1]
    assert store.check().ok
    store.undo()
    assert list(store.fields()) == ["first"]
    assert store.text_search("bird", 2).ids[0].tolist() == [1, -1]
    assert store.check().ok


def test_too_many_fields(store: Store) -> None:
    with store.change("add", {}) as change, change.transaction():
        with pytest.raises(InputError, match="at most 1,900 fields"):
            change.set_fields({f"f{number}": "json" for number in range(2_000)})
        change.set_fields({f"f{number}": "text" for number in range(1_900)})
        change.put(["a"], [{f"f{number}": f"w{number}" for number in range(1_900)}], vectors={})
    assert store.text_search("w1899", 1).ids[0, 0] == 1
