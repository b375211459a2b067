"""JSON text to Python values, fast where it is plain and exact where it is odd.

orjson is several times faster than the standard library, but it drops all but the last of two equal keys, rounds
integers beyond 64 bits to floats and knows no NaN. Whether a block of text can hold any of these is told from a few
byte counts over the whole block; only where it might is a record read again by the standard library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import orjson

MAX_DEPTH = 200
"""Lists and objects that may stand within each other; SQLite and Python both give up at about 1,000."""

TOO_DEEP = f"is nested more than {MAX_DEPTH} levels deep, the limit"

_KEY = re.compile(rb'"[ \t\r\n]*:')
_SPACED_COLON = (b" :", b"\t:", b"\r:", b"\n:")
_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
_LONG = b"0" * 20  # the shortest integer that 64 bits without sign may not hold
_LONG_NEGATIVE = b"-" + b"0" * 19


class JsonError(ValueError):
    """A piece of text is not the JSON that is needed.

    Args:
        message: what is wrong, and what would be accepted.
        index: which of the texts it was.
    """

    def __init__(self, message: str, index: int = 0) -> None:
        super().__init__(message)
        self.index = index


def parse_objects(texts: Sequence[bytes], block: bytes) -> list[dict[str, Any]]:
    """Parse one JSON object a text.

    Args:
        texts: the JSON objects, UTF-8.
        block: bytes that hold all of ``texts`` and little else, for the counts.

    Raises:
        JsonError: a text is not a JSON object, names a key twice, or holds what cannot be kept exactly.

    Examples:
        >>> parse_objects([b'{"a": 18446744073709551616, "b": NaN}'], b'{"a": 18446744073709551616, "b": NaN}')
        [{'a': 18446744073709551616, 'b': nan}]
        >>> parse_objects([b'{"a": 1, "a": 2}'], b'{"a": 1, "a": 2}')
        Traceback (most recent call last):
        similia.collection.sources.jsontext.JsonError: the key 'a' stands twice in one object
    """
    try:
        rows: list[Any] = list(map(orjson.loads, texts))
    except orjson.JSONDecodeError:
        return [_exact_object(text, index) for index, text in enumerate(texts)]
    if set(map(type, rows)) - {dict} or any(map(_may_be_deep, texts)):
        return [_exact_object(text, index) for index, text in enumerate(texts)]
    if _may_hold_twins(block, sum(map(len, rows))) or _may_hold_long_integers(block):
        return [
            _exact_object(text, index) if _may_be_odd(text, row) else row
            for index, (text, row) in enumerate(zip(texts, rows, strict=True))
        ]
    return rows


def parse_value(text: bytes) -> Any:
    """Parse any one JSON value, exactly.

    Raises:
        JsonError: as for `parse_objects`.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _exact(text, 0)
    return _exact(text, 0) if _may_be_odd(text, value) else value


def _may_be_deep(text: bytes) -> bool:
    return text.count(b"[") + text.count(b"{") > MAX_DEPTH


def _depth(value: Any) -> int:
    """How many lists and objects stand within each other."""
    depth, level = 0, [value]
    while level := [inner for inner in level if type(inner) in (dict, list)]:
        depth += 1
        level = [inner for outer in level for inner in (outer.values() if type(outer) is dict else outer)]
    return depth


def _may_be_odd(text: bytes, value: Any) -> bool:
    twins = b":" in text and _may_hold_twins(text, _count_keys(value))
    return twins or _may_hold_long_integers(text) or _may_be_deep(text)


def _may_hold_twins(text: bytes, keys: int) -> bool:
    """Whether ``text`` may spell more than the ``keys`` keys that were left of it.

    Each key is a quote, white space and a colon, and inside a string a quote never stands bare; so the number of
    such places is at least the number of keys written. Where it equals the number of keys kept, none was lost.
    """
    if text.count(b":") == keys:
        return False
    if any(spaced in text for spaced in _SPACED_COLON):
        return len(_KEY.findall(text)) != keys
    return text.count(b'":') != keys


def _count_keys(value: Any) -> int:
    """How many keys all the objects in ``value`` have together."""
    count, open_values = 0, [value]
    while open_values:
        top = open_values.pop()
        if type(top) is dict:
            count += len(top)
            top = list(top.values())
        elif type(top) is not list:
            continue
        if {dict, list} & set(map(type, top)):
            open_values.extend(inner for inner in top if type(inner) in (dict, list))
    return count


def _may_hold_long_integers(text: bytes) -> bool:
    """Whether ``text`` may spell an integer that 64 bits do not hold: a long run of digits that is no fraction."""
    zeros = text.translate(_DIGITS)
    if _LONG_NEGATIVE in zeros:
        return True
    start = zeros.find(_LONG)
    while start >= 0:
        if zeros[start - 1 : start] != b".":
            return True
        end = start + len(_LONG)
        start = zeros.find(_LONG, end + len(zeros[end : end + 400]) - len(zeros[end : end + 400].lstrip(b"0")))
    return False


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for position, name in enumerate(names) if name in names[:position])
        raise JsonError(f"the key {twice!r} stands twice in one object")
    return found


def _finite_float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise JsonError(f"the number {text[:40]} is beyond what a 64-bit float holds")
    return value


def _exact_object(text: bytes, index: int) -> dict[str, Any]:
    value = _exact(text, index)
    if type(value) is not dict:
        raise JsonError(f'{_a(value)} stands where an object is needed: {{"field": value, ...}}', index)
    return value


def _a(value: Any) -> str:
    names = {list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")


def _exact(text: bytes, index: int) -> Any:
    try:
        decoded = text.decode()
        value = json.loads(decoded, object_pairs_hook=_unique_pairs, parse_float=_finite_float)
        if "\\u" in decoded:
            _refuse_surrogates(value)
        if _may_be_deep(text) and _depth(value) > MAX_DEPTH:
            raise JsonError(TOO_DEEP)
    except JsonError as error:
        raise JsonError(str(error), index) from None
    except json.JSONDecodeError as error:
        where = f"at character {error.pos + 1:,} of {len(decoded):,}"
        raise JsonError(f"is not valid JSON ({error.msg.lower()} {where})", index) from None
    except RecursionError:
        raise JsonError(TOO_DEEP, index) from None
    except ValueError as error:  # an integer of more than 4,300 digits
        raise JsonError(f"holds a number that cannot be read ({error})", index) from None
    return value


def _refuse_surrogates(value: Any) -> None:
    """Raise where a string holds half of a surrogate pair, which no UTF-8 text can."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = ord(error.object[error.start])
        raise JsonError(f"a string holds \\u{half:04x}, half of a surrogate pair, which is no character") from None
