"""The type of a field from all its values, in constant memory.

Each value has a kind; a field's type is the least type that holds all the kinds that were seen, so that it does not
matter in which order the values come or how they are cut into batches:

| kinds seen (null apart) | type |
| --- | --- |
| none | what the format declares, else text |
| boolean | boolean |
| integer | integer |
| integer, number (and NaN and infinity beside them) | number |
| date | date |
| date, datetime | datetime |
| vectors of one length, at least 8 | vector |
| lists of plain values | list |
| objects, lists in lists, lists or objects beside plain values | json |
| strings; any other mixture of plain values | category, if short and few distinct ones, else text |
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from similia.collection.sources.jsontext import parse_value
from similia.collection.sources.values import INT64, cell_kind, moment_kind
from similia.errors import SourceError

TYPES = (
    "text",
    "category",
    "integer",
    "number",
    "boolean",
    "date",
    "datetime",
    "list",
    "json",
    "vector",
    "image",
)
"""Every type that a field may have."""

CATEGORY_LENGTH = 64
"""Characters that a value of a category has at most."""

CATEGORY_VALUES = 1000
"""Distinct values that a category has at most; each must also occur twice on average."""

VECTOR_LENGTH = 8
"""Numbers that a list needs at least to be taken for a vector without being told."""

_FLOAT32_MAX = float(np.finfo(np.float32).max)


def join(kinds: frozenset[str]) -> str | None:
    """Return the least type that holds all ``kinds``, or None for none.

    Examples:
        >>> join(frozenset({"integer", "number"})), join(frozenset({"integer", "text"})), join(frozenset())
        ('number', 'text', None)
    """
    if not kinds:
        return None
    if kinds & {"vector", "list", "json"}:
        return "vector" if kinds == {"vector"} else "list" if kinds <= {"vector", "list"} else "json"
    if kinds <= {"integer", "number", "special"} and kinds != {"special"}:
        return "integer" if kinds == {"integer"} else "number"
    if kinds <= {"date", "datetime"}:
        return "date" if kinds == {"date"} else "datetime"
    return "boolean" if kinds == {"boolean"} else "text"


class Column:
    """What is known about one field so far.

    Examples:
        >>> column = Column("year")
        >>> column.observe([1999, None, 2001])
        >>> column.type(), column.nulls
        ('integer', 1)
        >>> column.observe(["unknown"])
        >>> column.type()
        'text'
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.kinds: set[str] = set()
        self.cell_kinds: set[str] = set()
        self.count = 0
        self.nulls = 0
        self.longest = 0
        self.plain_strings = True
        self.padded = False
        self.example: Any = None
        self._distinct: set[str] | None = set()
        self._width: int | None = None

    def observe(self, values: Sequence[Any], *, textual: bool = False) -> None:
        """Take in some values; None is null.

        Args:
            values: JSON-like values or float32 arrays (d,).
            textual: the values are cells, whose text is to be read.
        """
        self.count += len(values)
        kinds = set(map(type, values))
        if type(None) in kinds:
            kinds.remove(type(None))
            present = [value for value in values if value is not None]
            self.nulls += len(values) - len(present)
            values = present
        if self.example is None and values:
            self.example = values[0]
        for kind in kinds:
            some: Sequence[Any] = values if len(kinds) == 1 else [value for value in values if type(value) is kind]
            if kind is str:
                self._strings(some, textual)
                continue
            self.plain_strings = False
            if kind is bool:
                self.kinds.add("boolean")
            elif kind is int:
                self.kinds.add("integer" if min(some) in INT64 and max(some) in INT64 else "number")
            elif kind is float:
                self.kinds.add("number")
            elif kind is list:
                self.kinds |= self._lists(some)
            elif kind is dict:
                self.kinds.add("json")
            elif kind is np.ndarray:
                self._arrays(some)
            else:  # readers let nothing else through
                raise SourceError(f"field {self.name!r} holds a value of type {kind.__name__}, which no type fits")

    def take(self, values: Sequence[Any]) -> None:
        """Take in values that a schema gave their type."""
        self.count += len(values)
        self.nulls += sum(value is None for value in values)
        if self.example is None:
            self.example = next((value for value in values if value is not None), None)

    def cell_type(self) -> str | None:
        """Return what the cells of textual formats are read as; a single cell of text makes them all text."""
        if self.cell_kinds & {"vector", "list", "json"} and self.cell_kinds - {"vector", "list", "json"}:
            return "text"
        return join(frozenset(self.cell_kinds))

    def type(self, declared: str | None = None) -> str:
        """Return the type that fits all the values seen.

        Args:
            declared: what the format says, used where the values do not tell.
        """
        cells = self.cell_type()
        found = join(frozenset(self.kinds | ({cells} if cells else set())))
        if found is None:
            return declared or "text"
        if found == "text":
            if declared in ("text", "category"):
                return declared
            return "category" if self._is_category() else "text"
        return found

    def _is_category(self) -> bool:
        if self._distinct is None or not self.plain_strings:
            return False
        return 2 * len(self._distinct) <= self.count - self.nulls

    def _strings(self, values: Sequence[str], textual: bool) -> None:
        if self._distinct is not None:
            self._distinct.update(values)
            self.longest = max(self.longest, max(map(len, values)))
            if len(self._distinct) > CATEGORY_VALUES or self.longest > CATEGORY_LENGTH:
                self._distinct = None
        if textual:
            self._cells(values)
        elif "text" not in self.kinds:
            self.kinds.update(map(moment_kind, values))

    def _cells(self, values: Sequence[str]) -> None:
        if "text" in self.cell_kinds:
            return
        found = {value: cell_kind(value) for value in set(values)}
        kinds = set(found.values())
        if "list" in kinds:
            kinds.remove("list")
            kinds |= self._lists([parse_value(value.encode()) for value, kind in found.items() if kind == "list"])
        self.cell_kinds |= kinds
        self.padded = self.padded or any(value[0] == " " or value[-1] == " " for value in found)

    def _lists(self, values: Sequence[list[Any]]) -> set[str]:
        inner = set(map(type, chain.from_iterable(values)))
        if inner & {list, dict}:
            return {"json"}
        if inner <= {int, float} and self._one_width(set(map(len, values))) and _is_finite32(values):
            return {"vector"}
        self._width = -1
        return {"list"}

    def _arrays(self, values: Sequence[Any]) -> None:
        fits = self._one_width(set(map(len, values))) and bool(np.isfinite(np.concatenate(values)).all())
        if not fits:
            self._width = -1
        self.kinds.add("vector" if fits else "list")

    def _one_width(self, widths: set[int]) -> bool:
        if self._width is None and len(widths) == 1 and min(widths) >= VECTOR_LENGTH:
            self._width = min(widths)
        return widths == {self._width}


def _is_finite32(values: Sequence[list[Any]]) -> bool:
    """Whether every number is finite as a 32-bit float."""
    try:
        numbers = np.fromiter(chain.from_iterable(values), np.float64, sum(map(len, values)))
    except OverflowError:
        return False
    return bool((np.abs(numbers) <= _FLOAT32_MAX).all())
