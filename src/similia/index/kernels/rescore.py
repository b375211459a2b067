"""Candidates of a scan scored again, in double precision, and the k best of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from similia.index.kernels.cache import compiled
from similia.index.kernels.dots import distance_wide, dot_wide, float_at, prefetch
from similia.index.kernels.heap import drain, push
from similia.index.kernels.scan import Int32
from similia.measure.vectors import TINY
from similia.types import Bool, Float32, Int64

Float64 = npt.NDArray[np.float64]
COSINE, DOT, L2 = 0, 1, 2
_UNIT = 2.0**-53  # unit roundoff of float64
_AHEAD = 2  # candidates whose vectors are asked for before they are needed


@compiled()
def rescore(
    vectors: int,
    norms: Float64,
    queries: Float64,
    lengths: Float64,
    metric: int,
    scaled: Float64,
    slack: Float64,
    limits: Float32,
    floor: Float32,
    scores: Float32,
    items: Int32,
    order: Int32,
    tally: Int64,
    best: Float32,
    places: Int64,
    proven: Bool,
    doubtful: Bool,
) -> None:
    """The k best of each query's candidates, best first and by position where equal.

    ``vectors`` is the address of float32 (n, d), ``norms`` (n,) and ``lengths`` (q,) are those of vectors and queries,
    ``metric`` is `COSINE`, `DOT` or `L2`, ``scaled`` (q, 2) factor and summand that make an exact score a scan's, and
    ``slack`` (q,) by how much a scan's score may be wrong. ``scores``, ``items``, ``tally`` and ``floor`` are what
    `scan_best` found, ``order`` which item each row is; candidates below ``limits`` (q,) are dropped.

    ``best`` (q, k), -inf, and ``places`` (q, k), -1, become scores and items; ``proven`` (q,) whether
    nothing that was dropped can be among them, ``doubtful`` (q,) whether some score may round otherwise if it is added
    up in another order.
    """
    k, size = best.shape[1], np.uint64(4 * queries.shape[1])
    for query in range(len(queries)):
        near = _drop_far(scores[query], items[query], tally[query], limits[query])
        tally[query] = near
        _sort(scores[query], items[query], near)
        found, reached = 0, -np.inf
        for at in range(near):
            if found == k and scores[query, at] + slack[query] < reached:
                break
            if at + _AHEAD < near:
                following = np.uint64(vectors) + np.uint64(order[items[query, at + _AHEAD]]) * size
                for line in range(0, size, 64):
                    prefetch(following + np.uint64(line))
            item = int(order[items[query, at]])
            score, sure = pair(vectors, item, norms[item], queries[query], lengths[query], metric)
            doubtful[query] |= not sure
            if found < k or score > best[query, 0] or (score == best[query, 0] and item < places[query, 0]):
                found = push(best[query], places[query], found, score, item)
                if found == k:
                    reached = to_scan(np.float64(best[query, 0]), scaled[query], metric)
        drain(best[query], places[query], found)
        proven[query] = floor[query] == -np.inf or (found == k and floor[query] + slack[query] < reached)


@compiled()
def score_pairs(
    vectors: int,
    norms: Float64,
    queries: Float64,
    lengths: Float64,
    metric: int,
    rows: Int64,
    items: Int64,
    scores: Float32,
    sure: Bool,
) -> None:
    """The score of each pair of a query and an item, and whether it is sure to round so; arguments as `rescore`'s."""
    for at in range(len(rows)):
        query, item = rows[at], items[at]
        scores[at], sure[at] = pair(vectors, item, norms[item], queries[query], lengths[query], metric)


@compiled(inline="always")
def pair(vectors: int, item: int, norm: float, query: Float64, length: float, metric: int) -> Any:
    """The score of one pair, and whether any order of adding up rounds to it."""
    d = len(query)
    whole = d - d % 16
    x = np.uint64(vectors) + np.uint64(item) * np.uint64(4 * d)
    q = np.uint64(query.ctypes.data)
    total = 0.0
    if metric == L2:
        if whole:
            total = distance_wide(x, q, whole)
        for at in range(whole, d):
            difference = query[at] - np.float64(float_at(x + np.uint64(4 * at)))
            total += difference * difference
        total = 0 - np.sqrt(total)
        wrong = 3 * (d + 8) * _UNIT * -total
        return np.float32(total), np.float32(total - wrong) == np.float32(total + wrong)
    if whole:
        total = dot_wide(x, q, whole)
    for at in range(whole, d):
        total += query[at] * np.float64(float_at(x + np.uint64(4 * at)))
    wrong = 3 * (d + 8) * _UNIT * length * norm
    if metric == COSINE:
        if length < TINY or norm < TINY:
            return np.float32(0), True
        total = min(max(total / (length * norm), -1.0), 1.0)
        wrong /= length * norm
    return np.float32(total), np.float32(total - wrong) == np.float32(total + wrong)


@compiled(inline="always")
def to_scan(score: float, scaled: Float64, metric: int) -> Any:
    """What a scan would give for an exact score."""
    return scaled[1] - scaled[0] * score * score if metric == L2 else scaled[1] + scaled[0] * score


@compiled()
def _sort(scores: Float32, items: Int32, count: int) -> None:
    """Put ``count`` candidates in order, best first (Shell's method: there are few)."""
    gap = count // 2
    while gap > 0:
        for at in range(gap, count):
            score, item, to = scores[at], items[at], at
            while to >= gap and scores[to - gap] < score:
                scores[to], items[to] = scores[to - gap], items[to - gap]
                to -= gap
            scores[to], items[to] = score, item
        gap //= 2


@compiled()
def _drop_far(scores: Float32, items: Int32, count: int, limit: float) -> int:
    kept = 0
    for at in range(count):
        if scores[at] >= limit:
            scores[kept], items[kept] = scores[at], items[at]
            kept += 1
    return kept
