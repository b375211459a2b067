"""Rows that are in memory: lists and iterators of dicts, pandas frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import Any
from uuid import UUID

from similia.collection.sources.chunk import Chunk, located, skipped
from similia.collection.sources.jsontext import MAX_DEPTH, TOO_DEEP
from similia.collection.sources.values import decimal_value
from similia.errors import SourceError

ROWS = 1000
"""Rows that are turned at a time."""

_PLAIN = frozenset({int, float, bool, type(None)})


def plain(value: Any, depth: int = 0) -> Any:
    """Return a Python value as a JSON-like one.

    NumPy scalars and arrays, dates and times, decimals, UUIDs, paths, enums, tuples and sets are taken in; a datetime
    with a time zone is turned to UTC.

    Raises:
        ValueError: for anything else, with what it is.

    Examples:
        >>> plain((date(1969, 7, 20), Decimal("0.5"), {"b": {1}}))
        ['1969-07-20', 0.5, {'b': [1]}]
        >>> plain(object())
        Traceback (most recent call last):
        ValueError: an object of type object is no value that can be stored; turn it into text, numbers, lists or dicts
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is str:
        return _text(value)
    if kind is list or kind is tuple:
        if depth >= MAX_DEPTH:
            raise ValueError(f"it {TOO_DEEP}")
        return [plain(inner, depth + 1) for inner in value]
    if isinstance(value, Mapping):
        return _object(value, depth + 1)
    if isinstance(value, Enum):
        return plain(value.value)
    if kind.__module__.partition(".")[0] in ("numpy", "pandas") or hasattr(value, "tolist"):
        return _from_numpy(value)
    if isinstance(value, datetime):
        aware = value.tzinfo is not None and value.utcoffset() is not None
        return (value.astimezone(UTC) if aware else value).replace(tzinfo=None).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return decimal_value(value)
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    if isinstance(value, UUID | PurePath):
        return _text(str(value))
    if isinstance(value, set | frozenset):
        return sorted((plain(inner, depth + 1) for inner in value), key=repr)
    for simple in (str, int, float):
        if isinstance(value, simple):
            return plain(simple(value))
    raise ValueError(
        f"an object of type {kind.__name__} is no value that can be stored; turn it into text, numbers, lists or dicts"
    )


def _text(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            half = ord(value[error.start])
            raise ValueError(f"a string holds U+{half:04X}, half of a surrogate pair, which is no character") from None
    return value


def _object(value: Mapping[Any, Any], depth: int = 1) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise ValueError(f"it {TOO_DEEP}")
    for name in value:
        if type(name) is not str:
            raise ValueError(f"the key {name!r} is of type {type(name).__name__}; keys are strings")
        _text(name)
    return {name: plain(inner, depth) for name, inner in value.items()}


def _from_numpy(value: Any) -> Any:
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if type(value).__name__ == "Timestamp":
        return plain(value.to_pydatetime(warn=False)) if not value.nanosecond else _fine(value)
    if type(value).__name__ == "datetime64":
        # To nanoseconds an integer would come out of item(); text keeps them.
        text = str(value)
        return None if text == "NaT" else text
    if type(value).__name__ == "Timedelta":
        return plain(value.to_pytimedelta())
    if hasattr(value, "tolist"):
        found = value.tolist()
        if type(found) is type(value):
            raise ValueError(f"an object of type {type(value).__name__} is no value that can be stored")
        return plain(found)
    raise ValueError(f"an object of type {type(value).__name__} is no value that can be stored")


def _fine(value: Any) -> str:
    aware = value.tzinfo is not None
    text: str = (value.tz_convert("UTC").tz_localize(None) if aware else value).isoformat()
    return text


def _plain_row(row: Any, name: str, number: int) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        message = f"{type(row).__name__} stands where a dict is needed: {{'field': value, ...}}"
        raise located(message, name, number, "row")
    try:
        return _object(row)
    except ValueError as error:
        field = next((key for key, value in row.items() if not _is_plain(value)), None)
        where = "" if field is None else f"field {field!r}: "
        raise located(f"{where}{error}", name, number, "row") from None


def _is_plain(value: Any) -> bool:
    try:
        plain(value)
    except ValueError:
        return False
    return True


def plain_chunks(rows: Iterable[Any], name: str) -> Iterator[Chunk]:
    """The rows of an iterable of dicts, a thousand at a time."""
    source, number = iter(rows), 1
    while some := list(islice(source, ROWS)):
        places = range(number, number + len(some))
        yield Chunk(
            [_plain_row(row, name, place) for row, place in zip(some, places, strict=True)], name, places, "row"
        )
        number += len(some)


class Rows:
    """An iterable of dicts, read from its beginning each time; an iterator belongs into a `Spooled`.

    Args:
        rows: the dicts.
        name: what messages call them.
    """

    declared: Mapping[str, str] = {}
    notes: Sequence[str] = ()

    def __init__(self, rows: Iterable[Any], name: str) -> None:
        self._rows, self.name = rows, name

    def read(self, skip: int = 0) -> Iterator[Chunk]:
        """The rows from number ``skip`` on."""
        return skipped(plain_chunks(self._rows, self.name), skip)

    def identity(self) -> str | None:
        """None: the rows tell."""
        return None

    def close(self) -> None:
        """Nothing is held."""


class PandasFrame:
    """A pandas frame, without pyarrow; NaN, NaT and NA are null, as pandas means them, and a named index is a field."""

    declared: Mapping[str, str] = {}
    notes: Sequence[str] = ()

    def __init__(self, frame: Any, name: str) -> None:
        self._frame, self.name = frame, name
        if any(label is not None for label in frame.index.names):
            self._frame = frame.reset_index()
        labels = list(self._frame.columns)
        wrong = next((label for label in labels if not isinstance(label, str)), None)
        if wrong is not None:
            raise SourceError(f"the column label {wrong!r} is no string; rename the columns", source=name)
        twice = next((label for place, label in enumerate(labels) if label in labels[:place]), None)
        if twice is not None:
            raise SourceError(f"two columns are called {twice!r}; give every column a name of its own", source=name)
        self.declared = {
            label: "category" for label in labels if str(self._frame[label].dtype) == "category"
        }  # as text where the categories are strings

    def read(self, skip: int = 0) -> Iterator[Chunk]:
        """The rows from number ``skip`` on."""
        for start in range(skip, len(self._frame), ROWS):
            part = self._frame.iloc[start : start + ROWS].to_dict("records")
            rows = [{key: None if _is_missing(value) else value for key, value in row.items()} for row in part]
            places = range(start + 1, start + 1 + len(rows))
            found = [_plain_row(row, self.name, place) for row, place in zip(rows, places, strict=True)]
            yield Chunk(found, self.name, places, "row")

    def identity(self) -> str | None:
        """None: the rows tell."""
        return None

    def close(self) -> None:
        """Nothing is held."""


def _is_missing(value: Any) -> bool:
    return isinstance(value, float) and value != value
