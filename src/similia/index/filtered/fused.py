"""Fused: one distance for vectors and attributes together.

Source: Wang et al., *An Efficient and Robust Framework for Approximate Nearest Neighbor Search with Attribute
Constraint* (NHQ, NeurIPS 2023). An attribute that differs adds a fixed amount to the squared distance, which is the
same as coordinates that say which value an item has; so the graph is an ordinary one, of longer points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from similia.errors import InputError
from similia.index.filtered.columns import Filter
from similia.index.filtered.ways import Asked, Found, Items, Walker, Way, linked_base, need_kernels, spaced
from similia.types import Float32

KINDS = ("category", "text", "integer", "boolean")
MOST = 512  # values of all attributes together


@dataclass(frozen=True)
class Fused:
    """A graph over vectors and attributes; serves ``=`` on all of its fields at once, joined by AND.

    Args:
        fields: the attributes.
        weight: what one that differs adds, in mean squared distances between two items.
        name: what it is called.
    """

    fields: Sequence[str]
    weight: float = 0.5
    name: str = "fused"

    def make(self, items: Items) -> Way:
        """Build the graph.

        Raises:
            InputError: no field, no such column, one without values to tell apart, or too many values.
        """
        if isinstance(self.fields, str) or not self.fields:
            raise InputError(f"fields are {self.fields!r}; they must be names of columns, as in Fused(('area',))")
        if not self.weight > 0:
            raise InputError(f"weight is {self.weight}; it must be above 0")
        items.columns.check(self.fields, KINDS, f"the strategy {self.name!r}")
        need_kernels(self.name)
        return _Fused(items, self)


class _Fused:
    def __init__(self, items: Items, plan: Fused) -> None:
        from similia.index.filtered.walk import Rule

        self._fields = tuple(plan.fields)
        values = {name: [items.columns.plain(name, item) for item in range(len(items))] for name in self._fields}
        self._places: dict[tuple[str, Any], int] = {}
        for name, column in values.items():
            for value in column:
                self._places.setdefault((name, value), len(self._places))
        if len(self._places) > MOST:
            raise InputError(f"{' and '.join(self._fields)} have {len(self._places)} values; {MOST} are the most")
        points = items.space.points
        spread = (2 * float(points.var(axis=0, dtype=np.float64).sum()) if len(points) else 0) or 1.0
        self._step = np.float32(np.sqrt(plan.weight * spread / 2))  # two coordinates differ where a value does
        marks = np.zeros((len(points), len(self._places)), np.float32)
        for name, column in values.items():
            marks[np.arange(len(points)), [self._places[name, value] for value in column]] = self._step
        longer = np.concatenate((points, marks), axis=1)
        base = linked_base(longer, "l2", items.seed)
        self._starts, self._walker = spaced(base.order), Walker(longer, base.links[None])
        self._all = np.ones(len(points), np.bool_)
        self._rule = Rule(base.links.shape[1], base.links.shape[1])

    def supports(self, asked: Filter) -> str:
        equal = asked.equalities()
        if equal is None or {*equal} != {*self._fields}:
            return f"it serves = on {' and '.join(self._fields)} together"
        return ""

    def search(self, asked: Asked) -> Found:
        passing, rows = asked.filter.passing, asked.filter.rows
        longer = np.concatenate(
            (asked.queries, self._marked(asked.filter.equalities() or {}, len(asked.queries))), axis=1
        )
        return self._walker(longer, self._rule, self._all, passing, rows, self._starts, asked.effort, asked.budget)

    def _marked(self, equal: Any, count: int) -> Float32:
        marks = np.zeros((count, len(self._places)), np.float32)
        for place in (self._places.get(asked) for asked in equal.items()):
            if place is not None:
                marks[:, place] = self._step
        return marks
