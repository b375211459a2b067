"""A pool of hits whose scores are corrected, and whether what was left out of it could have been better."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from similia.index.topk import best_of
from similia.types import Bool, Float32, Hits, Int64

_UNIT = 2.0**-23  # spacing of float32 at 1


def settled(
    hits: Hits, k: int, biases: Float32, gates: Float32, rising: Callable[[Float32], Int64], strength: float = 1.0
) -> tuple[Hits, Bool]:
    """The k best of a pool after its biases were subtracted, and where no other item can be among them.

    Nothing here takes time that goes with the number of items, but for ``rising``, whose answers can be kept.

    Args:
        hits: the raw best of each of q queries, best first; -1 where there are no more.
        k: places.
        biases: (parts, n), what to subtract.
        gates: (q, parts), 1 where a part applies to a query, else 0.
        rising: for the gates of a query (parts,) the items in the order of their biases, the least first.
        strength: what to multiply the biases by.

    Returns:
        hits, and bool (q,).

    Examples:
        >>> hits, bias = Hits([[0, 1]], [[0.9, 0.8]]), np.float32([[0.3, 0.0, 0.2]])
        >>> settled(hits, 1, bias, np.ones((1, 1), np.float32), lambda gate: np.argsort(gate @ bias))[0].ids.tolist()
        [[1]]
    """
    queries, items = len(hits), biases.shape[1]
    scale = np.float32(strength)
    rows, columns = np.nonzero(hits.ids >= 0)
    ids, raw = hits.ids[rows, columns], hits.scores[rows, columns]
    scores = raw - scale * np.einsum("mp,pm->m", gates[rows], biases[:, ids])
    best = Hits(*best_of(rows.astype(np.int64), ids, scores.astype(np.float32), queries, k))
    whole = (hits.ids < 0).any(axis=1) | (hits.k >= items)
    untouched = ~gates.any(axis=1) | (strength == 0)
    certain = whole | (untouched & (hits.k >= k))
    for pattern in np.unique(gates[~certain], axis=0):
        asked = np.flatnonzero(~certain & (gates == pattern).all(axis=1))
        order = rising(pattern)
        if not (pattern @ biases[:, order[[0, -1]]]).any():
            certain[asked] = hits.k >= k  # no bias is other than 0
            continue
        outside = _first_outside(hits.ids[asked], order)
        least = scale * (pattern @ biases[:, outside])
        lowest = hits.scores[asked].min(axis=1)
        # The margin is for what rounding may do to the bias of another item.
        bound = lowest - least + 4 * _UNIT * (np.abs(lowest) + np.abs(least))
        certain[asked] = (best.ids[asked, k - 1] >= 0) & (best.scores[asked, k - 1] > bound)
    return best, certain


def _first_outside(pool: Int64, order: Int64) -> Int64:
    """The first item of an order that is not in the pool of each query, (q,); a pool never holds all items."""
    found = np.empty(len(pool), np.int64)
    left = np.arange(len(pool))
    for item in order[: pool.shape[1] + 1].tolist():
        outside = (pool[left] != item).all(axis=1)
        found[left[outside]] = item
        left = left[~outside]
        if not left.size:
            break
    return found
