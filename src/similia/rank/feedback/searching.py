"""Search, move the query towards what was found, and search or score again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.topk import best_of, check_k
from similia.measure.vectors import normalise
from similia.rank.feedback.expansion import Expansion, Rocchio
from similia.types import Float32, Hits, Int64, as_vectors

Search: TypeAlias = Callable[[Float32, int], Hits]
Vectors: TypeAlias = Callable[[Int64], npt.ArrayLike]
Again: TypeAlias = Literal["search", "pool"]

FEEDBACK = 3
"""Documents that a query is moved by: few, for `Rocchio`. What is trained knows how to take more."""
POOL = 100
"""Hits of the first search that are scored again."""


def feedback_search(
    search: Search,
    vectors: Vectors,
    queries: npt.ArrayLike,
    k: int,
    *,
    expansion: Expansion | None = None,
    feedback: int = FEEDBACK,
    again: Again = "pool",
    pool: int = POOL,
) -> Hits:
    """The k best items of each query once it was moved by its first hits.

    Scoring the pool again costs one dot product a hit beyond the first search; searching again can also find what the
    first search did not. No text is encoded. Feedback repeats the mistakes of the first search: where its first hits
    are off the topic, so is the new query.

    Args:
        search: (vectors (q, d), k) -> hits, as the ``search`` of an index.
        vectors: ids (m,) -> the items' vectors (m, d).
        queries: (q, d), or (d,) for one.
        k: places a query.
        expansion: what makes new queries; `Rocchio` by default.
        feedback: how many first hits it sees; a query that has fewer gives those, and one without any stays as it is.
        again: ``pool`` scores the first hits again, by cosine; ``search`` searches again.
        pool: how many hits of the first search are scored again, at least k and ``feedback``; not for ``search``.

    Raises:
        InputError: a number out of range, or arrays that do not fit.

    Source:
        Liu et al.: E2Rank: Your Text Embedding can Also be an Effective and Efficient Listwise Reranker
        (arXiv 2510.22733, 2025), with vectors of documents where it has their texts.

    Examples:
        >>> from similia.index import ExactIndex
        >>> items = np.array([[1, 0.2], [1, 0.6], [0.9, -0.35]], np.float32)
        >>> index = ExactIndex(items)
        >>> index.search([1, 0], 3).ids.tolist()
        [[0, 2, 1]]
        >>> strong = Rocchio(beta=2.0)
        >>> feedback_search(index.search, lambda ids: items[ids], [1, 0], 3, expansion=strong, feedback=1).ids.tolist()
        [[0, 1, 2]]
    """
    check_k(k)
    if again not in get_args(Again):
        raise InputError(f"again is {again!r}; expected one of {', '.join(get_args(Again))}")
    _check_feedback(feedback)
    asked = as_vectors(queries, name="queries")
    if again == "pool" and (isinstance(pool, bool) or pool < max(k, feedback)):
        raise InputError(f"pool is {pool!r}; it must be a whole number, at least {max(k, feedback)}")
    first = search(asked, pool if again == "pool" else feedback)
    moved = expand_queries(asked, first, vectors, expansion=expansion, feedback=feedback)
    return search(moved, k) if again == "search" else score_again(moved, first, vectors, k)


def expand_queries(
    queries: npt.ArrayLike,
    hits: Hits,
    vectors: Vectors,
    *,
    expansion: Expansion | None = None,
    feedback: int = FEEDBACK,
) -> Float32:
    """Queries moved by their first hits, from whatever search: dense, full text, or a fusion.

    Args:
        queries: (q, d).
        hits: of these queries, best first.
        vectors: ids (m,) -> the items' vectors (m, d).
        expansion: what makes new queries; `Rocchio` by default.
        feedback: how many hits it sees.

    Returns:
        float32 (q, d) of length 1; a query without hits is the same, at length 1.

    Raises:
        InputError: numbers of queries or dimensions that differ, or feedback below 1.

    Examples:
        >>> items = np.eye(2, dtype=np.float32)
        >>> hits = Hits([[1], [-1]], [[0.3], [float("-inf")]])
        >>> expand_queries([[1, 0], [1, 0]], hits, lambda ids: items[ids], expansion=Rocchio(1.0)).round(1).tolist()
        [[0.699999988079071, 0.699999988079071], [1.0, 0.0]]
    """
    _check_feedback(feedback)
    asked = as_vectors(queries, name="queries")
    if len(hits) != len(asked):
        raise InputError(f"there are hits of {len(hits)} queries for {len(asked)} vectors; they must be as many")
    ids, scores = hits.ids[:, :feedback], hits.scores[:, :feedback]
    stacks = np.zeros((*ids.shape, asked.shape[1]), np.float32)
    there = ids >= 0
    if there.any():
        known, at = np.unique(ids[there], return_inverse=True)
        stacks[there] = as_vectors(vectors(known), name="vectors of hits", dimension=asked.shape[1])[at]
    moved = normalise(asked)
    some = there.any(axis=1)
    if some.any():
        make = Rocchio() if expansion is None else expansion
        moved[some] = make(asked[some], stacks[some], np.where(there, scores, -np.inf)[some])
    return moved


def score_again(queries: npt.ArrayLike, hits: Hits, vectors: Vectors, k: int) -> Hits:
    """The k best of each query's hits by their cosine with a new query; equal scores come by lower id.

    Args:
        queries: (q, d).
        hits: of as many queries.
        vectors: ids (m,) -> the items' vectors (m, d).
        k: places a query.

    Examples:
        >>> items = np.eye(2, dtype=np.float32)
        >>> score_again([[0, 1]], Hits([[0, 1]], [[0.9, 0.8]]), lambda ids: items[ids], 1).ids.tolist()
        [[1]]
    """
    check_k(k)
    asked = normalise(as_vectors(queries, name="queries")).astype(np.float64)
    if len(hits) != len(asked):
        raise InputError(f"there are hits of {len(hits)} queries for {len(asked)} vectors; they must be as many")
    rows, places = np.nonzero(hits.ids >= 0)
    ids = hits.ids[rows, places]
    pairs = np.unique(np.stack([rows, ids], axis=1), axis=0)  # an item that a query found twice counts once
    rows, ids = pairs[:, 0], pairs[:, 1]
    scores = np.empty(ids.size, np.float32)
    if ids.size:
        known, at = np.unique(ids, return_inverse=True)
        found = normalise(as_vectors(vectors(known), name="vectors of hits", dimension=asked.shape[1]))
        for row in range(len(asked)):
            own = slice(*np.searchsorted(rows, [row, row + 1]))
            scores[own] = np.einsum("d,nd->n", asked[row], found[at[own]].astype(np.float64))
    best, values = best_of(rows, ids, scores, len(asked), k)
    return Hits(best, values)


def _check_feedback(feedback: object) -> None:
    if isinstance(feedback, bool) or not isinstance(feedback, int | np.integer) or feedback < 1:
        raise InputError(f"feedback is {feedback!r}; it must be a whole number of hits, at least 1")
