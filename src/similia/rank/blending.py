"""Meaning and words in one ranking: cosines that stand out from the collection, words as far as they tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.topk import check_k
from similia.measure.vectors import normalise
from similia.rank.fusion import fuse
from similia.types import Hits, as_vectors

Float64: TypeAlias = npt.NDArray[np.float64]

STRONG = 5.0
"""Standard deviations above the background that count as much as the best hit of a text view of weight 1."""
WORDS = 0.3
"""The weight of words that discriminate nothing. With `STRONG`, chosen on twelve judged collections and on queries for
known abstracts; leaving any one out, the choice is the same or finds nearly as much (docs/quality.md)."""
PLACES = 10
DEPTH = 1_000


@dataclass(frozen=True, eq=False)
class Background:
    """How alike the items of a collection are to a query, in the mean: what a cosine has to stand out from.

    Attributes:
        mean: float64 (d,), of the items' unit vectors.
        covariance: float64 (d, d), of the same.

    Examples:
        >>> background = Background.of(np.eye(4))
        >>> mean, deviation = background.scores([[1.0, 0, 0, 0]])
        >>> mean.round(2).tolist(), deviation.round(2).tolist()
        ([0.25], [0.43])
    """

    mean: Float64
    covariance: Float64

    MOST: ClassVar[int] = 2_000
    """Vectors that tell mean and deviation of any collection closely enough."""

    @classmethod
    def of(cls, vectors: npt.ArrayLike, *, seed: int = 0) -> Background:
        """From at most `MOST` of the vectors (n, d), drawn at random.

        Raises:
            InputError: a value that is NaN or infinite.
        """
        given = np.asarray(vectors)
        rows = np.arange(len(given))
        if len(given) > cls.MOST:
            rows = np.sort(np.random.default_rng(seed).choice(len(given), cls.MOST, replace=False))
        unit = normalise(given[rows]).astype(np.float64)
        if not len(unit):
            return cls(np.zeros(unit.shape[1]), np.eye(unit.shape[1]))
        mean = unit.mean(axis=0)
        return cls(mean, (unit.T @ unit) / len(unit) - np.outer(mean, mean))

    def scores(self, queries: npt.ArrayLike) -> tuple[Float64, Float64]:
        """Mean and standard deviation of the cosine of each query (q, d) with the items, float64 (q,) both.

        The mean is 0 and the deviation 1 where there is no item. It costs d² a query, whatever the number of items.

        Raises:
            InputError: queries of another dimension.
        """
        asked = normalise(as_vectors(queries, name="queries", dimension=self.mean.size)).astype(np.float64)
        variance = np.einsum("qd,qd->q", asked @ self.covariance, asked)
        return asked @ self.mean, np.sqrt(np.maximum(variance, 0))


@dataclass(frozen=True, eq=False)
class Blend:
    """One ranking of two.

    Attributes:
        hits: (q, k).
        weights: float64 (q, 2), of the dense and the text view, rows summing to 1; 0 for a view that found nothing.
    """

    hits: Hits
    weights: Float64


def blend(
    dense: Hits, text: Hits, k: int, *, mean: npt.ArrayLike, deviation: npt.ArrayLike, depth: int = DEPTH
) -> Blend:
    """The k best items of each query by meaning and words together.

    With z the cosine in standard deviations above the mean of the whole collection, t the text score with the best at 1
    and that at rank ``depth``, or the last, at 0, and s, the steepness, how far the mean of the places 2 to 10 of t
    lies below the best, an item scores ``(z / 5 + (0.3 + s) t) / (1.3 + s)``: about 1 where it is the best by both. So
    meaning counts by how much a hit stands out from all items, and words by how much they single out a few; neither
    needs judgments. What a view did not find has as little as its last hit; equal scores come by lower id. Where one
    view found nothing, the other stands alone.

    Args:
        dense: of q queries, scores that are cosines; deep, some hundreds of places or more.
        text: of the same queries, scores such as BM25, at least 0; as deep.
        k: places a query.
        mean: (q,), see `Background`.
        deviation: (q,).
        depth: at least 1.

    Raises:
        InputError: a k or a depth below 1, views of different numbers of queries, or a mean or deviation that does not
            fit.

    Source:
        Ours. That predictors of query performance can weight a fusion: Markovits, Shtok, Kurland and Carmel, Predicting
        Query Performance for Fusion-Based Retrieval (CIKM 2012).

    Examples:
        >>> dense = Hits([[7, 3, 5]], [[0.8, 0.7, 0.1]])
        >>> text = Hits([[3, 9, -1]], [[12.0, 4.0, float("-inf")]])
        >>> found = blend(dense, text, 3, mean=[0.1], deviation=[0.15])
        >>> found.hits.ids.tolist(), found.weights.round(2).tolist()
        ([[3, 7, 5]], [[0.43, 0.57]])
    """
    if len(dense) != len(text):
        raise InputError(f"the dense view holds {len(dense)} queries and the text view {len(text)}; both need the same")
    check_k(depth)
    centre, spread = _given(mean, "mean", len(dense)), _given(deviation, "deviation", len(dense))
    standing, words = _standing_out(dense, centre, spread), _discriminating(text, depth)
    weight = WORDS + steepness(words)
    total = 1 + weight
    found = np.stack([(view.ids >= 0).any(axis=1) for view in (dense, text)], axis=1)
    weights = np.where(found, np.stack([1 / total, weight / total], axis=1), 0.0)
    sums = weights.sum(axis=1, keepdims=True)
    weights = np.divide(weights, sums, out=np.full_like(weights, 0.5), where=sums > 0)
    return Blend(fuse([standing, words], k, method="sum", weights=weights), weights)


def steepness(hits: Hits, places: int = PLACES) -> Float64:
    """How far the mean of the places 2 to ``places`` lies below the best, scores being in [0, 1]; float64 (q,).

    An empty place counts 0; without any hit it is 0.

    Examples:
        >>> steepness(Hits([[4, 2, 9]], [[1.0, 0.2, 0.0]]), places=3).round(2).tolist()
        [0.9]
    """
    there = hits.ids >= 0
    first = np.argsort(np.where(there, -hits.scores, np.inf), axis=1, kind="stable")[:, :places]
    best = np.take_along_axis(np.where(there, hits.scores, 0).astype(np.float64), first, axis=1)
    steep: Float64 = best[:, :1].sum(axis=1) - best[:, 1:].sum(axis=1) / (places - 1)
    return steep


def _standing_out(hits: Hits, mean: Float64, deviation: Float64) -> Hits:
    """Scores as standard deviations above the mean, over `STRONG`; 0 where all items are alike."""
    there = hits.ids >= 0
    scale = STRONG * deviation[:, None]
    above = np.where(there, hits.scores, 0) - mean[:, None]
    scores = np.divide(above, scale, out=np.zeros(above.shape), where=(scale > 0) & there)
    return Hits(hits.ids, np.where(there, scores, -np.inf))


def _discriminating(hits: Hits, depth: int) -> Hits:
    """Scores with the best at 1 and that at rank ``depth`` at 0; 1 where they are equal."""
    there = hits.ids >= 0
    scores = np.where(there, hits.scores, -np.inf).astype(np.float64)
    if not hits.k:
        return hits
    falling, last = -np.sort(-scores, axis=1), np.clip(there.sum(axis=1), 1, depth) - 1
    zero = np.where(there.any(axis=1), falling[np.arange(len(hits)), last], 0)[:, None]
    span = np.where(there.any(axis=1), falling[:, 0], 0)[:, None] - zero
    found = np.divide(np.where(there, scores, 0) - zero, span, out=np.ones(scores.shape), where=span > 0)
    return Hits(hits.ids, np.where(there, found, -np.inf))


def _given(values: npt.ArrayLike, name: str, queries: int) -> Float64:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (queries,) or not np.isfinite(found).all() or (name == "deviation" and (found < 0).any()):
        raise InputError(f"{name} is {found.shape}; it must be {queries} finite numbers, one a query")
    return found
