"""Arrow arrays to Python values: one decoder for Arrow files, Parquet (through DuckDB) and data frames.

An array comes as a `Field`, which names its type by the format string of Arrow's C data interface (``l`` is
int64, ``+l`` a list, ``tsu:UTC`` a timestamp in microseconds), and a `Node`, which holds its buffers.

| Arrow type | becomes |
| --- | --- |
| booleans, integers, floats, strings | the same; unsigned 64-bit integers keep every digit |
| dictionary (categories, enums) | the values |
| decimal | int where whole, float where the float still spells it, else text |
| date | ``YYYY-MM-DD`` |
| timestamp | ``YYYY-MM-DDTHH:MM:SS[.ffffff]`` in UTC; with nine digits, as text, where nanoseconds are not zero |
| time of day | text ``HH:MM:SS[.ffffff]`` |
| duration | seconds, as a number |
| list of float32 without nulls | float32 arrays (d,) |
| other lists, structs, maps, unions | lists and dicts |
| binary | text, if it is UTF-8; else refused |
| extension ``arrow.json``, ``arrow.uuid`` | the parsed value; text |
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from similia.collection.sources.arrow_array import ArrowError, Field, Node
from similia.collection.sources.arrow_time import dates, durations, times, timestamps
from similia.collection.sources.jsontext import JsonError, parse_value
from similia.collection.sources.values import decimal_value

_PRIMITIVE = {
    "c": np.int8,
    "C": np.uint8,
    "s": np.int16,
    "S": np.uint16,
    "i": np.int32,
    "I": np.uint32,
    "l": np.int64,
    "L": np.uint64,
    "e": np.float16,
    "f": np.float32,
    "g": np.float64,
}


def decode(kind: Field, node: Node, *, top: bool = False) -> list[Any]:
    """Return the values of an array, None for null.

    Args:
        kind: its type.
        node: its data.
        top: the array is a column, where lists of float32 may become arrays.

    Raises:
        ArrowError: a type or value that cannot be taken in.

    Examples:
        >>> offsets, text = np.array([0, 1, 3], np.int32).view(np.uint8), np.frombuffer(b"abb", np.uint8)
        >>> decode(Field("u"), Node(2, 0, [None, offsets, text]))
        ['a', 'bb']
    """
    if kind.dictionary is not None:
        assert node.dictionary is not None
        values = node.dictionary.decoded
        if values is None:
            values = node.dictionary.decoded = decode(kind.dictionary, node.dictionary)
        places = decode(Field(kind.format), node)
        return [None if place is None else values[place] for place in places]
    if kind.format == "n":
        return [None] * node.length
    if kind.extension == "arrow.bool8":
        return [None if value is None else value != 0 for value in decode(Field(kind.format), node)]
    values = _decoder(kind)(kind, node, top)
    if kind.format[:2] not in ("+u", "+r") and (valid := node.valid()) is not None:
        values = [value if keep else None for value, keep in zip(values, valid.tolist(), strict=True)]
    if kind.extension == "arrow.json":
        return [_json(value, row) for row, value in enumerate(values)]
    return values


def _json(value: str | None, row: int) -> Any:
    try:
        return None if value is None else parse_value(value.encode())
    except JsonError as error:
        raise ArrowError(f"the JSON text {error}", row) from None


_Decoder: TypeAlias = Callable[[Field, Node, bool], list[Any]]


def _decoder(kind: Field) -> _Decoder:
    form = kind.format
    found = _DECODERS.get(form) or _DECODERS.get(form[:3]) or _DECODERS.get(form[:2])
    if form in _PRIMITIVE:
        found = _primitive
    if found is None:
        name = {"ti": "an interval"}.get(form[:2], f"of Arrow type {form!r}")
        raise ArrowError(f"is {name}, which no field type fits; cast the column to text or a number first")
    return found


def _primitive(kind: Field, node: Node, _: bool) -> list[Any]:
    dtype = _PRIMITIVE[kind.format]
    values: list[Any] = node.buffer(1, dtype, node.length, node.offset).tolist()
    return values


def _boolean(_: Field, node: Node, __: bool) -> list[Any]:
    valid = Node(node.length, node.offset, [node.buffers[1]]).valid()
    return [True] * node.length if valid is None else valid.tolist()


def _offsets(kind: Field, node: Node) -> list[int]:
    dtype = np.int64 if kind.format[-1] in "UZL" else np.int32
    return node.buffer(1, dtype, node.length + 1, node.offset).tolist() if node.length else [0]


def _bytes(kind: Field, node: Node, _: bool = False) -> list[bytes]:
    if kind.format[0] == "w":
        width = int(kind.format[2:])
        data = node.buffer(1, np.uint8, node.length * width, node.offset * width).tobytes()
        return [data[start : start + width] for start in range(0, len(data), width)] if width else [b""] * node.length
    offsets = _offsets(kind, node)
    first = offsets[0]
    body = node.buffers[2]
    data = b"" if body is None else body[first : offsets[-1]].tobytes()
    return [data[a - first : b - first] for a, b in pairwise(offsets)]


def _view_bytes(_: Field, node: Node) -> list[bytes]:
    views = node.buffer(1, np.uint8, node.length * 16, node.offset * 16).reshape(-1, 16)
    lengths = views[:, :4].copy().view(np.int32)[:, 0].tolist()
    where = views[:, 8:].copy().view(np.int32).reshape(-1, 2).tolist()
    inline = views.tobytes()
    valid = node.valid()
    found = []
    for row, (length, (index, offset)) in enumerate(zip(lengths, where, strict=True)):
        if length <= 12:
            found.append(inline[16 * row + 4 : 16 * row + 4 + length])
        elif valid is not None and not valid[row]:
            found.append(b"")
        else:
            body = node.buffers[2 + index]
            assert body is not None
            found.append(body[offset : offset + length].tobytes())
    return found


def _text(kind: Field, node: Node, _: bool) -> list[Any]:
    raw = _view_bytes(kind, node) if kind.format[0] == "v" else _bytes(kind, node)
    if kind.extension == "arrow.uuid":
        return [str(uuid.UUID(bytes=value)) if len(value) == 16 else None for value in raw]
    try:
        return [value.decode() for value in raw]
    except UnicodeDecodeError:
        pass
    valid = node.valid()
    found: list[str | None] = []
    for row, value in enumerate(raw):
        if valid is not None and not valid[row]:
            found.append(None)
            continue
        try:
            found.append(value.decode())
        except UnicodeDecodeError:
            what = "text that is not UTF-8" if kind.format[-1] in "uU" else "bytes that are no text"
            raise ArrowError(f"holds {what}; leave the column out, or write it as text", row) from None
    return found


def _decimal(kind: Field, node: Node, _: bool) -> list[Any]:
    sizes = kind.format[2:].split(",")
    scale, width = int(sizes[1]), int(sizes[2]) // 8 if len(sizes) > 2 else 16
    data = node.buffer(1, np.uint8, node.length * width, node.offset * width)
    small = _small_decimals(data, scale, width)
    if small is not None:
        return small
    raw = data.tobytes()
    whole = (int.from_bytes(raw[at : at + width], "little", signed=True) for at in range(0, len(raw), width))
    return [decimal_value(_scaled(value, scale)) for value in whole]


def _small_decimals(data: Any, scale: int, width: int) -> list[Any] | None:
    """The decimals, if all have at most 15 digits: then the nearest float spells them, and one division finds it."""
    if width % 8 or not 0 <= scale <= 22:
        return None
    words = data.view(np.int64).reshape(-1, width // 8)
    low = words[:, 0]
    if (words[:, 1:] != (low >> 63)[:, None]).any() or (np.abs(low) >= 10**15).any():
        return None
    if not scale:
        return low.tolist()  # type: ignore[no-any-return]
    whole, rest = np.divmod(low, 10**scale) if scale < 19 else (np.zeros_like(low), low)
    floats = (low / 10.0**scale).tolist()
    return [
        value if part else integer for value, integer, part in zip(floats, whole.tolist(), rest.tolist(), strict=True)
    ]


def _scaled(value: int, scale: int) -> Decimal:
    """``value`` / 10**``scale``, exactly: the arithmetic of decimals would round to 28 digits."""
    return Decimal((int(value < 0), tuple(map(int, str(abs(value)))), -scale))


def _list(kind: Field, node: Node, top: bool) -> list[Any]:
    child = node.children[0]
    if kind.format[:3] in ("+vl", "+vL"):
        dtype = np.int64 if kind.format[2] == "L" else np.int32
        starts = node.buffer(1, dtype, node.length, node.offset).tolist()
        sizes = node.buffer(2, dtype, node.length, node.offset).tolist()
        if (valid := node.valid()) is not None:  # where a list is null its place may be anywhere
            starts = [start if keep else 0 for start, keep in zip(starts, valid.tolist(), strict=True)]
            sizes = [size if keep else 0 for size, keep in zip(sizes, valid.tolist(), strict=True)]
        stops = [start + size for start, size in zip(starts, sizes, strict=True)]
    elif kind.format[:2] == "+w":
        width = int(kind.format[3:])
        starts = list(range(node.offset * width, (node.offset + node.length) * width, width)) if width else []
        starts = starts or [0] * node.length
        stops = [start + width for start in starts]
    else:
        offsets = _offsets(kind, node)
        starts, stops = offsets[:-1], offsets[1:]
    low, high = (min(starts), max(stops)) if starts else (0, 0)
    inner = child.part(low, max(0, high - low))
    if top and kind.children[0].format == "f" and inner.valid() is None:
        numbers = inner.buffer(1, np.float32, inner.length, inner.offset).copy()
        return [numbers[a - low : b - low] for a, b in zip(starts, stops, strict=True)]
    values = decode(kind.children[0], inner)
    return [values[a - low : b - low] for a, b in zip(starts, stops, strict=True)]


def _struct(kind: Field, node: Node, _: bool) -> list[Any]:
    names = [child.name for child in kind.children]
    columns = [
        decode(child, part.part(node.offset, node.length))
        for child, part in zip(kind.children, node.children, strict=True)
    ]
    if not columns:
        return [{} for _ in range(node.length)]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _map(kind: Field, node: Node, _: bool) -> list[Any]:
    found = []
    for row, pairs in enumerate(_list(kind, node, False)):
        entries = {}
        for pair in pairs:
            key, value = pair.values()
            if not isinstance(key, str | int) or str(key) in entries:
                raise ArrowError("holds a map whose keys are not texts or whole numbers, each once", row)
            entries[str(key)] = value
        found.append(entries)
    return found


def _union(kind: Field, node: Node, _: bool) -> list[Any]:
    dense = kind.format[2] == "d"
    codes = [int(code) for code in kind.format[4:].split(",") if code]
    chosen = node.buffer(-2 if dense else -1, np.int8, node.length, node.offset).tolist()
    if dense:
        places = node.buffer(-1, np.int32, node.length, node.offset).tolist()
    else:
        places = range(node.offset, node.offset + node.length)
    columns = {code: decode(child, part) for code, child, part in zip(codes, kind.children, node.children, strict=True)}
    return [columns[code][place] for code, place in zip(chosen, places, strict=True)]


def _runs(kind: Field, node: Node, _: bool) -> list[Any]:
    ends = decode(kind.children[0], node.children[0])
    values = decode(kind.children[1], node.children[1])
    rows = np.searchsorted(ends, np.arange(node.offset, node.offset + node.length), side="right")
    return [values[row] for row in rows.tolist()]


_DECODERS: dict[str, _Decoder] = {
    "b": _boolean,
    **dict.fromkeys(("u", "U", "z", "Z", "vu", "vz", "w:"), _text),
    "d:": _decimal,
    "td": dates,
    "ts": timestamps,
    "tt": times,
    "tD": durations,
    **dict.fromkeys(("+l", "+L", "+w", "+vl", "+vL"), _list),
    "+s": _struct,
    "+m": _map,
    "+u": _union,
    "+r": _runs,
}
