from __future__ import annotations

import datetime as dt
import enum
import json
import math
import uuid
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest

from similia.collection.sources import open_source
from similia.errors import SourceError

pd = pytest.importorskip("pandas")


class Colour(enum.Enum):
    RED = "red"


def test_python_values_become_plain_ones(load: Any) -> None:
    row = {
        "np_int": np.int64(5),
        "np_float": np.float32(0.5),
        "np_bool": np.bool_(True),
        "np_text": np.str_("x"),
        "array": np.arange(8, dtype=np.float64),
        "date": dt.date(1969, 7, 20),
        "moment": dt.datetime(2020, 1, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        "np_date": np.datetime64("2020-01-01"),
        "time": dt.time(10, 20),
        "delta": dt.timedelta(seconds=90),
        "decimal": Decimal("1.10"),
        "uuid": uuid.UUID(int=1),
        "path": PurePosixPath("a/b"),
        "enum": Colour.RED,
        "tuple": (1, "a"),
        "set": {2, 1},
        "big": 2**70,
        "nan": math.nan,
        "nested": {"a": [{"b": (dt.date(2020, 1, 1),)}]},
        "none": None,
    }
    scan, rows = load([row])
    assert rows == [
        {
            "np_int": 5,
            "np_float": 0.5,
            "np_bool": True,
            "np_text": "x",
            "array": [float(value) for value in range(8)],
            "date": "1969-07-20",
            "moment": "2020-01-01T10:00:00",
            "np_date": "2020-01-01",
            "time": "10:20:00",
            "delta": 90,
            "decimal": 1.1,
            "uuid": str(uuid.UUID(int=1)),
            "path": "a/b",
            "enum": "red",
            "tuple": [1, "a"],
            "set": [1, 2],
            "big": 2**70,
            "nan": "<NaN>",
            "nested": {"a": [{"b": ["2020-01-01"]}]},
            "none": None,
        }
    ]
    assert (scan.types["array"], scan.types["moment"], scan.types["big"]) == ("vector", "datetime", "number")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"a": object()}, "row 2: field 'a': an object of type object"),
        ({"a": [b"bytes"]}, "row 2: field 'a': an object of type bytes"),
        ({"a": "\ud800"}, "row 2: field 'a': a string holds U\\+D800"),
        ({"\udc00": 1}, "row 2: a string holds U\\+DC00"),
        ({"a": {1: 2}}, "the key 1 is of type int"),
        ({1: 2}, "the key 1 is of type int"),
        ({"a": json.loads("[" * 200 + "]" * 200)}, "row 2: it is nested more than 200"),
        ([1, 2], "row 2: list stands where a dict is needed"),
        ({"": 1}, "the name of a field is empty"),
    ],
)
def test_what_cannot_be_stored_is_named(row: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_source([{"a": 1}, row]).scan()


@pytest.mark.parametrize("what", [5, {"a": [1]}, None, object()])
def test_what_holds_no_items_is_refused(what: Any) -> None:
    with pytest.raises(SourceError, match="holds no items"):
        open_source(what)


def test_iterators_are_kept_for_the_second_reading(load: Any) -> None:
    rows = [{"id": place, "v": [0.5] * 8, "x": math.inf} for place in range(3000)]
    scan, found = load(iter(rows), key="id")
    assert found == rows
    assert scan.identity == open_source(rows).scan().identity != open_source(rows[1:]).scan().identity


def test_an_iterator_that_was_broken_off_is_refused() -> None:
    def rows() -> Any:
        yield {"a": 1}
        yield {"a": object()}

    with open_source(rows()) as source:
        for _ in range(2):
            with pytest.raises(SourceError, match=r"row 2|cannot be read again"):
                source.scan()


def test_the_rows_given_are_left_alone() -> None:
    rows = [{"when": "2020-01-01 10:00", "mixed": 5}, {"when": "2020-01-01", "mixed": "x"}]
    with open_source(rows) as source:
        assert next(source.batches(9)) == [
            {"when": "2020-01-01T10:00:00", "mixed": "5"},
            {"when": "2020-01-01T00:00:00", "mixed": "x"},
        ]
    assert rows == [{"when": "2020-01-01 10:00", "mixed": 5}, {"when": "2020-01-01", "mixed": "x"}]


def test_pandas(load: Any) -> None:
    frame = pd.DataFrame(
        {
            "i": [1, 2, 3],
            "f": [0.5, math.nan, math.inf],
            "n": pd.array([1, None, 3], dtype="Int64"),
            "t": ["a", None, "c"],
            "s": pd.array(["x", None, "z"], dtype="string"),
            "d": pd.to_datetime(["2020-01-01 10:00", None, "1969-07-20 00:00"]),
            "z": pd.to_datetime(["2020-01-01 10:00", None, "1969-07-20 00:00"]).tz_localize("Europe/Berlin"),
            "c": pd.Categorical(["u", "w", "v"]),
            "b": pd.array([True, None, False], dtype="boolean"),
            "l": [["a"], [], None],
            "v": [np.full(8, 0.5, np.float32)] * 3,
        }
    )
    scan, rows = load(frame)
    assert scan.types == {
        "i": "integer",
        "f": "number",
        "n": "integer",
        "t": "text",
        "s": "text",
        "d": "datetime",
        "z": "datetime",
        "c": "category",
        "b": "boolean",
        "l": "list",
        "v": "vector",
    }
    vector = [0.5] * 8
    assert [list(row.values()) for row in rows] == [
        [1, 0.5, 1, "a", "x", "2020-01-01T10:00:00", "2020-01-01T09:00:00", "u", True, ["a"], vector],
        [2, None, None, None, None, None, None, "w", None, [], vector],
        [3, math.inf, 3, "c", "z", "1969-07-20T00:00:00", "1969-07-19T23:00:00", "v", False, None, vector],
    ]
    assert load(frame.set_index("i"))[1] == rows
    assert load(frame.iloc[::-1])[1] == rows[::-1]
    fine = pd.DataFrame({"d": pd.to_datetime([1], unit="ns")})
    assert load(fine)[1] == [{"d": "1970-01-01T00:00:00.000000001"}]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns are called 'a'"),
        (pd.DataFrame([[1]]), "column label 0"),
        (pd.DataFrame({"a": []}), "no rows"),
    ],
)
def test_frames_that_are_refused(frame: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_source(frame).scan()


def test_polars_and_arrow_and_duckdb_agree(load: Any) -> None:
    duckdb = pytest.importorskip("duckdb")
    pl = pytest.importorskip("polars")
    pa = pytest.importorskip("pyarrow")
    data = {"id": [1, 2], "t": ["a", None], "v": [[0.5] * 8, [1.5] * 8]}
    rows = [{"id": 1, "t": "a", "v": [0.5] * 8}, {"id": 2, "t": None, "v": [1.5] * 8}]
    assert load(pl.DataFrame(data))[1] == rows
    assert load(pa.table(data))[1] == rows
    assert load(pa.table(data).to_reader())[1] == rows
    with duckdb.connect() as connection:
        assert load(connection.from_arrow(pa.table(data)))[1] == rows
