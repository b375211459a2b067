"""What a filter says, and what passes it."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest

from similia.errors import InputError
from similia.index.filtered.columns import Columns
from similia.index.filtered.labels import grouped
from similia.index.filtered.ranges import in_order
from similia.index.filtered.space import Space
from similia.index.where import Predicate

GIVEN = {
    "area": ["a", None, "b", "a"],
    "tags": [["x"], [], None, ["x", "y"]],
    "year": [2020, 2019, None, 2021],
    "score": [0.5, float("nan"), 1.5, 2.0],
    "open": [True, False, None, True],
    "day": [date(2020, 5, 1), date(2019, 1, 1), None, date(2021, 1, 1)],
    "when": [None, datetime(2020, 1, 1, 12), datetime(2020, 1, 1, 11), datetime(2019, 1, 1)],
    "nothing": [None, None, None, None],
}


@pytest.fixture(scope="module")
def columns() -> Columns:
    return Columns(GIVEN, None, 4)


def test_types_are_told_from_the_first_value(columns):
    assert columns.types == {
        "area": "category",
        "tags": "list",
        "year": "integer",
        "score": "number",
        "open": "boolean",
        "day": "date",
        "when": "datetime",
        "nothing": "text",
    }
    assert Columns({"day": ["2020-01-01"]}, {"day": "date"}, 1).types == {"day": "date"}
    assert Columns({"n": np.array([1.5, 2.5], np.float32)}, None, 2).types == {"n": "number"}


@pytest.mark.parametrize(
    ("where", "rows", "shape"),
    [
        ("area = 'a'", [0, 3], "label"),
        ("area <> 'a'", [2], "range"),
        ("area = 'a' AND year = 2021", [3], "labels"),
        ("contains(tags, 'x') OR contains(tags, 'z')", [0, 3], "label"),
        ("area IN ('a', 'b') AND open", [0, 3], "other"),
        ("score >= 1", [2, 3], "range"),
        ("day BETWEEN '2019-06-01' AND '2020-12-31'", [0], "range"),
        ("year(day) = 2020", [0], "range"),
        ("nothing IS NULL", [0, 1, 2, 3], "other"),
        ("nothing = 'a'", [], "label"),
        ("TRUE", [0, 1, 2, 3], "other"),
        ("FALSE", [], "other"),
        (None, [0, 1, 2, 3], "other"),
        ([True, False, False, True], [0, 3], "other"),
    ],
)
def test_what_passes_and_what_is_asked(columns, where, rows, shape):
    asked = columns.filter(where)
    assert asked.rows.tolist() == rows
    assert asked.share == len(rows) / 4
    assert asked.shape == shape


def test_labels_and_equalities(columns):
    both = "contains(tags, 'x') AND contains(tags, 'y')"
    assert columns.filter(both).contained() == {"tags": {"x", "y"}}
    assert columns.filter(both).shape == "labels"
    assert columns.filter(both + " AND open").contained() is None
    assert columns.filter("area IN ('a', 'b') OR contains(tags, 'x')").labels() == {"area": {"a", "b"}, "tags": {"x"}}
    assert columns.filter("area = 'a' AND year = 2020").labels() is None
    assert columns.filter("area = 'a' AND year = 2020").equalities() == {"area": "a", "year": 2020}
    assert columns.filter("area = 'a' OR year = 2020").equalities() is None
    assert columns.filter("area = 'a' AND area = 'b'").equalities() is None
    assert columns.filter("year > 2000").labels() is None


def test_a_filter_that_was_read_serves_and_is_kept(columns):
    read = Predicate.parse("year > 2019", columns.types)
    assert columns.filter(read).rows.tolist() == [0, 3]
    assert columns.filter(read) is columns.filter(Predicate.parse("year  >  2019", columns.types))


@pytest.mark.parametrize(
    ("name", "order"), [("year", [1, 0, 3]), ("day", [1, 0, 3]), ("when", [3, 2, 1]), ("area", [0, 3, 2])]
)
def test_the_order_of_a_column_leaves_out_what_is_missing(columns, name, order):
    assert in_order(columns, name).tolist() == order


def test_labels_of_numpy_and_nan():
    assert {key: rows.tolist() for key, rows in grouped({"n": [np.int64(3), 3, float("nan"), None]}).items()} == {
        ("n", 3): [0, 1]
    }


@pytest.mark.parametrize(
    ("given", "types", "says"),
    [
        ({"a": [1, 2]}, None, "has 2 values; there are 3 items"),
        ({"a": [1, 2, 3]}, {"b": "text"}, "'b' has a type and no column"),
        ({"a": [{1}, {2}, {3}]}, None, "holds set"),
    ],
)
def test_columns_that_do_not_fit_are_refused(given, types, says):
    with pytest.raises(InputError, match=says):
        Columns(given, types, 3)


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
def test_the_nearest_point_is_the_most_similar_item(metric):
    from similia.index import ExactIndex

    random = np.random.default_rng(0)
    vectors, queries = (random.normal(size=(n, 5)).astype(np.float32) for n in (200, 20))
    vectors[7] = 0
    vectors[::3] *= 5
    space = Space.of(vectors, metric)
    away = ((space.queries(queries)[:, None] - space.points) ** 2).sum(axis=2)
    assert np.array_equal(np.argsort(away, axis=1)[:, :10], ExactIndex(vectors, metric=metric).search(queries, 10).ids)
