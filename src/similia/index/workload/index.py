"""The index of a workload: which lists a query needs, from what is known of the leaves, and the search through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.exact import ExactIndex, Metric
from similia.index.topk import best_of, check_k
from similia.index.where.predicate import Predicate
from similia.index.where.tree import Condition, Constant
from similia.index.workload.batch import Part, by_list, one_by_one
from similia.index.workload.columns import Columns
from similia.index.workload.cost import Cost
from similia.index.workload.layout import Layout, Reach, points_of, routes
from similia.index.workload.lists import centres, nearest
from similia.index.workload.tree import Asked, Limits, grow, leaves
from similia.types import Dense, Float32, Hits, Int64

Where: TypeAlias = str | Predicate | None
_HELD = 64 * 2**20  # bytes of bitmaps at a time
_QUERIES = 8192  # that are searched together


class WorkloadIndex:
    """Vectors with columns, laid out for the filtered queries that were asked before; for many queries at a time.

    Exact unless fewer lists or leaves are asked for: the answers are then those of `ExactIndex` with the filter's mask.
    Queries unlike the workload are answered as well, only with less saved.

    Args:
        vectors: float32 or float16 (n, d); kept as it is, beside a copy in the order of the lists.
        columns: field name -> its n values, as in `similia.index.Predicate.mask`.
        fields: field name -> type, as in `similia.index.Predicate.parse`.
        workload: past queries: their vectors (q, d), and for each its filter or None. Without, there is one leaf.
        ids: int64 (n,), what hits are called; by default the positions.
        metric: "cosine", "dot" or "l2", as in `ExactIndex`.
        centroids: of all vectors; where a query is near to few of them, so are its answers.
        near: how many of them a past query wants; 0 leaves vectors out of the tree. They are worth it only for a recall
            below some .9: cuts by centroids stand where cuts by filters save more.
        limits: when the tree stops.
        seed: of what is drawn at random; exact answers do not depend on it.

    Raises:
        InputError: vectors, columns, fields and workload that do not fit one another, or a number out of range.
        FilterError: a filter of the workload cannot be read.

    Attributes:
        exact: the index that compares every vector, and scores what was found.
        columns: the columns, on which filters are evaluated.
        tree: how the rows are split, or None.
        leaf: int64 (n,), the leaf of each vector.

    Examples:
        >>> vectors = [[1, 0], [0, 1], [1, 1], [2, 1]]
        >>> index = WorkloadIndex(vectors, {"year": [2020, 2024, 2024, None]}, {"year": "integer"})
        >>> index.search([[2, 0], [2, 0]], k=2, where=["year = 2024", "year IS NULL"]).ids.tolist()
        [[2, 1], [3, -1]]
    """

    def __init__(
        self,
        vectors: npt.ArrayLike,
        columns: Mapping[str, Sequence[Any]],
        fields: Mapping[str, str],
        workload: tuple[npt.ArrayLike, Sequence[Where]] | None = None,
        *,
        ids: npt.ArrayLike | None = None,
        metric: Metric = "cosine",
        centroids: int = 64,
        near: int = 0,
        limits: Limits | None = None,
        seed: int = 0,
    ) -> None:
        _check("centroids", centroids, 1)
        _check("near", near, 0)
        self.exact = ExactIndex(vectors, ids, metric)
        self.fields = dict(fields)
        self.columns = given = Columns(columns, fields, len(self))
        random = np.random.default_rng(seed)
        points = points_of(self.exact.vectors.astype(np.float32, copy=False), self.exact)
        around = centres(points, centroids if workload and near else 1, random) if len(self) else points[:0]
        at = nearest(points, around) if len(self) else np.empty(0, np.int64)
        self.tree = None
        if workload is not None:
            batch = self.exact.as_queries(workload[0])
            conditions, which = self._grouped(list(workload[1]), len(batch))
            asked = Asked(conditions, which, routes(points_of(batch, self.exact), around, near or 1))
            self.tree = grow(given, at, asked, limits or Limits(), random)
        self.leaf = leaves(self.tree, given, at)
        self._layout = Layout(self.exact, points, given, self.leaf, around, at, random) if len(self) else None

    def __len__(self) -> int:
        return len(self.exact)

    @property
    def leaves(self) -> int:
        """How many leaves there are."""
        return self._layout.description.leaves if self._layout else 0

    @property
    def lists(self) -> int:
        """How many lists there are in all leaves together."""
        return len(self._layout.list_leaf) if self._layout else 0

    def search(
        self,
        queries: npt.ArrayLike | Dense,
        k: int,
        *,
        where: Where | Sequence[Where] = None,
        nprobe: int | None = None,
        near: int | None = None,
        batched: bool = True,
        cost: Cost | None = None,
    ) -> Hits:
        """The k most similar of the items that pass each query's filter; equal scores come by lower position.

        Args:
            queries: (q, d), or (d,) for one.
            k: places a query, at least 1. As many are found as pass the filter, up to k.
            where: one filter a query, or one for all; None lets everything pass.
            nprobe: a query is compared with so many lists, the nearest of those in which something passes its filter;
                with all of them where None.
            near: a query looks only into leaves that hold a vector at one of so many nearest centroids; into all where
                None. The answer is exact where both are None.
            batched: False goes query by query, for the same answers.
            cost: is added to.

        Raises:
            InputError: a number below 1, queries that do not fit the vectors, or another number of filters.
            FilterError: a filter cannot be read, or names a field that is not there.
        """
        check_k(k)
        for name, value in (("nprobe", nprobe), ("near", near)):
            if value is not None:
                _check(name, value, 1)
        batch = self.exact.as_queries(queries)
        conditions, group = self._grouped(where, len(batch))
        cost, hits = Cost() if cost is None else cost, Hits.empty(len(batch), k)
        if self._layout is None:
            return hits
        for chosen in self._parts(group) if batched else np.arange(len(batch))[:, None]:
            left, reach = chosen, Reach(nprobe, near)
            while left.size:
                own, used = np.unique(group[left], return_inverse=True)
                filters = [conditions[place] for place in own.tolist()]
                part = self._layout.part(batch[left], filters, used, reach, cost)
                best, scores = self._best(batch[left], part, k, batched, cost)
                hits.ids[left], hits.scores[left] = np.where(best >= 0, self.exact.ids[best], -1), scores
                # Those that found too few are searched again, in all lists.
                left, reach = left[part.less & (best[:, -1] < 0)], Reach()
                cost.again += left.size
        return hits

    def _best(self, batch: Float32, part: Part, k: int, batched: bool, cost: Cost) -> tuple[Int64, Float32]:
        """Positions and scores (q, k) of the best."""
        assert self._layout is not None
        rows, places = (by_list if batched else one_by_one)(self._layout.table, part, k, cost)
        columns = self._layout.order[places]
        return best_of(rows, columns, self.exact.score_pairs(batch, rows, columns), len(batch), k)

    def _grouped(self, where: Where | Sequence[Where], count: int) -> tuple[list[Condition], Int64]:
        """The different filters, and which one each query has."""
        each = [where] * count if where is None or isinstance(where, str | Predicate) else list(where)
        if len(each) != count:
            raise InputError(
                f"where has {len(each):,} filters for {count:,} queries; give one for each, or one for all"
            )
        # Texts are read once; of filters that were read before, the hash takes longer than the identity.
        names = [given if isinstance(given, str) else id(given) for given in each]
        groups: dict[Condition, int] = {}
        known: dict[str | int, int] = {}
        for name, given in dict(zip(names, each, strict=True)).items():
            known[name] = groups.setdefault(self._read(given), len(groups))
        return list(groups), np.fromiter((known[name] for name in names), np.int64, count)

    def _read(self, given: Where) -> Condition:
        if given is None:
            return Constant(True)
        if isinstance(given, str):
            return Predicate.parse(given, self.fields).root
        if not isinstance(given, Predicate):
            raise InputError(f"where holds {given!r}; a filter is a text, a Predicate, or None")
        return given.root

    def _parts(self, group: Int64) -> Iterator[Int64]:
        """Queries that are searched together: as many filters as there is space for, and their queries side by side."""
        order = np.argsort(group, kind="stable")
        filters = max(1, _HELD // len(self))
        start = 0
        while start < len(order):
            stop = int(np.searchsorted(group[order], group[order[start]] + filters))
            stop = min(stop, start + _QUERIES)
            yield order[start:stop]
            start = stop


def _check(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{name} is {value!r}; it must be a whole number, at least {least}")
