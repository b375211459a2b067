"""Ranges of one ordered attribute: a graph for each half of each half of its order, put together when asked.

Source: Xu, Tao et al., *iRangeGraph: Improvising Range-dedicated Graphs for Range-filtering Nearest Neighbor Search*
(SIGMOD 2025). Where SeRF (Zuo et al., SIGMOD 2024) gives each link the life of a range, here each link belongs to a
range of fixed bounds, and the links of the graph that a range would have had are picked from those that make it up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from similia.index.filtered.columns import Columns, Filter
from similia.index.filtered.ways import Asked, Found, Items, Walker, Way, need_kernels, spaced
from similia.types import Int64

KINDS = ("integer", "number", "date", "datetime", "text", "category", "boolean")
_BEAM = 48
_ENTRIES = 4  # neighbours in the order are no neighbours in space: more of them would begin no nearer


@dataclass(frozen=True)
class Range:
    """A graph of halves over one attribute; it serves filters that pass one range of its values.

    Args:
        field: the attribute; items that have none are in no range.
        degree: links an item and half.
        name: what it is called.
    """

    field: str
    degree: int = 16
    name: str = "range"

    def make(self, items: Items) -> Way:
        """Build the graphs.

        Raises:
            InputError: there is no such column, or it has no order.
        """
        items.columns.check([self.field], KINDS, f"the strategy {self.name!r}")
        need_kernels(self.name)
        return _Range(items, self)


class _Range:
    def __init__(self, items: Items, plan: Range) -> None:
        from similia.index.filtered.halves import build

        self._field = plan.field
        self._order = in_order(items.columns, plan.field)
        points = items.space.points[self._order]
        self._walker = Walker(points, build(points, plan.degree, _BEAM))
        self._degree = plan.degree

    def supports(self, asked: Filter) -> str:
        if asked.predicate is None:
            return f"it serves ranges of {self._field}, and no filter is written"
        others = sorted(asked.predicate.fields - {self._field})
        if others:
            return f"it serves ranges of {self._field} alone, and the filter looks at {others[0]}"
        low, high = self._bounds(asked)
        if high - low != len(asked.rows):
            return f"it serves one range of {self._field}, and what passes is none"
        return ""

    def _bounds(self, asked: Filter) -> tuple[int, int]:
        """The places in the order from the first to after the last that passes."""
        inside = np.flatnonzero(asked.passing[self._order])
        return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)

    def search(self, asked: Asked) -> Found:
        from similia.index.filtered.walk import Rule

        low, high = self._bounds(asked.filter)
        rest = np.arange(low, high, dtype=np.int32)
        within = np.zeros(len(self._order), np.bool_)
        within[low:high] = True
        rule = Rule(0, self._degree, 0, low, high)
        found = self._walker(
            asked.queries, rule, within, within, rest, spaced(rest, _ENTRIES), asked.effort, asked.budget
        )
        return found._replace(columns=self._order[found.columns])


def in_order(columns: Columns, field: str) -> Int64:
    """The positions of items that have a value, by that value; equal ones by position."""
    there = np.flatnonzero(columns.present(field)).tolist()
    return np.array(sorted(there, key=lambda item: columns.plain(field, item)), np.int64)
