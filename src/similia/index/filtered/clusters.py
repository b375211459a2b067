"""Clusters: coarse ones, whose items are ordered such that those with a frequent value lie together.

Source: Gupta et al., *CAPS: A Practical Partition Index for Filtered Similarity Search* (arXiv 2308.15014, 2023): in
each cluster the most frequent attribute value is split off, then that of the rest, and so on; a search under equalities
opens only the parts that can hold what it asks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from similia.errors import InputError
from similia.index.filtered.columns import Filter
from similia.index.filtered.ways import Asked, Found, Items, Way
from similia.types import Float32, Int64

KINDS = ("category", "text", "integer", "boolean", "date")
_ROUNDS = 8
_EACH = 64  # items a cluster that the centres are learned from
_LEVELS = 8  # values that are split off in a cluster


@dataclass(frozen=True)
class Clusters:
    """Clusters with parts by attribute; serves ``=`` on its fields, and AND of these.

    Args:
        fields: the attributes.
        count: clusters; the root of the number of items if None.
        name: what it is called.
    """

    fields: Sequence[str]
    count: int | None = None
    name: str = "clusters"

    def make(self, items: Items) -> Way:
        """Cluster the items and order them.

        Raises:
            InputError: no field, no such column, one that does not take ``=``, or no clusters.
        """
        if isinstance(self.fields, str) or not self.fields:
            raise InputError(f"fields are {self.fields!r}; they must be names of columns, as in Clusters(('area',))")
        if self.count is not None and self.count < 1:
            raise InputError(f"count is {self.count}; there must be at least 1 cluster")
        items.columns.check(self.fields, KINDS, f"the strategy {self.name!r}")
        return _Clusters(items, self)


class Part(NamedTuple):
    """Items of a cluster that share a value, or the rest, which has no field."""

    field: str
    value: Any
    rows: Int64


class _Clusters:
    def __init__(self, items: Items, plan: Clusters) -> None:
        self._fields = tuple(plan.fields)
        points = self._points = items.space.points
        count = min(len(points), plan.count or max(1, int(np.sqrt(len(points)))))
        self._centres = centres(points, count, items.seed) if count else points
        label = nearest(points, self._centres) if count else np.empty(0, np.int64)
        columns = {name: items.columns.values[name] for name in plan.fields}
        self._parts = [parted(np.flatnonzero(label == cluster), columns) for cluster in range(count)]

    def supports(self, asked: Filter) -> str:
        equal = asked.equalities()
        said = f"it serves = on {' and '.join(self._fields)}, and AND of these"
        if equal is None:
            return said
        others = sorted(equal.keys() - {*self._fields})
        return f"{said}, and the filter looks at {others[0]}" if others else ""

    def search(self, asked: Asked) -> Found:
        """Clusters by rising distance, until as many items that pass were compared as the effort says."""
        equal = asked.filter.equalities() or {}
        lists = [self._opened(parts, equal, asked.filter) for parts in self._parts]
        sizes = np.array([len(rows) for _, rows in lists], np.int64)
        parts = np.array([count for count, _ in lists], np.int64)
        squares = (self._centres.astype(np.float64) ** 2).sum(axis=1)
        order = np.argsort(squares - 2 * (asked.queries @ self._centres.T), axis=1, kind="stable")
        reached = np.cumsum(sizes[order], axis=1)
        probes = 1 + (reached < min(asked.effort, len(asked.filter.rows))).sum(axis=1)
        found: list[tuple[Int64, Float32]] = []
        for query, row, most in zip(asked.queries, order, probes, strict=True):
            columns = np.concatenate([lists[c][1] for c in row[:most]])
            squares = ((self._points[columns] - query) ** 2).sum(axis=1)
            by_distance = np.argsort(squares, kind="stable")
            found.append((columns[by_distance], squares[by_distance]))
        compared = np.array([len(columns) for columns, _ in found], np.int64)
        opened = np.array([parts[row[:most]].sum() for row, most in zip(order, probes, strict=True)], np.int64)
        rows = np.repeat(np.arange(len(found)), compared)
        every, near = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return Found(rows, every, near, compared + len(self._centres), opened)

    def _opened(self, parts: list[Part], equal: Any, asked: Filter) -> tuple[int, Int64]:
        """How many parts of a cluster are opened, and what passes in them."""
        opened: list[Int64] = []
        for part in parts:
            if part.field in equal and part.value != equal[part.field]:
                continue
            opened.append(part.rows)
            if part.field in equal:  # what has the value is here, or in a part before
                break
        rows = np.concatenate([*opened, np.empty(0, np.int64)])
        return len(opened), rows[asked.passing[rows]]


def parted(rows: Int64, columns: dict[str, Any]) -> list[Part]:
    """Split the most frequent value off, again and again; the rest is the last part.

    Examples:
        >>> [(p.field, p.value, p.rows.tolist()) for p in parted(np.arange(4), {"a": ["x", "y", "x", None]})]
        [('a', 'x', [0, 2]), ('a', 'y', [1]), ('', None, [3])]
    """
    parts: list[Part] = []
    for _ in range(_LEVELS):
        counts = Counter(
            (name, column[row]) for name, column in columns.items() for row in rows if column[row] is not None
        )
        if not counts:
            break
        (name, value), _ = counts.most_common(1)[0]
        has = np.array([columns[name][row] == value for row in rows], np.bool_)
        parts.append(Part(name, value, rows[has]))
        rows = rows[~has]
    return [*parts, Part("", None, rows)]


def centres(points: Float32, count: int, seed: int) -> Float32:
    """Centres float32 (count, d) by Lloyd's algorithm on a sample."""
    random = np.random.default_rng(seed)
    sample = points[np.sort(random.choice(len(points), min(len(points), count * _EACH), replace=False))]
    found = sample[np.sort(random.choice(len(sample), count, replace=False))].copy()
    for _ in range(_ROUNDS):
        label = nearest(sample, found)
        order, sizes = np.argsort(label, kind="stable"), np.bincount(label, minlength=count)
        filled = sizes > 0
        starts = np.concatenate(([0], np.cumsum(sizes)))[:-1][filled]
        found[filled] = np.add.reduceat(sample[order].astype(np.float64), starts, axis=0) / sizes[filled, None]
    return found


def nearest(points: Float32, centres: Float32) -> Int64:
    """The nearest centre of each point, int64 (n,)."""
    half = ((centres.astype(np.float64) ** 2).sum(axis=1) / 2).astype(np.float32)
    found = [np.argmax(points[at : at + 4096] @ centres.T - half, axis=1) for at in range(0, len(points), 4096)]
    return np.concatenate(found).astype(np.int64)
