"""What is known of all rows of a leaf, and what it says of a filter without looking at any row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from similia.index.where.tree import Condition
from similia.index.workload.columns import Columns
from similia.index.workload.logic import holds
from similia.types import Bool, Int64

_LISTED = 1024  # values of a column that are told apart; of more, the lowest and the highest are kept
_KNOWN = 10_000  # atoms whose leaves are kept


class _Span(NamedTuple):
    """Codes int64 (leaves,) of the lowest and highest value, and bool (leaves,) whether one is missing."""

    low: Int64
    high: Int64
    missing: Bool


class Description:
    """For each leaf, which values each column has, or for columns of many values the range, and whether one is missing.

    Args:
        columns: of the rows.
        leaf: int64 (n,), the leaf of each row.
        leaves: how many there are; none is empty.

    Examples:
        >>> from similia.index import Predicate
        >>> fields = {"year": "integer"}
        >>> columns = Columns({"year": [2020, 2021, 2024, None]}, fields, 4)
        >>> leaves = Description(columns, np.array([0, 0, 1, 1]), 2)
        >>> recent = Predicate.parse("year > 2021", fields).root
        >>> leaves.some(recent).tolist(), leaves.every(recent).tolist()
        ([False, True], [False, False])
    """

    def __init__(self, columns: Columns, leaf: Int64, leaves: int) -> None:
        self.leaves = leaves
        self._columns = columns
        self._known: dict[str, Bool | _Span] = {}
        self._atoms: dict[tuple[Condition, bool], tuple[Bool, Bool]] = {}
        for name, column in columns.columns.items():
            distinct = len(column.values)
            if distinct < _LISTED:
                present = np.zeros((leaves, distinct + 1), np.bool_)
                present[leaf, column.codes] = True
                self._known[name] = present
                continue
            missing = column.codes == distinct
            low, high = np.full(leaves, distinct, np.int64), np.full(leaves, -1, np.int64)
            np.minimum.at(low, leaf, column.codes)
            np.maximum.at(high, leaf[~missing], column.codes[~missing])
            self._known[name] = _Span(low, high, np.bincount(leaf[missing], minlength=leaves) > 0)

    def some(self, condition: Condition) -> Bool:
        """Leaves of which some row may pass, bool (leaves,): no row of any other leaf does."""
        return np.broadcast_to(holds(condition, True, self._some), self.leaves)

    def every(self, condition: Condition) -> Bool:
        """Leaves of which every row passes for sure, bool (leaves,)."""
        return np.broadcast_to(holds(condition, True, self._every), self.leaves)

    def _some(self, atom: Condition, wanted: bool) -> Bool:
        return self._atom(atom, wanted)[0]

    def _every(self, atom: Condition, wanted: bool) -> Bool:
        return self._atom(atom, wanted)[1]

    def _atom(self, atom: Condition, wanted: bool) -> tuple[Bool, Bool]:
        """Leaves of which some row may have an atom so, and all have."""
        known = self._atoms.get((atom, wanted))
        if known is None:
            if len(self._atoms) >= _KNOWN:
                self._atoms.clear()
            known = self._atoms[atom, wanted] = self._evaluated(atom, wanted)
        return known

    def _evaluated(self, atom: Condition, wanted: bool) -> tuple[Bool, Bool]:
        names = self._columns.fields(atom)
        if len(names) != 1:
            return np.ones(self.leaves, np.bool_), np.zeros(self.leaves, np.bool_)
        values = self._columns.truth(atom, wanted)
        return self._any(names[0], values), ~self._any(names[0], ~values)

    def _any(self, name: str, values: Bool) -> Bool:
        """Leaves that may have one of these values of a column."""
        known = self._known[name]
        if not isinstance(known, _Span):
            return np.asarray(known[:, values].any(axis=1))
        before = np.concatenate(([0], np.cumsum(values[:-1])))
        low = np.minimum(known.low, known.high + 1)  # equal, and so none between, where all are missing
        return np.asarray((before[known.high + 1] > before[low]) | (known.missing & values[-1]))
