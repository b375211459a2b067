from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from similia.collection.sources import Source, keys, open_source, scan
from similia.errors import InputError, SourceError


def _jsonl(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.lists(st.none() | st.sampled_from("abcdefghijklmnop") | st.integers(0, 30), min_size=1, max_size=40),
    st.integers(1, 8),
)
def test_the_first_duplicate_is_found(file: Any, values: list[Any], run: int) -> None:
    path = file("a.jsonl", _jsonl([{"k": value, "x": 1} for value in values]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "KeyHashes", lambda: keys.KeyHashes(run, bits=4))
        with open_source(path) as source:
            found = source.scan(key="k")
    seen: dict[str, int] = {}
    expected = None
    for row, value in enumerate(values):
        if value is not None and expected is None:
            earlier = seen.setdefault(str(value), row)
            expected = (earlier, row) if earlier != row else None
    assert (found.duplicate.rows if found.duplicate else None) == expected
    if found.duplicate:
        assert found.duplicate.value == str(values[found.duplicate.rows[0]])
        assert found.duplicate.places[1] == f"{path}, line {found.duplicate.rows[1] + 1}"
    gap = next((row for row, value in enumerate(values) if value is None), None)
    assert found.missing == (None if gap is None else f"{path}, line {gap + 1}")
    if "k" in found.unique:
        assert found.unique["k"] == (expected is None and gap is None)


def test_fields_without_duplicates_are_told(file: Any) -> None:
    rows = [
        {"id": place, "code": f"c{place}", "late": "x", "half": place // 2, "some": place if place else None}
        for place in range(5000)
    ]
    rows[4000]["late"] = "y"
    rows[4999]["code"] = "c7"
    rows.append({"id": 5000, "code": "n", "late": "z", "half": -1, "some": -1, "new": 1})
    found = open_source(file("a.jsonl", _jsonl(rows))).scan()
    assert found.unique == {"id": True, "code": False, "late": False, "half": False, "some": False, "new": False}


@pytest.mark.parametrize(
    ("cells", "pair"),
    [
        (["5", "6", " 5"], (0, 2)),
        (["1.0", "2", "1.00"], (0, 2)),
        (["2020-01-01 10:00", "2020-01-02", "2020-01-01T12:00+02:00"], (0, 2)),
        (["a", " a", "b"], None),
        (["5", "05", "6"], None),
    ],
)
def test_keys_are_compared_as_what_they_are(cells: list[str], pair: tuple[int, int] | None, file: Any) -> None:
    found = open_source(file("a.csv", "k,x\n" + "".join(f"{cell},1\n" for cell in cells))).scan(key="k")
    assert (found.duplicate.rows if found.duplicate else None) == pair


def test_a_key_that_a_schema_changes(file: Any) -> None:
    path = file("a.csv", "k,x\n5,1\n05,1\n")
    assert open_source(path).scan(key="k").duplicate is None
    assert open_source(path, schema={"k": "integer"}).scan(key="k").duplicate.rows == (0, 1)


def test_duplicates_over_files_name_both(file: Any) -> None:
    first, second = file("a.jsonl", '{"id": "x"}\n'), file("b.csv", "id\ny\nx\n")
    found = open_source([first, second]).scan(key="id")
    assert found.duplicate == scan.Duplicate("x", (0, 2), (f"{first}, line 1", f"{second}, line 3"))


@pytest.mark.parametrize(
    ("kind", "cells", "values"),
    [
        ("text", ["007", "1.50"], ["007", "1.50"]),
        ("category", ["1", "2"], ["1", "2"]),
        ("integer", ["007", "+5", "5.0"], [7, 5, 5]),
        ("number", ["007", "1e3"], [7, 1000.0]),
        ("boolean", ["yes", "0", "T"], [True, False, True]),
        ("date", ["2020-01-01", "2020-01-01T00:00:00"], ["2020-01-01", "2020-01-01"]),
        ("datetime", ["2020-01-01", "2020-01-01 10:00Z"], ["2020-01-01T00:00:00", "2020-01-01T10:00:00"]),
        ("list", ["[1]", "[]"], [[1], []]),
        ("json", ["[1]", '{"a": 1}', "5"], [[1], {"a": 1}, 5]),
        ("vector", ["[1, 2]", "[3, 4]"], [[1, 2], [3, 4]]),
        ("image", ["a.png"], ["a.png"]),
    ],
)
def test_a_schema_decides(kind: str, cells: list[str], values: list[Any], file: Any, load: Any) -> None:
    quoted = "".join('"' + cell.replace('"', '""') + '",\n' for cell in cells)
    found, rows = load(file("a.csv", f"a,b\n{quoted}"), schema={"a": kind})
    assert found.types["a"] == kind
    assert [row["a"] for row in rows] == values
    assert found.examples["a"] == values[0]
    assert all(type(row["a"]) is type(value) for row, value in zip(rows, values, strict=True))


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("integer", "seven", "a whole number"),
        ("integer", 1.5, "a whole number"),
        ("integer", 2**63, "a whole number"),
        ("integer", True, "a whole number"),
        ("number", "1,5", "a number is needed"),
        ("number", [1], "a number is needed"),
        ("boolean", "maybe", "true or false"),
        ("boolean", 2, "true or false"),
        ("date", "2020-02-30", "a date is needed"),
        ("date", "2020-01-01T10:00", "a date is needed"),
        ("date", 5, "a date is needed"),
        ("datetime", "noon", "a date and time"),
        ("list", "a, b", "a list is needed"),
        ("vector", "x", "a list of numbers"),
        ("vector", ["a"], "a list of numbers"),
        ("vector", [], "a list of numbers"),
        ("vector", [True], "a list of numbers"),
        ("vector", [1e300, 1], "must be finite"),
        ("vector", [float("nan"), 1], "must be finite"),
        ("vector", [10**400, 1], "a list of numbers"),
        ("vector", [1.0, 2.0, 3.0], "a vector of 2 numbers"),
        ("image", 5, "the path of an image"),
    ],
)
def test_what_does_not_fit_a_schema_is_named(kind: str, value: Any, message: str, file: Any) -> None:
    good = {"vector": [1, 2], "list": [], "date": "2020-01-01", "datetime": "2020-01-01", "image": "a"}.get(kind, 1)
    path = file("a.jsonl", "".join(json.dumps({"a": some}) + "\n" for some in (good, None, value)))
    with pytest.raises(SourceError, match=message) as caught:
        open_source(path, schema={"a": kind}).scan()
    assert caught.value.line == 3
    assert "field 'a' holds" in str(caught.value)


