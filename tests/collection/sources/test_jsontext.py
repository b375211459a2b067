from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from similia.collection.sources.jsontext import JsonError, parse_objects, parse_value

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ['a": ', '\\":', "{", '"', "a:b"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(texts, values, max_size=4)
separators = st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : "), (",", "\t:")])


def _same(left: Any, right: Any) -> bool:
    """Equal in value and type, NaN to NaN and -0.0 to -0.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return (math.isnan(left) and math.isnan(right)) or (
            left == right and math.copysign(1, left) == math.copysign(1, right)
        )
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(_same(left[key], right[key]) for key in left)
    return bool(left == right)


@given(st.lists(objects, min_size=1, max_size=5), separators, st.booleans())
def test_what_was_written_is_read(rows: list[dict[str, Any]], marks: tuple[str, str], ascii: bool) -> None:
    lines = [json.dumps(row, separators=marks, ensure_ascii=ascii).encode() for row in rows]
    found = parse_objects(lines, b"\n".join(lines))
    assert all(map(_same, found, rows))


def _pairs_text(data: st.DataObject, depth: int, twice: list[bool]) -> str:
    """An object as text, with keys that may stand twice."""
    keys = data.draw(st.lists(st.sampled_from(["a", "b", "\\u0061", 'x": ', "k:"]), max_size=4))
    spelled = [json.loads(f'"{key}"') if key == "\\u0061" else key for key in keys]
    if len(set(spelled)) < len(spelled):
        twice.append(True)
    parts = []
    for key in keys:
        name = f'"{key}"' if key == "\\u0061" else json.dumps(key)
        space = data.draw(st.sampled_from(["", " ", "\t"]))
        inner = _pairs_text(data, depth - 1, twice) if depth and data.draw(st.booleans()) else '"v\\":1"'
        inner = f"[{inner}]" if data.draw(st.booleans()) else inner
        parts.append(f"{name}{space}:{inner}")
    return "{" + ",".join(parts) + "}"


@given(st.data())
def test_a_key_that_stands_twice_is_always_found_and_never_invented(data: st.DataObject) -> None:
    twice: list[bool] = []
    text = _pairs_text(data, 2, twice).encode()
    plain = b'{"c":"d"}'
    if twice:
        with pytest.raises(JsonError, match="stands twice") as caught:
            parse_objects([plain, text], plain + b"\n" + text)
        assert caught.value.index == 1
    else:
        assert parse_objects([plain, text], plain + b"\n" + text) == [{"c": "d"}, json.loads(text)]


@given(
    st.integers(-(10**40), 10**40),
    st.sampled_from(['{"a":%d}', '{"a": [%d]}', '{"a":0.0001234567890123456789,"b": %d}']),
)
@example(2**64, '{"a":%d}')
@example(-(2**63) - 1, '{"a":%d}')
def test_integers_keep_every_digit(value: int, form: str) -> None:
    text = (form % value).encode()
    found = json.loads(text)
    assert parse_value(text) == found
    assert _same(parse_objects([text], text)[0], found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[1]", "a list stands where an object is needed"),
        (b"5", "a number stands where"),
        (b"null", "null stands where"),
        (b'{"a": 1', "is not valid JSON"),
        (b'{"a": tru}', "is not valid JSON"),
        (b'{"a": 01}', "is not valid JSON"),
        (b'{"a": "\t"}', "is not valid JSON"),
        (b'{"a": 1e400}', "beyond what a 64-bit float holds"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b'{"\\udc00": 1}', "half of a surrogate pair"),
        (b'{"a": {"b": 1, "b": 2}}', "'b' stands twice"),
        (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested more than 200 levels"),
        (b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", "nested more than 200 levels"),
        (b'{"a":' * 201 + b"1" + b"}" * 201, "nested more than 200 levels"),
        (b'{"a": ' + b"9" * 5000 + b"}", "cannot be read"),
    ],
)
def test_what_cannot_be_kept_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(JsonError, match=message):
        parse_objects([text], text)


def test_depth_counts_and_brackets_in_strings_do_not() -> None:
    for text in (
        b'{"a":' + b"[" * 199 + b"]" * 199 + b"}",
        b'{"a": "' + b"[" * 500 + b'"}',
        b'{"a": [' + b"[]," * 500 + b"[]]}",
    ):
        assert parse_objects([text], text) == [json.loads(text)]


def test_emoji_as_pairs_of_escapes_are_characters() -> None:
    assert parse_value(b'"\\ud83d\\ude00"') == "\U0001f600"
