"""The best hits in a new order, nothing lost; and the report of what that took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.rank.judging.base import Tally, order_by
from similia.types import Bool, Hits, Int64


def rerank(
    hits: Hits,
    *,
    orders: Sequence[Sequence[int] | None] | None = None,
    scores: npt.ArrayLike | None = None,
    top: int = 10,
) -> Hits:
    """Put the top hits of each query in another order; those beyond keep theirs.

    The new hits of a query are the old ones, each once. Scores stay with the places and do not move with the items, so
    they still fall from first to last and stay comparable with those beyond the top.

    Args:
        hits: of q queries, from a first stage.
        orders: for each query the places of its top hits, best first: a permutation of ``range(m)``, m being ``top`` or
            the number of its hits if that is smaller; None keeps the query as it is.
        scores: instead of orders, (q, at least m) for the top hits as they stand: higher is better, equal ones keep
            their order, and those with NaN their place.
        top: how many may move, at least 1; all where there are fewer.

    Raises:
        InputError: orders and scores both or neither, or one that does not fit its query.

    Examples:
        >>> hits = Hits([[7, 3, 5, 9]], [[0.9, 0.8, 0.7, 0.6]])
        >>> rerank(hits, orders=[[2, 0, 1]], top=3).ids.tolist()
        [[5, 7, 3, 9]]
        >>> rerank(hits, scores=[[0.1, float("nan"), 0.8]], top=3).ids.tolist()
        [[5, 3, 7, 9]]
    """
    if (orders is None) == (scores is None):
        raise InputError("rerank takes either orders or scores")
    if top < 1:
        raise InputError(f"top is {top}; at least 1 is needed")
    moving = np.minimum((hits.ids >= 0).sum(axis=1), top)
    if scores is not None:
        given = np.asarray(scores, dtype=np.float64)
        if given.ndim != 2 or len(given) != len(hits) or (moving.size and given.shape[1] < moving.max()):
            raise InputError(f"scores {given.shape} do not cover the top {top} of hits {hits.ids.shape}")
        orders = [order_by(row[:count]) for row, count in zip(given, moving, strict=True)]
    assert orders is not None
    if len(orders) != len(hits):
        raise InputError(f"there are {len(orders)} orders for the hits of {len(hits)} queries")
    ids = hits.ids.copy()
    for query, (order, count) in enumerate(zip(orders, moving.tolist(), strict=True)):
        if order is None:
            continue
        places = np.asarray(order, dtype=np.int64)
        if places.shape != (count,) or (np.sort(places) != np.arange(count)).any():
            raise InputError(f"the order of query {query} is no permutation of its {count} top hits")
        found = np.flatnonzero(hits.ids[query] >= 0)[:count]
        ids[query, found] = hits.ids[query, found[places]]
    return Hits(ids, hits.scores)


@dataclass(frozen=True, eq=False)
class Reranked:
    """What a judge made of the hits of a first stage.

    Attributes:
        hits: in the new order.
        before: in the old one.
        tally: calls, answers known already, failures and milliseconds of this stage.
        judged: bool (q,), whose top was put in an order by the judge; the others keep that of the first stage.
        missing: how many of the top hits had no text, and kept their place.
        errors: why queries were not judged, each reason once.
    """

    hits: Hits
    before: Hits
    tally: Tally
    judged: Bool
    missing: int = 0
    errors: tuple[str, ...] = ()

    @property
    def moved(self) -> Int64:
        """By how many places each hit rose (above 0) or fell, as they now stand: int64 (q, k)."""
        moves = np.zeros_like(self.hits.ids)
        for query, (new, old) in enumerate(zip(self.hits.ids, self.before.ids, strict=True)):
            was = {int(item): place for place, item in reversed([*enumerate(old)]) if item >= 0}
            moves[query] = [was[int(item)] - place if item >= 0 else 0 for place, item in enumerate(new)]
        return moves

    def gain(self, metric: Callable[[Hits], float]) -> float:
        """What the order gained by a metric of hits, such as the nDCG against judgments.

        Examples:
            >>> first, then = (Hits([ids], [[0.9, 0.8]]) for ids in ([3, 7], [7, 3]))
            >>> stage = Reranked(then, first, Tally(), np.array([True]))
            >>> stage.gain(lambda hits: float((hits.ids[:, 0] == 7).mean()))
            1.0
        """
        return float(metric(self.hits)) - float(metric(self.before))

    def __str__(self) -> str:
        changed = int((self.moved != 0).any(axis=1).sum())
        return (
            f"{int(self.judged.sum()):,} of {len(self.hits):,} queries judged, {changed:,} changed; "
            f"{self.tally.calls:,} calls, {self.tally.cached:,} cached, {self.tally.failures:,} failures, "
            f"{self.tally.milliseconds:,.0f} ms"
        )
