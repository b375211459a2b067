"""From the values that a reader gives to the values of a field's type, or a sentence why one does not fit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

import numpy as np

from similia.collection.sources.chunk import nearest
from similia.collection.sources.infer import TYPES
from similia.collection.sources.jsontext import JsonError, parse_value
from similia.collection.sources.values import INT64, cell_number, date_text, datetime_text, render
from similia.errors import SourceError

Convert: TypeAlias = Callable[[Any], Any]

_TEXTS = ("text", "category")
_TRUE, _FALSE = frozenset({"true", "yes", "t", "y", "1"}), frozenset({"false", "no", "f", "n", "0"})


def check_schema(schema: Mapping[str, str] | None) -> dict[str, str]:
    """Return a schema whose every type exists.

    Examples:
        >>> check_schema({"year": "int"})
        Traceback (most recent call last):
        similia.errors.SourceError: field 'year' cannot be of type 'int': did you mean 'integer'? There is: text,
            category, integer, number, boolean, date, datetime, list, json, vector, image
    """
    for field, kind in (schema or {}).items():
        if kind not in TYPES:
            raise SourceError(f"field {field!r} cannot be of type {kind!r}: {nearest(kind, TYPES)}")
    return dict(schema or {})


def cell_reader(kind: str) -> Convert | None:
    """Return what turns a cell into the value of the type that the whole column was found to have."""
    readers: dict[str, Convert] = {
        "integer": int,
        "number": cell_number,
        "boolean": lambda cell: cell.strip(" ").lower() == "true",
        "date": lambda cell: cell.strip(" "),
        "list": _json_cell,
        "json": _json_cell,
        "vector": _json_cell,
    }
    return readers.get(kind)


def widener(kind: str, *, mixed: bool) -> Convert | None:
    """Return what turns a value of a narrower kind into one of the type that was found; None changes nothing.

    Args:
        kind: the type of the field.
        mixed: whether some of the values are not strings.
    """
    if kind == "datetime":
        return datetime_text
    if kind in _TEXTS and mixed:
        return render
    if kind in ("list", "json"):
        return _plain
    return None


def forced(kind: str) -> Convert:
    """Return what turns any value into the type that a schema asks for, for one pass over the values.

    It raises ValueError with what would be accepted where a value does not fit.

    Examples:
        >>> forced("integer")("007"), forced("boolean")("yes"), forced("text")(5)
        (7, True, '5')
        >>> forced("integer")("seven")
        Traceback (most recent call last):
        ValueError: a whole number of at most 64 bits is needed
    """
    return _vector() if kind == "vector" else _FORCED[kind]


def _json_cell(cell: str) -> Any:
    return parse_value(cell.encode())


def _forced_json(cell: str) -> Any:
    try:
        return _json_cell(cell)
    except JsonError as error:
        raise ValueError(f"JSON is needed, but it {error}") from None


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _integer(value: Any) -> int:
    if isinstance(value, str):
        value = _spelled_number(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or value not in INT64:
        raise ValueError("a whole number of at most 64 bits is needed")
    return value


def _number(value: Any) -> int | float:
    if isinstance(value, str):
        value = _spelled_number(value)
    if type(value) not in (int, float):
        raise ValueError("a number is needed, with a point before the decimals")
    return value  # type: ignore[no-any-return]


def _spelled_number(text: str) -> int | float | None:
    """The number that a string spells, leading zeros and plus signs allowed."""
    for read in (int, float):
        try:
            return read(text) if "_" not in text else None
        except ValueError:
            continue
    return None


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else str(value) if type(value) is int else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError("true or false is needed; also taken are yes and no, t and f, y and n, 1 and 0")


def _date(value: Any) -> str:
    text = date_text(value) if isinstance(value, str) else None
    if text is None:
        raise ValueError("a date is needed, written like 2025-03-01")
    return text


def _datetime(value: Any) -> str:
    text = datetime_text(value) if isinstance(value, str) else None
    if text is None:
        raise ValueError("a date and time is needed, written like 2025-03-01T10:20:30 or 2025-03-01T10:20:30+02:00")
    return text


def _list(value: Any) -> list[Any]:
    value = _plain(value)
    if not isinstance(value, list):
        raise ValueError('a list is needed, written as in JSON: ["a", "b"]')
    return value


def _vector() -> Convert:
    """A converter that holds all vectors of a column to the length of the first."""
    width: list[int] = []

    def vector(value: Any) -> Any:
        try:
            if isinstance(value, list) and set(map(type, value)) - {int, float}:
                raise ValueError
            numbers = np.asarray(value, dtype=np.float64) if isinstance(value, list | np.ndarray) else None
        except (OverflowError, ValueError):
            numbers = None
        if numbers is None or numbers.ndim != 1 or not len(numbers):
            raise ValueError("a list of numbers is needed")
        if not (np.abs(numbers) <= np.finfo(np.float32).max).all():
            raise ValueError("every number of a vector must be finite, as a 32-bit float too")
        if not width:
            width.append(len(numbers))
        if len(numbers) != width[0]:
            raise ValueError(f"a vector of {width[0]} numbers is needed as in the rows before, not of {len(numbers)}")
        return value

    return vector


def _image(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("the path of an image is needed")
    return value


_FORCED: dict[str, Convert] = {
    "text": render,
    "category": render,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "list": _list,
    "json": _plain,
    "image": _image,
}


def conversions(
    types: Mapping[str, str],
    schema: Mapping[str, str],
    *,
    textual: bool,
    cells: Mapping[str, str],
    mixed: Collection[str],
) -> dict[str, tuple[Convert, ...]]:
    """Return what has to be done to the values of each field, for one pass; fields left as they are are not named.

    Args:
        types: the type of every field.
        schema: the types that were asked for.
        textual: the values are cells.
        cells: what the cells of a field were found to be.
        mixed: the fields where not every value is a string.
    """
    found: dict[str, tuple[Convert, ...]] = {}
    for field, kind in types.items():
        if field in schema:
            steps: tuple[Convert | None, ...] = (
                _forced_json if textual and kind in ("list", "json", "vector") else None,
                forced(kind),
            )
        elif textual:
            # As text a cell stays what it is, whatever the cells of this file alone would have been.
            steps = () if kind in _TEXTS else (cell_reader(cells.get(field, kind)), widener(kind, mixed=False))
        else:
            steps = (widener(kind, mixed=field in mixed),)
        if any(steps):
            found[field] = tuple(step for step in steps if step is not None)
    return found
