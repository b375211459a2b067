"""Containment: items are grouped by their whole set of labels, and groups lead to groups of larger sets.

Source: Cai et al., *Navigating Labels and Vectors: A Unified Approach to Filtered Approximate Nearest Neighbor Search*
(UNG, SIGMOD 2024). A walk that begins in the smallest sets that contain what is asked never meets an item that does not
pass, since every link leads to the same set or to a larger one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from similia.errors import InputError
from similia.index.filtered.columns import Filter
from similia.index.filtered.labels import grouped
from similia.index.filtered.ways import Asked, Found, Items, Walker, Way, need_kernels, spaced
from similia.types import Bool, Float32, Int64

if TYPE_CHECKING:
    from similia.index.graph.prune import Int32

KINDS = ("list",)
MOST = 8_192  # different sets
_NEAR = 32  # nearest that are looked for in a group
_STARTS = 32  # nodes that a walk starts from, at most,
_EACH = 4  # and of one group
_BELOW = 4  # items of a group that lead to one item of the next larger set
_BLOCK = 2_048  # items that are compared with a group at a time


@dataclass(frozen=True)
class Containment:
    """A graph of groups with the same labels; serves contains on its field, and AND of these.

    Args:
        field: the lists whose elements are labels.
        degree: links of an item within its group; to other groups it has twice as many.
        name: what it is called.
    """

    field: str
    degree: int = 24
    name: str = "containment"

    def make(self, items: Items) -> Way:
        """Build the graph.

        Raises:
            InputError: there is no such column, it holds no lists, or too many that differ.
        """
        items.columns.check([self.field], KINDS, f"the strategy {self.name!r}")
        need_kernels(self.name)
        return _Containment(items, self)


class _Containment:
    def __init__(self, items: Items, plan: Containment) -> None:
        from similia.index.filtered.links import linked, listed, near, untagged

        self._field = plan.field
        labels = grouped({plan.field: items.columns.values[plan.field]})
        sets = np.zeros((len(items), len(labels)), np.bool_)
        for place, rows in enumerate(labels.values()):
            sets[rows, place] = True
        there = np.flatnonzero(sets.any(axis=1))
        if len(there):
            self._sets, group = np.unique(sets[there], axis=0, return_inverse=True)
        else:
            self._sets, group = sets[there], there
        if len(self._sets) > MOST:
            raise InputError(f"{plan.field} has {len(self._sets):,} different lists; {MOST:,} are the most")
        self._groups = [there[group.ravel() == number] for number in range(len(self._sets))]
        points = items.space.points
        nodes: list[Any] = [np.arange(len(items), dtype=np.int32)]
        ends: list[Any] = [np.arange(len(items), dtype=np.int32)]
        for rows in self._groups:
            found = rows[near(points[rows], _NEAR, items.seed)]
            nodes.append(np.repeat(rows, found.shape[1]))
            ends.append(found.ravel())
        own = linked(points, *listed(_joined(nodes), _joined(ends)), untagged(len(items)), plan.degree)
        across = _crossing(points, self._groups, self._sets, 2 * plan.degree)
        self._walker = Walker(points, np.concatenate((own, across), axis=1)[None])

    def supports(self, asked: Filter) -> str:
        said = f"it serves contains on {self._field}, and AND of these"
        found = asked.contained()
        return "" if found is not None and {*found} == {self._field} else said

    def search(self, asked: Asked) -> Found:
        from similia.index.filtered.walk import Rule

        passing, degree = asked.filter.passing, self._walker.layers.shape[2]
        entries = self._entries(asked.filter)
        starts = entries[:: -(-len(entries) // _STARTS)]
        given = (passing, passing, asked.filter.rows, starts, asked.effort, asked.budget)
        return self._walker(asked.queries, Rule(degree, degree), *given)

    def _entries(self, asked: Filter) -> Int32:
        """Items of the groups that pass and are no larger than another that does."""
        able = np.array([bool(asked.passing[rows[0]]) for rows in self._groups], np.bool_)
        chosen, inside = np.flatnonzero(able), larger(self._sets[able])
        least = chosen[~inside.any(axis=0)]
        entries: Int32 = _joined([spaced(self._groups[place], _EACH) for place in least])
        return entries


def larger(sets: Bool) -> Bool:
    """Whether set j holds all of set i and more, bool (s, s).

    Examples:
        >>> larger(np.array([[1, 0], [1, 1]], bool)).tolist()
        [[False, True], [False, False]]
    """
    sizes = sets.sum(axis=1)
    shared = sets.astype(np.float32) @ sets.astype(np.float32).T
    found: Bool = (shared == sizes[:, None]) & (sizes > sizes[:, None])
    return found


def _joined(parts: list[Any]) -> Any:
    return np.concatenate([*parts, np.empty(0, np.int32)]).astype(np.int32)


def _crossing(points: Float32, groups: list[Int64], sets: Bool, degree: int) -> Int32:
    """Links to items of the next larger sets, each from the nearest few of a group below; int32 (n, degree)."""
    from similia.index.filtered.links import compressed, listed

    above = larger(sets)
    nodes: list[Any] = [np.arange(len(points), dtype=np.int32)]
    ends: list[Any] = [np.arange(len(points), dtype=np.int32)]
    for number, rows in enumerate(groups):
        wider = np.flatnonzero(above[number])
        least = wider[~above[np.ix_(wider, wider)].any(axis=0)]
        if not len(least):
            continue
        inside = points[rows]
        half = (inside.astype(np.float64) ** 2).sum(axis=1).astype(np.float32) / 2
        others = np.concatenate([groups[place] for place in least])
        for start in range(0, len(others), _BLOCK):
            some = others[start : start + _BLOCK]
            several = min(_BELOW, len(rows))
            near = np.argpartition(half - points[some] @ inside.T, several - 1, axis=1)[:, :several]
            nodes.append(rows[near].ravel())
            ends.append(np.repeat(some, several))
    # No prune: that one item is near another helps no walk, since there is a way between them only to a larger set.
    return compressed(points, *listed(_joined(nodes), _joined(ends)), np.empty((len(points), degree), np.int32), degree)
