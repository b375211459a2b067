"""Odd values, texts and keys come back as they were."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from similia import Collection
from similia.errors import InputError

Rows = Callable[..., list[dict[str, Any]]]


def opened(path: Path) -> Collection:
    return Collection.open(path, create=True)


simple = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        ["", "👩‍👩‍👧 emoji", "مرحبا بالعالم", "a\x00b", "\ufeff", "1969-12-31", "007", "x" * 100_000, '"quoted"']
    ),
)
values = st.recursive(
    simple,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=5,
)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


@given(column=st.lists(values, min_size=1, max_size=6))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_odd_values_come_back_and_go_round(tmp_path_factory: pytest.TempPathFactory, column: list[Any]) -> None:
    """Add, get, export, add to another collection, get: the second time all is as it was the first time."""
    folder = tmp_path_factory.mktemp("odd")
    rows = [{"id": f"k{place}", "title": "some words", "odd": value} for place, value in enumerate(column)]
    rows.append({"id": "absent", "title": "no value"})
    with opened(folder / "one") as one:
        one.add(rows, key="id", text="title", encoder="hashing:32", schema={"title": "text"})
        first = one.get([row["id"] for row in rows])
        kind = one.fields["odd"]
        if kind == "json" or all(value is None or type(value) is type(column[0]) for value in column):
            for row, stored in zip(rows, first, strict=True):
                if kind not in ("datetime", "vector"):
                    assert same({"_key": row["id"], **row}, stored), (kind, row, stored)
        assert "odd" not in first[-1]
        one.search("words")
        one.export(folder / "items.jsonl")
        with opened(folder / "two") as two:
            two.add(folder / "items.jsonl", text="title", encoder="hashing:32", schema={"title": "text", "odd": kind})
            second = two.get([row["id"] for row in rows])
            assert all(same(before, after) for before, after in zip(first, second, strict=True))
            assert two.search("words").keys == one.search("words").keys


def test_long_text_and_long_keys(tmp_path: Path) -> None:
    text = "kettle " * 150_000
    with opened(tmp_path / "c") as shelf:
        shelf.add(
            [{"id": "k" * 2_000, "title": text}, {"id": "b", "title": "short"}],
            key="id",
            encoder="hashing:32",
            text="title",
        )
        assert shelf["k" * 2_000]["title"] == text
        assert shelf.search("kettle", mode="text").keys == ["k" * 2_000]
        repr(shelf.search("kettle"))


def test_keys_of_many_kinds(tmp_path: Path) -> None:
    for place, keys in enumerate([[1, 2, 3], [1.5, 2.0, 3.25], ["ключ", "鍵", "🔑"], [True, False], [2**80, -1]]):
        with opened(tmp_path / str(place)) as shelf:
            shelf.add([{"k": key, "title": "words here"} for key in keys], key="k", text="title", encoder="hashing:32")
            stored = shelf.similar(shelf.search("words", k=1).keys[0], k=10)
            assert len(stored) == len(keys) - 1
            for key in keys:
                if not isinstance(key, (bool, float)):
                    assert shelf[key]["k"] == key
    with pytest.raises(InputError, match="key"), opened(tmp_path / "none") as shelf:
        shelf.add(
            [{"k": None, "title": "words"}, {"k": 1, "title": "words"}], key="k", text="title", encoder="hashing:32"
        )