def test_names_and_types_that_are_not_there_get_the_nearest(file: Any) -> None:
    path = file("a.jsonl", '{"title": "x", "year": 1}\n')
    for options, key, message in (
        ({"schema": {"titel": "text"}}, None, "the schema names the field 'titel'; did you mean 'title'?"),
        ({"text": ["titel"]}, None, "text names the field 'titel'; did you mean 'title'?"),
        ({}, "yaer", "there is no field 'yaer' for the key; did you mean 'year'?"),
    ):
        with pytest.raises(SourceError, match=message.replace("?", r"\?")):
            open_source(path, **options).scan(key=key)
    with pytest.raises(SourceError, match="did you mean 'integer'"):
        open_source(path, schema={"year": "int"})
    with pytest.raises(SourceError, match="did you mean 'parquet'"):
        open_source(path, format="parkett")
    with pytest.raises(InputError, match="on_error"):
        open_source(path, on_error="ignore")  # type: ignore[arg-type]


def test_text_fields_are_no_categories(file: Any) -> None:
    path = file("a.jsonl", _jsonl([{"a": "x", "d": "2020-01-01"}] * 4))
    assert open_source(path).scan().types == {"a": "category", "d": "date"}
    assert open_source(path, text=["a", "d"]).scan().types == {"a": "text", "d": "text"}
    assert open_source(path, text="a").scan().types == {"a": "text", "d": "date"}


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("name", ["jsonl", "csv", "json", "list"])
def test_batches_have_their_size_and_can_begin_anywhere(size: int, name: str, file: Any) -> None:
    rows = [{"id": place, "t": f"t{place}"} for place in range(25)]
    text = {
        "jsonl": _jsonl(rows),
        "json": json.dumps(rows),
        "csv": "id,t\n" + "".join(f"{row['id']},{row['t']}\n" for row in rows),
    }
    what = rows if name == "list" else [file(f"a.{name}", text[name]), file("b.jsonl", _jsonl(rows[:4]))]
    expected = rows if name == "list" else rows + rows[:4]
    with open_source(what) as source:
        for skip in (0, 1, 24, 25, 26, 29, 40):
            batches = list(source.batches(size, skip=skip))
            assert [row for batch in batches for row in batch] == expected[skip:]
            assert all(len(batch) == size for batch in batches[:-1])
        with pytest.raises(InputError, match="size must be 1"):
            next(source.batches(0))


