"""JSON Lines and JSON arrays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from similia.collection.sources import chunk, encoding, open_source
from similia.errors import SourceError

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["", "a\u2028b", "\0", "x" * 5000, '],[{"']
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
rows_of = st.lists(st.dictionaries(st.sampled_from(["a", "b", "ü", "x y"]), values, max_size=4), min_size=1, max_size=8)


def _expected(rows: list[dict[str, Any]], types: dict[str, str], plain: Any) -> list[dict[str, Any]]:
    """The documented rule: values stay, but for text of mixed values and datetimes."""
    from similia.collection.sources.values import datetime_text, render

    found = []
    for row in rows:
        changed = {}
        for name, value in row.items():
            if types[name] in ("text", "category") and value is not None:
                value = render(value)
            if types[name] == "datetime" and value is not None:
                value = datetime_text(value)
            changed[name] = value
        found.append(plain(changed))
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    rows_of, st.booleans(), st.sampled_from(["lines", "array", "pretty", "objects"]), st.sampled_from([7, 64, 1 << 20])
)
def test_odd_values_come_back(
    file: Any, load: Any, plain: Any, rows: list[dict[str, Any]], ascii: bool, form: str, block: int
) -> None:
    texts = [json.dumps(row, ensure_ascii=ascii, indent=2 if form == "pretty" else None) for row in rows]
    joined = {"lines": "\n", "array": ",", "pretty": " ,\n", "objects": "\n\n"}[form].join(texts)
    path = file(
        "a.jsonl" if form == "lines" else "a.json", joined if form in ("lines", "objects") else f" [{joined}\n] "
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "BLOCK", block)
        if not any(rows):
            return
        scan, found = load(path)
    assert found == _expected(rows, scan.types, plain)
    assert scan.nulls == {name: sum(row.get(name) is None for row in rows) for name in scan.types}


def test_large_numbers_and_missing_keys_stay(file: Any, load: Any) -> None:
    scan, rows = load(file("a.jsonl", '{"a": 9223372036854775808, "b": ""}\n\n{"c": null}\n'))
    assert rows == [{"a": 2**63, "b": ""}, {"c": None}]
    assert scan.types == {"a": "number", "b": "text", "c": "text"}
    assert scan.nulls == {"a": 1, "b": 1, "c": 2}


def test_a_column_that_changes_late_gets_the_wider_type(file: Any, load: Any) -> None:
    lines = [json.dumps({"year": 1900 + place % 100, "v": [0.5] * 8}) for place in range(5000)]
    lines += ['{"year": "unknown", "v": [1, 2]}']
    scan, rows = load(file("a.jsonl", "\n".join(lines)))
    assert scan.types == {"year": "text", "v": "list"}
    assert (rows[0]["year"], rows[-1]["year"]) == ("1900", "unknown")


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ('{"a": 1}\n\n{"a": 1, "a": 2}\n', 3, "'a' stands twice"),
        ('{"a": 1}\n{"a": \n', 2, "the line is not valid JSON"),
        ('{"a": 1}\n[1]', 2, "a list stands where"),
        ('{"a": 1} {"a": 2}\n', 1, "the line is not valid JSON"),
        ('{\n  "a": 1\n}\n', 1, "--format json"),
        ('{"a": "\\ud83d"}', 1, "half of a surrogate pair"),
        ('{"a": 1e999}', 1, "64-bit float"),
        ('{"a": 1}\r\n{"a": 2},\r\n', 2, "not valid JSON"),
    ],
)
def test_a_broken_line_is_named(content: str, line: int, message: str, file: Any) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        open_source(file("a.jsonl", content)).scan()
    assert caught.value.line == line
    assert "a.jsonl" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ('[{"a": 1},\n {"a": 1, "a": 2}]', 2, "element 2.*'a' stands twice"),
        ('[{"a": 1}\n {"a": 2}]', 2, "a comma between elements"),
        ('[{"a": 1},\n]', 1, "needed"),
        ("[1, 2]", 1, "needed"),
        ('["a", {"b": 1}]', 1, "needed"),
        ("[[1], [2]]", 1, "a list stands where"),
        ('[{"a": 1}] x', 1, "something follows"),
        ('[{"a": 1}]\n[{"a": 2}]', 2, "something follows"),
        ('[{"a": 1}, {"a"', 1, "middle of element 2"),
        ('[{"a": 1}, ', 1, "middle of element 2"),
        ('[{"a": 1}', 1, "not closed"),
        ('[{"a": "x}]', 1, "middle of element 1"),
        ('{"a": 1}, {"a": 2}', 1, "put them in an array"),
        ('"text"', 1, "needed"),
        ("[{]}]", 1, "needed"),
    ],
)
def test_a_broken_array_is_named(content: str, line: int, message: str, file: Any) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        open_source(file("a.json", content)).scan()
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("name", "content"), [("a.jsonl", ""), ("a.jsonl", "\n\n"), ("a.json", "[]"), ("a.json", " \n")]
)
def test_nothing_is_no_rows(name: str, content: str, file: Any) -> None:
    with pytest.raises(SourceError, match="no rows"):
        open_source(file(name, content)).scan()


@pytest.mark.parametrize(
    ("name", "content"), [("a.jsonl", '{"a": "' + "x" * 400 + '"}'), ("a.json", '[{"a": "' + "x" * 400 + '"}]')]
)
def test_a_record_has_a_limit(name: str, content: str, file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from similia.collection.sources import json_array, jsonl

    monkeypatch.setattr(encoding, "BLOCK", 16)
    for module in (json_array, jsonl):
        monkeypatch.setattr(module, "MAX_RECORD", 200)
    with pytest.raises(SourceError, match=r"longer than .* the limit"):
        open_source(file(name, content)).scan()


def test_a_text_of_a_megabyte_is_kept(file: Any, load: Any) -> None:
    text = "é" * (1 << 20)
    assert load(file("a.jsonl", json.dumps({"a": text})))[1] == [{"a": text}]
    assert load(file("a.json", json.dumps([{"a": text}, {"a": "b"}])))[1] == [{"a": text}, {"a": "b"}]
    assert chunk.MAX_RECORD > 1 << 22


def test_an_object_around_a_list_is_one_item_with_a_note(file: Any, load: Any) -> None:
    scan, rows = load(file("a.json", '{"meta": 1, "data": [{"a": 1}, {"a": 2}]}'))
    assert rows == [{"meta": 1, "data": [{"a": 1}, {"a": 2}]}]
    assert "the 2 objects in its field 'data' are none" in scan.notes[0]
    assert not load(file("b.json", '[{"data": [{"a": 1}, {"a": 2}]}]'))[0].notes


def test_json_lines_named_json_are_read(file: Any, load: Any) -> None:
    assert load(file("a.json", '{"a": 1}\n{"a": 2}\n'))[1] == [{"a": 1}, {"a": 2}]
