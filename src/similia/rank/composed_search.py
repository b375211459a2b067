"""Search for a query of several parts: candidates from each part and from their sum, fused after exact scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.topk import check_k, top_k
from similia.measure.vectors import cosine
from similia.rank.composing import STRENGTH, ComposedQuery, How, ScoreRange, compose
from similia.types import Float32, Hits, Int64

Search: TypeAlias = Callable[[Float32, int], Hits]
Vectors: TypeAlias = Callable[[Int64], npt.ArrayLike]

POOL = 200
"""Candidates that each part gives, and their sum."""


@dataclass(frozen=True, eq=False)
class ComposedHits:
    """What a composed query found.

    Attributes:
        hits: of one query, (1, k), best first, with fused scores.
        cosines: float32 (p, k), of each hit with each part that is there; -inf where there is no hit.
        missing: positions of the parts that were missing from the query, which the others stood in for.
        ranges: (p,) the ranges that brought the parts to one scale; none where cosines were taken as they are.
    """

    hits: Hits
    cosines: Float32
    missing: tuple[int, ...]
    ranges: tuple[ScoreRange, ...]


def search_composed(
    query: ComposedQuery,
    search: Search,
    vectors: Vectors,
    k: int,
    *,
    how: How = "sum",
    ranges: Sequence[ScoreRange] | None = None,
    strength: float = STRENGTH,
    pool: int = POOL,
) -> ComposedHits:
    """The k best items for all parts of a query together.

    Each part that is wanted gives its ``pool`` nearest items, and so does the sum of all parts; these candidates are
    scored exactly for every part and fused by `similia.rank.compose`. An item that no part and not the sum has among
    its nearest is not found. It costs one search for p + 1 vectors and at most (p + 1) * pool cosines a part.

    Args:
        query: of p parts that are there.
        search: (vectors (q, d), k) -> hits, as the ``search`` of an index.
        vectors: ids (m,) -> the items' vectors (m, d).
        k: places, at least 1.
        how: how the parts are fused. "sum" is, without ranges, the search for the summed vector, and found most where
            the parts are texts (`similia.atlas`, system 99); the others ask that every part is met.
        ranges: one for each entry of ``query.parts``, from a reference bank. Where None, "sum" takes cosines as they
            are, and for the others a part's range is that of its cosines with the candidates: from its worst to its
            best.
        strength: as in `similia.rank.compose`.
        pool: candidates a search, at least k.

    Raises:
        InputError: a k below 1, a pool below k, or a number of ranges that does not fit.

    Examples:
        >>> from similia.index import ExactIndex
        >>> items = np.array([[1, 0], [0.9, 0.1], [0.7, 0.7], [0, 1]], np.float32)
        >>> index = ExactIndex(items)
        >>> both = ComposedQuery([([1, 0], 1), ([0, 1], 1)])
        >>> search_composed(both, index.search, lambda ids: items[ids], 2, how="product").hits.ids.tolist()
        [[2, 1]]
    """
    check_k(k)
    check_k(pool)
    if pool < k:
        raise InputError(f"pool is {pool}; it must be at least k, which is {k}")
    if ranges is not None and len(ranges) != len(query.parts):
        raise InputError(f"{len(query.parts)} parts and {len(ranges)} ranges; there must be one range a part")
    asked = [query.vectors[query.weights > 0]]
    # Where the parts cancel each other out, they have no sum to search for.
    total = query.weights @ query.vectors.astype(np.float64)
    if np.linalg.norm(total) >= 1e-6 * np.abs(query.weights).sum():
        asked.append(query.vector()[None])
    found = search(np.concatenate(asked), int(pool)).ids
    ids = np.unique(found[found >= 0])
    there = [place for place in range(len(query.parts)) if place not in query.missing]
    if not ids.size:
        nothing = np.full((len(there), k), -np.inf, np.float32)
        return ComposedHits(Hits.empty(1, k), nothing, query.missing, ())
    scores = cosine(query.vectors, vectors(ids))
    chosen: tuple[ScoreRange, ...] = ()
    if ranges is not None:
        chosen = tuple(ranges[place] for place in there)
    elif how != "sum":
        chosen = _own_ranges(scores)
    fused = compose(scores[:, None, :], query.weights, how=how, ranges=chosen or None, strength=strength)
    places, best = top_k(fused, k)
    filled = places[0] >= 0
    cosines = np.where(filled, scores[:, places[0]], -np.inf).astype(np.float32)
    return ComposedHits(Hits(np.where(filled, ids[places], -1), best), cosines, query.missing, chosen)


def _own_ranges(scores: Float32) -> tuple[ScoreRange, ...]:
    """From the worst candidate of each part to its best; a part to which all are alike makes no difference."""
    lows, highs = scores.min(axis=1), scores.max(axis=1)
    return tuple(
        ScoreRange(float(low), float(high - low)) if high > low else ScoreRange(float(low) - 1, 1.0)
        for low, high in zip(lows, highs, strict=True)
    )
