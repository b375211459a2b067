"""Exact scores of what a walk found, and the best of it."""

from __future__ import annotations

import numpy as np

from similia.index.exact import Float64
from similia.index.graph.prune import Int32, Whole
from similia.index.kernels.cache import compiled
from similia.index.kernels.dots import prefetch
from similia.index.kernels.rescore import L2, pair
from similia.types import Bool, Float32, Int64

_AHEAD = 4  # candidates whose vectors are asked for before they are needed
_SPREADS = 4.0  # of these above what an estimate says, an item is not expected


@compiled()
def rescore(
    base: Whole,
    size: Whole,
    extra: Whole,
    norms: Float64,
    order: Int64,
    alive: Bool,
    queries: Float32,
    lengths: Float64,
    metric: Whole,
    found: Int32,
    estimates: Float32,
    counts: Float32,
    tallies: Int64,
    least: Whole,
    positions: Int64,
    scores: Float32,
) -> None:
    """The k best of each query's candidates by their scores in double precision, equal ones by position.

    Candidates come by falling estimate. Scoring ends where the next estimate is so far below the k-th best score that
    an error would have to be larger than four times the spread of the errors so far.

    ``base`` is the address of float32 (size, d), the vectors at positions below ``size``, ``extra`` that of those from
    there on; ``norms`` (n,) are their lengths by position, ``order`` (n,) the position of each node, ``alive`` (n,)
    whether it may be found, ``queries`` (q, d) and ``lengths`` (q,) the queries', ``metric`` as in
    `similia.index.kernels.rescore`. ``found``, ``estimates`` and ``tallies`` are as `walk.search` gives them,
    ``counts`` (q,) what an estimate counts, ``least`` how many scores, at least 2, the errors' spread is judged by.
    ``positions`` and ``scores`` (q, k) become the result, -1 and -inf where there is no more.
    """
    k, d = positions.shape[1], queries.shape[1]
    query = np.empty(d, np.float64)
    for q in range(len(queries)):
        positions[q, :], scores[q, :] = -1, -np.inf
        query[:] = queries[q]
        kept, judged, mean, spread = 0, 0, 0.0, 0.0
        for i in range(tallies[q]):
            node = np.int64(found[q, i])
            prefetch(np.uint64(order.ctypes.data + 8 * node))
            prefetch(np.uint64(alive.ctypes.data + node))
        for i in range(min(_AHEAD, tallies[q])):
            _fetch(base, size, extra, d, norms, order[found[q, i]])
        for i in range(tallies[q]):
            if i + _AHEAD < tallies[q]:
                _fetch(base, size, extra, d, norms, order[found[q, i + _AHEAD]])
            if not alive[found[q, i]]:
                continue
            expected = np.float64(estimates[q, i]) * counts[q]
            if kept == k and judged >= least:
                worst = np.float64(scores[q, k - 1])
                reached = -worst * worst / 2 if metric == L2 else worst
                if expected + mean + _SPREADS * np.sqrt(spread / (judged - 1)) < reached:
                    break
            position = order[found[q, i]]
            address, row = (base, position) if position < size else (extra, position - size)
            score, _ = pair(address, row, norms[position], query, lengths[q], metric)
            error = (-np.float64(score) * score / 2 if metric == L2 else np.float64(score)) - expected
            judged += 1
            change = error - mean
            mean += change / judged
            spread += change * (error - mean)
            if kept < k:
                kept += 1
            elif score < scores[q, k - 1] or (score == scores[q, k - 1] and position > positions[q, k - 1]):
                continue
            at = kept - 1
            while at > 0 and (
                scores[q, at - 1] < score or (scores[q, at - 1] == score and positions[q, at - 1] > position)
            ):
                scores[q, at], positions[q, at] = scores[q, at - 1], positions[q, at - 1]
                at -= 1
            scores[q, at], positions[q, at] = score, position


@compiled(inline="always")
def _fetch(base: Whole, size: Whole, extra: Whole, d: Whole, norms: Float64, position: Whole) -> None:
    """Ask for the vector and the length at a position."""
    prefetch(np.uint64(norms.ctypes.data + 8 * position))
    start = base + position * d * 4 if position < size else extra + (position - size) * d * 4
    for line in range(0, d * 4, 64):
        prefetch(np.uint64(start + line))
