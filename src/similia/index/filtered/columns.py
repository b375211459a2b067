"""What is known of the items beside their vectors: typed columns, and which items pass a filter."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.inputs import as_mask
from similia.index.where import Predicate
from similia.index.where.text import name as written
from similia.index.where.tree import And, Compare, Condition, Contains, Field, OneOf, Or, Scalar, Value
from similia.types import Bool

if TYPE_CHECKING:
    from similia.index.graph.prune import Int32

Shape: TypeAlias = Literal["label", "labels", "range", "other"]


_KEPT = 512  # filters whose answer is kept
_TYPES: tuple[tuple[Any, str], ...] = (
    ((bool, np.bool_), "boolean"),
    ((int, np.integer), "integer"),
    ((float, np.floating), "number"),
    (str, "category"),
    (datetime, "datetime"),
    (date, "date"),
    ((list, tuple, np.ndarray), "list"),
)


@dataclass(frozen=True, eq=False)
class Filter:
    """A filter, and what passes it.

    Attributes:
        predicate: as it was written; None where only its answer was given.
        passing: bool (n,).
    """

    predicate: Predicate | None
    passing: Bool

    @functools.cached_property
    def rows(self) -> Int32:
        """The positions that pass, rising."""
        return np.flatnonzero(self.passing).astype(np.int32)

    @property
    def share(self) -> float:
        """Of the items, that pass; measured, not estimated."""
        return len(self.rows) / max(1, len(self.passing))

    @functools.cached_property
    def shape(self) -> Shape:
        """What it asks for: one label or one of several, several labels at once, one range, or something else."""
        if self.predicate is None:
            return "other"
        tests = self.predicate.root.terms if isinstance(self.predicate.root, And) else (self.predicate.root,)
        if all(_any_of(test) is not None for test in tests):
            return "label" if len(tests) == 1 else "labels"
        compared = len(self.predicate.fields) == 1 and all(isinstance(test, Compare) for test in tests)
        return "range" if compared else "other"

    def labels(self) -> Mapping[str, set[Scalar]] | None:
        """Field -> values of which an item must have one, where the filter says nothing else; None otherwise."""
        return None if self.predicate is None else _any_of(self.predicate.root)

    def equalities(self) -> Mapping[str, Scalar] | None:
        """Field -> value that it must equal, where the filter is a conjunction of such; None otherwise."""
        return None if self.predicate is None else _all_of(self.predicate.root)

    def contained(self) -> Mapping[str, set[Scalar]] | None:
        """Field -> values that its list must all hold, where the filter says nothing else; None otherwise."""
        return None if self.predicate is None else _held(self.predicate.root)


def _held(root: Condition) -> Mapping[str, set[Scalar]] | None:
    joined: dict[str, set[Scalar]] = {}
    for term in root.terms if isinstance(root, And) else (root,):
        match term:
            case Contains(Field(name), Value(value)):
                joined.setdefault(name, set()).add(value)
            case _:
                return None
    return joined


def _any_of(root: Condition) -> Mapping[str, set[Scalar]] | None:
    match root:
        case Compare("=", Field(name), Value(value)) | Contains(Field(name), Value(value)):
            return {name: {value}}
        case OneOf(Field(name), options, _):
            return {name: {option.value for option in options}}
        case Or(terms):
            joined: dict[str, set[Scalar]] = {}
            for term in terms:
                found = _any_of(term)
                if found is None:
                    return None
                for name, values in found.items():
                    joined.setdefault(name, set()).update(values)
            return joined
    return None


def _all_of(root: Condition) -> Mapping[str, Scalar] | None:
    joined: dict[str, Scalar] = {}
    for term in root.terms if isinstance(root, And) else (root,):
        match term:
            case Compare("=", Field(name), Value(value)) if joined.get(name, value) == value:
                joined[name] = value
            case _:
                return None
    return joined


class Columns:
    """Named columns of one length.

    Args:
        given: name -> its values, one an item; None and NaN are missing.
        types: name -> type, as the filter language knows them; what is left out is told from the first value.
        count: items.

    Raises:
        InputError: a column of another length, or of a type that cannot be told.

    Examples:
        >>> columns = Columns({"year": [2019, 2021, None], "tags": [["a"], [], ["a", "b"]]}, None, 3)
        >>> columns.types
        {'year': 'integer', 'tags': 'list'}
        >>> columns.filter("year >= 2020 OR contains(tags, 'b')").rows.tolist()
        [1, 2]
    """

    def __init__(self, given: Mapping[str, Sequence[Any]], types: Mapping[str, str] | None, count: int) -> None:
        self.count, self.values = count, {name: list(column) for name, column in given.items()}
        for name, column in self.values.items():
            if len(column) != count:
                raise InputError(f"the column {name!r} has {len(column)} values; there are {count} items")
        known = dict(types or {})
        unknown = sorted(known.keys() - self.values.keys())
        if unknown:
            raise InputError(f"the field {unknown[0]!r} has a type and no column")
        self.types = {name: known.get(name) or _type(name, column) for name, column in self.values.items()}
        self._written: Callable[[str | Predicate], Filter] = functools.lru_cache(_KEPT)(self._read)

    def filter(self, where: str | Predicate | npt.ArrayLike | None) -> Filter:
        """What passes.

        Args:
            where: a filter as text or read already, bool (n,), or None for no filter.

        Raises:
            InputError: it does not fit the columns.
        """
        if where is None:
            return Filter(None, np.ones(self.count, np.bool_))
        if isinstance(where, str | Predicate):
            return self._written(where)
        return Filter(None, as_mask(where, self.count, "an item"))

    def present(self, name: str) -> Bool:
        """Where a column has a value, bool (n,)."""
        return self.filter(f"{written(name)} IS NOT NULL").passing

    def plain(self, name: str, item: int) -> Any:
        """A value as filters write it: dates as ISO-8601 text, numbers of NumPy as those of Python."""
        value = self.values[name][item]
        if isinstance(value, np.datetime64):
            return str(value)
        if isinstance(value, np.generic):
            return value.item()
        return value.isoformat() if isinstance(value, date) else value

    def check(self, names: Iterable[str], kinds: Iterable[str], use: str) -> None:
        """Refuse a name that is no column, or one of another type than ``kinds``."""
        for name in names:
            if name not in self.values:
                raise InputError(f"there is no column {name!r} for {use}; there are {', '.join(self.values) or 'none'}")
            if self.types[name] not in kinds:
                raise InputError(f"{use} takes a column of type {', '.join(kinds)}; {name!r} is {self.types[name]}")

    def _read(self, where: str | Predicate) -> Filter:
        predicate = Predicate.parse(where, self.types) if isinstance(where, str) else where
        if not predicate.fields:  # TRUE and FALSE look at no column, and so do not know how many items there are
            places = {"": [None] * self.count}
            return Filter(predicate, predicate.mask(places))
        return Filter(predicate, predicate.mask(self.values))


def _type(name: str, column: Sequence[Any]) -> str:
    first = next((value for value in column if value is not None and not _nan(value)), None)
    for kinds, called in _TYPES:
        if first is not None and isinstance(first, kinds):
            return called
    if first is None:
        return "text"
    raise InputError(
        f"the column {name!r} holds {type(first).__name__}, which no filter knows; convert it, or say types"
    )


def _nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
