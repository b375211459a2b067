"""How vectors lie in leaves and lists, and which lists a query needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from similia.index.exact import ExactIndex
from similia.index.inputs import unit
from similia.index.topk import best_of, candidates
from similia.index.where.tree import Condition
from similia.index.workload.batch import Part, Table
from similia.index.workload.columns import Columns
from similia.index.workload.cost import Cost
from similia.index.workload.description import Description
from similia.index.workload.lists import centres, nearest
from similia.types import Bool, Float32, Int64

_LIST = 64  # a list has at least so many vectors on average; the square root of those of its leaf where that is more


class Reach(NamedTuple):
    """How far a search goes: the lists that a query is compared with, and the centroids it is near to; None for all."""

    nprobe: int | None = None
    near: int | None = None


class Layout:
    """The vectors of an index in the order of leaves and lists, with what is known of each.

    Args:
        exact: the index of the vectors.
        points: float32 (n, d), the vectors as `points_of` makes them.
        columns: of the vectors.
        leaf: int64 (n,), the leaf of each, numbered without gaps.
        around: float32 (c, d), centroids of all vectors, and ``at`` int64 (n,) the one of each.
        random: draws where lists begin.

    Attributes:
        order: int64 (n,), which vector lies at each place.
        table: the vectors as they lie.
        list_leaf: int64 (lists,), the leaf of each list.
        description: of the leaves.
    """

    def __init__(
        self,
        exact: ExactIndex,
        points: Float32,
        columns: Columns,
        leaf: Int64,
        around: Float32,
        at: Int64,
        random: np.random.Generator,
    ) -> None:
        self._exact, self._around = exact, around
        owner, means = _lists(points, leaf, random)
        self.order = np.argsort(owner, kind="stable")
        self._list = owner[self.order]
        self._columns = columns.taken(self.order)
        leaf = leaf[self.order]
        starts = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=len(means)))))
        halves = (exact.lengths[self.order] ** 2 / 2).astype(np.float32) if exact.metric == "l2" else None
        self.table = Table(points[self.order], starts, halves)
        self.list_leaf = leaf[starts[:-1]]
        self._sizes = np.bincount(leaf)
        self.description = Description(self._columns, leaf, len(self._sizes))
        self._held = np.zeros((len(self._sizes), len(around)), np.bool_)
        self._held[leaf, at[self.order]] = True
        # Lists are chosen as they were made, by distance; where the product is the metric, by that.
        self._means = ExactIndex(means, metric="dot" if exact.metric == "dot" else "l2")

    def part(self, queries: Float32, conditions: Sequence[Condition], group: Int64, reach: Reach, cost: Cost) -> Part:
        """What is needed to search queries (q, d) whose filters are ``conditions`` [``group``]."""
        points = points_of(queries, self._exact)
        some = np.stack([self.description.some(condition) for condition in conditions])
        every = np.stack([self.description.every(condition) for condition in conditions])
        open_ = some[group]
        if reach.near is not None:
            open_ = open_ & (routes(points, self._around, reach.near) @ self._held.T)
        passing, counts = self._passing(conditions, _any_of(open_, group, len(conditions)), every, cost)
        full = (counts > 0)[group] & open_[:, self.list_leaf]
        scores = points @ self._means.vectors.T.astype(np.float32, copy=False)
        if self._means.metric == "l2":
            scores = 2 * scores - (self._means.lengths**2).astype(np.float32)
        scores[~full] = -np.inf
        needs = full if reach.nprobe is None else self._closest(points, scores, reach.nprobe)
        less = (needs.sum(axis=1) < full.sum(axis=1)) | (open_ < some[group]).any(axis=1)
        slack = self._exact.slack(queries)
        return Part(points, slack, group, passing, counts, needs, scores.argmax(axis=1), less)

    def _passing(self, conditions: Sequence[Condition], open_: Bool, every: Bool, cost: Cost) -> tuple[Bool, Int64]:
        """Which places pass each filter, bool (groups, n), within the leaves (groups, leaves) that are open to it.

        And how many of each list, int64 (groups, lists).
        """
        passing = np.zeros((len(conditions), len(self.order)), np.bool_)
        counts = np.where((open_ & every)[:, self.list_leaf], np.diff(self.table.starts), 0)
        for own, count, condition, wanted, sure in zip(passing, counts, conditions, open_, every, strict=True):
            own[:] = np.repeat(wanted & sure, self._sizes)
            rows = np.flatnonzero(np.repeat(wanted & ~sure, self._sizes))
            if rows.size:
                found = self._columns.rows(condition, rows)
                own[rows] = found
                count += np.bincount(self._list[rows[found]], minlength=len(count))
                cost.tested += rows.size
                cost.bitmaps += 1
        return passing, counts

    def _closest(self, points: Float32, scores: Float32, count: int) -> Bool:
        """The ``count`` lists with the highest scores of each query, bool (q, lists), whatever else is in the batch."""
        chosen = np.zeros(scores.shape, np.bool_)
        at, lists = candidates(scores, count, self._means.slack(points))
        # Where the scores do not tell which of several is closer, they are computed again, pair by pair.
        doubtful = np.bincount(at, minlength=len(scores))[at] > count
        chosen[at[~doubtful], lists[~doubtful]] = True
        if doubtful.any():
            at, lists = at[doubtful], lists[doubtful]
            best, _ = best_of(at, lists, self._means.score_pairs(points, at, lists), len(scores), count)
            rows, places = np.nonzero(best >= 0)
            chosen[rows, best[rows, places]] = True
        return chosen


def points_of(vectors: Float32, exact: ExactIndex) -> Float32:
    """Vectors as they are clustered and multiplied: float32, for the cosine at length 1."""
    points = np.asarray(vectors, np.float32)
    return unit(points) if exact.metric == "cosine" else points


def routes(points: Float32, around: Float32, near: int) -> Bool:
    """The ``near`` centroids nearest to each point, bool (n, centroids)."""
    found = np.zeros((len(points), len(around)), np.bool_)
    if found.size:
        closest = ExactIndex(around, metric="l2").search(points, min(near, len(around))).ids
        np.put_along_axis(found, closest, True, axis=1)
    return found


def _lists(points: Float32, leaf: Int64, random: np.random.Generator) -> tuple[Int64, Float32]:
    """The list of each vector, int64 (n,), by leaf and without gaps, and the centre of each list."""
    owner = np.zeros(len(points), np.int64)
    around: list[Float32] = []
    count = 0
    for number in range(int(leaf.max(initial=-1)) + 1):
        rows = np.flatnonzero(leaf == number)
        own = centres(points[rows], round(len(rows) / max(_LIST, len(rows) ** 0.5)), random)
        used, label = np.unique(nearest(points[rows], own), return_inverse=True)
        owner[rows] = count + label
        around.append(own[used])
        count += len(used)
    return owner, np.concatenate(around) if around else points[:0]


def _any_of(marks: Bool, group: Int64, groups: int) -> Bool:
    """What any query of a group has: (q, m) -> (groups, m)."""
    found = np.zeros((groups, marks.shape[1]), np.bool_)
    order = np.argsort(group, kind="stable")
    used, starts = np.unique(group[order], return_index=True)
    found[used] = np.logical_or.reduceat(marks[order], starts, axis=0)
    return found
