"""Columns as numbers: each distinct value is stored once, in order, and a row has its place among them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.where.mask import clean, mask
from similia.index.where.tree import KINDS, Compare, Condition, Field, Kind, Not, Value, walk
from similia.index.workload.logic import holds
from similia.types import Bool, Int64

Codes: TypeAlias = npt.NDArray[np.int32]
_ORDERED = ("text", "integer", "number", "boolean", "date", "datetime")
_OPAQUE = ("json", "vector", "image")
_KNOWN = 10_000  # atoms whose truth is kept


class Column(NamedTuple):
    """The distinct values of a column, in order, and int32 (n,) which one each row has; ``len(values)`` if missing."""

    kind: Kind
    values: list[Any]
    codes: Codes


class Columns:
    """Typed columns of one length, on which conditions are evaluated: an atom once a value, not once a row.

    Args:
        columns: field name -> its n values, as in `similia.index.Predicate.mask`.
        fields: field name -> type.
        count: n.

    Raises:
        InputError: a field without a column or a column without a field, an unknown type, or another number of rows.

    Examples:
        >>> from similia.index import Predicate
        >>> fields = {"year": "integer"}
        >>> columns = Columns({"year": [2020, None, 2024, 2020]}, fields, 4)
        >>> columns.rows(Predicate.parse("year < 2022", fields).root, np.arange(4)).tolist()
        [True, False, False, True]
    """

    def __init__(self, columns: Mapping[str, Sequence[Any]], fields: Mapping[str, str], count: int) -> None:
        for name in [*fields, *columns]:
            if name not in columns or name not in fields:
                lacks = "column" if name in fields else "type in fields"
                raise InputError(f"{name!r} has no {lacks}; every field needs a type and a column of {count:,} values")
            if fields[name] not in KINDS:
                raise InputError(f"{name!r} is of type {fields[name]!r}; there are {', '.join(KINDS)}")
            if len(columns[name]) != count:
                raise InputError(f"{name!r} has {len(columns[name]):,} values; there are {count:,} vectors")
        self.count = count
        self.columns = {name: _column(columns[name], KINDS[kind]) for name, kind in fields.items()}
        self._truths: dict[Condition, tuple[Bool, Bool]] = {}

    def taken(self, order: Int64) -> Columns:
        """The same rows in another order, or some of them."""
        other = Columns({}, {}, len(order))
        other.columns = {
            name: Column(column.kind, column.values, column.codes[order]) for name, column in self.columns.items()
        }
        return other

    def rows(self, condition: Condition, at: Int64) -> Bool:
        """Which of the rows ``at`` pass, bool (m,)."""
        found = holds(condition, True, lambda atom, wanted: self.atom(atom, wanted, at))
        return np.broadcast_to(found, len(at))

    def atom(self, atom: Condition, wanted: bool, at: Int64) -> Bool:
        """At which of the rows ``at`` an atom is ``wanted``, bool (m,)."""
        names = self.fields(atom)
        if len(names) == 1:
            return self.truth(atom, wanted)[self.columns[names[0]].codes[at]]
        # An atom over several fields is evaluated once for each combination of their values.
        own = np.stack([np.zeros(len(at), np.int32), *(self.columns[name].codes[at] for name in names)])
        combined, back = np.unique(own, axis=1, return_inverse=True)
        given: dict[str, list[Any]] = {"": [None] * combined.shape[1]}
        for name, codes in zip(names, combined[1:], strict=True):
            values = [*self.columns[name].values, None]
            given[name] = [values[code] for code in codes.tolist()]
        return mask(atom if wanted else Not(atom), given)[back.ravel()]

    def fields(self, atom: Condition) -> tuple[str, ...]:
        """The names of the fields that an atom looks at.

        Raises:
            InputError: one is not there.
        """
        names = _fields(atom)
        for name in names:
            if name not in self.columns:
                raise InputError(f"the filter needs the column {name!r}; there are {', '.join(self.columns) or 'none'}")
        return names

    def truth(self, atom: Condition, wanted: bool) -> Bool:
        """For which values of its one field an atom is ``wanted``: bool (values + 1,), the last for a missing one."""
        known = self._truths.get(atom)
        if known is None:
            if len(self._truths) >= _KNOWN:
                self._truths.clear()
            known = self._truths[atom] = self._evaluated(atom)
        return known[0] if wanted else known[1]

    def _evaluated(self, atom: Condition) -> tuple[Bool, Bool]:
        (name,) = self.fields(atom)
        column = self.columns[name]
        if (true := _compared(atom, column)) is not None:
            false = ~true
            true[-1] = false[-1] = False
            return true, false
        given = {name: [*column.values, None]}
        return mask(atom, given), mask(Not(atom), given)


@lru_cache(_KNOWN)
def _fields(atom: Condition) -> tuple[str, ...]:
    return tuple(sorted({node.name for node in walk(atom) if isinstance(node, Field)}))


def _column(given: Sequence[Any], kind: Kind) -> Column:
    if kind in _OPAQUE:  # nothing but IS NULL looks at them
        missing = np.array([clean(value, kind) is None for value in given], np.int32)
        return Column(kind, [True], missing.reshape(len(given)))
    cleaned = [clean(value, kind) for value in given]
    keys = cleaned if kind in _ORDERED else [None if value is None else repr(value) for value in cleaned]
    distinct = {key: value for key, value in zip(keys, cleaned, strict=True) if key is not None}
    ordered = sorted(distinct)
    places: dict[Any, int] = {key: place for place, key in enumerate(ordered)} | {None: len(ordered)}
    codes = np.fromiter(map(places.__getitem__, keys), np.int32, len(keys))
    return Column(kind, [distinct[key] for key in ordered], codes)


def _compared(atom: Condition, column: Column) -> Bool | None:
    """Where a plain comparison with a literal is true, found by bisection; None for any other atom."""
    match atom:
        case Compare(sign, Field(), Value(value)) if column.kind in _ORDERED:
            low, high = bisect_left(column.values, value), bisect_right(column.values, value)
            place = np.arange(len(column.values) + 1)
            equal, less = (place >= low) & (place < high), place < low
            ways: dict[str, Bool] = {
                "=": equal,
                "<>": ~equal,
                "<": less,
                "<=": less | equal,
                ">": ~(less | equal),
                ">=": ~less,
            }
            return ways[sign]
    return None