def test_a_file_that_changes_between_the_readings_is_noticed(file: Any) -> None:
    path = file("a.jsonl", '{"a": 1}\n{"a": 2}\n')
    source = open_source(path)
    source.scan()
    path.write_text('{"a": 1}\n')
    with pytest.raises(SourceError, match="changed since"):
        list(source.batches(5))
    source.scan()
    batches = source.batches(1)
    next(batches)
    path.write_text('{"a": 1}\n{"a": 2}\n{"a": 3}\n')
    with pytest.raises(SourceError, match="changed"):
        list(batches)


def test_identity_is_of_name_and_content(file: Any, tmp_path: Path) -> None:
    first = open_source(file("a.jsonl", '{"a": 1}\n')).scan().identity
    assert open_source(tmp_path / "a.jsonl").scan().identity == first
    assert open_source(file("b.jsonl", '{"a": 1}\n')).scan().identity != first
    assert open_source(file("a.jsonl", '{"a": 2}\n')).scan().identity != first


def test_missing_keys_stay_missing_and_count_as_null(file: Any, load: Any) -> None:
    found, rows = load(file("a.jsonl", '{"a": 1}\n{"b": null}\n{"b": 2, "a": 3}\n'))
    assert rows == [{"a": 1}, {"b": None}, {"b": 2, "a": 3}]
    assert found.nulls == {"a": 1, "b": 2}
    assert list(found.types) == ["a", "b"]


class _Input:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b'{"id": 1, "t": "x"}\n', None),
        (b'[{"id": 1,\n "t": "x"}]', None),
        (b'{\n"id": 1, "t": "x"}', None),
        (b"id,t\n1,x\n", None),
        (b"\xef\xbb\xbfid;t\n1;x\n", None),
        ('{"id": 1, "t": "x"}'.encode("utf-16"), None),
        (b"id\tt\n1\tx\n", "tsv"),
    ],
)
def test_standard_input(data: bytes, format: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", _Input(data))
    with open_source("-", format=format) as source:
        assert source.name == "<standard input>"
        assert source.scan().rows == 1
        assert list(source.batches(5)) == [[{"id": 1, "t": "x"}]]
        folder = source._readers[0].path.parent  # type: ignore[attr-defined]
        assert folder.exists()
    assert not folder.exists()


def test_standard_input_that_is_packed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import lzma

    monkeypatch.setattr(sys, "stdin", _Input(lzma.compress(b'{"id": 1}\n')))
    assert open_source("-").scan().types == {"id": "integer"}
    monkeypatch.setattr(sys, "stdin", _Input(b""))
    with pytest.raises(SourceError, match="<standard input>: no rows"):
        open_source("-").scan()


def test_names_that_tell_nothing_are_sniffed(file: Any, load: Any) -> None:
    assert load(file("data", b'{"a": 1}\n'))[1] == [{"a": 1}]
    assert load(file("data.dat", b"a,b\n1,2\n"))[1] == [{"a": 1, "b": 2}]
    for name, message in (("a.xlsx", "save the sheet as CSV"), ("a.zip", "unpack"), ("a.pkl", "can run code")):
        with pytest.raises(SourceError, match=message):
            open_source(file(name, b"PK"))
    with pytest.raises(SourceError, match="web page"):
        open_source(file("page", b"<!DOCTYPE html><p>x"))


def test_a_source_holds_few_fields(file: Any) -> None:
    with pytest.raises(SourceError, match="one more than 1,900"):
        open_source(file("a.jsonl", json.dumps({f"f{place}": 1 for place in range(1901)}))).scan()


def test_progress_is_told(file: Any) -> None:
    told = []

    class Bar:
        def advance(self, count: int = 1) -> None:
            told.append(count)

        def describe(self, label: str) -> None: ...

    open_source(file("a.jsonl", '{"a": 1}\n' * 10)).scan(progress=Bar())
    assert sum(told) == 10


def test_temporary_files_go_with_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", _Input(b'{"a": 1}\n'))
    source: Source | None = open_source("-")
    assert list(tmp_path.iterdir())
    del source
    assert not list(tmp_path.iterdir())
