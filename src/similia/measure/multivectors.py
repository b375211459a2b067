"""Similarity of items that are sets of vectors: each vector of the query finds its best counterpart.

Chamfer similarity, also called MaxSim or late interaction: ``chamfer(Q, P) = sum over q in Q of max over p in P of
q·p``. It is not symmetric. Source: Khattab and Zaharia, *ColBERT* (SIGIR 2020).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Float32, Int64, MultiVector

_SCORES = 4 * 2**20  # products of two vectors that are held at a time
_VECTORS = 2**19  # values of gathered item vectors that are held at a time: what stays in the cache


def chamfer(queries: MultiVector, items: MultiVector) -> Float32:
    """The sum, over the vectors of a query, of the largest inner product with a vector of the item.

    Args:
        queries: q of them, of dimension d. A query without vectors scores 0.
        items: n of them, of dimension d. An item without vectors scores -inf.

    Returns:
        float32 (q, n). Not divided by the number of vectors: that would change no order.

    Raises:
        InputError: different dimensions.

    Examples:
        >>> from similia.types import ragged
        >>> query = ragged([[[1, 0], [0, 1]]], 2)
        >>> chamfer(query, ragged([[[1, 0]], [[0.5, 0], [0, 2]], []], 2)).tolist()
        [[1.0, 2.5, -inf]]
    """
    _check(queries, items)
    scores = np.full((len(queries), len(items)), -np.inf, np.float32)
    asked = _filled(queries.offsets)
    for start, stop in _cut(items.offsets, max(1, _SCORES // max(1, len(queries.vectors)))):
        part = items.vectors[items.offsets[start] : items.offsets[stop]]
        offsets = items.offsets[start : stop + 1] - items.offsets[start]
        full = _filled(offsets)
        if not full.size:
            continue
        best = np.maximum.reduceat(queries.vectors @ part.T, offsets[full], axis=1)
        total = np.zeros((len(queries), full.size), np.float32)
        if asked.size:
            total[asked] = np.add.reduceat(best, queries.offsets[asked], axis=0)
        scores[:, start + full] = total
    return scores


def chamfer_of(queries: MultiVector, items: MultiVector, left: npt.ArrayLike, right: npt.ArrayLike) -> Float32:
    """`chamfer` of chosen pairs only, each in double precision: float32 (m,).

    Args:
        queries: q of them, of dimension d.
        items: n of them, of dimension d.
        left: (m,) positions of queries; fastest where equal ones stand together.
        right: (m,) positions of items.

    Raises:
        InputError: different dimensions, or a position that is not there.

    Examples:
        >>> tokens = MultiVector(np.eye(3), np.array([0, 2, 3]))
        >>> chamfer_of(tokens, tokens, [0, 0, 1], [0, 1, 1]).tolist()
        [2.0, 0.0, 1.0]
    """
    _check(queries, items)
    at, to = _positions(left, len(queries), "left"), _positions(right, len(items), "right")
    if at.shape != to.shape:
        raise InputError(f"left {at.shape} and right {to.shape} must be of one length")
    order = np.argsort(at, kind="stable")
    scores = np.empty(at.size, np.float32)
    for query, members in _runs(at[order]):
        chosen = order[members]
        own = queries.vectors[queries.offsets[query] : queries.offsets[query + 1]].astype(np.float64)
        scores[chosen] = _scores_of_one(own, items, to[chosen])
    return scores


def chosen_scores(query: Float32, items: MultiVector, chosen: Int64) -> Float32:
    """`chamfer` of one query (t, d) with some items (m,), in single precision: float32 (m,)."""
    return _scores_of_one(query, items, chosen)


def gather(items: MultiVector, chosen: Int64) -> MultiVector:
    """Some of the items, in the order given.

    Examples:
        >>> gather(MultiVector(np.eye(3), np.array([0, 2, 3])), np.array([1, 0, 1])).offsets.tolist()
        [0, 1, 3, 4]
    """
    return MultiVector(*_gathered(items, chosen))


def _gathered(items: MultiVector, chosen: Int64) -> tuple[Float32, Int64]:
    """The vectors and offsets of some of the items, which need not be checked again."""
    starts, lengths = items.offsets[chosen], np.diff(items.offsets)[chosen]
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    rows = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
    return items.vectors.take(rows, axis=0), offsets


def _scores_of_one(query: npt.NDArray[np.floating], items: MultiVector, chosen: Int64) -> Float32:
    """In the precision of the query. Vectors of items are gathered some items at a time."""
    scores = np.full(chosen.size, -np.inf, np.float32)
    lengths = np.diff(items.offsets)[chosen]
    most = max(1, _VECTORS // max(1, items.vectors.shape[1]))
    for start, stop in _cut(np.concatenate(([0], np.cumsum(lengths))), most):
        part, offsets = _gathered(items, chosen[start:stop])
        full = _filled(offsets)
        if full.size:
            products = query @ part.T.astype(query.dtype, copy=False)
            best = np.maximum.reduceat(products, offsets[full], axis=1)
            scores[start + full] = best.sum(axis=0)
    return scores


def _check(queries: MultiVector, items: MultiVector) -> None:
    ours, theirs = queries.vectors.shape[1], items.vectors.shape[1]
    if ours != theirs:
        raise InputError(f"queries have {ours} dimensions and items {theirs}; they must be of one length")


def _positions(given: npt.ArrayLike, count: int, name: str) -> Int64:
    found = np.asarray(given)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise InputError(f"{name}: {found.dtype} {found.shape}; it must be whole numbers (m,)")
    if found.size and not (found.min() >= 0 and found.max() < count):
        raise InputError(f"{name}: positions run from {found.min()} to {found.max()}; there are 0 to {count - 1}")
    return found.astype(np.int64)


def _filled(offsets: Int64) -> Int64:
    """Positions of the items that have a vector."""
    return np.flatnonzero(np.diff(offsets)).astype(np.int64)


def _cut(offsets: npt.NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Runs of items that have at most ``most`` vectors together, or one item that has more."""
    start, count = 0, len(offsets) - 1
    while start < count:
        stop = int(np.searchsorted(offsets, offsets[start] + most, side="right")) - 1
        stop = min(count, max(stop, start + 1))
        yield start, stop
        start = stop


def _runs(values: Int64) -> Iterator[tuple[int, slice]]:
    """Each run of equal values, and where it stands."""
    edges = np.flatnonzero(np.diff(values)) + 1
    bounds = [0, *edges.tolist(), len(values)] if len(values) else [0]
    for start, stop in pairwise(bounds):
        yield int(values[start]), slice(start, stop)
