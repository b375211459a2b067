"""Labels: a graph for each label, stitched together such that a walk need not leave what has the label.

Source: Gollapudi et al., *Filtered-DiskANN: Graph Algorithms for Approximate Nearest Neighbor Search with Filters*
(WWW 2023): Stitched-Vamana, and its prune, which keeps a link unless another serves all labels that its ends share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from similia.errors import InputError
from similia.index.filtered.columns import Filter
from similia.index.filtered.ways import Asked, Found, Items, Walker, Way, need_kernels
from similia.types import Float32, Int64

if TYPE_CHECKING:
    from similia.index.graph.prune import Int32

KINDS = ("category", "text", "integer", "boolean", "list")
_NEAR = 32  # nearest that are looked for under each label
_STARTS = 4  # nodes of a label that walks start from
_UNLINKED = 32  # items of a label that needs no links: all of them are compared


@dataclass(frozen=True)
class Labels:
    """A graph stitched from one for each value; serves ``=``, IN and contains on its fields, and OR of these.

    Args:
        fields: whose values, or elements, are labels.
        degree: links an item, at most.
        name: what it is called.
    """

    fields: Sequence[str]
    degree: int = 48
    name: str = "labels"

    def make(self, items: Items) -> Way:
        """Build the graph.

        Raises:
            InputError: no field, no such column, or one that has no labels.
        """
        if isinstance(self.fields, str) or not self.fields:
            raise InputError(f"fields are {self.fields!r}; they must be the names of columns, as in Labels(('area',))")
        items.columns.check(self.fields, KINDS, f"the strategy {self.name!r}")
        need_kernels(self.name)
        return _Labels(items, self)


class _Labels:
    def __init__(self, items: Items, plan: Labels) -> None:
        self._fields = tuple(plan.fields)
        points = items.space.points
        members = grouped({name: items.columns.values[name] for name in plan.fields})
        large = {label: rows for label, rows in members.items() if len(rows) > _UNLINKED}
        self._starts = {label: _central(points, rows) for label, rows in large.items()}
        self._walker = Walker(points, _stitched(points, list(large.values()), plan.degree, items.seed)[None])

    def supports(self, asked: Filter) -> str:
        labels = asked.labels()
        said = f"it serves =, IN and contains on {' and '.join(self._fields)}, and OR of these"
        if labels is None:
            return said
        others = sorted(labels.keys() - {*self._fields})
        return f"{said}, and the filter looks at {others[0]}" if others else ""

    def search(self, asked: Asked) -> Found:
        from similia.index.filtered.walk import Rule

        passing, degree = asked.filter.passing, self._walker.layers.shape[2]
        labels = asked.filter.labels() or {}
        wanted = [(name, value) for name, values in labels.items() for value in values]
        starts = np.concatenate([*(self._starts.get(label, _NONE) for label in wanted), _NONE])
        given = (passing, passing, asked.filter.rows, starts[passing[starts]], asked.effort, asked.budget)
        return self._walker(asked.queries, Rule(degree, degree), *given)


_NONE: Int32 = np.empty(0, np.int32)


def grouped(columns: dict[str, Sequence[Any]]) -> dict[tuple[str, Any], Int64]:
    """(field, label) -> positions of the items that have it, rising.

    Examples:
        >>> {key: rows.tolist() for key, rows in grouped({"tags": [["a", "b"], None, ["a"]]}).items()}
        {('tags', 'a'): [0, 2], ('tags', 'b'): [0]}
    """
    found: dict[tuple[str, Any], dict[int, None]] = {}
    for name, column in columns.items():
        for item, value in enumerate(column):
            for label in value if isinstance(value, list | tuple | np.ndarray) else (value,):
                plain = label.item() if isinstance(label, np.generic) else label
                if isinstance(plain, str | int | float) and plain == plain:
                    found.setdefault((name, plain), {})[item] = None
    return {label: np.fromiter(rows, np.int64, len(rows)) for label, rows in found.items()}


def _central(points: Float32, rows: Int64) -> Int32:
    """Nodes near the middle of a label's items, and others spread over them."""
    some = points[rows].astype(np.float64)
    middle = rows[np.argmin(((some - some.mean(axis=0)) ** 2).sum(axis=1))]
    return np.unique(np.r_[middle, rows[:: max(1, len(rows) // (_STARTS - 1))][: _STARTS - 1]]).astype(np.int32)


def _stitched(points: Float32, groups: list[Int64], degree: int, seed: int) -> Int32:
    """Links between the nearest under each label, pruned with the labels in mind."""
    from similia.index.filtered.links import linked, listed, near

    n = len(points)
    tags = np.zeros((n, max(1, -(-len(groups) // 64))), np.uint64)
    nodes: list[Any] = [np.arange(n, dtype=np.int32)]
    items: list[Any] = [np.arange(n, dtype=np.int32)]
    for number, rows in enumerate(groups):
        tags[rows, number // 64] |= np.uint64(1) << np.uint64(number % 64)
        found = rows[near(points[rows], _NEAR, seed)]
        nodes.append(np.repeat(rows, found.shape[1]))
        items.append(found.ravel())
    return linked(points, *listed(np.concatenate(nodes), np.concatenate(items)), tags, degree)
