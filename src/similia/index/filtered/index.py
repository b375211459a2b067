"""One index of vectors and columns, with several ways of searching under a filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.exact import ExactIndex, Metric
from similia.index.filtered.columns import Columns, Filter
from similia.index.filtered.measuring import between, measure
from similia.index.filtered.planning import EFFORT, Costs, Plan, choose
from similia.index.filtered.walks import Acorn, Inside, Post, Scan
from similia.index.filtered.ways import UNBOUNDED, Asked, Items, Strategy, Way
from similia.index.inputs import as_ids
from similia.index.topk import best_of, check_k
from similia.index.where import Predicate
from similia.types import Dense, Hits, Int64

Where: TypeAlias = str | Predicate | npt.ArrayLike | None
DEFAULT: tuple[Strategy, ...] = (Scan(), Post(), Inside(), Acorn())


@dataclass(frozen=True, eq=False)
class Answer:
    """What a search found, how, and what it took.

    Attributes:
        hits: the items.
        strategy: which way was taken; "none" where nothing passes.
        distances: int64 (q,), distances measured a query.
        opened: int64 (q,), nodes or lists that were opened.
    """

    hits: Hits
    strategy: str
    distances: Int64
    opened: Int64


class FilteredIndex:
    """Searches among the items that pass a filter, in one of several ways.

    All scores are exact and every hit passes; what a way may do is miss some, the fewer the greater the effort. With an
    effort of all items none is missed.

    Args:
        vectors: float32 or float16 (n, d); kept as it is, not copied, so it may be a memory map. Points of float32 are
            kept besides.
        columns: name -> n values that filters look at; None and NaN are missing, and pass no comparison.
        ids: int64 (n,), what hits are called, unique and at least 0; by default the positions 0 to n - 1.
        metric: "cosine" (0 where a vector is zero), "dot", or "l2" (the score is minus the distance).
        types: name -> type of a column, as `similia.index.where` knows them; told from the values where left out. Dates
            written as text need theirs said.
        strategies: what is built; see `similia.index.filtered`.
        seed: of what is drawn at random.

    Raises:
        InputError: vectors, columns or strategies that cannot be used, or compiled kernels are needed and not there.

    Examples:
        >>> vectors, years = np.eye(4, dtype=np.float32), [2018, 2019, 2020, None]
        >>> index = FilteredIndex(vectors, {"year": years}, strategies=[Scan()])
        >>> index.search([1, 0, 0, 0], k=2, where="year >= 2019").ids.tolist()
        [[1, 2]]
        >>> index.answer([1, 0, 0, 0], k=1, where="year >= 2019").distances.tolist()
        [2]
    """

    def __init__(
        self,
        vectors: npt.ArrayLike,
        columns: Mapping[str, Sequence[Any]],
        ids: npt.ArrayLike | None = None,
        metric: Metric = "cosine",
        *,
        types: Mapping[str, str] | None = None,
        strategies: Iterable[Strategy] = DEFAULT,
        seed: int = 0,
    ) -> None:
        exact = ExactIndex(vectors, metric=metric)
        self.ids = as_ids(ids, len(exact))
        self._items = Items(exact, Columns(columns, types, len(exact)), seed)
        self.ways: dict[str, Way] = {}
        for strategy in strategies:
            if strategy.name in self.ways:
                raise InputError(f"there are two strategies {strategy.name!r}; name one once")
            self.ways[strategy.name] = strategy.make(self._items)
        self.costs: Costs | None = None

    def __len__(self) -> int:
        return len(self._items)

    @property
    def columns(self) -> Columns:
        """What filters look at."""
        return self._items.columns

    def search(
        self,
        queries: npt.ArrayLike | Dense,
        k: int,
        where: Where = None,
        *,
        strategy: str | None = None,
        effort: int | None = None,
        recall: float = 0.9,
        budget: int | None = None,
    ) -> Hits:
        """The k most similar items that pass, of each query; equal scores come by lower position.

        Args:
            queries: (q, d), or (d,) for one.
            k: places a query, at least 1; may exceed n.
            where: a filter, see `similia.index.where`; or bool (n,); all pass if None.
            strategy: which way is taken; the one that should cost least if None.
            effort: passing items that a way keeps in view, at least k; 64 where nothing was measured.
            recall: the share of the true k that is to be expected, where the way or its effort is not given.
            budget: distances after which a walk stops.

        Raises:
            InputError: a number out of range, queries or a filter that do not fit, an unknown strategy, or one that
                cannot serve the filter.
        """
        return self.answer(queries, k, where, strategy=strategy, effort=effort, recall=recall, budget=budget).hits

    def answer(
        self,
        queries: npt.ArrayLike | Dense,
        k: int,
        where: Where = None,
        *,
        strategy: str | None = None,
        effort: int | None = None,
        recall: float = 0.9,
        budget: int | None = None,
    ) -> Answer:
        """The same, with which way was taken and what it took."""
        check_k(k)
        for name, number in (("effort", effort), ("budget", budget)):
            if number is not None and number < 1:
                raise InputError(f"{name} is {number}; it must be at least 1")
        batch, asked = self._items.exact.as_queries(queries), self.columns.filter(where)
        nothing = np.zeros(len(batch), np.int64)
        plan = self._plan(asked, k, recall, strategy, effort)
        if not len(asked.rows) or not len(batch):
            return Answer(Hits.empty(len(batch), k), "none", nothing, nothing)
        view = min(len(asked.rows), max(k, plan.effort))
        points = self._items.space.queries(batch)
        found = self.ways[plan.strategy].search(Asked(batch, points, asked, k, view, budget or UNBOUNDED))
        rows, columns = found.best(k, self._items.space.slack(points))
        scores = self._items.exact.score_pairs(batch, rows, columns)
        best, exact = best_of(rows, columns, scores, len(batch), k)
        hits = Hits(np.where(best >= 0, self.ids[best], -1), exact)
        return Answer(hits, plan.strategy, found.distances, found.opened)

    def explain(self, k: int, where: Where = None, *, recall: float = 0.9) -> Plan:
        """How a search would be done; the arguments are those of `search`."""
        return self._plan(self.columns.filter(where), k, recall, None, None)

    def measure(self, queries: npt.ArrayLike | None = None, k: int = 10, *, seed: int = 0) -> FilteredIndex:
        """Find out what each way finds for its distances, so that later searches go by that; takes some seconds.

        Args:
            queries: (q, d), such as will be asked and none of them an item; by default 50 that lie between neighbours.
            k: places.
            seed: of the filters that are tried, which are drawn from the columns, and of the queries.

        Raises:
            InputError: queries that do not fit, or fewer than 3 items and no queries.
        """
        check_k(k)
        if queries is None:
            if len(self) < 3:
                raise InputError(f"{len(self)} items are too few to draw queries from; give some")
            random = np.random.default_rng(seed)
            some = self._items.exact.vectors[np.sort(random.choice(len(self), min(50, len(self)), replace=False))]
            near = self._items.exact.search(some.astype(np.float32), 2).ids
            queries = between(near, self._items.exact.vectors, random)
        self.costs = measure(self, self._items.exact.as_queries(queries), k, seed)
        return self

    def exact(self, queries: npt.ArrayLike | Dense, k: int, where: Where = None) -> Hits:
        """What `search` would find with any effort: everything that passes is compared."""
        hits = self._items.exact.search(queries, k, where=self.columns.filter(where).passing)
        return Hits(np.where(hits.ids >= 0, self.ids[hits.ids], -1) if len(self) else hits.ids, hits.scores)

    def _plan(self, asked: Filter, k: int, recall: float, strategy: str | None, effort: int | None) -> Plan:
        if strategy is None:
            able = [name for name, way in self.ways.items() if not way.supports(asked)]
            plan = choose(self.costs, able, asked.shape, len(asked.rows), len(self), k=k, recall=recall)
            return plan if effort is None else plan._replace(effort=effort)
        if strategy not in self.ways:
            raise InputError(f"strategy {strategy!r} is not there; there are {', '.join(self.ways) or 'none'}")
        refused = self.ways[strategy].supports(asked)
        if refused:
            raise InputError(f"strategy {strategy!r} cannot serve this filter: {refused}")
        return Plan(strategy, EFFORT if effort is None else effort, None, "as it was asked for")
