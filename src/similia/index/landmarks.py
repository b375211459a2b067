"""Search under a similarity that is only a function of two things, such as a cross-encoder or a matcher of graphs.

A few queries are scored with all items beforehand, and a query with a few items when it comes. Where the matrix of all
scores has a low rank, both together say what the rest of it is (a CUR decomposition), so that few further calls find
the best items.

Source: Yadav, Monath, Angell, Zaheer and McCallum, *Efficient Nearest Neighbor Search for Cross-Encoder Models using
Matrix Factorization* (EMNLP 2022, arXiv 2210.12579).
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.inputs import as_ids, as_mask
from similia.index.topk import check_k, top_k
from similia.types import Hits, Int64

Float64: TypeAlias = npt.NDArray[np.float64]
Scorer: TypeAlias = Callable[[Hashable, Int64], npt.ArrayLike]
"""A query, and positions (m,) of items -> their scores (m,), higher is more similar."""


class Budgeted:
    """A scorer that counts what it is asked, remembers it, and stops at a limit.

    Args:
        scorer: what is called, with a query and the positions of items that are not known yet.
        limit: the most pairs that may be scored; None for any number.
        remembered: pairs that are kept; queries that were used longest ago are forgotten first.

    Examples:
        >>> scorer = Budgeted(lambda query, items: query * items)
        >>> scorer(2, np.array([0, 3, 4])).tolist(), scorer(2, np.array([3, 1])).tolist(), scorer.calls
        ([0.0, 6.0, 8.0], [6.0, 2.0], 4)
    """

    def __init__(self, scorer: Scorer, *, limit: int | None = None, remembered: int = 4 * 2**20) -> None:
        self.scorer, self.limit, self.remembered = scorer, limit, remembered
        self.calls = 0
        """Pairs that were scored so far."""
        self._known: OrderedDict[Hashable, tuple[Int64, Float64]] = OrderedDict()  # by query: positions, rising; scores
        self._pairs = 0

    def __call__(self, query: Hashable, items: Int64) -> Float64:
        """Scores float64 (m,) of a query with the items at these positions.

        Raises:
            InputError: the limit is reached, or the scorer gave NaN, infinity or another number of scores.
        """
        positions, scores = self._known.get(query, (np.empty(0, np.int64), np.empty(0)))
        new = np.setdiff1d(items, positions)
        if new.size:
            found = self._score(query, new)
            order = np.argsort(np.concatenate([positions, new]), kind="stable")
            positions, scores = np.concatenate([positions, new])[order], np.concatenate([scores, found])[order]
            self._known[query] = positions, scores
            self._pairs += new.size
        if query in self._known:
            self._known.move_to_end(query)
        while self._pairs > self.remembered and len(self._known) > 1:
            self._pairs -= self._known.popitem(last=False)[1][0].size
        return scores[np.searchsorted(positions, items)]

    def _score(self, query: Hashable, items: Int64) -> Float64:
        if self.limit is not None and self.calls + items.size > self.limit:
            raise InputError(
                f"{items.size:,} more pairs were to be scored after {self.calls:,}; the limit is {self.limit:,}"
            )
        scores = np.asarray(self.scorer(query, items), np.float64)
        if scores.shape != items.shape:
            raise InputError(f"the scorer gave {scores.shape} for {items.size} items; it must be one score an item")
        if not np.isfinite(scores).all():
            at = int(np.flatnonzero(~np.isfinite(scores))[0])
            raise InputError(
                f"the scorer gave {scores[at]} for query {query!r} and item {items[at]}; it must be finite"
            )
        self.calls += items.size
        return scores


class LandmarkIndex:
    """Items, searched under any scorer with a fixed number of calls a query.

    Building takes ``len(anchor_queries) * count`` calls, and a query ``len(anchor_items) + pool`` at most. The
    approximation is exact where the matrix of scores has a rank of at most the number of anchors. Scores must not be
    clipped or normalised by query, which raises the rank; an amount that is added to all scores of a query does no
    harm. Scorers that are not symmetric are welcome.

    Args:
        scorer: a query, and positions of items -> scores; a `Budgeted` one is used as it is.
        count: n, how many items there are.
        anchor_queries: queries such as will be asked, scored with every item now. Those that results are measured on
            must not be among them.
        anchor_items: positions, or how many are to be chosen at random: at most half as many as anchor queries is well
            conditioned.
        ids: int64 (n,), what hits are called, unique and at least 0; by default the positions 0 to n - 1.
        seed: for choosing anchor items.

    Raises:
        InputError: no anchor, more anchor items than items, ids that do not fit, or a score that is not finite.

    Warns:
        RuntimeWarning: there are more anchor items than anchor queries, so that they do not determine the rest.

    Examples:
        >>> items, queries = np.random.default_rng(0).normal(size=(2, 300, 3))
        >>> index = LandmarkIndex(lambda query, at: items[at] @ queries[query], 300, range(20), 8)
        >>> hits = index.search([100, 101], 5, pool=5)
        >>> (hits.ids == np.argsort(-queries[[100, 101]] @ items.T)[:, :5]).all()
        np.True_
        >>> index.scorer.calls <= 20 * 300 + 2 * (8 + 5)
        True
    """

    def __init__(
        self,
        scorer: Scorer,
        count: int,
        anchor_queries: Sequence[Hashable],
        anchor_items: npt.ArrayLike | int,
        ids: npt.ArrayLike | None = None,
        *,
        seed: int = 0,
    ) -> None:
        self.ids = as_ids(ids, count)
        self.anchor_items = _anchors(anchor_items, count, seed)
        self.anchor_queries = list(dict.fromkeys(anchor_queries))
        if not self.anchor_queries:
            raise InputError("there are no anchor queries; at least one is needed, and some hundred are better")
        if len(self.anchor_items) > len(self.anchor_queries):
            warnings.warn(
                f"{len(self.anchor_items)} anchor items are more than the {len(self.anchor_queries)} anchor queries, "
                "which do not determine the rest; take at most half as many",
                RuntimeWarning,
                stacklevel=2,
            )
        self.scorer = scorer if isinstance(scorer, Budgeted) else Budgeted(scorer)
        every = np.arange(count, dtype=np.int64)
        rows = np.stack([self.scorer(query, every) for query in self.anchor_queries])
        self._inverse: Float64 = np.asarray(np.linalg.pinv(rows[:, self.anchor_items]), np.float64)
        self.vectors: Float64 = np.ascontiguousarray((self._inverse @ rows).T)
        """One latent vector an item: float64 (n, anchor items)."""

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, count: int, ids: npt.ArrayLike | None = None) -> None:
        """Take in further items, at the positions after those that are there: one call an anchor query and item.

        Args:
            count: how many.
            ids: int64 (count,), what they are called; their positions where None, which needs the others to be named
                so too.

        Raises:
            InputError: ids that do not fit or are taken, or a score that is not finite.
        """
        new = np.arange(len(self), len(self) + count, dtype=np.int64)
        names = np.concatenate([self.ids, new if ids is None else as_ids(ids, count)])
        if len(np.unique(names)) < len(names):
            raise InputError("some of the new ids are taken; ids must be unique")
        rows = np.stack([self.scorer(query, new) for query in self.anchor_queries])
        self.vectors = np.concatenate([self.vectors, (self._inverse @ rows).T])
        self.ids = names

    def approximate(self, queries: Sequence[Hashable]) -> Float64:
        """Estimated scores with all items, float64 (q, n), from one call a query and anchor item."""
        known = [self.scorer(query, self.anchor_items) for query in queries]
        return np.stack(known) @ self.vectors.T if known else np.empty((0, len(self)))

    def search(
        self, queries: Sequence[Hashable], k: int, *, where: npt.ArrayLike | None = None, pool: int | None = None
    ) -> Hits:
        """The k most similar of those items that were scored; equal scores come by lower position.

        Args:
            queries: what the scorer takes; equal ones are scored once.
            k: places a query, at least 1; may exceed n.
            where: bool (n,), the items that take part; all if None. Anchor items are scored in any case.
            pool: how many of the items that seem best are scored, at least k; None takes 2 k, or as many as there are
                anchor items if that is more. Anchor items among them cost nothing.

        Raises:
            InputError: a k or pool that cannot be, a filter that does not fit, or a score that is not finite.
        """
        check_k(k)
        pool = max(2 * k, len(self.anchor_items)) if pool is None else pool
        check_k(pool)
        if pool < k:
            raise InputError(f"pool is {pool} and k {k}; the pool must hold at least k")
        taking = np.ones(len(self), bool) if where is None else as_mask(where, len(self), "an item")
        hits = Hits.empty(len(queries), k)
        for row, query in enumerate(queries):
            estimated = np.where(taking, self.approximate([query])[0], -np.inf)
            seeming = top_k(estimated, pool)[0][0]
            chosen = np.union1d(seeming[seeming >= 0], self.anchor_items[taking[self.anchor_items]])
            if chosen.size:
                places, hits.scores[row : row + 1] = top_k(self.scorer(query, chosen), k)
                hits.ids[row] = np.where(places[0] >= 0, self.ids[chosen[places[0]]], -1)
        return hits


def _anchors(given: npt.ArrayLike | int, count: int, seed: int) -> Int64:
    if isinstance(given, int | np.integer) and not isinstance(given, bool):
        if not 1 <= given <= count:
            raise InputError(f"anchor_items is {given}; there are {count} items, and at least 1 must be an anchor")
        return np.sort(np.random.default_rng(seed).choice(count, int(given), replace=False)).astype(np.int64)
    positions = np.asarray(given)
    if positions.ndim != 1 or positions.dtype.kind not in "iu" or not positions.size:
        raise InputError(
            f"anchor_items are {positions.dtype} {positions.shape}; they must be positions (k,), or a number"
        )
    if positions.min() < 0 or positions.max() >= count:
        raise InputError(f"anchor_items run from {positions.min()} to {positions.max()}; there are 0 to {count - 1}")
    return np.unique(positions).astype(np.int64)
